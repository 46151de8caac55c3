//! The story of a drop in one or two sentences. Each is true by the words of the pages: "all taken" is a moment with
//! nothing left; "paid" is paid for.

use super::told::Report;
use crate::{
    answers::Phase,
    numbers::{count, span},
    words::Language,
};

/// What a report says first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Story {
    /// How the sale went.
    pub(crate) first: Vec<String>,
    /// Who bought, and who was refused for want of units.
    pub(crate) second: Vec<String>,
}

impl Story {
    pub(crate) fn of(report: &Report, words: Language) -> Self {
        Self { first: first(report, words), second: second(report, words) }
    }
}

fn first(report: &Report, words: Language) -> Vec<String> {
    let time = |ms| span(words, ms);
    let Some(lasted) = report.lasted_ms() else {
        return before(report, words);
    };
    let mut said = Vec::new();
    match report.phase {
        // What was taken of it came back, so there is nothing else to say.
        Phase::Voiding => return vec![words.story_undoing_after(time(lasted))],
        Phase::Voided => return vec![words.story_undone_after(time(lasted))],
        Phase::Cancelled => said.push(words.story_called_off_after(time(lasted))),
        Phase::Paused => said.push(words.story_paused().to_owned()),
        _ => {}
    }
    let supplied = count(report.supplied);
    let is_all_paid = report.sold == report.supplied && report.supplied > 0;
    match report.sold_out_after_ms {
        Some(after) if !report.supply_changed() => {
            said.push(words.story_all_taken(&supplied, time(after)));
            match (is_all_paid, report.all_paid_after_ms) {
                (true, Some(paid)) => said.push(words.story_all_paid(&supplied, time(paid))),
                (true, None) => said.push(words.story_paid(&supplied)),
                _ => said.extend(so_far(report, words)),
            }
        }
        Some(after) => {
            said.push(words.story_first_taken(time(after)));
            match (is_all_paid, report.last_paid_after_ms) {
                (true, Some(paid)) => said.push(words.story_all_paid_last(&supplied, time(paid))),
                (true, None) => said.push(words.story_paid(&supplied)),
                _ => said.extend(so_far(report, words)),
            }
        }
        None => {
            let paid = count(report.sold);
            // What was held at the close is paid for after it.
            let later = report.last_paid_after_ms.filter(|last| *last > lasted);
            match (report.sold > 0, report.phase.is_over(), later) {
                (true, true, Some(last)) => {
                    // That it was called off says how long it was open.
                    let open = report.phase != Phase::Cancelled;
                    said.extend(open.then(|| words.story_open_for(time(lasted))));
                    said.push(words.story_paid_of_last(paid, supplied, time(last)));
                }
                (true, true, None) => said.push(words.story_paid_in(paid, supplied, time(lasted))),
                (true, false, _) => {
                    said.push(words.story_paid_after(paid, supplied, time(lasted)));
                }
                (false, true, _) => said.push(words.story_none_paid_in(time(lasted))),
                (false, false, _) => said.push(words.story_none_paid().to_owned()),
            }
            said.extend(held(report, words));
            said.extend(left(report, words));
        }
    }
    said
}

/// What is said of a drop that has not opened, or never will.
fn before(report: &Report, words: Language) -> Vec<String> {
    let planned = words.story_planned(count(report.planned));
    match report.phase {
        Phase::Cancelled => vec![words.story_called_off_before().to_owned()],
        Phase::Countdown => vec![planned, words.story_counting().to_owned()],
        Phase::Scheduled => vec![planned, words.story_not_open().to_owned()],
        // Closed without ever having been open.
        _ => vec![words.story_never_opened().to_owned()],
    }
}

/// How much was paid of what had all been taken.
fn so_far(report: &Report, words: Language) -> Vec<String> {
    let paid = count(report.sold);
    let supplied = count(report.supplied);
    let first = match (report.sold > 0, report.phase.is_over()) {
        (true, true) => words.story_paid_of(paid, supplied),
        (true, false) => words.story_paid_so_far(paid),
        (false, true) => words.story_nothing_paid().to_owned(),
        (false, false) => words.story_none_paid().to_owned(),
    };
    let rest = held(report, words).into_iter().chain(left(report, words));
    std::iter::once(first).chain(rest).collect()
}

fn held(report: &Report, words: Language) -> Option<String> {
    (report.held > 0).then(|| words.story_held(count(report.held)))
}

fn left(report: &Report, words: Language) -> Option<String> {
    match report.left {
        0 => None,
        left if left == report.supplied => Some(words.story_all_left(count(left))),
        left => Some(words.story_left(count(left))),
    }
}

fn second(report: &Report, words: Language) -> Vec<String> {
    if report.opened_at_ms.is_none() || matches!(report.phase, Phase::Voiding | Phase::Voided) {
        return Vec::new();
    }
    let refused = (report.refused_for_want, report.clicks, report.counts_complete);
    who(report.buyers, report.phase.is_over(), refused, words)
}

/// Who bought and who was refused: clicks refused for want of units, all clicks, whether those are complete.
pub(super) fn who(
    buyers: u64,
    is_over: bool,
    (refused, clicks, are_complete): (u64, u64, bool),
    words: Language,
) -> Vec<String> {
    let bought = match (buyers, is_over) {
        (0, true) => words.story_nobody_bought().to_owned(),
        (0, false) => words.story_nobody_bought_yet().to_owned(),
        (buyers, _) => words.story_bought(count(buyers)),
    };
    let refused = match (refused, are_complete) {
        // What was refused in the seconds before a restart may be missing: nothing is said of it.
        (0, false) => None,
        (0, true) if clicks == 0 => Some(words.story_no_clicks().to_owned()),
        (0, true) => Some(words.story_none_refused().to_owned()),
        (clicks, true) => Some(words.story_refused(count(clicks))),
        (clicks, false) => Some(words.story_refused_at_least(count(clicks))),
    };
    std::iter::once(bought).chain(refused).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{
        fixtures::{report, with},
        told::PhaseTime,
    };
    use super::*;

    fn said(report: &Report, words: Language) -> String {
        let story = Story::of(report, words);
        let all = story.first.into_iter().chain(story.second);
        all.collect::<Vec<_>>().join(" ").replace('\u{a0}', " ")
    }

    #[track_caller]
    fn check(report: &Report, expected: &str) {
        assert_eq!(said(report, Language::English), expected);
        let chinese = Story::of(report, Language::Chinese);
        for sentence in chinese.first.iter().chain(&chinese.second) {
            assert!(sentence.ends_with('。'), "{sentence}");
        }
    }

    #[test]
    fn sold_out_fast() {
        check(
            &report(),
            "All 15,000 taken in 0.80 s. All paid after 4 min 1 s. 13,062 people bought. \
             184,609 clicks were refused for want of units.",
        );
    }

    #[test]
    fn sold_out_slowly_and_over_two_days() {
        let slow = with(|told| {
            told["sold_out_after_ms"] = 4_320_000.into();
            told["all_paid_after_ms"] = 4_400_000.into();
            told["refused_for_want"] = 0.into();
        });
        check(
            &slow,
            "All 15,000 taken in 1 h 12 min. All paid after 1 h 13 min. 13,062 people bought. \
             No click was refused for want of units.",
        );
        let days = with(|told| {
            told["sold_out_after_ms"] = 183_600_000.into();
            told["all_paid_after_ms"] = 187_200_000.into();
        });
        assert!(
            said(&days, Language::English)
                .starts_with("All 15,000 taken in 2 d 3 h. All paid after 2 d 4 h.")
        );
    }

    #[test]
    fn not_sold_out() {
        let slow = with(|told| {
            told["supplied"] = 1_000.into();
            told["planned"] = 1_000.into();
            told["sold"] = 612.into();
            told["left"] = 388.into();
            told["sold_out_after_ms"] = None::<u64>.into();
            told["all_paid_after_ms"] = None::<u64>.into();
            told["phases"][2]["at_ms"] = (super::super::fixtures::OPENED_MS + 7_200_000).into();
            told["buyers"] = 581.into();
            told["refused_for_want"] = 0.into();
        });
        check(
            &slow,
            "612 of 1,000 paid in 2 h. 388 are left. 581 people bought. No click was refused for want of units.",
        );
        // What is held at the close is paid for after it.
        let soon =
            PhaseTime { at_ms: super::super::fixtures::OPENED_MS + 60_000, ..slow.phases[2] };
        let late = Report {
            phases: vec![slow.phases[0], slow.phases[1], soon, slow.phases[3]],
            last_paid_after_ms: Some(300_000),
            ..slow.clone()
        };
        assert!(
            said(&late, Language::English).starts_with(
                "Open for 1 min. 612 of 1,000 paid, the last after 5 min. 388 are left."
            ),
            "{}",
            said(&late, Language::English)
        );
        let off = Report { phase: Phase::Cancelled, ..late };
        assert!(
            said(&off, Language::English)
                .starts_with("Called off after 1 min. 612 of 1,000 paid, the last after 5 min."),
            "{}",
            said(&off, Language::English)
        );
        let undone =
            "The opening was undone after 1 min: nothing was paid, and every hold has ended.";
        check(&Report { phase: Phase::Voided, ..off.clone() }, undone);
        let undoing =
            "The opening was undone after 1 min: nothing was paid, and the holds are ending.";
        check(&Report { phase: Phase::Voiding, ..off }, undoing);
        let unsold = Report { sold: 0, left: 1_000, buyers: 0, clicks: 0, ..slow.clone() };
        check(
            &unsold,
            "Nothing was paid in 2 h. All 1,000 are left. Nobody bought. Nobody pressed Buy.",
        );
        let early = Report { left: 1, sold: 999, ..slow.clone() };
        assert!(
            said(&early, Language::English).starts_with("999 of 1,000 paid in 2 h. 1 is left.")
        );
        let closed = Report { phase: Phase::Closed, held: 12, left: 376, ..slow };
        assert!(
            said(&closed, Language::English)
                .starts_with("612 of 1,000 paid in 2 h. 12 are still held. 376 are left.")
        );
    }

    #[test]
    fn one_unit_and_as_many_as_there_can_be() {
        let one = with(|told| {
            told["supplied"] = 1.into();
            told["planned"] = 1.into();
            told["sold"] = 1.into();
            told["sold_out_after_ms"] = 200.into();
            told["all_paid_after_ms"] = 3_100.into();
            told["buyers"] = 1.into();
            told["refused_for_want"] = 1.into();
        });
        check(
            &one,
            "The only one was taken in 0.20 s. It was paid after 3.10 s. 1 person bought. \
             1 click was refused for want of units.",
        );
        let most = with(|told| {
            told["supplied"] = 16_777_215.into();
            told["planned"] = 16_777_215.into();
            told["sold"] = 16_777_215.into();
        });
        assert!(
            said(&most, Language::English)
                .starts_with("All 16,777,215 taken in 0.80 s. All paid after")
        );
    }

    #[test]
    fn all_taken_and_not_all_paid() {
        let back = with(|told| {
            told["sold"] = 14_200.into();
            told["left"] = 800.into();
            told["all_paid_after_ms"] = None::<u64>.into();
        });
        assert!(said(&back, Language::English).starts_with(
            "All 15,000 taken in 0.80 s. 14,200 of 15,000 paid. 800 are left. 13,062"
        ));
        let none = Report { sold: 0, left: 15_000, ..back };
        assert!(
            said(&none, Language::English)
                .starts_with("All 15,000 taken in 0.80 s. Nothing was paid. All 15,000 are left.")
        );
    }

    #[test]
    fn what_was_added_later_is_not_said_to_be_taken_at_first() {
        let added = with(|told| {
            told["supplied"] = 16_000.into();
            told["sold"] = 16_000.into();
            told["last_paid_after_ms"] = 300_000.into();
        });
        assert!(
            said(&added, Language::English)
                .starts_with("Nothing was left for the first time after 0.80 s. All 16,000 paid, the last one after 5 min.")
        );
    }

    #[test]
    fn a_running_sale_says_how_it_stands() {
        let opening = with(|told| {
            told["phase"] = "open".into();
            told["sold"] = 0.into();
            told["held"] = 15_000.into();
            told["all_paid_after_ms"] = None::<u64>.into();
            told["buyers"] = 0.into();
        });
        assert!(said(&opening, Language::English).starts_with(
            "All 15,000 taken in 0.80 s. Nothing is paid yet. 15,000 are still held. Nobody has bought yet."
        ));
        let running = Report { sold: 4_000, held: 11_000, buyers: 3_000, ..opening };
        assert!(
            said(&running, Language::English).starts_with(
                "All 15,000 taken in 0.80 s. 4,000 paid so far. 11,000 are still held."
            )
        );
        let slow = Report {
            sold: 612,
            held: 0,
            left: 14_388,
            sold_out_after_ms: None,
            as_of_ms: super::super::fixtures::OPENED_MS + 1_620_000,
            phases: running.phases[..2].to_vec(),
            ..running
        };
        assert!(
            said(&slow, Language::English)
                .starts_with("612 of 15,000 paid after 27 min. 14,388 are left."),
            "{}",
            said(&slow, Language::English)
        );
        let paused = Report { phase: Phase::Paused, ..slow };
        assert!(
            said(&paused, Language::English)
                .starts_with("Paused. 612 of 15,000 paid after 27 min.")
        );
    }

    #[test]
    fn what_has_not_opened_says_so() {
        let planned = with(|told| {
            told["phase"] = "scheduled".into();
            told["opened_at_ms"] = None::<u64>.into();
            told["supplied"] = 0.into();
        });
        check(&planned, "15,000 units are planned. It has not opened yet.");
        check(
            &Report { phase: Phase::Countdown, ..planned.clone() },
            "15,000 units are planned. The countdown runs.",
        );
        check(
            &Report { phase: Phase::Cancelled, ..planned.clone() },
            "Called off before it opened.",
        );
        check(&Report { phase: Phase::Settled, ..planned }, "Closed without having been open.");
    }

    #[test]
    fn what_was_called_off_in_the_middle_says_what_was_paid() {
        let off = with(|told| {
            told["phase"] = "cancelled".into();
            told["sold_out_after_ms"] = None::<u64>.into();
            told["sold"] = 12.into();
            told["left"] = 14_988.into();
        });
        assert!(
            said(&off, Language::English)
                .starts_with("Called off after 4 min 13 s. 12 of 15,000 paid in 4 min 13 s."),
            "{}",
            said(&off, Language::English)
        );
    }

    #[test]
    fn counts_that_may_be_incomplete_promise_nothing() {
        let some = Report { counts_complete: false, ..report() };
        assert!(
            said(&some, Language::English)
                .ends_with("At least 184,609 clicks were refused for want of units.")
        );
        let none = Report { refused_for_want: 0, ..some };
        assert!(said(&none, Language::English).ends_with("13,062 people bought."));
    }
}
