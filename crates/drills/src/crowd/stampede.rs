//! The stampede: one click of each viewer within one second.

use std::{collections::HashSet, time::Duration};

use rand::{Rng, rngs::StdRng};
use stampede_loadtest::{AuditResult, LatencySummary};

use super::CrowdDrill;
use crate::{
    error::DrillError,
    staffed_server::{SKU, StaffedServer},
    viewers::{Answers, Clicks, Moment, ViewerSockets, Wish},
};

/// Everybody clicks within this time.
const RUSH_US: u64 = 1_000_000;
/// From the opening to the first click.
const AHEAD_US: u64 = 300_000;
/// One of so many gets a unit.
const CLICKS_PER_UNIT: u32 = 3;

/// What became of it.
pub(super) struct Stampede {
    pub(super) clicks: u64,
    pub(super) supply: u32,
    pub(super) deaf: u64,
    pub(super) answers: Answers,
    /// Of those who read.
    pub(super) latency: LatencySummary,
    pub(super) audit: AuditResult,
}

/// Opens a drop of its own, lets everybody click at a moment of their own, the deaf ones too; these
/// read their answers when all is over.
pub(super) fn run(
    drill: &CrowdDrill,
    server: &StaffedServer,
    sockets: &mut ViewerSockets,
    deaf: &[u32],
    rng: &mut StdRng,
) -> Result<Stampede, DrillError> {
    let supply = (drill.connections / CLICKS_PER_UNIT).max(1);
    let drop = server.open_drop(supply)?;
    sockets.wait("the news that the drop is open", |viewers| viewers.is_open(drop))?;
    sockets.viewers().clicks = Clicks::new("s");
    let mut moments = moments(drill.connections, deaf, rng);
    // Drawing them takes its time too.
    let from_us = sockets.now_us() + AHEAD_US;
    for moment in &mut moments {
        moment.at_us += from_us;
    }
    sockets.play(&Wish::of(drop, SKU), &moments, from_us + RUSH_US, Duration::ZERO)?;
    // What does not come shows in the count, so running out of patience is an answer too.
    let unanswered = |sockets: &mut ViewerSockets, left: usize| {
        let _late = sockets.wait("the last answer", |viewers| viewers.clicks.unanswered() <= left);
    };
    unanswered(sockets, deaf.len());
    sockets.set_deaf(deaf, false);
    unanswered(sockets, 0);
    let clicks = std::mem::replace(&mut sockets.viewers().clicks, Clicks::new("none"));
    Ok(Stampede {
        clicks: u64::try_from(clicks.made()).expect("a count"),
        supply,
        deaf: u64::try_from(deaf.len()).expect("a count"),
        answers: clicks.answers(),
        latency: clicks.latency(),
        audit: server.audit(drop, clicks.promises(drop, SKU))?,
    })
}

/// A click of each viewer, in their order, from moment 0 on.
fn moments(connections: u32, deaf: &[u32], rng: &mut StdRng) -> Vec<Moment> {
    let deaf: HashSet<u32> = deaf.iter().copied().collect();
    let moment = |number| Moment {
        at_us: rng.random_range(0..RUSH_US),
        number,
        reads: !deaf.contains(&number),
    };
    let mut moments: Vec<Moment> = (0..connections).map(moment).collect();
    moments.sort_by_key(|moment| moment.at_us);
    moments
}
