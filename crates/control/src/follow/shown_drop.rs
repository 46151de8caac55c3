//! One drop of a stream, as it was last read for those who follow.

use std::{collections::VecDeque, sync::Arc};

use axum::body::Bytes;
use stampede_engine::{DropView, Moment, SECONDS_KEPT, SaleDrop};

use super::event::event;
use crate::dto::{DropFigures, DropState, Encoded, SecondState, StageDrop};

/// A correction of the wall clock by this many milliseconds makes the times that were sent wrong.
const CLOCK_STEP_MS: u64 = 250;

/// Counts what may be told. A stream without drops has the number 1 as well: a follower who knows
/// it is told what comes.
#[derive(Debug)]
pub(super) struct Numbers(u64);

impl Default for Numbers {
    fn default() -> Self {
        Self(1)
    }
}

impl Numbers {
    pub(super) fn latest(&self) -> u64 {
        self.0
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

#[derive(Debug)]
pub(super) struct KeptSecond {
    pub(super) number: u64,
    at: Moment,
    pub(super) json: Encoded,
}

/// A drop with what was last read of it.
pub(super) struct ShownDrop {
    pub(super) sale: Arc<SaleDrop>,
    pub(super) view: DropView,
    /// The view that was read at the latest change.
    told: DropView,
    /// Number of the latest change, figures apart.
    pub(super) changed: u64,
    /// Number of the latest change of figures.
    pub(super) moved: u64,
    pub(super) seconds: VecDeque<KeptSecond>,
    /// The drop's own number of the latest second.
    second: u64,
    /// The whole drop as it was read last.
    state: Option<Encoded>,
    change_event: Option<Bytes>,
    figures_event: Option<Bytes>,
    /// The same drop as a stage is told of it.
    stage_state: Option<Encoded>,
}

impl std::fmt::Debug for ShownDrop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShownDrop").field("view", &self.view).finish_non_exhaustive()
    }
}

impl ShownDrop {
    pub(super) fn new(sale: Arc<SaleDrop>, now: Moment, number: u64) -> Self {
        let view = sale.view(now);
        Self {
            told: view.clone(),
            view,
            sale,
            changed: number,
            moved: number,
            seconds: VecDeque::new(),
            second: 0,
            state: None,
            change_event: None,
            figures_event: None,
            stage_state: None,
        }
    }

    /// Reads the drop; gives the number of the latest second that is not kept any more.
    pub(super) fn look(&mut self, now: Moment, numbers: &mut Numbers) -> u64 {
        let view = self.sale.view(now);
        if is_changed(&self.told, &view) {
            (self.changed, self.change_event) = (numbers.next(), None);
            self.told = view.clone();
        } else if is_moved(&self.view, &view) {
            (self.moved, self.figures_event) = (numbers.next(), None);
        }
        (self.view, self.state, self.stage_state) = (view, None, None);
        for second in self.sale.seconds_after(self.second, now) {
            self.second = second.number;
            let json = Encoded::new(&SecondState::new(self.view.drop, &second));
            self.seconds.push_back(KeptSecond { number: numbers.next(), at: second.at, json });
        }
        let mut forgotten = 0;
        let is_old = |second: &KeptSecond| now.sale.since(second.at.sale).get() >= 60_000;
        while self.seconds.len() > SECONDS_KEPT || self.seconds.front().is_some_and(is_old) {
            forgotten = self.seconds.pop_front().map_or(forgotten, |second| second.number);
        }
        forgotten
    }

    pub(super) fn change_event(&mut self) -> Bytes {
        let state = self.state();
        self.change_event.get_or_insert_with(|| event("drop", &state)).clone()
    }

    pub(super) fn state(&mut self) -> Encoded {
        let view = &self.view;
        self.state.get_or_insert_with(|| Encoded::new(&DropState::from(view))).clone()
    }

    pub(super) fn stage_state(&mut self) -> Encoded {
        let view = &self.view;
        self.stage_state.get_or_insert_with(|| Encoded::new(&StageDrop::from(view))).clone()
    }

    pub(super) fn figures_event(&mut self) -> Bytes {
        let view = &self.view;
        let figures = || event("figures", &Encoded::new(&DropFigures::from(view)));
        self.figures_event.get_or_insert_with(figures).clone()
    }
}

/// Whether followers are told at once: of everything but the figures that takes and holds move.
fn is_changed(told: &DropView, view: &DropView) -> bool {
    let supplied = |view: &DropView| -> Vec<_> {
        view.skus.iter().map(|sku| (sku.supplied, sku.reserve)).collect()
    };
    let ahead = |view: &DropView| view.now.ahead_ms();
    told.standing != view.standing
        || supplied(told) != supplied(view)
        || told.requests != view.requests
        || ahead(told).abs_diff(ahead(view)) >= CLOCK_STEP_MS
}

fn is_moved(before: &DropView, view: &DropView) -> bool {
    before.skus != view.skus
        || before.totals != view.totals
        || before.viewers_connected != view.viewers_connected
        || before.ending != view.ending
        || before.paying != view.paying
}
