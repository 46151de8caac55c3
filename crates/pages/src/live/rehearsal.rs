//! A rehearsal by one press: while it goes on, the room has its drops alone.

use super::Cast;
use crate::answers::{Mode, Phase, Running, Sale, Snapshot};

/// The stream as a rehearsal shows it, while one goes on: nobody starts a live drop by mistake.
pub(super) fn scene(snapshot: &Snapshot, running: &Running) -> Option<(Snapshot, Running)> {
    if !snapshot.drops.iter().any(goes_on) {
        return None;
    }
    let (mut snapshot, mut running) = (snapshot.clone(), running.clone());
    snapshot.drops.retain(|sale| sale.rehearses.is_some());
    running.drops.retain(|summary| summary.rehearsal_copy);
    Some((snapshot, running))
}

fn goes_on(sale: &Sale) -> bool {
    let may_sell =
        matches!(sale.phase, Phase::Scheduled | Phase::Countdown | Phase::Open | Phase::Paused);
    sale.rehearses.is_some() && may_sell
}

/// Whether a show can be rehearsed as it stands: something is planned for real, and nothing is on air.
pub(super) fn is_offered(cast: &Cast<'_>, role: &str) -> bool {
    let is_live = |sale: &Sale| sale.plan.mode == Mode::Live;
    cast.air.is_none() && cast.next.is_some_and(is_live) && may_rehearse(role)
}

/// Whether a role may begin a rehearsal.
fn may_rehearse(role: &str) -> bool {
    matches!(role, "admin" | "merchant" | "host" | "creator")
}

/// Whether a role may end one.
pub(crate) fn may_end(role: &str) -> bool {
    may_rehearse(role) || role == "ops"
}
