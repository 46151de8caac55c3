//! The demo's shop: it takes the viewers' money, as a platform does, and reports it to the server.

use std::{path::Path, time::Duration};

use stampede_control::{NewStaff, StaffTokens};
use stampede_domain::Money;
use stampede_engine::{Clock as _, Role, StreamScope};
use stampede_loadtest::{Provider, Till, TillFigures};

use crate::{clock::SystemClock, failure::Failure};

/// Whose goods the demos sell.
pub(super) const MERCHANT: &str = "maison-demo";
/// What they are paid in.
pub(super) const CURRENCY: &str = "EUR";
/// How long most payments take.
const DELAY: Duration = Duration::from_millis(250);
const DECLINED_SHARE: f64 = 0.03;
/// Some come too late, so that there is something to give back.
const SLOW_SHARE: f64 = 0.005;

/// Opens the till of a server, with a token of its own; slow payments take `slow_delay` longer.
pub(super) fn open(
    ledger: &Path,
    control_url: &str,
    seed: u64,
    slow_delay: Duration,
) -> Result<Till, Failure> {
    let staff = NewStaff {
        name: "till".to_owned(),
        role: Role::Payments,
        merchant: Some(MERCHANT.parse()?),
        streams: StreamScope::All,
    };
    let token = StaffTokens::open(ledger)?.add(staff, SystemClock::start().wall())?;
    let provider = Provider {
        seed,
        currency: CURRENCY.to_owned(),
        delay: DELAY,
        declined_share: DECLINED_SHARE,
        slow_share: SLOW_SHARE,
        slow_delay,
    };
    Ok(Till::open(control_url, token.secret.reveal(), provider)?)
}

/// What became of money, for people.
pub(super) fn words(figures: &TillFigures) -> String {
    let TillFigures { orders, declined, called_off, refunds, .. } = figures;
    let currency = CURRENCY.parse().expect("a currency of ISO 4217");
    let sums = [figures.paid_minor, figures.refunded_minor, figures.due_minor];
    let money = |minor| Money::new(minor, currency).expect("a demo sells for far less than fits");
    let [paid, refunded, due] = sums.map(money);
    format!(
        "money        paid {paid}, refunded {refunded}, due {due}\n             \
         {orders} orders paid; {declined} payments declined, {called_off} called off, {refunds} sent back"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_money_fits_a_terminal() {
        let figures = TillFigures {
            payments: 15_031,
            declined: 450,
            called_off: 38,
            orders: 15_000,
            ordered_minor: 74_850_000,
            paid_minor: 75_004_690,
            refunds: 31,
            refunded_minor: 154_690,
            due_minor: 0,
        };
        let said = words(&figures);
        assert_eq!(
            said,
            "money        paid 750046.90 EUR, refunded 1546.90 EUR, due 0.00 EUR\n             \
             15000 orders paid; 450 payments declined, 38 called off, 31 sent back"
        );
        assert!(said.lines().all(|line| line.len() <= 84), "{said}");
    }
}
