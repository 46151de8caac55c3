//! The terms of a drop as they were amended last.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use parking_lot::RwLock;
use stampede_domain::{DropPlan, ViewerLimits};

/// Written by the steward, read by those who show them: takes go by the stock's own limits.
#[derive(Debug)]
pub(crate) struct Terms {
    latest: RwLock<Arc<DropPlan>>,
    revision: AtomicU32,
}

impl Terms {
    pub(crate) fn new(plan: &Arc<DropPlan>, revision: u32) -> Self {
        Self { latest: RwLock::new(Arc::clone(plan)), revision: AtomicU32::new(revision) }
    }

    pub(crate) fn latest(&self) -> Arc<DropPlan> {
        Arc::clone(&self.latest.read())
    }

    /// Counts the edits and amendments.
    pub(crate) fn revision(&self) -> u32 {
        self.revision.load(Ordering::Relaxed)
    }

    /// Other terms of the same goods; returns the limits if they are others.
    pub(crate) fn amend(&self, plan: &Arc<DropPlan>, revision: u32) -> Option<ViewerLimits> {
        let before = std::mem::replace(&mut *self.latest.write(), Arc::clone(plan));
        self.revision.store(revision, Ordering::Relaxed);
        let limits = ViewerLimits::of(plan);
        (limits != ViewerLimits::of(&before)).then_some(limits)
    }
}
