//! Decisions at half of the peak: clicks come by a schedule, whatever the answers.

use std::{path::PathBuf, time::Duration};

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde::Serialize;
use stampede_domain::{DropId, limits::LIVE_DROPS_PER_STREAM_MAX};
use stampede_loadtest::LatencySummary;
use stampede_swarm::Process;

use crate::{
    core_pair::CorePair,
    core_shares::CoreShares,
    descriptors::check_descriptors,
    error::DrillError,
    figures::{FULL, per_s, rounded},
    server::Setup,
    staffed_server::{SKU, StaffedServer, UNITS_PER_VIEWER},
    viewers::{Answers, Clicks, Moment, ViewerSockets, Wish, micros},
};

/// Time under load before the peak counts.
const WARM_UP: Duration = Duration::from_secs(1);
/// Units to sell, as far as a stream may have drops for them beside the sold-out one. At 90,000 per
/// second they last 16 s, half of them for the warm-up with the peak. A part whose share of them is
/// gone ends early.
const UNITS_MAX: u32 = 1_500_000;
/// Moments are this long before the first click is due.
const AHEAD_US: u64 = 20_000;

/// What to do.
#[derive(Clone, Debug)]
pub struct OpenLoop {
    /// The server's binary.
    pub server: PathBuf,
    /// Connections that the clicks come from.
    pub connections: u32,
    /// How long the peak is measured.
    pub peak: Duration,
    /// How long the open loop runs.
    pub open: Duration,
    /// Seed of the moments of the clicks.
    pub seed: u64,
}

/// The outcome; one line of JSON.
#[derive(Clone, Debug, Serialize)]
pub struct OpenLoopOutcome {
    /// Connections that the clicks came from.
    pub connections: u32,
    /// One for each path.
    pub rows: Vec<OpenLoopRow>,
    /// Whether nothing is wrong.
    pub ok: bool,
    /// Whether the load had a core of its own; figures mean little otherwise.
    pub cores_apart: bool,
    /// What is wrong, in words.
    pub wrong: Vec<String>,
}

/// One path through the server.
#[derive(Clone, Debug, Serialize)]
pub struct OpenLoopRow {
    /// `sell` or `sold_out`.
    pub path: &'static str,
    /// Answers per second with one click under way on each connection.
    pub peak_per_s: u64,
    /// How long that was measured: shorter than planned if the units were gone, in milliseconds.
    pub peak_ms: u64,
    /// Share of its core that the server used for that.
    pub peak_server_busy: f64,
    /// Share of its core that the generator used for that; from 0.95 on the peak is its own.
    pub peak_generator_busy: f64,
    /// Clicks per second that the schedule planned: half of the peak.
    pub offered_per_s: u64,
    /// How long they came, in milliseconds.
    pub open_ms: u64,
    /// Answers per second, from the first planned moment to the last answer.
    pub achieved_per_s: u64,
    /// From the planned moment to the answer, in microseconds: half of the clicks kept within.
    pub p50_us: u64,
    /// 99 in 100.
    pub p99_us: u64,
    /// 999 in 1,000.
    pub p999_us: u64,
    /// The slowest.
    pub max_us: u64,
    /// Clicks without an answer, with a second one, or with another one than the path gives.
    pub errors: u64,
    /// Share of its core that the server used.
    pub server_busy: f64,
    /// Share of its core that the generator used.
    pub generator_busy: f64,
    /// The answers of both parts in words.
    #[serde(skip)]
    why: String,
}

/// A server with everybody in.
struct Run<'a> {
    plan: &'a OpenLoop,
    process: Process,
    sockets: ViewerSockets,
    rng: StdRng,
}

/// A path's figures with the clicks behind them.
struct Walked {
    row: OpenLoopRow,
    closed: Clicks,
    open: Clicks,
}

/// Measures both paths on one server. `say` gets a line for each.
///
/// The calling thread stays on the load's core from then on.
///
/// # Errors
/// [`DrillError`] if it could not be carried through; what was found wrong is in the outcome.
pub fn run_open_loop(
    plan: &OpenLoop,
    mut say: impl FnMut(&str),
) -> Result<OpenLoopOutcome, DrillError> {
    check_descriptors(plan.connections)?;
    let cores = CorePair::choose()?;
    let settings = format!(
        "[viewers]\ncores = 1\nconnections_max = {}\ntick_interval_ms = 60000\n\
         messages_per_s = 1000000\nmessages_burst = 1000000\nmessages_per_viewer_per_s = 0\n",
        plan.connections,
    );
    let setup = Setup::new(&[]).with_settings(settings).on_core(cores.server);
    let server = StaffedServer::start(&plan.server, setup)?;
    cores.take_load()?;
    let supply = plan.connections * u32::from(UNITS_PER_VIEWER);
    let drops = (UNITS_MAX.div_ceil(supply) as usize).min(LIVE_DROPS_PER_STREAM_MAX - 1);
    let on_sale = (0..drops).map(|_| server.open_drop(supply)).collect::<Result<Vec<_>, _>>()?;
    let sold_out = server.open_drop(1)?;
    let mut sockets = ViewerSockets::new(server.viewers())?;
    sockets.join(plan.connections, &server.tickets()?)?;
    let process = Process::new(server.process_id());
    let mut run = Run { plan, process, sockets, rng: StdRng::seed_from_u64(plan.seed) };
    let wish = Wish::of_each(on_sale.clone(), UNITS_PER_VIEWER.into(), SKU);
    let sell = run.walk("sell", &wish, |answers| answers.held)?;
    say(&sell.row.words());
    let wish = Wish::of(sold_out, SKU);
    run.buy_the_last(&wish)?;
    let refused = |answers: &Answers| answers.refused.get("sold_out").copied().unwrap_or_default();
    let refusals = run.walk("sold_out", &wish, refused)?;
    say(&refusals.row.words());
    let lost = run.sockets.viewers().lost;
    let mut wrong = sell.broken(&server, &on_sale)?;
    drop(run);
    let rows = vec![sell.row, refusals.row];
    for row in rows.iter().filter(|row| row.errors > 0) {
        wrong.push(format!("{} of the {} clicks went wrong: {}", row.errors, row.path, row.why));
    }
    if lost > 0 {
        wrong.push(format!("{lost} connections were lost"));
    }
    let verify = server.close()?;
    if verify != "ok" {
        wrong.push(format!("the verifier says {verify}"));
    }
    let (connections, cores_apart) = (plan.connections, cores.are_apart());
    Ok(OpenLoopOutcome { connections, rows, ok: wrong.is_empty(), cores_apart, wrong })
}

impl Run<'_> {
    /// Somebody takes the only unit.
    fn buy_the_last(&mut self, wish: &Wish) -> Result<(), DrillError> {
        self.sockets.viewers().clicks = Clicks::new("l");
        let at_us = self.sockets.now_us();
        self.sockets.play(
            wish,
            &[Moment { at_us, number: 0, reads: true }],
            at_us + 1,
            Duration::ZERO,
        )?;
        self.sockets.settle();
        Ok(())
    }

    /// Finds the peak, then offers half of it.
    fn walk(
        &mut self,
        path: &'static str,
        wish: &Wish,
        right: impl Fn(&Answers) -> u64,
    ) -> Result<Walked, DrillError> {
        self.sockets.viewers().clicks = Clicks::new("p");
        let clicks_max = wish.clicks_max();
        self.sockets.play_closed(wish, clicks_max / 4);
        self.sockets.idle_while_clicking(WARM_UP)?;
        self.sockets.settle();
        self.sockets.play_closed(wish, clicks_max / 2);
        let busy = CoreShares::start(&self.process)?;
        let (from_us, before) = (self.sockets.now_us(), self.sockets.viewers().clicks.answered());
        self.sockets.idle_while_clicking(self.plan.peak)?;
        let us = self.sockets.now_us() - from_us;
        let answered = wide(self.sockets.viewers().clicks.answered() - before);
        let (peak_server_busy, peak_generator_busy) = busy.shares(us)?;
        self.sockets.settle();
        let closed = std::mem::replace(&mut self.sockets.viewers().clicks, Clicks::new("o"));
        let (peak_per_s, peak_ms) = (per_s(answered, us), us / 1_000);

        let offered_per_s = (peak_per_s / 2).max(1);
        let left = clicks_max - self.sockets.clicks_of_one_max();
        let mut moments = self.moments(offered_per_s, left);
        // Drawing so many takes longer than they are ahead.
        let from_us = self.sockets.now_us() + AHEAD_US;
        for moment in &mut moments {
            moment.at_us += from_us;
        }
        let until_us = moments.last().map_or(from_us, |moment| moment.at_us);
        let busy = CoreShares::start(&self.process)?;
        self.sockets.play(wish, &moments, until_us, Duration::ZERO)?;
        let (server_busy, generator_busy) = busy.shares(self.sockets.now_us() - from_us)?;
        self.sockets.settle();
        let us = self.sockets.now_us() - from_us;
        let open = std::mem::replace(&mut self.sockets.viewers().clicks, Clicks::new("none"));
        let LatencySummary { p50, p99, p999, max, .. } = open.latency();
        let (errors, why) = errors(&[&closed, &open], right);
        let row = OpenLoopRow {
            path,
            peak_per_s,
            peak_ms,
            peak_server_busy: rounded(peak_server_busy),
            peak_generator_busy: rounded(peak_generator_busy),
            offered_per_s,
            open_ms: (until_us - from_us) / 1_000,
            achieved_per_s: per_s(wide(open.answered()), us),
            p50_us: p50,
            p99_us: p99,
            p999_us: p999,
            max_us: max,
            errors,
            server_busy: rounded(server_busy),
            generator_busy: rounded(generator_busy),
            why,
        };
        Ok(Walked { row, closed, open })
    }

    /// Clicks of strangers to each other from moment 0 on: the gaps between them are exponential. Each
    /// viewer has only so many left.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a gap is some microseconds"
    )]
    fn moments(&mut self, per_s: u64, clicks_each: usize) -> Vec<Moment> {
        let clicks_max = clicks_each.saturating_mul(self.plan.connections as usize);
        let until = micros(self.plan.open) as f64;
        let mean = 1_000_000.0 / per_s as f64;
        let mut numbers = (0..self.plan.connections).cycle();
        let (mut at, mut moments) = (0.0, Vec::new());
        loop {
            at -= mean * (1.0 - self.rng.random::<f64>()).ln();
            if at >= until || moments.len() == clicks_max {
                return moments;
            }
            let number = numbers.next().expect("a cycle never ends");
            moments.push(Moment { at_us: at as u64, number, reads: true });
        }
    }
}

impl Walked {
    /// What the ledger does not keep of the promises, in words.
    fn broken(&self, server: &StaffedServer, drops: &[DropId]) -> Result<Vec<String>, DrillError> {
        let mut wrong = Vec::new();
        for drop in drops {
            let promises = self.closed.promises(*drop, SKU).chain(self.open.promises(*drop, SKU));
            let audit = server.audit(*drop, promises)?;
            if !audit.is_clean() || audit.promises != audit.holds {
                let (kept, holds) = (audit.promises - audit.promises_lost, audit.holds);
                let words = audit.mismatches.join("; ");
                wrong.push(format!(
                    "{drop}: {kept} of {} promises kept, {holds} holds; {words}",
                    audit.promises
                ));
            }
        }
        Ok(wrong)
    }
}

impl OpenLoopRow {
    fn words(&self) -> String {
        let bound = if self.peak_generator_busy > FULL { ", generator-bound" } else { "" };
        format!(
            "{}: peak {} per second (server {:.0} % busy{bound}); open loop at {} per second, {} \
             achieved: p50 {} us, p99 {} us, p99.9 {} us, max {} us; {} errors; server {:.0} %, \
             generator {:.0} % busy",
            self.path,
            self.peak_per_s,
            self.peak_server_busy * 100.0,
            self.offered_per_s,
            self.achieved_per_s,
            self.p50_us,
            self.p99_us,
            self.p999_us,
            self.max_us,
            self.errors,
            self.server_busy * 100.0,
            self.generator_busy * 100.0,
        )
    }
}

/// Clicks that did not get exactly one right answer, with the answers that were given.
fn errors(parts: &[&Clicks], right: impl Fn(&Answers) -> u64) -> (u64, String) {
    let (mut errors, mut why) = (0, Vec::new());
    for clicks in parts {
        let answers = clicks.answers();
        errors += wide(clicks.made()).saturating_sub(right(&answers)) + answers.repeated;
        let Answers { unanswered, repeated, held, refused } = answers;
        why.push(format!("{held} held, {refused:?}, {unanswered} unanswered, {repeated} repeated"));
    }
    (errors, why.join("; "))
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_click_that_got_another_answer_is_an_error() {
        let none = Clicks::new("x");
        assert_eq!(errors(&[&none], |answers| answers.held).0, 0);
        let mut one = Clicks::new("x");
        let drop = "d1".parse().unwrap();
        let moment = Moment { at_us: 5, number: 0, reads: true };
        one.make(moment, drop, SKU, stampede_wire::Subprotocol::Json);
        let (errors, why) = errors(&[&none, &one], |answers| answers.held);
        assert_eq!(errors, 1);
        assert!(why.ends_with("0 held, {}, 1 unanswered, 0 repeated"), "{why}");
    }
}
