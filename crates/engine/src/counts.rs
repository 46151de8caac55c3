//! Everything that is counted of one drop.

use std::sync::Arc;

use crossbeam_utils::CachePadded;
use stampede_books::Totals;

use crate::{
    recent::Recent,
    tally::{CoreTally, add_up},
};

/// What is counted of one drop, over all edits of its plan.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    /// By core.
    pub(crate) cores: Arc<[CachePadded<CoreTally>]>,
    pub(crate) recent: Arc<Recent>,
}

impl Counts {
    /// Counts of a drop that has just come to be.
    pub(crate) fn new(cores: usize) -> Self {
        let cores = (0..cores).map(|_| CachePadded::new(CoreTally::new())).collect();
        Self { cores, recent: Arc::default() }
    }

    /// All cores together.
    pub(crate) fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for core in self.cores.iter() {
            add_up(&mut totals, core);
        }
        totals
    }
}
