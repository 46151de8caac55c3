//! The undo drill: the opening of a drop with many live holds is undone beside a host who presses Pause; then the server
//! is killed in the middle of that, again and again.

mod outcome;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use rand::{Rng, SeedableRng, rngs::StdRng};
use stampede_domain::DropId;
use stampede_loadtest::{ControlClient, ControlError, DropState};
use stampede_swarm::Clock;

pub use self::outcome::UndoOutcome;
use self::outcome::{Round, Unjudged};
use crate::{
    descriptors::check_descriptors,
    error::DrillError,
    facts::load,
    host::{Host, Presses},
    server::Setup,
    staffed_server::{SKU, StaffedServer, UNITS_PER_VIEWER},
    viewers::{Clicks, ViewerSockets, Wish},
    waiting::{LOOK_EVERY, PATIENCE},
};

/// Time until the first moment, so that everybody waits for it.
const AHEAD_US: u64 = 200_000;
/// Time between two presses of the host, if the first is answered by then: 25 Pauses a second. Whoever presses more often
/// is told to wait.
const PRESS_EVERY_US: u64 = 20_000;
/// Time between two looks at what comes to viewers.
const SLICE: Duration = Duration::from_millis(10);
/// Undos for each kill at most: the end may come before the kill does.
const UNDOS_PER_KILL_MAX: u32 = 4;
const SETTINGS: &str = "[viewers]\ntick_interval_ms = 500\nmessages_per_s = 1000000\n\
                        messages_burst = 1000000\nmessages_per_viewer_per_s = 0\n\
                        unlimited_addresses = [\"127.0.0.0/8\"]\n";

/// What to do.
#[derive(Clone, Debug)]
pub struct UndoDrill {
    /// The server's binary.
    pub server: PathBuf,
    /// Viewers, who take 64 units each, or a few less.
    pub viewers: u32,
    /// Undos that are measured.
    pub rounds: u32,
    /// Kills in the middle of an undo.
    pub kills: u32,
    /// Seed of the moments of the kills.
    pub seed: u64,
}

/// Everything that runs.
struct Run<'a> {
    drill: &'a UndoDrill,
    server: StaffedServer,
    clock: Clock,
    /// The host's own drop.
    paused: DropId,
    found: Unjudged,
}

/// Runs the drill. `say` gets a line for each undo, each kill and the target.
///
/// # Errors
/// [`DrillError`] if the drill could not be carried through; what it found wrong is in the outcome.
pub fn run_undo_drill(
    drill: &UndoDrill,
    mut say: impl FnMut(&str),
) -> Result<UndoOutcome, DrillError> {
    check_descriptors(drill.viewers)?;
    let load_before = load();
    let setup = Setup::new(&["--payments", "none"]).with_settings(SETTINGS.to_owned());
    let server = StaffedServer::start(&drill.server, setup)?;
    let paused = server.open_drop(1)?;
    let clock = Clock::start();
    let mut run = Run { drill, server, clock, paused, found: Unjudged::default() };
    for _ in 0..drill.rounds {
        let round = run.measure()?;
        say(&round.words());
        run.found.rounds.push(round);
    }
    let mut rng = StdRng::seed_from_u64(drill.seed);
    let undos_max = drill.kills.saturating_mul(UNDOS_PER_KILL_MAX);
    while run.found.kills < drill.kills && run.found.undos_killed < undos_max {
        say(&run.kill_one(&mut rng)?);
    }
    let Run { server, found, .. } = run;
    let outcome = UndoOutcome::judge(found, (drill.kills, load_before), server.close()?);
    say(&outcome.target.words());
    Ok(outcome)
}

impl Run<'_> {
    /// A drop of which viewers have taken as many units as they may, or a few less, with its figures.
    fn hold_all(&self) -> Result<(DropId, ViewerSockets, DropState), DrillError> {
        let viewers = self.drill.viewers;
        let drop = self.server.open_drop(viewers * u32::from(UNITS_PER_VIEWER))?;
        let mut sockets = ViewerSockets::new(self.server.viewers())?;
        sockets.join(viewers, &self.server.tickets()?)?;
        sockets.viewers().clicks = Clicks::new("u");
        let wish = Wish::of_each(vec![drop], UNITS_PER_VIEWER.into(), SKU);
        sockets.play_closed(&wish, wish.clicks_max());
        sockets.idle_while_clicking(PATIENCE)?;
        sockets.settle();
        let state = self.server.look(drop)?;
        Ok((drop, sockets, state))
    }

    /// An undo beside a host who presses Pause and Resume, with viewers who are told of their holds.
    fn measure(&mut self) -> Result<Round, DrillError> {
        let (drop, mut sockets, before) = self.hold_all()?;
        let from_us = self.clock.us() + AHEAD_US;
        let is_over = Arc::<AtomicBool>::default();
        let host = Host {
            control: self.server.new_control_client(),
            drop: self.paused.to_string(),
            clock: self.clock,
            from_us,
            until_us: u64::MAX,
            every_us: PRESS_EVERY_US,
            keeps_time: false,
            is_over: Arc::clone(&is_over),
        };
        let host = spawn("host", move || host.run())?;
        let (control, clock) = (self.server.new_control_client(), self.clock);
        let undo = spawn("undo", move || {
            sleep_until(clock, from_us);
            run_undo(&control, drop, clock)
        })?;
        while !undo.is_finished() {
            sockets.idle(SLICE)?;
        }
        is_over.store(true, Ordering::Relaxed);
        while !host.is_finished() {
            sockets.idle(SLICE)?;
        }
        let (answered_us, voided_us) = joined(undo)?;
        let presses: Presses = joined(host)?;
        self.found.wrong.extend(presses.failed.iter().cloned());
        self.check(drop, &self.server.look(drop)?, before.held());
        Ok(Round::of(before.held(), (answered_us - from_us, voided_us - from_us), &presses))
    }

    /// An undo in the middle of which the server is killed, at a moment when some of the holds have ended. It goes on by
    /// itself after the restart.
    fn kill_one(&mut self, rng: &mut StdRng) -> Result<String, DrillError> {
        let (drop, sockets, before) = self.hold_all()?;
        let held = before.held();
        let left_max = held - held * rng.random_range(1..=90) / 100;
        let control = self.server.new_control_client().once();
        let undo = spawn("undo", move || give_undo(&control, drop))?;
        let seen = loop {
            let state = self.server.look(drop)?;
            if state.phase == "voided" || (state.phase == "voiding" && state.held() <= left_max) {
                break state;
            }
        };
        self.server.kill()?;
        core::mem::drop(sockets);
        // Whether its answer came in time is no matter: the decision was seen.
        let _lost = joined(undo)?;
        self.server.restart()?;
        self.found.undos_killed += 1;
        let is_middle = seen.phase == "voiding" && seen.held() > 0;
        self.found.kills += u32::from(is_middle);
        let after = self
            .server
            .wait(drop, "the end of an undo after a restart", |state| state.phase == "voided")?;
        self.check(drop, &after, held);
        let (left, phase) = (seen.held(), &seen.phase);
        Ok(format!(
            "{drop}: killed while {phase} with {left} of {held} holds left; it went on by itself"
        ))
    }

    /// Nothing of a drop whose opening was undone is left, and nothing is lost.
    fn check(&mut self, drop: DropId, state: &DropState, held: u64) {
        let figures = [state.held(), state.sold(), state.supplied() - state.available()];
        if state.phase != "voided" || figures != [0; 3] {
            let phase = &state.phase;
            self.found.wrong.push(format!(
                "{drop} is {phase} after its {held} holds were called off, with {figures:?} units held, sold, gone"
            ));
        }
    }
}

/// Undoes a drop; when the answer came, when the last hold had ended.
fn run_undo(control: &ControlClient, drop: DropId, clock: Clock) -> Result<(u64, u64), DrillError> {
    let drop = drop.to_string();
    runtime()?.block_on(async {
        control.command_with_reason(&drop, "undo", "a drill").await?;
        let answered_us = clock.us();
        while control.state(&drop).await?.phase != "voided" {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok((answered_us, clock.us()))
    })
}

/// Gives the command once, whatever becomes of it.
fn give_undo(
    control: &ControlClient,
    drop: DropId,
) -> Result<Result<(), ControlError>, DrillError> {
    let given = async { control.command_with_reason(&drop.to_string(), "undo", "a drill").await };
    Ok(runtime()?.block_on(given))
}

fn sleep_until(clock: Clock, at_us: u64) {
    thread::sleep(Duration::from_micros(at_us.saturating_sub(clock.us())));
}

fn runtime() -> Result<tokio::runtime::Runtime, DrillError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|source| DrillError::System { what: "make a runtime", source })
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> Result<T, DrillError> + Send + 'static,
) -> Result<thread::JoinHandle<Result<T, DrillError>>, DrillError> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map_err(|source| DrillError::System { what: "start a thread", source })
}

fn joined<T>(thread: thread::JoinHandle<Result<T, DrillError>>) -> Result<T, DrillError> {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
