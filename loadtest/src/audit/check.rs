//! Promise by promise, then row by row.

use std::collections::{HashMap, HashSet};

use stampede_domain::IdempotencyKey;

use super::{
    AuditResult, Ledger,
    ledger::{HoldState, LedgerHold},
};
use crate::recorder::{Promise, Promised};

/// Longest time that a core may be held up between its look at the clock and its take.
const TAKEN_LATE_MS_MAX: u64 = 1_000;

/// Holds every promise against the ledger, and the ledger's rows against each other.
///
/// The ledger must have been read after the last promise was received.
pub fn audit_promises<'a>(
    promises: impl IntoIterator<Item = &'a Promise>,
    ledger: &Ledger,
) -> AuditResult {
    let mut audit = Audit { ledger, result: AuditResult::default(), by_key: HashMap::new() };
    for promise in promises {
        audit.promise(promise);
    }
    audit.rows();
    audit.orders();
    match &ledger.damage {
        // The supply is among the sums that are missing.
        Some(what) => audit.contradict(1, || format!("the ledger contradicts itself: {what}")),
        None => audit.result.oversold = oversold(ledger),
    }
    let oversold = audit.result.oversold;
    if oversold > 0 {
        let units = if oversold == 1 { "unit" } else { "units" };
        audit.result.say(|| format!("{oversold} {units} beyond the supply at the worst moment"));
    }
    audit.result
}

struct Audit<'a> {
    ledger: &'a Ledger,
    result: AuditResult,
    /// The hold that each viewer's key was promised.
    by_key: HashMap<(&'a str, &'a str), &'a str>,
}

impl<'a> Audit<'a> {
    fn promise(&mut self, promise: &'a Promise) {
        self.result.promises += 1;
        if let Promised::Held { key: Some(key), .. } | Promised::Order { key: Some(key), .. } =
            &promise.what
        {
            let known = *self.by_key.entry((&promise.viewer, key)).or_insert(&promise.hold);
            if known != promise.hold {
                self.result.second_holds += 1;
                self.result.say(|| {
                    let Promise { viewer, hold, .. } = promise;
                    format!("{viewer}'s key {key} got the hold {known}, later {hold}")
                });
            }
        }
        if let Err(why) = self.kept(promise) {
            self.result.promises_lost += 1;
            self.result.say(|| {
                let Promise { viewer, hold, what, .. } = promise;
                format!("{viewer} was promised {what} for the hold {hold}, but {why}")
            });
        }
    }

    fn kept(&self, promise: &Promise) -> Result<(), String> {
        let found = self.ledger.holds.get(&promise.hold);
        let hold = found.ok_or_else(|| "the ledger has no such hold".to_owned())?;
        same("viewer", &*promise.viewer, or_nobody(hold.viewer.as_ref()))?;
        same("SKU", &*promise.sku, &*hold.sku)?;
        same("units", promise.units, hold.units)?;
        match &promise.what {
            Promised::Held { key, .. } => match key {
                Some(key) => same_key(key, hold),
                None => Ok(()),
            },
            Promised::Order { order, amount_minor, .. } => {
                let made_by = self.order_hold(hold)?;
                same("state", HoldState::Confirmed, made_by.state)?;
                same("order", &**order, &*made_by.hold)?;
                let Some([row, ..]) = self.ledger.orders.get(order).map(Vec::as_slice) else {
                    return Err("the ledger has no such order".to_owned());
                };
                same("amount", *amount_minor, row.amount_minor)?;
                same("buyer", &*promise.viewer, or_nobody(row.viewer.as_ref()))?;
                same("units of the order", u64::from(promise.units), row.units)
            }
            Promised::Released => same("state", HoldState::Released, hold.state),
            Promised::Expired => same("state", HoldState::Expired, hold.state),
        }
    }

    /// The hold that an order for this one stands in: another, if its units came back before its payment and
    /// were taken again.
    fn order_hold(&self, hold: &'a LedgerHold) -> Result<&'a LedgerHold, String> {
        let Some(into) = self.ledger.retaken.get(&hold.hold) else { return Ok(hold) };
        let found = self.ledger.holds.get(into);
        found.ok_or_else(|| format!("the ledger has no hold {into}, which took its units again"))
    }

    /// Holds by themselves.
    fn rows(&mut self) {
        let ledger = self.ledger;
        let mut keys = HashSet::new();
        let mut pending = ledger.orders_pending();
        self.result.holds = u64::try_from(ledger.holds.len()).unwrap_or(u64::MAX);
        self.contradict(ledger.holds_repeated, || "holds with the same id".to_owned());
        for hold in ledger.holds.values() {
            let known = hold.viewer.is_none() || keys.insert((&hold.viewer, &hold.key));
            if !known {
                self.result.second_holds += 1;
                self.result.say(|| {
                    format!(
                        "{} has a further hold {} for one key",
                        or_nobody(hold.viewer.as_ref()),
                        hold.hold
                    )
                });
            }
            let early = hold.ended_at_ms.is_some_and(|ended| ended < hold.deadline_ms);
            if early && hold.state == HoldState::Expired {
                self.result.early_expiries += 1;
                self.result.say(|| {
                    let (at, due) = (hold.ended_at_ms.unwrap_or_default(), hold.deadline_ms);
                    format!("the hold {} expired at {at}, due at {due}", hold.hold)
                });
            }
            let ordered = ledger.orders.contains_key(&hold.hold);
            let confirmed = hold.state == HoldState::Confirmed;
            if confirmed && !ordered && pending > 0 {
                pending -= 1;
            } else if confirmed != ordered {
                let state = hold.state;
                let order = if ordered { "but has an order" } else { "but has no order" };
                self.contradict(1, || format!("the hold {} is {state}, {order}", hold.hold));
            }
        }
    }

    /// Orders by themselves.
    fn orders(&mut self) {
        let ledger = self.ledger;
        let mut keys = HashSet::new();
        self.result.units_sold = ledger.units_sold();
        for (id, rows) in &ledger.orders {
            let mut orders = u64::try_from(rows.len()).unwrap_or(u64::MAX);
            self.result.orders += orders;
            match ledger.holds.get(id) {
                Some(hold) => {
                    let first = hold.viewer.is_none() || keys.insert((&hold.viewer, &hold.key));
                    orders += u64::from(!first);
                    let units = u64::from(hold.units);
                    for row in rows.iter().filter(|row| row.units != units || row.sku != hold.sku) {
                        self.contradict(1, || format!("{row:?} differs from {hold:?}"));
                    }
                }
                None => self.contradict(1, || format!("the order {id} has no hold")),
            }
            if orders > 1 {
                self.result.duplicate_orders += orders - 1;
                self.result.say(|| format!("the order {id} is one of {orders} for one buy"));
            }
        }
    }

    fn contradict(&mut self, count: u64, what: impl FnOnce() -> String) {
        if count > 0 {
            self.result.contradictions += count;
            self.result.say(what);
        }
    }
}

fn same<T: Copy + PartialEq + std::fmt::Display>(
    what: &str,
    promised: T,
    found: T,
) -> Result<(), String> {
    if promised == found {
        return Ok(());
    }
    Err(format!("the ledger's {what} is {found} instead of {promised}"))
}

/// Whom the ledger names; it names nobody where the link to the platform's id is gone.
fn or_nobody(viewer: Option<&String>) -> &str {
    viewer.map_or("nobody", String::as_str)
}

fn same_key(key: &str, hold: &LedgerHold) -> Result<(), String> {
    let fingerprint = IdempotencyKey::new(key).map(|key| key.fingerprint().to_string());
    same("key", fingerprint.as_deref().unwrap_or("none"), &*hold.key)
}

/// Units held or sold beyond the supply at the worst moment of the history.
///
/// A hold carries the time at which its core looked at the clock; on a busy machine the core may have
/// taken a good while later, units among them that came back in between. So a hold counts from
/// [`TAKEN_LATE_MS_MAX`] after that time. Units come back after the commit that ends their hold,
/// which carries an earlier time, so within one millisecond ends go first.
fn oversold(ledger: &Ledger) -> u64 {
    let mut moves: Vec<(u64, i64)> = Vec::new();
    for hold in ledger.holds.values() {
        let units = i64::from(hold.units);
        let from_ms = hold.taken_at_ms + TAKEN_LATE_MS_MAX;
        let back = matches!(hold.state, HoldState::Released | HoldState::Expired);
        let until_ms = hold.ended_at_ms.filter(|_| back);
        if until_ms.is_none_or(|until_ms| from_ms < until_ms) {
            moves.push((from_ms, units));
            moves.extend(until_ms.map(|until_ms| (until_ms, -units)));
        }
    }
    moves.sort_unstable();
    let running = moves.iter().scan(0_i64, |out, (_, units)| {
        *out += units;
        Some(*out)
    });
    let most = u64::try_from(running.max().unwrap_or(0)).unwrap_or(0);
    most.max(ledger.units_sold()).saturating_sub(ledger.supplied())
}
