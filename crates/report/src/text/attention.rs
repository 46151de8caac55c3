//! Money that somebody has to look at, over all drops.

use std::{collections::BTreeMap, fmt};

use stampede_domain::{Currency, Money};

use super::{
    counted,
    numbers::{grouped, money},
};
use crate::read::LedgerReport;

/// Writes a line for each kind of which there is any. Rehearsals count: real money may have come for one.
pub(super) fn write(f: &mut fmt::Formatter<'_>, ledger: &LedgerReport) -> fmt::Result {
    let (mut refunds, mut declined, mut unpaid) = (0_u64, 0_u64, 0_u64);
    let mut due: BTreeMap<Currency, u64> = BTreeMap::new();
    for report in &ledger.drops {
        let open = &report.open_money;
        refunds += open.refunds_due;
        declined += open.declined;
        unpaid += open.unpaid_orders;
        if open.refund_due.minor() > 0 {
            let sum = due.entry(open.refund_due.currency()).or_default();
            *sum = sum.saturating_add(open.refund_due.minor());
        }
    }
    let unmatched = ledger.unmatched.payments();
    if refunds == 0 && declined == 0 && unpaid == 0 && unmatched == 0 {
        return Ok(());
    }
    writeln!(f)?;
    writeln!(f, "money to look at")?;
    if refunds > 0 {
        writeln!(f, "    {:<18}{}{}", "refund due", counted(refunds, "payment"), sums(&due))?;
    }
    if unpaid > 0 {
        writeln!(f, "    {:<18}{}", "unpaid", counted(unpaid, "order"))?;
    }
    if declined > 0 {
        writeln!(f, "    {:<18}{}", "declined", counted(declined, "request"))?;
    }
    if unmatched > 0 {
        let (payments, sums) = (counted(unmatched, "payment"), sums(&ledger.unmatched.sums()));
        writeln!(f, "    {:<18}{payments}{sums}", "unmatched")?;
    }
    Ok(())
}

/// `, 12.00 EUR, 5 JPY`
fn sums(minor: &BTreeMap<Currency, u64>) -> String {
    let written = |(currency, minor): (&Currency, &u64)| match Money::new(*minor, *currency) {
        Some(amount) => format!(", {}", money(amount)),
        // More than one amount may be is told in minor units.
        None => format!(", {} minor units of {currency}", grouped(*minor)),
    };
    minor.iter().map(written).collect()
}
