//! Commands that were accepted before, also of drops that have left the engine's memory.

use std::sync::Arc;

use stampede_domain::{IdempotencyKey, KeyFingerprint, RequestId};
use stampede_engine::{AskedFor, CommandOutcome, CommandRefusal, Done};
use stampede_report::BoundCommand;

use crate::{
    problem::{Code, Problem},
    state::ControlState,
};

/// The outcome of an earlier request of the actor with this key, if the ledger knows one. `request` is the new request's
/// fingerprint.
///
/// The row stands in the table as soon as the command is durable, and the engine forgets a key only long
/// after that: what is not found here, the engine knows.
pub(crate) async fn answered(
    state: &ControlState,
    actor: &str,
    key: &IdempotencyKey,
    request: KeyFingerprint,
) -> Result<Option<CommandOutcome>, Problem> {
    let keys = Arc::clone(state.bound_keys());
    let (actor, key) = (actor.to_owned(), key.fingerprint());
    let read = tokio::task::spawn_blocking(move || keys.find(&actor, key));
    let found = match read.await.map_err(|error| Problem::internal(&error))? {
        Ok(found) => found,
        Err(error) => {
            let why = "the ledger could not be asked whether this command was given before; its log \
                       says why. Send the same request with the same key again";
            return Err(Problem::retry(Code::Busy, why).because(&error));
        }
    };
    Ok(found.map(|BoundCommand { key: bound, copy, asked }| {
        if bound.request == request {
            // What was decided after a drop had ended stands in a chain of its own.
            let (lot, units) = (bound.result.lot, bound.result.units);
            let drop = bound.drop.sale();
            let asked = asked.map(|asked| AskedFor {
                request: RequestId { drop, number: asked.number },
                reserve: asked.reserve,
            });
            Ok(Done { drop, lot, units, ban: None, copy, asked, replayed: true })
        } else {
            Err(CommandRefusal::KeyReused)
        }
    }))
}
