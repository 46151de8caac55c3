//! Drops that are over leave memory once their viewers had time to look at their orders.

use std::{collections::BTreeSet, sync::Arc};

use stampede_domain::{DropId, DurationMs, UnixMillis, ViewerNumber};
use tracing::debug;

use super::Steward;
use crate::{sale::SaleDrop, summary::DropSummary};

/// Winners let go before other work gets its turn.
const WINNERS_PER_TURN_MAX: usize = 1_024;

/// Drops on their way out of memory.
#[derive(Default)]
pub(crate) struct RetireQueue {
    /// Settled or cancelled drops by the time when they became that.
    over: BTreeSet<(UnixMillis, DropId)>,
    /// Drops that other threads may still be reading.
    read: Vec<Arc<SaleDrop>>,
    /// Viewers who took in drops that have left.
    winners: Vec<ViewerNumber>,
}

impl RetireQueue {
    pub(crate) fn add(&mut self, drop: DropId, over_since: UnixMillis) {
        self.over.insert((over_since, drop));
    }

    /// When the next drop leaves, where each stays for `kept`.
    pub(super) fn next(&self, kept: DurationMs) -> Option<UnixMillis> {
        self.over.first().map(|(since, _)| since.plus(kept))
    }
}

impl Steward {
    /// Exchanges drops that have been over for long enough for their summaries; `true` if work is
    /// left for the next turn.
    pub(super) fn retire(&mut self, now: UnixMillis) -> bool {
        let kept = self.shared.config.settled_kept;
        while self.retiring.next(kept).is_some_and(|at| at <= now) {
            let Some((over_since, drop)) = self.retiring.over.pop_first() else { break };
            let Some(sale) = self.shared.sale(drop) else { continue };
            let opened_at = self.books.drop(drop).and_then(stampede_books::DropBook::opened_at);
            self.books.forget(drop);
            self.shows.forget(drop, sale.plan());
            self.sales.remove(&drop);
            self.retakes.forget(drop);
            self.shared.retire(DropSummary::of(&sale, opened_at, over_since));
            self.retiring.winners.append(&mut sale.take_winners());
            debug!(%drop, "the drop has left memory");
            self.retiring.read.push(sale);
        }
        let RetireQueue { read, winners, .. } = &mut self.retiring;
        // A core lets go as soon as it looks around; nothing is freed under it.
        let gone = read.extract_if(.., |sale| Arc::strong_count(sale) == 1);
        let streams: Vec<_> = gone.map(|sale| sale.plan().stream.clone()).collect();
        for stream in streams {
            self.shared.directory.forget_stream(&stream);
        }
        for number in winners.drain(winners.len().saturating_sub(WINNERS_PER_TURN_MAX)..) {
            self.shared.directory.let_go(number);
        }
        !winners.is_empty()
    }
}
