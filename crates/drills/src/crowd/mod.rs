//! The crowd drill: what a server's viewers cost it, how fast it reaches all of them.

mod deliveries;
mod kernel;
mod outcome;
mod send_loop;
mod stampede;

use std::{io, path::PathBuf, time::Duration};

use rand::{SeedableRng, rngs::StdRng};
use stampede_domain::DropId;
use stampede_swarm::Process;

use self::{
    kernel::Kernel,
    outcome::{Idle, Ticked},
};
use crate::{
    core_pair::CorePair,
    descriptors::check_descriptors,
    error::DrillError,
    server::Setup,
    staffed_server::{SKU, StaffedServer},
    viewers::{Clicks, ViewerSockets, Wish, micros, some_of, steady},
};

pub use self::{outcome::CrowdOutcome, send_loop::run_send_loop};

/// Viewers who come and go before anything is measured, so that code and tables are in memory; few,
/// because what they free is there for the crowd.
const WARM_UP: u32 = 50;
/// Stock that never ends, however many the clicks; its figure has the same length all the time.
const ENDLESS: u32 = 1_000_000;
/// Time between two ticks, in milliseconds: the default.
const TICK_MS: u64 = 100;
/// Clicks per second that change the stock between each two ticks.
const CLICKS_PER_S: u64 = 20;

/// Time between two looks at the ticks that have come: the resolution of their figures.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// What to do.
#[derive(Clone, Debug)]
pub struct CrowdDrill {
    /// The server's binary.
    pub server: PathBuf,
    /// This program, which also plays the send loop.
    pub program: PathBuf,
    /// Connections of the crowd.
    pub connections: u32,
    /// Seed of the moments of the clicks.
    pub seed: u64,
    /// A few seconds in all: for correctness, not for figures.
    pub short: bool,
}

/// How long the parts take.
#[derive(Clone, Copy, Debug)]
struct Times {
    idle: Duration,
    ticks: Duration,
    margin: Duration,
    deliveries: Duration,
}

/// Messages delivered in some time.
#[derive(Clone, Copy, Debug)]
struct Delivered {
    count: u64,
    us: u64,
    /// Bytes of each.
    bytes: usize,
    sender_busy: f64,
    reader_busy: f64,
}

impl CrowdDrill {
    const fn times(&self) -> Times {
        const fn s(seconds: u64) -> Duration {
            Duration::from_secs(seconds)
        }
        if self.short {
            Times { idle: s(1), ticks: s(2), margin: s(1), deliveries: s(1) }
        } else {
            Times { idle: s(4), ticks: s(10), margin: s(2), deliveries: s(8) }
        }
    }

    /// Settings of a server that takes everybody on one core.
    fn setup(&self, cores: CorePair, tick_ms: u64) -> Setup {
        let settings = format!(
            "[viewers]\ncores = 1\nconnections_max = {}\ntick_interval_ms = {tick_ms}\n",
            self.connections + WARM_UP,
        );
        Setup::new(&[]).with_settings(settings).on_core(cores.server)
    }
}

/// Runs a drill. `say` gets a line for each part.
///
/// The calling thread stays on the load's core from then on.
///
/// # Errors
/// [`DrillError`] if the drill could not be carried through; what it found wrong is in the outcome.
pub fn run_crowd_drill(
    drill: &CrowdDrill,
    mut say: impl FnMut(&str),
) -> Result<CrowdOutcome, DrillError> {
    check_descriptors(drill.connections)?;
    let cores = CorePair::choose()?;
    let server = StaffedServer::start(&drill.server, drill.setup(cores, TICK_MS))?;
    cores.take_load()?;
    let mut outcome = CrowdOutcome::new(drill.connections, cores.are_apart());
    let drop = server.open_drop(ENDLESS)?;
    let mut sockets = come_in(drill, &server, drop, &mut outcome, &mut say)?;
    let mut rng = StdRng::seed_from_u64(drill.seed);
    let deaf = usize::try_from(drill.connections / 100).expect("a count");
    let deaf = some_of(drill.connections, deaf, &mut rng);
    sockets.set_deaf(&deaf, true);
    let ticked = watch(drill, drop, &mut sockets, deaf.len())?;
    say(&outcome.ticked(&ticked));
    let stampede = stampede::run(drill, &server, &mut sockets, &deaf, &mut rng)?;
    say(&outcome.stampeded(stampede));
    outcome.left(sockets);
    outcome.verified(&server.close()?);
    let (delivered, plain) = deliveries::compare(drill, cores, &mut outcome)?;
    say(&outcome.delivered(&delivered, &plain));
    Ok(outcome)
}

/// The storm, then the memory that everybody costs while nothing happens.
fn come_in(
    drill: &CrowdDrill,
    server: &StaffedServer,
    drop: DropId,
    outcome: &mut CrowdOutcome,
    say: &mut impl FnMut(&str),
) -> Result<ViewerSockets, DrillError> {
    let tickets = server.tickets()?;
    let times = drill.times();
    {
        let mut first = ViewerSockets::new(server.viewers())?;
        first.join(WARM_UP.min(drill.connections.div_ceil(10)), &tickets)?;
    }
    server.wait_empty(drop)?;
    let process = Process::new(server.process_id());
    let read = || Ok((process.memory()?, Kernel::read()?));
    let failed = |source: io::Error| DrillError::System { what: "read what memory costs", source };
    let (before, kernel_before) = read().map_err(failed)?;
    let mut sockets = ViewerSockets::new(server.viewers())?;
    let took_us = sockets.join(drill.connections, &tickets)?;
    say(&outcome.joined(took_us, &sockets.viewers().joining));
    sockets.idle(times.idle)?;
    let (after, kernel_after) = read().map_err(failed)?;
    let kernel = kernel_after.since(&kernel_before, drill.connections.into());
    say(&outcome.idled(&Idle { before, after, kernel }));
    Ok(sockets)
}

/// Lets somebody buy all the time, looks at how the figures reach everybody.
fn watch(
    drill: &CrowdDrill,
    drop: DropId,
    sockets: &mut ViewerSockets,
    deaf: usize,
) -> Result<Ticked, DrillError> {
    sockets.viewers().clicks = Clicks::new("t");
    sockets.viewers().watched_supply = Some(ENDLESS);
    let time_us = micros(drill.times().ticks);
    let from_us = sockets.now_us();
    let moments = steady(from_us, time_us, CLICKS_PER_S, drill.connections);
    sockets.play(&Wish::of(drop, SKU), &moments, from_us + time_us, LOOK_EVERY)?;
    let viewers = sockets.viewers();
    viewers.watched_supply = None;
    let ticks = std::mem::take(&mut viewers.ticks);
    let reading = u64::from(drill.connections) - u64::try_from(deaf).expect("a count");
    Ok(Ticked { ticks, reading })
}
