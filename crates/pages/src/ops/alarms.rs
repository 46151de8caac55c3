//! The alarms, worst first.

use super::{Told, checks::Check};
use crate::words::Language;

/// Something that needs a look.
#[derive(Debug)]
pub(super) struct Alarm {
    /// `fine` where nothing is wrong, else `attention` or `alarm`.
    pub(super) level: &'static str,
    /// As the largest words of the page.
    pub(super) said: String,
    /// The same below others, with its figures.
    pub(super) figures: String,
}

impl Alarm {
    fn plain(level: &'static str, said: &str) -> Self {
        Self { level, said: said.to_owned(), figures: said.to_owned() }
    }

    /// Nothing is wrong.
    pub(super) fn none(words: Language) -> Self {
        Self::plain("fine", words.ops_fine())
    }

    fn of(check: &Check, words: Language) -> Self {
        Self {
            level: "attention",
            said: words.ops_look(check.label),
            figures: words.ops_alarm(check.label, &check.now, &check.limit),
        }
    }

    /// The name of its icon.
    pub(super) fn glyph(&self) -> &'static str {
        match self.level {
            "fine" => "tick",
            "alarm" => "octagon",
            _ => "triangle",
        }
    }
}

/// All that is wrong: first what stops the sale, then figures by how far they are beyond their limits.
pub(super) fn alarms(told: &Told, checks: &[Check], words: Language) -> Vec<Alarm> {
    found(told.not_ready.as_deref(), told.brake.stopped.is_some(), checks, words)
}

fn found(
    not_ready: Option<&str>,
    is_stopped: bool,
    checks: &[Check],
    words: Language,
) -> Vec<Alarm> {
    let mut found = Vec::new();
    if not_ready == Some("poisoned") {
        found.push(Alarm::plain("alarm", words.ops_poisoned()));
    }
    if is_stopped {
        found.push(Alarm::plain("alarm", words.ops_stopped()));
    }
    if not_ready.is_some_and(|code| code != "poisoned") {
        found.push(Alarm::plain("attention", words.ops_stopping()));
    }
    let mut bad: Vec<&Check> = checks.iter().filter(|check| !check.is_fine).collect();
    bad.sort_by_key(|check| std::cmp::Reverse(check.used));
    found.extend(bad.into_iter().map(|check| Alarm::of(check, words)));
    found
}

#[cfg(test)]
mod tests {
    use super::{
        super::{checks::checks, exposition::Exposition},
        *,
    };

    #[test]
    fn all_that_is_wrong_is_said_worst_first() {
        let words = Language::English;
        let text = "stampede_engine_bans 9500\nstampede_engine_bans_max 10000\n\
            stampede_engine_clock_ahead_seconds 7\n\
            stampede_ledger_disk_free_bytes 5368709120\nstampede_ledger_disk_bytes 107374182400\n";
        let said = |not_ready, is_stopped| {
            let checks = checks(&Exposition(text), words);
            let found = found(not_ready, is_stopped, &checks, words);
            found.into_iter().map(|alarm| alarm.figures).collect::<Vec<_>>()
        };
        let figures = [
            "Sale clock ahead of real time: 7000.0 ms, at most 1000.0 ms",
            "Disk free: 5 GiB, at least 10 GiB",
            "Bans in force: 9,500, of 10,000",
        ];
        assert_eq!(said(None, false), figures);
        let all = said(Some("poisoned"), true);
        assert_eq!(&all[..2], ["The ledger failed. Nothing is sold.", "All takes are stopped."]);
        assert_eq!(&all[2..], figures);
        // What is only on its way comes after what has stopped.
        let going = said(Some("draining"), true);
        assert_eq!(&going[..2], ["All takes are stopped.", "The server is stopping."]);
    }
}
