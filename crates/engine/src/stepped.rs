//! An engine without threads, whose steward and writer work when they are told to: for a simulation.

use std::sync::Arc;

use stampede_books::Books;
use stampede_ledger::{OpenLedger, StoreError, Writer, WriterTurn};

use crate::{
    clock::Clock,
    config::EngineConfig,
    engine::Engine,
    event::Wake,
    growth::Growth,
    hold_channels::Tag,
    port::CorePort,
    start::{PreparedEngine, StartError, prepare},
    steward::{Steward, Turn},
};

/// The engine of [`start`](crate::start), step by step on the caller's thread.
pub struct SteppedEngine {
    /// What every interface shares.
    pub engine: Arc<Engine>,
    /// One for each core.
    pub ports: Vec<CorePort>,
    steward: Steward,
    writer: Writer<Tag>,
}

/// How far the steward is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StewardState {
    /// It has something to do.
    Busy,
    /// Nothing is due.
    Idle,
    /// It has stopped, or the ledger has failed.
    Ended,
}

impl SteppedEngine {
    /// Prepares an engine whose recovery is on its way to the ledger; `random` makes the numbers of viewers.
    ///
    /// # Errors
    /// [`StartError`], as for [`start`](crate::start).
    pub fn start(
        config: EngineConfig,
        ledger: OpenLedger,
        clock: Arc<dyn Clock>,
        random: fn() -> u64,
    ) -> Result<Self, StartError> {
        let wakes = (0..config.cores).map(|_| Arc::new(|| {}) as Wake).collect();
        let prepared = prepare(config, ledger, clock, wakes, random)?;
        let PreparedEngine { mut steward, writer, parts } = prepared;
        steward.record_recovery();
        let (engine, ports) = parts.assemble(&Growth::none(), None);
        Ok(Self { engine, ports, steward, writer })
    }

    /// Whether the recovery is durable; from then on drops sell, and [`SteppedEngine::begin`] is due.
    pub fn is_recovered(&mut self) -> bool {
        self.steward.is_recovered()
    }

    /// The recovery is over.
    pub fn begin(&mut self) {
        self.steward.begin();
    }

    /// Has the steward look at everything once.
    pub fn steward_turn(&mut self) -> StewardState {
        match self.steward.turn() {
            Turn::More => StewardState::Busy,
            Turn::Rest(_) => StewardState::Idle,
            Turn::Stopped | Turn::Poisoned => StewardState::Ended,
        }
    }

    /// Has the writer commit what waits; `true` if nothing did.
    ///
    /// # Errors
    /// The commit is unknown. Nobody knows that yet: [`SteppedEngine::fail`] tells them.
    pub fn writer_turn(&mut self) -> Result<bool, StoreError> {
        Ok(self.writer.turn()? == WriterTurn::Idle)
    }

    /// Tells everybody that a commit failed.
    pub fn fail(&mut self, why: &StoreError) {
        self.writer.end(Some(why));
    }

    /// What is decided.
    pub fn books(&self) -> &Books {
        self.steward.books()
    }

    /// Whether everything that was decided is durable, and carried out.
    pub fn is_settled(&self) -> bool {
        self.steward.is_settled()
    }
}
