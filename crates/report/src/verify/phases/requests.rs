//! Requests for more units than a drop has in reserve: each ends once, by whoever says so right behind, and no host puts
//! more on sale by itself.

use std::collections::BTreeMap;

use stampede_domain::{PoolIndex, Units};
use stampede_ledger::{
    Command, Record, RecordedOutcome, RequestAsked, RequestEnd, RequestEnded, RequestRecord,
};

use super::PhaseFault;
use crate::verify::finding::{Findings, Place};

/// The requests of one drop.
#[derive(Debug, Default)]
pub(super) struct RequestBook {
    /// Number of the latest.
    last: u32,
    /// What was asked for by those that have not ended.
    open: BTreeMap<u32, (PoolIndex, Units)>,
    /// The record before this one, if it is a lot.
    lot: Option<LatestLot>,
    /// A request that the record before this one has made or ended: the command of the same person comes right behind.
    unsigned: Option<Unsigned>,
}

/// A lot, with what it may belong to.
#[derive(Clone, Copy, Debug)]
struct LatestLot {
    pool: PoolIndex,
    units: Units,
    lot: u32,
    /// What was in reserve before.
    reserve: u64,
}

#[derive(Debug)]
struct Unsigned {
    number: u32,
    action: &'static str,
    actor: String,
    /// The lot by which it was granted.
    lot: Option<LatestLot>,
    place: Place,
}

impl RequestBook {
    /// Sees every record of the drop but takes, which come between others. `reserve` is what the pool of a lot had before
    /// it, `is_new` says that hosts had to ask when the drop was planned.
    pub(super) fn see(
        &mut self,
        record: &Record,
        (reserve, is_new): (impl Fn(PoolIndex) -> u64, bool),
        place: Place,
        findings: &mut Findings,
    ) {
        let (lot, unsigned) = (self.lot.take(), self.unsigned.take());
        match record {
            Record::Command(command) => {
                let granted = unsigned.as_ref().and_then(|of| of.lot);
                check_signed(command, unsigned, findings);
                let by_host = command.role.as_str() == "host"
                    && matches!(command.action.as_str(), "restock" | "grant_request")
                    && command.outcome == RecordedOutcome::Accepted;
                if let Some(LatestLot { units, reserve, .. }) = lot.or(granted)
                    && by_host
                    && is_new
                    && u64::from(units.get()) > reserve
                {
                    findings.add(place, PhaseFault::BeyondReserve { units, reserve });
                }
                return;
            }
            Record::Lot { pool, units, lot } => {
                let reserve = reserve(*pool);
                self.lot = Some(LatestLot { pool: *pool, units: *units, lot: *lot, reserve });
            }
            Record::Request(RequestRecord::Asked(asked)) => {
                self.ask(asked, reserve(asked.pool), place, findings);
            }
            Record::Request(RequestRecord::Ended(ended)) => self.end(ended, lot, place, findings),
            _ => {}
        }
        if let Some(Unsigned { number, place, .. }) = unsigned {
            findings.add(place, PhaseFault::RequestUnsigned { number });
        }
    }

    fn ask(&mut self, asked: &RequestAsked, reserve: u64, place: Place, findings: &mut Findings) {
        let RequestAsked { number, pool, units, .. } = *asked;
        let expected = self.last.saturating_add(1);
        if number != expected {
            findings.add(place, PhaseFault::RequestNumber { expected, found: number });
        }
        self.last = number;
        let (stated, units_asked) = (u64::from(asked.reserve.get()), u64::from(units.get()));
        if stated != reserve || units_asked <= reserve {
            findings.add(place, PhaseFault::RequestReserve { number, units, stated, reserve });
        }
        self.open.insert(number, (pool, units));
        let actor = asked.by.actor.as_str().to_owned();
        self.unsigned = Some(Unsigned { number, action: "restock", actor, lot: None, place });
    }

    fn end(
        &mut self,
        ended: &RequestEnded,
        lot: Option<LatestLot>,
        place: Place,
        findings: &mut Findings,
    ) {
        let RequestEnded { number, pool, units, end, .. } = *ended;
        let open = self.open.remove(&number);
        if open.is_none() {
            findings.add(place, PhaseFault::RequestNotOpen { number });
        }
        let is_same = open.is_none_or(|asked| asked == (pool, units));
        let (action, is_granted) = match end {
            RequestEnd::Granted { lot: number } => {
                let is_it =
                    |lot: LatestLot| (lot.pool, lot.units, lot.lot) == (pool, units, number);
                ("grant_request", lot.is_some_and(is_it))
            }
            RequestEnd::Declined => ("decline_request", lot.is_none()),
            RequestEnd::Withdrawn => ("withdraw_request", lot.is_none()),
        };
        if !(is_same && is_granted) {
            findings.add(place, PhaseFault::RequestDiffers { number });
        }
        let actor = ended.by.actor.as_str().to_owned();
        self.unsigned = Some(Unsigned { number, action, actor, lot, place });
    }
}

/// Checks that the command behind a request is that of whoever has made or ended it.
fn check_signed(command: &Command, unsigned: Option<Unsigned>, findings: &mut Findings) {
    let Some(Unsigned { number, action, actor, place, .. }) = unsigned else { return };
    let is_signed = command.outcome == RecordedOutcome::Accepted
        && command.action.as_str() == action
        && command.actor.as_str() == actor;
    if !is_signed {
        findings.add(place, PhaseFault::RequestUnsigned { number });
    }
}
