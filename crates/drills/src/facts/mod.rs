//! The facts drill: payments reported beside a sale in full run, and the host's Pause beside a flood of them.

mod outcome;
mod sender;

use std::{collections::HashSet, path::PathBuf, sync::Arc, thread, time::Duration};

use stampede_domain::{DropId, HoldId};
use stampede_loadtest::{Promise, Promised};
use stampede_swarm::Clock;

use self::{
    outcome::ReportsRow,
    sender::{Holds, Pace, Sender, Sent},
};
use crate::{
    descriptors::check_descriptors,
    error::DrillError,
    figures::per_s,
    host::{Host, Presses},
    server::Setup,
    staffed_server::{PRICE_MINOR, SKU, StaffedServer, UNITS_PER_VIEWER},
    viewers::{Clicks, ViewerSockets, Wish, micros, steady},
    waiting::PATIENCE,
};

pub use self::outcome::FactsOutcome;
pub(crate) use self::outcome::{PAUSE_P99_MS, PressesRow, Target};

/// Viewers of the sale.
const VIEWERS: u32 = 2_000;
/// Drops whose units they take, one after the other.
const DROPS: usize = 3;
/// Units that are taken for each payment of the sale: not everybody has paid when it is over.
const TAKES_PER_PAYMENT: u64 = 5;
/// The sale is this long ahead of the first payment.
const LEAD_US: u64 = 2_000_000;
/// Time until the first moment, so that everybody waits for it.
const AHEAD_US: u64 = 200_000;
/// Time between two presses of the host: five Pauses a second.
const PRESS_EVERY_US: u64 = 100_000;
/// Time between two looks at the holds that have come.
const SLICE_US: u64 = 10_000;
const SETTINGS: &str = "[viewers]\ntick_interval_ms = 1000\nmessages_per_s = 1000000\n\
                        messages_burst = 1000000\nmessages_per_viewer_per_s = 0\n\
                        unlimited_addresses = [\"127.0.0.0/8\"]\n";

/// What to do.
#[derive(Clone, Debug)]
pub struct FactsDrill {
    /// The server's binary.
    pub server: PathBuf,
    /// Payments reported per second beside the sale.
    pub per_s: u64,
    /// How long each part runs.
    pub time: Duration,
}

/// Everything that runs.
struct Run<'a> {
    drill: &'a FactsDrill,
    server: &'a StaffedServer,
    token: String,
    sockets: ViewerSockets,
    holds: Holds,
    clock: Clock,
    /// The host's own drop.
    paused: DropId,
    wish: Wish,
}

/// One part of the drill.
struct Part {
    sent: Sent,
    presses: Presses,
    from_us: u64,
}

/// Runs the drill. `say` gets a line for each part and for each target.
///
/// # Errors
/// [`DrillError`] if the drill could not be carried through; what it found wrong is in the outcome.
pub fn run_facts(
    drill: &FactsDrill,
    mut say: impl FnMut(&str),
) -> Result<FactsOutcome, DrillError> {
    check_descriptors(VIEWERS)?;
    let load_before = load();
    let setup = Setup::new(&["--payments", "none"]).with_settings(SETTINGS.to_owned());
    let server = StaffedServer::start(&drill.server, setup)?;
    let supply = VIEWERS * u32::from(UNITS_PER_VIEWER);
    let drops = (0..DROPS).map(|_| server.open_drop(supply)).collect::<Result<Vec<_>, _>>()?;
    let mut sockets = ViewerSockets::new(server.viewers())?;
    let paused = server.open_drop(1)?;
    sockets.join(VIEWERS, &server.tickets()?)?;
    sockets.viewers().clicks = Clicks::new("s");
    let (wish, token) =
        (Wish::of_each(drops.clone(), UNITS_PER_VIEWER.into(), SKU), server.payments_token()?);
    let (holds, clock) = (Holds::default(), Clock::start());
    let mut run = Run { drill, server: &server, token, sockets, holds, clock, paused, wish };
    let (sale, takes) = run.beside_a_sale()?;
    let flood = run.flood()?;
    let clicks = std::mem::replace(&mut run.sockets.viewers().clicks, Clicks::new("none"));
    let lost = run.sockets.viewers().lost;
    drop(run);
    let mut wrong: Vec<String> =
        sale.presses.failed.iter().chain(&flood.presses.failed).cloned().collect();
    if lost > 0 {
        wrong.push(format!("{lost} viewers lost their connection"));
    }
    let books = Books::compare(&server, &drops, &clicks, &[&sale.sent, &flood.sent], &mut wrong)?;
    let outcome = FactsOutcome {
        confirms: ReportsRow::of(&sale.sent, sale.from_us),
        takes,
        takes_per_s: per_s(takes, micros(drill.time)),
        presses: PressesRow::of(&sale.presses),
        flood: ReportsRow::of(&flood.sent, flood.from_us),
        presses_in_flood: PressesRow::of(&flood.presses),
        confirmed: books.confirmed,
        orders: books.orders,
        orders_missing: books.missing,
        orders_twice: books.twice,
        paid_difference: books.paid_difference,
        verify: server.close()?,
        load_before,
        targets: Vec::new(),
        ok: false,
        wrong: Vec::new(),
    };
    let outcome = outcome.judge(wrong);
    outcome.words().iter().for_each(|line| say(line));
    Ok(outcome)
}

impl Run<'_> {
    /// Payments at an even pace while viewers take units; the takes meanwhile.
    fn beside_a_sale(&mut self) -> Result<(Part, u64), DrillError> {
        let (per_s, for_us) = (self.drill.per_s, micros(self.drill.time));
        let (sale_us, begin_us) = (self.sockets.now_us() + AHEAD_US, self.clock.us() + AHEAD_US);
        let from_us = begin_us + LEAD_US;
        let count = for_us * per_s / 1_000_000;
        let work = self.work(Pace::Even { per_s, count }, from_us, from_us + for_us)?;
        let takes_per_s = per_s * TAKES_PER_PAYMENT;
        let moments = steady(sale_us, LEAD_US + for_us, takes_per_s, VIEWERS);
        let (mut rest, mut ahead) = (moments.as_slice(), 0);
        let mut at_us = sale_us;
        while at_us < sale_us + LEAD_US + for_us {
            at_us += SLICE_US;
            let (now, later) = rest.split_at(rest.partition_point(|moment| moment.at_us < at_us));
            self.sockets.play(&self.wish, now, at_us, Duration::ZERO)?;
            rest = later;
            let held = self.take_in();
            if at_us <= sale_us + LEAD_US {
                ahead = held;
            }
        }
        let takes = self.take_in() - ahead;
        let part = self.finish(work, from_us)?;
        Ok((part, u64::try_from(takes).unwrap_or(u64::MAX)))
    }

    /// Takes as many units as there are for the viewers, then reports payments for them as fast as that goes.
    fn flood(&mut self) -> Result<Part, DrillError> {
        self.sockets.play_closed(&self.wish, self.wish.clicks_max());
        self.sockets.idle_while_clicking(PATIENCE)?;
        self.sockets.settle();
        self.take_in();
        let (from_us, for_us) = (self.clock.us() + AHEAD_US, micros(self.drill.time));
        let first = usize::try_from(for_us * self.drill.per_s / 1_000_000).unwrap_or(usize::MAX);
        let until_us = from_us + for_us;
        let work = self.work(Pace::Flood { first, until_us }, from_us, until_us)?;
        self.finish(work, from_us)
    }

    /// Takes in the holds that have come; how many there are.
    fn take_in(&mut self) -> usize {
        let mut holds = self.holds.lock();
        let first = holds.len();
        holds.extend(self.sockets.viewers().clicks.holds_from(first));
        holds.len()
    }

    /// Lets the platform report and the host press, each on a thread of its own.
    fn work(&self, pace: Pace, from_us: u64, until_us: u64) -> Result<Work, DrillError> {
        let failed = |source| DrillError::System { what: "start a thread", source };
        let (clock, token) = (self.clock, self.token.clone());
        let (target, holds) = (self.server.control_address(), Holds::clone(&self.holds));
        let sender = Sender { target, token, holds, clock, from_us, pace };
        let (control, drop) = (self.server.new_control_client(), self.paused.to_string());
        let (every_us, is_over) = (PRESS_EVERY_US, Arc::default());
        let host =
            Host { control, drop, clock, from_us, until_us, every_us, keeps_time: true, is_over };
        let named = |name: &str| thread::Builder::new().name(name.to_owned());
        Ok(Work {
            sender: named("platform").spawn(|| sender.run()).map_err(failed)?,
            host: named("host").spawn(|| host.run()).map_err(failed)?,
        })
    }

    /// Reads what comes to viewers until both have ended.
    fn finish(&mut self, work: Work, from_us: u64) -> Result<Part, DrillError> {
        while !(work.sender.is_finished() && work.host.is_finished()) {
            self.sockets.idle(Duration::from_micros(SLICE_US))?;
        }
        let Work { sender, host } = work;
        let unwind = |panic| std::panic::resume_unwind(panic);
        let sent = sender.join().unwrap_or_else(unwind)?;
        let unwind = |panic| std::panic::resume_unwind(panic);
        let presses = host.join().unwrap_or_else(unwind)?;
        Ok(Part { sent, presses, from_us })
    }
}

/// Threads at work.
struct Work {
    sender: thread::JoinHandle<Result<Sent, DrillError>>,
    host: thread::JoinHandle<Result<Presses, DrillError>>,
}

/// The drill's own books against the server's.
#[derive(Debug, Default)]
struct Books {
    confirmed: u64,
    orders: u64,
    missing: u64,
    twice: u64,
    paid_difference: i64,
}

impl Books {
    /// Holds what was answered against the ledger of each drop, and what was paid against its report.
    fn compare(
        server: &StaffedServer,
        drops: &[DropId],
        clicks: &Clicks,
        sent: &[&Sent],
        wrong: &mut Vec<String>,
    ) -> Result<Self, DrillError> {
        let ordered: HashSet<HoldId> =
            sent.iter().flat_map(|sent| sent.ordered.iter().copied()).collect();
        let wide = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let mut books = Self { confirmed: wide(ordered.len()), ..Self::default() };
        let mut paid_minor = 0_u64;
        for drop in drops {
            let held = clicks.promises(*drop, SKU);
            let bought = clicks
                .promises(*drop, SKU)
                .filter(|promise| promise.hold.parse().is_ok_and(|hold| ordered.contains(&hold)));
            let audit = server.audit(*drop, held.chain(bought.map(order)))?;
            books.orders += audit.orders;
            books.missing += audit.promises_lost;
            books.twice += audit.duplicate_orders;
            wrong.extend(audit.mismatches.into_iter().map(|what| format!("{drop}: {what}")));
            let report = server.report(*drop)?;
            paid_minor += report["paid_minor"].as_u64().unwrap_or_default();
        }
        books.paid_difference =
            paid_minor.cast_signed() - (books.confirmed * PRICE_MINOR).cast_signed();
        Ok(books)
    }
}

/// The promise that a payment's answer has made of a hold.
fn order(held: Promise) -> Promise {
    let what = Promised::Order { order: held.hold.clone(), key: None, amount_minor: PRICE_MINOR };
    Promise { what, ..held }
}

/// How many threads waited for a core over the last minute; 0 where the system does not tell.
pub(crate) fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or_default()
}
