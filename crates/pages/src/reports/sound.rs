//! How the sale ran, for whoever wants to know whether it was fast and sound.

use super::{
    findings,
    parts::{PhaseRow, Reason, Refused, Sound, width},
    told::Report,
};
use crate::{
    answers::Phase,
    live::Standing,
    numbers::{count, duration, milliseconds, shares_of, tenths},
    reader::Reader,
    words::Language,
};

/// A reason's name in the pages' words.
fn reason(code: &str, words: Language) -> String {
    let said = match code {
        "busy" => words.reason_busy(),
        "rate_limited" => words.reason_rate_limited(),
        "ticket_expired" => words.reason_ticket_expired(),
        "unknown_drop" => words.reason_unknown_drop(),
        "unknown_sku" => words.reason_unknown_sku(),
        "units_out_of_range" => words.reason_units_out_of_range(),
        "key_reused" => words.reason_key_reused(),
        "not_open" => words.reason_not_open(),
        "paused" => words.reason_paused(),
        "closed" => words.reason_closed(),
        "over_viewer_limit" => words.reason_over_viewer_limit(),
        "holds_capped" => words.reason_holds_capped(),
        "sold_out" => words.reason_sold_out(),
        "not_enough" => words.reason_not_enough(),
        "unknown_hold" => words.reason_unknown_hold(),
        "hold_ended" => words.reason_hold_ended(),
        "hold_confirmed" => words.reason_hold_confirmed(),
        "payment_pending" => words.reason_payment_pending(),
        "pay_not_offered" => words.reason_pay_not_offered(),
        other => other,
    };
    said.to_owned()
}

/// The reasons, the one with the most clicks first.
pub(super) fn refused(report: &Report, words: Language) -> Refused {
    let mut reasons: Vec<(&String, u64)> =
        report.refusals.iter().map(|(code, clicks)| (code, *clicks)).collect();
    reasons.sort_by_key(|(_, clicks)| std::cmp::Reverse(*clicks));
    let clicks: Vec<u64> = reasons.iter().map(|(_, clicks)| *clicks).collect();
    let longest = clicks.first().copied().unwrap_or(0).max(1);
    let rows = reasons.iter().zip(shares_of(&clicks)).map(|((code, clicks), part)| Reason {
        name: reason(code, words),
        clicks: count(*clicks),
        share: tenths(words, part),
        length: width(
            u64::try_from(u128::from(*clicks) * 1_000 / u128::from(longest))
                .unwrap_or(1_000)
                .max(4),
        ),
    });
    Refused { title: findings::refused(report, words), rows: rows.collect() }
}

/// A length of time that microseconds tell: `0.20 ms`, `41 ms`.
fn micros(words: Language, us: u64) -> String {
    match us {
        0..10_000 => words.in_ms(format_args!("{}.{:02}", us / 1_000, us % 1_000 / 10)),
        _ => milliseconds(words, us / 1_000),
    }
}

/// Whether the sale was sound, with the figures of the machine.
pub(super) fn sound(report: &Report, words: Language) -> Sound {
    let is_sound = report.oversold == 0;
    let mut facts = Vec::new();
    facts.push(match report.oversold {
        0 => (words.sound_oversold(), words.sound_oversold_none().to_owned()),
        units => (words.sound_oversold(), words.sound_oversold_by(count(units))),
    });
    let left = if report.phase.is_over() { words.sound_left() } else { words.sound_left_now() };
    facts.push((left, words.units_in(count(report.left))));
    facts.push((words.sound_busiest(), words.clicks_in(count(report.tally_clicks_max))));
    facts.push((words.sound_connected(), count(report.connected_max)));
    facts.push((words.sound_clicks(), count(report.clicks)));
    facts.push((words.sound_repeats(), words.sound_repeats_second(count(report.retries))));
    let answers = report.answer_times.map_or_else(
        || words.unknown().to_owned(),
        |times| {
            words.sound_answers_second(micros(words, times.p50_us), micros(words, times.p99_us))
        },
    );
    facts.push((words.sound_answers(), answers));
    let gaps = if report.paused_ms == 0 && report.outage_ms == 0 {
        words.sound_gaps_never().to_owned()
    } else {
        words
            .sound_gaps_second(duration(words, report.paused_ms), duration(words, report.outage_ms))
    };
    facts.push((words.sound_gaps(), gaps));
    let title = match (is_sound, report.is_settled()) {
        (false, _) => words.report_not_sound(),
        (true, true) => words.report_sound(),
        (true, false) => words.report_sound_so_far(),
    };
    let note =
        (!report.counts_complete).then(|| words.report_restarted(count(report.restarts.max(1))));
    Sound { title, is_right: is_sound, facts, note }
}

/// The phases, with the moments in between that matter.
pub(super) fn phases(report: &Report, reader: &Reader) -> Vec<PhaseRow> {
    let words = reader.words;
    let opened = report.opened_at_ms;
    let begun = report.phases.iter().map(|begun| {
        let word = standing(begun.phase).word(words);
        let name = if begun.by_stream { words.phase_by_stream(word) } else { word.to_owned() };
        (begun.at_ms, name)
    });
    let mut moments: Vec<(u64, String)> = begun.collect();
    let mut add = |after: Option<u64>, name: &str| {
        if let (Some(opened), Some(after)) = (opened, after) {
            let at = opened.saturating_add(after);
            let place = moments.partition_point(|(other, _)| *other <= at);
            moments.insert(place, (at, name.to_owned()));
        }
    };
    add(report.sold_out_after_ms, words.phase_all_taken());
    add(report.all_paid_after_ms, words.phase_all_paid());
    let rows = moments.into_iter().map(|(at, name)| {
        let after = opened.and_then(|opened| at.checked_sub(opened));
        let after =
            after.map(|ms| words.seconds(format_args!("{}.{:03}", count(ms / 1_000), ms % 1_000)));
        PhaseRow { name, at: reader.time(at), after: after.unwrap_or_default() }
    });
    rows.collect()
}

/// How a drop in this phase stands, as far as its phase says.
pub(super) const fn standing(phase: Phase) -> Standing {
    match phase {
        Phase::Scheduled => Standing::Planned,
        Phase::Countdown => Standing::Countdown,
        Phase::Open => Standing::Open,
        Phase::Paused => Standing::Paused,
        Phase::Closed => Standing::Closed,
        Phase::Settled => Standing::Settled,
        Phase::Cancelled | Phase::Voiding | Phase::Voided => Standing::CalledOff,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::report;
    use super::*;
    use crate::words::Language;

    const EN: Language = Language::English;

    #[test]
    fn every_reason_has_words_and_their_shares_add_up() {
        for code in stampede_domain::RefusalCode::ALL {
            for words in Language::ALL {
                assert_ne!(reason(code.name(), words), code.name());
            }
        }
        let table = refused(&report(), EN);
        let names: Vec<&str> = table.rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["Nothing left", "Not open yet", "Not enough left"]);
        let shares: Vec<&str> = table.rows.iter().map(|row| row.share.as_str()).collect();
        assert_eq!(shares, ["99.5\u{a0}%", "0.4\u{a0}%", "0.1\u{a0}%"]);
        // The least of them is seen.
        assert_eq!(table.rows[2].length, "0.4%");
    }

    #[test]
    fn a_sale_that_was_oversold_is_not_called_sound() {
        assert!(sound(&report(), EN).is_right);
        assert_eq!(sound(&report(), EN).title, "The sale was sound");
        let broken = sound(&Report { oversold: 3, ..report() }, EN);
        assert_eq!((broken.is_right, broken.title), (false, "The sale was not sound"));
        assert_eq!(broken.facts[0].1, "3 units at most");
        let running =
            Report { phase: Phase::Open, counts_complete: false, restarts: 2, ..report() };
        let so_far = sound(&running, EN);
        assert_eq!(so_far.title, "The sale is sound so far");
        assert!(so_far.note.unwrap().starts_with("The server was restarted 2 times"));
    }

    #[test]
    fn phases_have_what_matters_in_between() {
        let rows = phases(&report(), &Reader::of(EN));
        let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["Planned", "Open", "All taken", "All paid", "Closed", "Settled"]);
        assert_eq!(rows[2].after, "0.802\u{a0}s");
        assert_eq!(rows[0].after, "");
        assert_eq!(rows[1].at, "20:14:07 UTC");
    }

    #[test]
    fn microseconds_are_said_as_milliseconds() {
        let said = [200, 41_000, 9_999, 1_200_000].map(|us| micros(EN, us).replace('\u{a0}', " "));
        assert_eq!(said, ["0.20 ms", "41 ms", "9.99 ms", "1,200 ms"]);
    }
}
