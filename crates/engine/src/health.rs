//! Whether the engine can sell, for those who are asked by probes.

use std::sync::Arc;

use crate::shared::EngineState;

/// Whether the engine can sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Takes are decided, promises leave.
    Ready,
    /// A commit failed: nothing is sold until a restart has recovered the ledger.
    Poisoned,
}

/// Tells the engine's health for as long as somebody wants to know.
#[derive(Clone)]
pub struct HealthWatch {
    shared: Arc<EngineState>,
}

impl HealthWatch {
    pub(crate) const fn new(shared: Arc<EngineState>) -> Self {
        Self { shared }
    }

    /// The health now; costs one load.
    pub fn health(&self) -> Health {
        health_of(&self.shared)
    }
}

pub(crate) fn health_of(shared: &EngineState) -> Health {
    if shared.is_poisoned() { Health::Poisoned } else { Health::Ready }
}
