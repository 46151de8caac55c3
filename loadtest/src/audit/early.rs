//! Whether holds lived as long as viewers were told, outages included.

use std::collections::HashMap;

use super::AuditResult;
use crate::recorder::{Promise, Promised};

/// Times are cut to whole milliseconds, at the server and here.
const ROUNDING_MS: u64 = 2;

/// A time without a server, by the crowd's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// When the server was gone.
    pub from_ms: u64,
    /// When the next one was started; its recovery is not counted as outage here.
    pub to_ms: u64,
}

/// Counts holds that were seen to expire earlier than promised into `result`.
///
/// A hold promised for so many milliseconds was promised after its request was sent, so it must not
/// expire sooner than that after sending, plus every outage in between.
pub fn early_expiries<'a>(
    promises: impl IntoIterator<Item = &'a Promise>,
    outages: &[Outage],
    result: &mut AuditResult,
) {
    // For each hold: sent, received, promised to live.
    let mut held: HashMap<&str, Vec<(u64, u64, u64)>> = HashMap::new();
    for promise in promises {
        match (&promise.what, promise.asked_ms) {
            (Promised::Held { expires_in_ms, .. }, Some(asked_ms)) => {
                let told = (asked_ms, promise.at_ms, *expires_in_ms);
                held.entry(&promise.hold).or_default().push(told);
            }
            (Promised::Expired, _) => {
                let told = held.get(promise.hold.as_str()).into_iter().flatten();
                let due = told.map(|told| due_ms(*told, promise.at_ms, outages)).max();
                if let Some(due) = due.filter(|due| promise.at_ms + ROUNDING_MS < *due) {
                    result.early_expiries += 1;
                    result.say(|| {
                        let (hold, at) = (&promise.hold, promise.at_ms);
                        format!("the hold {hold} was seen to expire at {at}, due at {due}")
                    });
                }
            }
            _ => {}
        }
    }
}

/// The earliest moment at which the hold may expire.
fn due_ms((asked_ms, told_ms, lives_ms): (u64, u64, u64), end_ms: u64, outages: &[Outage]) -> u64 {
    let within = |outage: &&Outage| outage.from_ms >= told_ms && outage.to_ms <= end_ms;
    let outages_ms: u64 = outages.iter().filter(within).map(|o| o.to_ms - o.from_ms).sum();
    asked_ms + lives_ms + outages_ms
}
