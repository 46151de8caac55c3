//! The brake as cores see it, once decisions about it are durable.

use stampede_domain::Rates;
use stampede_ledger::BrakePart;

use super::Steward;
use crate::{clock::Moment, metrics};

impl Steward {
    /// What was lifted is no longer in the way, unless a later decision has set it again: that one's
    /// own end may still be on its way to the ledger.
    pub(super) fn lifted(&mut self, part: BrakePart, decision: u64) {
        if !self.books.brake().is_latest(part, decision) {
            return;
        }
        match part {
            BrakePart::Halt => {
                self.shared.brake.set_halt(None);
                metrics::show_halt(false);
            }
            BrakePart::Rates => {
                self.books.brake_mut().put_in_force();
                self.shared.brake.set_rates(Rates::NONE, None);
            }
            BrakePart::Ban(id) => {
                self.shared.brake.remove_ban(id);
                metrics::show_bans(self.shared.brake.ban_count());
            }
        }
    }

    /// Limits are durable: they hold as they were set, unless a later decision has changed them.
    pub(super) fn rates_are_set(&mut self, decision: u64) {
        if !self.books.brake().is_latest(BrakePart::Rates, decision) {
            return;
        }
        self.books.brake_mut().put_in_force();
        if let Some((rates, entry)) = self.books.brake().rates() {
            self.shared.brake.set_rates(*rates, Some(entry.clone()));
        }
    }

    /// Ends what was set for a time that is over by the wall clock.
    pub(super) fn brake_timers(&mut self, now: Moment) {
        let mut has_beaten = false;
        while self.has_room() && self.books.brake().due(now.wall).is_some() {
            // The row's time is the sale's clock; what the wall clock showed stands beside it.
            if !std::mem::replace(&mut has_beaten, true) {
                self.beat(now);
            }
            self.decide(|books, out| books.brake_timer(now.wall, out));
        }
    }
}
