//! A payment that comes when its hold has expired takes the units again, if they are free.
//!
//! It waits until the hold's own units are back. Then they are taken like by any buyer: before the record, and the
//! order follows once the take is durable. What cannot be taken again is due back.

use std::collections::{BTreeMap, HashMap, HashSet};

use stampede_books::{HoldEnd, brake::Arrival};
use stampede_domain::{
    DropId, HoldId, KeyFingerprint, Mode, PaymentEvent, PaymentFact, PaymentId, Phase, UnixMillis,
};
use stampede_ledger::{Entry, HoldRecord, Record};
use stampede_stock::{Lane, Take, TakeRequest};

use super::{Steward, WaitingFact, effects::Promise};
use crate::{
    HoldLook,
    ended_holds::{EndedHold, EndedHolds},
    hold_channels::Tag,
};

/// What the steward needs to take for payments.
#[derive(Default)]
pub(crate) struct Retakes {
    lanes: HashMap<DropId, Lane>,
    ended: BTreeMap<DropId, EndedHolds>,
    /// Ended holds whose units were taken again for a payment that is not decided yet.
    under_way: HashSet<HoldId>,
}

impl Retakes {
    pub(crate) fn note_end(&mut self, hold: HoldId, ended: EndedHold) {
        self.ended.entry(hold.drop_id()).or_default().add(hold, ended);
    }

    pub(crate) fn find(&self, hold: HoldId) -> Option<&EndedHold> {
        self.ended.get(&hold.drop_id())?.find(hold)
    }

    /// The payment is decided that these units were taken again for.
    pub(super) fn decided(&mut self, retaken: &[(HoldId, HoldId)]) {
        for (old, _) in retaken {
            self.under_way.remove(old);
        }
    }

    pub(super) fn forget(&mut self, drop: DropId) {
        self.lanes.remove(&drop);
        self.ended.remove(&drop);
        self.under_way.retain(|hold| hold.drop_id() != drop);
    }
}

impl Steward {
    /// Readies a fact that brings money: ends what is overdue, waits for units that are on their way back, takes
    /// again what can be. Gives the fact back once nothing is under way.
    pub(super) fn ready_for_money(
        &mut self,
        mut waiting: WaitingFact,
        holds: &[HoldId],
        now: UnixMillis,
    ) -> Option<WaitingFact> {
        let brings_money = matches!(
            waiting.fact.event,
            PaymentEvent::Paid { .. } | PaymentEvent::Authorized { .. }
        );
        if !brings_money {
            return Some(waiting);
        }
        let mut is_under_way = false;
        for hold in holds {
            if let HoldLook::Known(held) = self.hold_in_memory(*hold)
                && !held.confirmed
                && now >= held.ends_at()
            {
                let end = HoldEnd::Expired;
                self.decide(|books, out| books.end_hold(now, held, end, out));
                is_under_way = true;
            }
            is_under_way |= self.shared.ends_under_way.contains_key(hold);
            // What another report has taken again becomes that one's order first. What this one has taken is
            // there: the hold itself stands here again if its payment was let go meanwhile.
            let is_own = waiting.retaken.iter().any(|(old, _)| old == hold);
            is_under_way |= !is_own && self.retakes.under_way.contains(hold);
        }
        if is_under_way {
            // Behind the effects that give the units back.
            self.after_records(Promise::PaymentAgain(waiting));
            return None;
        }
        let payment = &waiting.fact.payment;
        let ended: Vec<HoldId> = holds
            .iter()
            .copied()
            .filter(|hold| self.hold_in_memory(*hold) == HoldLook::Ended)
            .filter(|hold| !waiting.retaken.iter().any(|(old, _)| old == hold))
            .filter(|hold| !self.books.has_money(*hold, payment))
            // Once in a hold's life: a second payment goes back.
            .filter(|hold| self.books.order_of(*hold) == *hold)
            .collect();
        if ended.is_empty() || !self.fits(&waiting.fact, holds) {
            return Some(waiting);
        }
        let (payment, mode) = (waiting.fact.payment.clone(), waiting.fact.mode);
        let mut took = false;
        for hold in ended {
            if let Some(again) = self.take_again(hold, (&payment, mode), now) {
                waiting.retaken.push((hold, again));
                self.retakes.under_way.insert(hold);
                took = true;
            }
        }
        if took {
            self.after_records(Promise::PaymentAgain(waiting));
            return None;
        }
        Some(waiting)
    }

    /// Gives back what was taken again and made no order after all.
    pub(super) fn let_go_of_unpaid(&mut self, retaken: &[(HoldId, HoldId)], now: UnixMillis) {
        for (_, hold) in retaken {
            if let HoldLook::Known(held) = self.hold_in_memory(*hold)
                && !held.confirmed
            {
                self.decide(|books, out| books.end_hold(now, held, HoldEnd::Released, out));
            }
        }
    }

    /// Whether a payment is what is owed for all of these holds, those that have ended included.
    fn fits(&self, fact: &PaymentFact, holds: &[HoldId]) -> bool {
        let (PaymentEvent::Paid { amount } | PaymentEvent::Authorized { amount }) = fact.event
        else {
            return false;
        };
        let owed = holds.iter().map(|hold| self.books.owed(&self.paying(*hold)));
        let sum = owed.reduce(|sum, owed| sum?.checked_add(owed?)).flatten();
        sum == Some(amount)
    }

    /// Takes again what an ended hold had, for its viewer. The key is the payment's, so a second report takes nothing
    /// more.
    fn take_again(
        &mut self,
        old: HoldId,
        (payment, mode): (&PaymentId, Option<Mode>),
        now: UnixMillis,
    ) -> Option<HoldId> {
        let drop = old.drop_id();
        let EndedHold { viewer, units, channel, is_expired, counts_returned } =
            self.retakes.find(old)?.clone();
        // Whoever gave it back on purpose was told that no order comes.
        if !is_expired {
            return None;
        }
        let sale = self.sales.get(&drop)?;
        let plan = sale.plan();
        // Money of the other mode is refused, or goes back.
        if mode.is_some_and(|mode| mode != plan.mode) {
            return None;
        }
        let is_kept_out = self.shared.directory.by_number(viewer).is_some_and(|viewer| {
            let (viewer, stream) = (viewer.id(), &plan.stream);
            let channel = channel.as_ref();
            self.shared.brake.is_banned(Arrival { viewer, channel, stream, address: None })
        });
        if sale.phase() != Phase::Open || self.shared.brake.is_halted() || is_kept_out {
            return None;
        }
        let key = KeyFingerprint::of(format!("{payment} for {old}").as_bytes());
        let (pool, deadline) = (old.pool(), now.plus(plan.hold_ttl));
        let request = TakeRequest { viewer, key, pool, units, now, deadline };
        let lane = self.retakes.lanes.entry(drop).or_insert_with(|| sale.stock().lane());
        let taken = sale.stock().take(lane, &request, || true);
        if lane.take_growth_wish() {
            sale.stock().grow_ahead();
        }
        let hold = match taken {
            Take::Taken(hold) => hold,
            // Taken by an earlier report of the same payment: its take may be on its way, or it has ended since.
            Take::Replay(hold) => {
                let look = self.hold_in_memory(hold);
                return matches!(look, HoldLook::Known(_) | HoldLook::Pending).then_some(hold);
            }
            Take::NoRoom
            | Take::Shut
            | Take::KeyReused
            | Take::SoldOut
            | Take::NotEnough { .. }
            | Take::OverViewerLimit { .. }
            | Take::HoldsCapped { .. } => return None,
        };
        if counts_returned {
            sale.paying().take_back(units);
        }
        if let Some(known) = self.shared.directory.by_number(viewer)
            && known.note_take(drop)
        {
            sale.add_winner(0, viewer);
        }
        let tag = channel.as_ref().map_or(Tag::default(), |channel| sale.channel_number(channel));
        let taken_at = now;
        let record = HoldRecord::Taken { hold, viewer, key, units, taken_at, deadline, channel };
        let record = Record::Hold(record);
        self.pushed = self.ring.stage(Entry { drop, record, link: None, tag });
        Some(hold)
    }
}
