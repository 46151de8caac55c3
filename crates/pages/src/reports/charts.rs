//! What is drawn of a drop, with the finding of each drawing.

use super::{
    findings,
    parts::Chart,
    told::{Course, Report, Running, Step},
};
use crate::{
    chart::{Curve, Flow, Gap, Mark, Moment, Paid, Viewers, Width, each_width},
    numbers::{count, milliseconds, span},
    words::Language,
};

/// Where drawings stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Medium {
    Screen,
    Paper,
}

impl Medium {
    fn draw(self, one: impl Fn(Width) -> String) -> String {
        match self {
            Self::Screen => each_width(one),
            Self::Paper => one(Width::Paper),
        }
    }
}

/// How much was paid and held after each step.
fn moments(course: &Course) -> Vec<Moment> {
    let mut now = (0_u64, 0_u64);
    let mut moments = Vec::with_capacity(course.steps.len());
    for (place, step) in (1..).zip(&course.steps) {
        let Step { taken, paid, came_back, .. } = *step;
        now.0 = now.0.saturating_add(paid);
        now.1 = now.1.saturating_add(taken).saturating_sub(came_back.saturating_add(paid));
        moments.push(Moment {
            at_ms: course.step_ms.saturating_mul(place),
            paid: now.0,
            held: now.1,
        });
    }
    moments
}

/// The right edge of what goes over the whole sale: its last event, or now.
fn end_ms(report: &Report) -> u64 {
    let steps = u64::try_from(report.course.steps.len()).unwrap_or(u64::MAX);
    let last = report.last_paid_after_ms.max(report.sold_out_after_ms).unwrap_or(0);
    let now = match report.opened_at_ms {
        Some(opened) if report.is_running() => report.as_of_ms.saturating_sub(opened),
        _ => 0,
    };
    report.course.step_ms.saturating_mul(steps).max(last).max(now)
}

/// Whether drawings stand there before there is anything to draw: what comes in later would push the page down under
/// its reader.
fn keeps_places(report: &Report, medium: Medium) -> bool {
    medium == Medium::Screen && report.running() != Running::Over
}

/// Units paid and held over time; `None` if nothing happened, and nothing will.
pub(super) fn paid(report: &Report, words: Language, medium: Medium) -> Option<Chart> {
    if report.course.steps.is_empty() && !keeps_places(report, medium) {
        return None;
    }
    // Before the opening nothing is supplied: the drawing has the height that it will have.
    let supplied = report.on_sale();
    let title = findings::paid(report, words);
    let (moments, end_ms) = (moments(&report.course), end_ms(report));
    let gaps: Vec<Gap> = report
        .gaps
        .iter()
        .filter(|gap| gap.from_ms <= end_ms)
        .map(|gap| Gap {
            from_ms: gap.from_ms,
            to_ms: gap.to_ms.clamp(gap.from_ms, end_ms),
            is_away: gap.kind == "away",
        })
        .collect();
    // Half of what is on sale now was another half before more came on sale.
    let is_same = !report.supply_changed();
    let drawn = Paid {
        words,
        supplied,
        moments: &moments,
        end_ms,
        half_ms: report.half_paid_after_ms.filter(|_| is_same && report.supplied > 1),
        all_ms: report.all_paid_after_ms.filter(|_| is_same),
        gaps: &gaps,
    };
    let mut lead = words.report_paid_lead().to_owned();
    for said in gap_words(report, words) {
        lead = words.report_sentences(lead, said);
    }
    let svg = medium.draw(|width| drawn.draw(width, &title));
    Some(Chart { name: "paid", title, lead, svg })
}

/// How often it was paused, and the server away.
fn gap_words(report: &Report, words: Language) -> Vec<String> {
    let of = |kind: &str| {
        let found = report.gaps.iter().filter(|gap| gap.kind == kind);
        let (mut times, mut ms) = (0_u64, 0_u64);
        for gap in found {
            times += 1;
            ms = ms.saturating_add(gap.to_ms.saturating_sub(gap.from_ms));
        }
        (times, ms)
    };
    let (paused, away) = (of("paused"), of("away"));
    let mut said = Vec::new();
    if paused.0 > 0 {
        said.push(words.report_gap_paused(count(paused.0), span(words, paused.1)));
    }
    if away.0 > 0 {
        said.push(words.report_gap_away(count(away.0), span(words, away.1)));
    }
    said
}

/// What became of the units that were taken; `None` if none was, and none will be.
pub(super) fn flow(report: &Report, words: Language, medium: Medium) -> Option<Chart> {
    let (taken, keeps_height) = (report.taken, keeps_places(report, medium));
    if taken.all.units == 0 && !keeps_height {
        return None;
    }
    let title = findings::came_back(report, words);
    let back = report.came_back.units;
    let again = report.taken_again();
    let said = match again {
        _ if report.is_all_taken_again() => words.flow_all_again(count(back)),
        0 => words.flow_back(count(back)),
        again => words.flow_some_again(count(back), count(again)),
    };
    let holds = |holds: u64| words.flow_holds(count(holds));
    let live = taken
        .all
        .holds
        .saturating_sub(taken.confirmed.holds + taken.expired.holds + taken.released.holds);
    let drawn = Flow {
        words,
        taken: taken.all.units,
        taken_second: words.flow_in_holds(count(taken.all.holds)),
        ends: vec![
            (
                taken.confirmed.units,
                words.flow_paid(),
                words.flow_orders(count(taken.confirmed.holds)),
            ),
            (report.held, words.flow_held(), holds(live)),
            (taken.expired.units, words.flow_expired(), holds(taken.expired.holds)),
            (taken.released.units, words.flow_released(), holds(taken.released.holds)),
        ],
        again: (back > 0).then_some((again, said)),
        keeps_height,
    };
    let svg = medium.draw(|width| drawn.draw(width, &title));
    Some(Chart { name: "flow", title, lead: words.report_flow_lead().to_owned(), svg })
}

/// The first moments; `None` if nothing was taken.
pub(super) fn taken(report: &Report, words: Language, medium: Medium) -> Option<Chart> {
    let pace = &report.pace;
    if pace.units.is_empty() || report.supplied == 0 {
        return None;
    }
    let title = findings::taken(report, words, milliseconds);
    let mut points = taken_points(report);
    let found = [
        (50, report.half_after_ms),
        (90, report.nine_tenths_after_ms),
        (100, report.sold_out_after_ms),
    ];
    // What is on sale now is another whole than it was then.
    let known = found.into_iter().filter(|_| !report.supply_changed());
    let mut marks: Vec<Mark> =
        known.filter_map(|(percent, at)| at.map(|at_ms| Mark { percent, at_ms })).collect();
    // Of several at the same moment the last one says it all.
    marks.reverse();
    marks.dedup_by_key(|mark| mark.at_ms);
    marks.reverse();
    // A slow sale is drawn as paid over time already.
    if marks.is_empty() && !report.supply_changed() {
        return None;
    }
    let last = points.last().map_or(0, |(ms, _)| *ms);
    let end_ms = round_end(marks.last().map_or(last, |mark| mark.at_ms.max(last.min(mark.at_ms))));
    // What comes later than the last mark's neighbourhood would stand at the edge as if it were of that moment.
    points.retain(|(at_ms, _)| *at_ms <= end_ms);
    let drawn = Curve { words, points: &points, marks: &marks, end_ms, time: milliseconds };
    let svg = medium.draw(|width| drawn.draw(width, &title));
    Some(Chart { name: "taken", title, lead: words.report_taken_lead(count(report.supplied)), svg })
}

/// Milliseconds after the opening with the tenths of a percent of the supply that were out by then, held or paid.
///
/// The pace is finer than the course, but knows nothing of what came back: where something did before its end, the
/// course tells what was out.
fn taken_points(report: &Report) -> Vec<(u64, u64)> {
    let (pace, course) = (&report.pace, &report.course);
    let pace_ends =
        pace.step_ms.saturating_mul(u64::try_from(pace.units.len()).unwrap_or(u64::MAX));
    let within = |(place, _): &(u64, &Step)| course.step_ms.saturating_mul(place - 1) < pace_ends;
    let steps = || (1_u64..).zip(&course.steps).take_while(within);
    let changes: Vec<(u64, u64, u64)> = if steps().any(|(_, step)| step.came_back > 0) {
        let change = |(place, step): (u64, &Step)| {
            (course.step_ms.saturating_mul(place), step.taken, step.came_back)
        };
        steps().map(change).collect()
    } else {
        let change = |(place, units): (u64, &u64)| (pace.step_ms.saturating_mul(place), *units, 0);
        (1_u64..).zip(&pace.units).map(change).collect()
    };
    let mut out = 0_u64;
    let point = |(at_ms, taken, came_back): (u64, u64, u64)| {
        out = out.saturating_add(taken).saturating_sub(came_back);
        let share = u128::from(out.min(report.supplied)) * 1_000 / u128::from(report.supplied);
        (at_ms, u64::try_from(share).unwrap_or(1_000))
    };
    changes.into_iter().map(point).collect()
}

/// The least round number of milliseconds that leaves some room behind `last`.
fn round_end(last: u64) -> u64 {
    let wanted = last.saturating_add(last / 12).max(10);
    let mut power = 1_u64;
    while power.saturating_mul(10) < wanted {
        power = power.saturating_mul(10);
    }
    let factors = [10_u64, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100];
    let found = factors
        .into_iter()
        .map(|factor| power.saturating_mul(factor) / 10)
        .find(|end| *end >= wanted);
    found.unwrap_or(wanted)
}

/// Viewers over time; `None` where they were counted less than twice.
pub(super) fn viewers(report: &Report, words: Language, medium: Medium) -> Option<Chart> {
    let steps = (1_u64..).zip(&report.course.steps);
    let points: Vec<(u64, u64)> = steps
        .filter_map(|(place, step)| {
            Some((report.course.step_ms.saturating_mul(place), step.connected?))
        })
        .collect();
    if points.len() < 2 {
        return None;
    }
    let title = findings::viewers(&points, words);
    let drawn = Viewers { words, points: &points, end_ms: end_ms(report) };
    let svg = medium.draw(|width| drawn.draw(width, &title));
    Some(Chart { name: "viewers", title, lead: words.report_viewers_lead().to_owned(), svg })
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{report, with};
    use super::super::told::Pace;
    use super::*;

    const EN: Language = Language::English;

    #[test]
    fn what_is_held_is_taken_and_neither_paid_nor_back() {
        let step = |taken, paid, came_back| Step { taken, paid, came_back, connected: None };
        let course =
            Course { step_ms: 100, steps: vec![step(10, 0, 0), step(0, 4, 2), step(2, 6, 0)] };
        let found = moments(&course);
        let expected = [(100, 0, 10), (200, 4, 4), (300, 10, 0)];
        assert_eq!(found, expected.map(|(at_ms, paid, held)| Moment { at_ms, paid, held }));
    }

    #[test]
    fn what_is_not_known_is_not_drawn() {
        let told = report();
        assert!(paid(&told, EN, Medium::Screen).is_none(), "there is no course");
        assert!(taken(&told, EN, Medium::Screen).is_none());
        assert!(viewers(&told, EN, Medium::Screen).is_none());
        let unsold = with(|told| told["taken"]["all"]["units"] = 0.into());
        assert!(flow(&unsold, EN, Medium::Screen).is_none());
    }

    #[test]
    fn every_drawing_says_its_finding() {
        let mut told = report();
        let step =
            |taken, paid, connected| Step { taken, paid, came_back: 0, connected: Some(connected) };
        told.course = Course {
            step_ms: 1_024,
            steps: vec![step(15_000, 0, 38_420), step(0, 15_000, 30_000)],
        };
        told.pace = Pace { step_ms: 2, units: vec![37; 401] };
        told.gaps =
            serde_json::from_str(r#"[{"kind":"away","from_ms":9000,"to_ms":12000}]"#).unwrap();
        let charts = [
            paid(&told, EN, Medium::Screen),
            flow(&told, EN, Medium::Screen),
            taken(&told, EN, Medium::Screen),
            viewers(&told, EN, Medium::Screen),
        ];
        for chart in charts.into_iter().flatten() {
            assert_eq!(chart.svg.matches("<svg").count(), 4, "{}", chart.name);
            assert_eq!(chart.svg.matches("role=\"img\"").count(), 4);
            assert!(!chart.svg.contains("style"), "{}", chart.svg);
        }
        assert!(
            paid(&told, EN, Medium::Paper)
                .unwrap()
                .lead
                .ends_with("Server away once, 3.00\u{a0}s in all.")
        );
        assert_eq!(paid(&told, EN, Medium::Paper).unwrap().svg.matches("<svg").count(), 1);
    }

    #[test]
    fn what_was_taken_long_after_the_last_mark_is_not_at_the_edge() {
        let mut told = Report { supplied: 200, planned: 200, ..report() };
        (told.half_after_ms, told.nine_tenths_after_ms, told.sold_out_after_ms) =
            (Some(100), None, None);
        let mut units = vec![0; 200];
        (units[99], units[199]) = (100, 60);
        told.pace = Pace { step_ms: 1, units };
        let drawn = |told: &Report| taken(told, EN, Medium::Paper).unwrap().svg;
        let with_late = drawn(&told);
        told.pace.units[199] = 0;
        assert_eq!(with_late, drawn(&told));
    }

    #[test]
    fn what_came_back_is_not_out() {
        let step = |taken, came_back| Step { taken, paid: 0, came_back, connected: None };
        let mut told = Report { supplied: 100, ..report() };
        told.pace = Pace { step_ms: 10, units: vec![60, 30, 60] };
        told.course = Course { step_ms: 10, steps: vec![step(60, 0), step(30, 0), step(60, 50)] };
        assert_eq!(taken_points(&told), [(10, 600), (20, 900), (30, 1_000)]);
        told.course.steps[1] = step(30, 40);
        told.course.steps[2] = step(60, 10);
        assert_eq!(taken_points(&told), [(10, 600), (20, 500), (30, 1_000)]);
        // What comes back after all was taken the first time is another matter: the pace is finer.
        told.pace = Pace { step_ms: 5, units: vec![60, 40] };
        told.course.steps = vec![step(100, 0), step(0, 20)];
        assert_eq!(taken_points(&told), [(5, 600), (10, 1_000)]);
    }

    #[test]
    fn an_axis_of_milliseconds_ends_at_a_round_number() {
        assert_eq!([802, 1, 200, 95, 7_200_000].map(round_end), [1_000, 10, 250, 120, 8_000_000]);
    }
}
