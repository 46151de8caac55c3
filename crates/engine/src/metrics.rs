//! The crate's metrics, declared once.

use metrics::{Unit, counter, describe_counter};

use crate::tally::Totals;

/// Buys that were decided, by `outcome`: `held`, `retry`, or the reason of the refusal. Counted with
/// each tally, so up to a second late.
pub const BUYS: &str = "stampede_engine_buys_total";
/// Holds that ended durably, by `end`: `confirmed`, `released`, `expired`.
pub const ENDS: &str = "stampede_engine_holds_ended_total";
/// Staff commands that were decided, by `action` with `outcome`: `accepted`, `refused`.
pub const COMMANDS: &str = "stampede_engine_commands_total";

/// Tells the recorder what each metric means.
pub fn describe() {
    let count = Unit::Count;
    describe_counter!(BUYS, count, "buys that were decided, by outcome; counted each second");
    describe_counter!(ENDS, count, "holds that ended durably, by end");
    describe_counter!(COMMANDS, count, "staff commands that were decided, by action and outcome");
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
    let outcome = if accepted { "accepted" } else { "refused" };
    counter!(COMMANDS, "action" => action, "outcome" => outcome).increment(1);
}
