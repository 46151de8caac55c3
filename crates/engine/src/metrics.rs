//! The crate's metrics, declared once.

use metrics::{Counter, Unit, counter, describe_counter, describe_gauge, gauge};

use stampede_books::{Action, Totals};
use stampede_domain::{RefusalCode, limits::BANS_MAX};

/// Buys that were decided, by `outcome`: `held`, `retry`, or the reason of the refusal. Counted with
/// each tally, so up to a second late.
pub const BUYS: &str = "stampede_engine_buys_total";
/// Holds that ended durably, by `end`: `confirmed`, `released`, `expired`.
pub const ENDS: &str = "stampede_engine_holds_ended_total";
/// Staff commands that were decided, by `action` with `outcome`: `accepted`, `refused`.
pub const COMMANDS: &str = "stampede_engine_commands_total";

/// What was turned away to protect the sale, by `reason`: `halted`, `admission`, `ring_full`,
/// `ledger_busy`, `poisoned`, `steward_full`, `hello`, `banned`.
pub const SHED: &str = "stampede_engine_shed_total";
/// 1 while every take is halted.
pub const HALTED: &str = "stampede_engine_halted";
/// How many bans there may be.
pub const BANS_LIMIT: &str = "stampede_engine_bans_max";
/// Bytes that live drops may come to need.
pub const SALE_BYTES: &str = "stampede_engine_sale_bytes";
/// The most that plans and lots may bring that to.
pub const SALE_BYTES_MAX: &str = "stampede_engine_sale_bytes_max";
/// Bans in force.
pub const BANS: &str = "stampede_engine_bans";
/// By how many seconds the sale's clock is ahead of the wall clock; negative if it is behind.
pub const CLOCK_AHEAD: &str = "stampede_engine_clock_ahead_seconds";

/// Begins every series at zero: what has not happened yet can be told from what is not counted.
fn begin() {
    let refusals = RefusalCode::ALL.iter().map(|code| code.name());
    for outcome in ["held", "retry"].into_iter().chain(refusals) {
        counter!(BUYS, "outcome" => outcome).increment(0);
    }
    for end in ["confirmed", "released", "expired"] {
        counter!(ENDS, "end" => end).increment(0);
    }
    for &action in Action::NAMES {
        for outcome in ["accepted", "refused"] {
            counter!(COMMANDS, "action" => action, "outcome" => outcome).increment(0);
        }
    }
    show(BANS_LIMIT, BANS_MAX);
}

/// Shows a count.
fn show(gauge: &'static str, count: usize) {
    gauge!(gauge).set(u32::try_from(count).map_or(f64::MAX, f64::from));
}

/// Tells the recorder what each metric means.
pub fn describe() {
    begin();
    let count = Unit::Count;
    describe_counter!(BUYS, count, "buys that were decided, by outcome; counted each second");
    describe_counter!(ENDS, count, "holds that ended durably, by end");
    describe_counter!(COMMANDS, count, "staff commands that were decided, by action and outcome");
    describe_counter!(SHED, count, "what was turned away to protect the sale, by reason");
    describe_gauge!(HALTED, count, "1 while every take is halted");
    describe_gauge!(SALE_BYTES, Unit::Bytes, "bytes that live drops may come to need");
    describe_gauge!(SALE_BYTES_MAX, Unit::Bytes, "the most that plans and lots may bring them to");
    describe_gauge!(BANS, count, "bans in force");
    describe_gauge!(BANS_LIMIT, count, "bans that may be in force");
    let ahead = "by how much the sale's clock is ahead of the wall clock; negative if behind";
    describe_gauge!(CLOCK_AHEAD, Unit::Seconds, ahead);
}

pub(crate) fn show_halt(halted: bool) {
    gauge!(HALTED).set(if halted { 1.0 } else { 0.0 });
}

pub(crate) fn show_bans(bans: usize) {
    show(BANS, bans);
}

/// Shows what live drops may come to need.
#[allow(clippy::cast_precision_loss, reason = "exact for 9 PB")]
pub(crate) fn show_sale_bytes(bytes: u64) {
    gauge!(SALE_BYTES).set(bytes as f64);
}

/// Shows its limit.
#[allow(clippy::cast_precision_loss, reason = "exact for 9 PB")]
pub(crate) fn show_sale_bytes_max(bytes: u64) {
    gauge!(SALE_BYTES_MAX).set(bytes as f64);
}

/// Shows by how many milliseconds the sale's clock is ahead of the wall clock.
#[allow(clippy::cast_precision_loss, reason = "exact for 285,000 years")]
pub(crate) fn show_clock_ahead(millis: i64) {
    gauge!(CLOCK_AHEAD).set(millis as f64 / 1_000.0);
}

pub(crate) fn count_buys(since: &Totals) {
    counter!(BUYS, "outcome" => "held").increment(since.held);
    counter!(BUYS, "outcome" => "retry").increment(since.retries);
    for (code, times) in since.refusals() {
        counter!(BUYS, "outcome" => code.name()).increment(times);
    }
}

pub(crate) fn count_end(end: &'static str) {
    counter!(ENDS, "end" => end).increment(1);
}

pub(crate) fn count_command(action: &'static str, accepted: bool) {
    debug_assert!(Action::NAMES.contains(&action), "{action} has no series yet");
    let outcome = if accepted { "accepted" } else { "refused" };
    counter!(COMMANDS, "action" => action, "outcome" => outcome).increment(1);
}

/// Why something was turned away to protect the sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShedReason {
    /// A buy, while takes are halted.
    Halted,
    /// A buy over the rate admitted.
    Admission,
    /// A buy, because the core's takes wait for the ledger.
    RingFull,
    /// A buy, because another program holds the ledger's lock for writing.
    LedgerBusy,
    /// A buy or a release, because the ledger has failed.
    Poisoned,
    /// A release, a payment or a command, because the steward has enough to do.
    StewardFull,
    /// A hello over the rate admitted.
    Hello,
    /// A banned arrival.
    Banned,
}

impl ShedReason {
    const ALL: [(Self, &'static str); 8] = [
        (Self::Halted, "halted"),
        (Self::Admission, "admission"),
        (Self::RingFull, "ring_full"),
        (Self::LedgerBusy, "ledger_busy"),
        (Self::Poisoned, "poisoned"),
        (Self::StewardFull, "steward_full"),
        (Self::Hello, "hello"),
        (Self::Banned, "banned"),
    ];
}

/// A counter for each reason, looked up once: refusals stay cheap.
pub(crate) struct ShedCounters([Counter; ShedReason::ALL.len()]);

impl ShedCounters {
    pub(crate) fn new() -> Self {
        Self(ShedReason::ALL.map(|(_, name)| counter!(SHED, "reason" => name)))
    }

    pub(crate) fn count(&self, shed: ShedReason) {
        let place = ShedReason::ALL.iter().position(|(known, _)| *known == shed);
        if let Some(counter) = place.and_then(|place| self.0.get(place)) {
            counter.increment(1);
        }
    }
}
