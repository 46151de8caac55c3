//! The timers of a drop: it starts, opens, closes, or waits for its stream.

use stampede_domain::{DropId, Moment, Phase, UnixMillis};
use stampede_ledger::PhaseRecord;

use super::Books;
use crate::{
    decision::{Act, Decision},
    drop::{DropBook, MissedWhy},
};

impl Books {
    /// Does what is due of the drop by itself, tallies and settlement apart.
    pub fn timer(&mut self, drop: DropId, now: Moment, out: &mut Decision) {
        let Some(book) = self.drops.get(&drop) else { return };
        let delay = self.rooms.video_delay(&book.plan.stream);
        if book.next_timer(now, delay).is_none_or(|at| at > now.sale) {
            return;
        }
        if book.rehearses_until().is_some_and(|until| until <= now.wall) {
            return self.end_copy(drop, now.sale, out);
        }
        let ends_at = book.phase_ends_at(now, delay);
        if book.lapses_at().is_some_and(|at| ends_at.is_none_or(|end| at <= end)) {
            return self.lapse(drop, now.sale, out);
        }
        match book.phase {
            Phase::Scheduled => self.start(drop, now, out),
            // Nobody could buy: it stays to be edited.
            Phase::Countdown if book.is_over(now.wall) => {
                let missed = now.on_wall(book.opens_at.expect("a countdown has an end"));
                self.forbid(now.sale, drop, PhaseRecord::CountdownCancelled, out);
                self.miss_start(drop, missed, MissedWhy::EndHasCome, out);
            }
            Phase::Countdown => self.open(now.sale, drop, out),
            _ => self.forbid(now.sale, drop, PhaseRecord::Closed, out),
        }
    }

    /// A planned start is due. It happens however late this is, unless the planned end has come as well;
    /// a start that passed while the stream was away waits for the host.
    fn start(&mut self, drop: DropId, now: Moment, out: &mut Decision) {
        let delay = self.video_delay_of(drop);
        let book = &self.drops[&drop];
        let starts_at = book.plan.starts_at.expect("the timer exists only with a start");
        if book.watch.holds_start() {
            return self.miss_start(drop, starts_at, MissedWhy::StreamAway, out);
        }
        if book.is_over(now.wall) {
            return self.miss_start(drop, starts_at, MissedWhy::EndHasCome, out);
        }
        let due_at = book.start_of_countdown(delay).expect("a start has a countdown");
        let late_ms = now.wall.since(due_at).get();
        out.at_once.push(Act::BeginStart { drop, late_ms });
        self.begin_countdown(now.sale, drop, now.on_sale(starts_at), out);
    }

    /// A start has passed while nothing could open the drop: staff are told, the host opens it.
    pub(crate) fn miss_start(
        &mut self,
        drop: DropId,
        at: UnixMillis,
        why: MissedWhy,
        out: &mut Decision,
    ) {
        self.drop_mut(drop).start_done = true;
        out.at_once.push(Act::MissStart { drop, at, why });
    }

    /// Drops whose start fell into a sleep of the machine, with when they would have opened by the wall
    /// clock.
    pub fn missed_by_sleep(&self, now: Moment) -> Vec<(DropId, UnixMillis)> {
        let missed = |(drop, book): (&DropId, &DropBook)| Some((*drop, book.missed_by_sleep(now)?));
        self.drops.iter().filter_map(missed).collect()
    }

    /// A start that fell into the machine's sleep waits for the host, like that of any outage.
    pub fn miss_by_sleep(&mut self, drop: DropId, at: UnixMillis, now: Moment, out: &mut Decision) {
        if self.drops[&drop].phase == Phase::Countdown {
            self.forbid(now.sale, drop, PhaseRecord::CountdownCancelled, out);
        }
        self.miss_start(drop, at, MissedWhy::MachineSlept, out);
    }
}
