//! Reads and records the counts of a drop.

use std::sync::Arc;

use stampede_domain::{DropId, Moment, UnixMillis};
use stampede_ledger::{Record, Tally, TallySources};

use super::Books;
use crate::{
    decision::{Act, Decision},
    drop::Activity,
    sources::Counted,
};

impl Books {
    /// A core began to count in the drop.
    pub fn note_counting(&mut self, drop: DropId, now: UnixMillis) {
        let due = now.plus(self.limits.tally_interval);
        let Some(book) = self.drops.get_mut(&drop) else { return };
        if book.counts.activity == Activity::Quiet {
            book.counts.next_tally = due;
        }
        book.counts.activity = Activity::Busy;
        self.timers.touch(drop);
    }

    /// Looks at what was counted since the last look: the drop's last minute gets it at once, a record
    /// once the drop is live. `counted` and `connected` viewers are what the shell sees now.
    pub fn tally(
        &mut self,
        drop: DropId,
        now: Moment,
        (counted, connected): (Counted, u64),
        out: &mut Decision,
    ) {
        let due = now.sale.plus(self.limits.tally_interval);
        let book = self.drop_mut(drop);
        book.counts.next_tally = due;
        let since = counted.since(&book.counts.sampled);
        if since.is_empty() {
            book.counts.activity = match book.counts.activity {
                Activity::Busy => {
                    out.at_once.push(Act::ExpectCounts { drop });
                    Activity::Fading
                }
                Activity::Fading | Activity::Quiet => Activity::Quiet,
            };
        } else {
            book.counts.activity = Activity::Busy;
            book.counts.sampled = Arc::new(counted);
            // A click's channel may come a look later than the click itself.
            if !since.totals.is_empty() {
                out.at_once.push(Act::NoteCounted { drop, counted: Box::new(since.totals) });
            }
        }
        if book.counts.has_untold(book.phase) {
            self.record_tally(drop, now.sale, connected, out);
        }
    }

    /// Records what no record has seen.
    fn record_tally(&mut self, drop: DropId, at: UnixMillis, connected: u64, out: &mut Decision) {
        let counts = &mut self.drop_mut(drop).counts;
        let Counted { totals: counted, sources } = counts.sampled.since(&counts.tallied);
        counts.tallied = Arc::clone(&counts.sampled);
        let tally = Tally {
            held: counted.held,
            retries: counted.retries,
            refusals: counted.refusals().collect(),
            connected,
            answers: counted.answers,
            sources: Some(TallySources { channels: sources.channel_clicks(), skus: sources.skus }),
        };
        out.at_once.push(Act::NoteTally { counted: Box::new(counted) });
        self.record(at, drop, Record::Tally(Box::new(tally)), out);
    }
}
