//! The money of drops that have left the engine's memory, read again for what is decided about it.

use std::sync::Arc;

use stampede_domain::DropId;
use stampede_engine::{MoneyError, ReopenedDrop, read_money};

use crate::{
    fair_use::HeldPlace,
    problem::{Code, Problem},
    state::ControlState,
};

/// Readings before it is given up: each is in vain only if something was recorded meanwhile.
const READINGS_MAX: usize = 3;

/// Reads the money of a drop and has the engine decide by it. `place` is held until it is read.
pub(crate) async fn reopen(
    state: &ControlState,
    place: HeldPlace,
    drop: DropId,
) -> Result<(), Problem> {
    let place = Arc::new(place);
    for _ in 0..READINGS_MAX {
        let answer = state.engine().reopen(read(state, Arc::clone(&place), drop).await?)?;
        let answer = tokio::time::timeout(state.answer_wait().to_std(), answer).await;
        if let Ok(Ok(true)) = answer {
            return Ok(());
        }
    }
    let why =
        "the drop's money could not be read in time; send the same request with the same key again";
    Err(Problem::retry(Code::Busy, why))
}

async fn read(
    state: &ControlState,
    place: Arc<HeldPlace>,
    drop: DropId,
) -> Result<ReopenedDrop, Problem> {
    let ledger = Arc::clone(state.ledger());
    let read = tokio::task::spawn_blocking(move || {
        let _place = place;
        read_money(&*ledger.open().map_err(MoneyError::from)?, drop)
    });
    let read = read.await.map_err(|error| Problem::internal(&error))?;
    let read = read.map_err(|error| Problem::internal(&error))?;
    read.ok_or_else(Problem::unknown_drop)
}
