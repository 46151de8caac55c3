//! What was paid over time, with what was held above it.

use super::{
    axis::TimeAxis,
    drawing::{Anchor, Drawing, Label, Rect, Width, along, plain, strong},
    scale::counts,
};
use crate::{
    numbers::{count, span},
    words::Language,
};

/// How much was out at a moment after the opening.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) at_ms: u64,
    /// Units that were paid by then.
    pub(crate) paid: u64,
    /// Units that were held at that moment.
    pub(crate) held: u64,
}

/// A time in which nobody could buy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) from_ms: u64,
    pub(crate) to_ms: u64,
    /// Whether the server was away; it was paused otherwise.
    pub(crate) is_away: bool,
}

/// Units paid over time.
#[derive(Clone, Debug)]
pub(crate) struct Paid<'a> {
    pub(crate) words: Language,
    /// The top of the drawing: 1 at least.
    pub(crate) supplied: u64,
    /// In the order of time, the opening left out.
    pub(crate) moments: &'a [Moment],
    /// The right edge, in milliseconds after the opening: at or after the last moment.
    pub(crate) end_ms: u64,
    /// When half of the supply was paid.
    pub(crate) half_ms: Option<u64>,
    /// When all of it was.
    pub(crate) all_ms: Option<u64>,
    pub(crate) gaps: &'a [Gap],
}

/// Where the drawing stands in its box.
struct Frame {
    axis: TimeAxis,
    top: f64,
    bottom: f64,
    supplied: u64,
}

impl Frame {
    fn x(&self, ms: u64) -> f64 {
        self.axis.x(ms)
    }

    #[expect(clippy::cast_precision_loss, reason = "a drawing has a few hundred pixels")]
    fn y(&self, units: u64) -> f64 {
        let share = units.min(self.supplied) as f64 / self.supplied.max(1) as f64;
        self.bottom - (self.bottom - self.top) * share
    }
}

/// Gaps that are named at most.
const GAPS_NAMED_MAX: usize = 4;

impl Paid<'_> {
    pub(crate) fn draw(&self, width: Width, finding: &str) -> String {
        self.drawing(width).finish(finding)
    }

    fn last(&self) -> Moment {
        self.moments.last().copied().unwrap_or_default()
    }

    fn drawing(&self, width: Width) -> Drawing {
        let height = match width {
            Width::Wide => 310.0,
            Width::Middle => 290.0,
            Width::Phone | Width::Narrow => 264.0,
            Width::Paper => 200.0,
        };
        let mut drawing = Drawing::new(width.class(), width.whole(), height);
        let ticks = counts(self.supplied);
        let end = self.end_labels();
        let widest = |labels: &[Label]| labels.iter().map(Label::width).fold(0.0, f64::max);
        let at_axis: Vec<Label> =
            ticks.iter().map(|tick| Label::new(0.0, 0.0, vec![plain(&tick.text)])).collect();
        let beside = if width.is_small() { 14.0 } else { widest(&end) + 16.0 };
        let bottom = height - 42.0;
        let axis = TimeAxis {
            words: self.words,
            end_ms: self.end_ms.max(1),
            left: (widest(&at_axis) + 10.0).ceil(),
            right: width.whole() - beside,
            y: bottom,
            class: "t soft",
        };
        let top = if width.is_small() { 44.0 } else { 26.0 };
        let frame = Frame { axis, top, bottom, supplied: self.supplied.max(1) };
        for tick in &ticks {
            let y = frame.y(tick.value);
            drawing.line((frame.axis.left, y), (frame.axis.right, y), "c-grid");
            let label = Label::new(frame.axis.left - 8.0, y + 4.0, vec![plain(&tick.text)]);
            drawing.label(&label.at(Anchor::End).class("t soft"));
        }
        self.areas(&mut drawing, &frame);
        self.gaps(&mut drawing, &frame);
        self.time_axis(&mut drawing, &frame);
        place_end(&mut drawing, &frame, &end, width);
        self.marks(&mut drawing, &frame);
        self.names(&mut drawing, &frame);
        drawing
    }

    /// The corners of the drawing's upper edges: no more than the eye can tell apart.
    fn points(&self, frame: &Frame) -> Vec<Moment> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a width in pixels"
        )]
        let most = ((frame.axis.right - frame.axis.left) / 2.0) as usize;
        let every = self.moments.len().div_ceil(most.max(1)).max(1);
        let last = self.moments.len().saturating_sub(1);
        let kept = self
            .moments
            .iter()
            .enumerate()
            .filter(|(place, _)| (place + 1).is_multiple_of(every) || *place == last);
        std::iter::once(Moment::default()).chain(kept.map(|(_, moment)| *moment)).collect()
    }

    fn areas(&self, drawing: &mut Drawing, frame: &Frame) {
        let points = self.points(frame);
        let paid = points.iter().map(|point| (frame.x(point.at_ms), frame.y(point.paid)));
        let out =
            points.iter().map(|point| (frame.x(point.at_ms), frame.y(point.paid + point.held)));
        let end = frame.x(self.end_ms);
        let tail = (end, frame.y(self.last().paid));
        if points.iter().any(|point| point.held > 0) {
            let held_now = (end, frame.y(self.last().paid + self.last().held));
            let upper = out.chain([held_now, tail]);
            let lower: Vec<_> = paid.clone().collect();
            drawing.hatched(&format!("{}z", along(upper.chain(lower.into_iter().rev()))));
        }
        if self.last().paid > 0 {
            let corners = [(end, frame.bottom), (frame.axis.left, frame.bottom)];
            let area = paid.clone().chain([tail]).chain(corners);
            drawing.path(&format!("{}z", along(area)), "c-paid");
        }
        drawing.path(&along(paid.chain([tail])), "c-line");
    }

    fn gaps(&self, drawing: &mut Drawing, frame: &Frame) {
        for gap in self.gaps {
            let (from, to) = (frame.x(gap.from_ms), frame.x(gap.to_ms));
            let band = Rect {
                left: from,
                top: frame.top,
                right: to.max(from + 1.0),
                bottom: frame.bottom,
            };
            drawing.rect(band, "c-gap");
            for x in [from, to] {
                drawing.line((x, frame.top - 6.0), (x, frame.bottom), "c-event");
            }
        }
        let mut longest: Vec<&Gap> = self.gaps.iter().collect();
        longest.sort_by_key(|gap| std::cmp::Reverse(gap.to_ms - gap.from_ms));
        let y = frame.top - 10.0;
        for gap in longest.into_iter().take(GAPS_NAMED_MAX) {
            let time = span(self.words, gap.to_ms - gap.from_ms);
            let said = if gap.is_away {
                self.words.chart_away(time)
            } else {
                self.words.chart_paused(time)
            };
            let middle = f64::midpoint(frame.x(gap.from_ms), frame.x(gap.to_ms));
            let at = |x, anchor| Label::new(x, y, vec![plain(&said)]).at(anchor).class("s");
            drawing.first_of(&[
                at(middle, Anchor::Middle),
                at(frame.x(gap.from_ms), Anchor::Start),
                at(frame.x(gap.to_ms), Anchor::End),
            ]);
        }
    }

    fn time_axis(&self, drawing: &mut Drawing, frame: &Frame) {
        frame.axis.draw(drawing, 6);
        let said = vec![plain(self.words.chart_after_opening())];
        let under = Label::new(frame.axis.right, frame.bottom + 37.0, said);
        drawing.label(&under.at(Anchor::End).class("t softer"));
    }

    /// What the last moment was: paid, held, left; from the top downward.
    fn end_labels(&self) -> Vec<Label> {
        let last = self.last();
        let left = self.supplied.saturating_sub(last.paid + last.held);
        let parts = [
            (left, self.words.chart_left(), self.supplied),
            (last.held, self.words.chart_held(), last.paid + last.held),
            (last.paid, self.words.chart_paid(), last.paid),
        ];
        let shown = parts.into_iter().filter(|(units, ..)| *units > 0);
        // The height is that of the value in the drawing, kept where its baseline will be.
        #[expect(clippy::cast_precision_loss, reason = "a drawing has a few hundred pixels")]
        let labels = shown.map(|(units, word, at)| {
            let share = at as f64 / self.supplied.max(1) as f64;
            Label::new(0.0, share, vec![strong(count(units)), plain(format!("\u{a0}{word}"))])
                .class("t soft")
        });
        labels.collect()
    }

    fn marks(&self, drawing: &mut Drawing, frame: &Frame) {
        let paid_at = |units: u64| {
            let found = self.moments.iter().find(|moment| moment.paid >= units);
            found.map(|moment| moment.at_ms)
        };
        let all_ms = self.all_ms.filter(|_| self.last().paid >= self.supplied);
        let half = self.half_ms.map(|ms| self.words.chart_half(span(self.words, ms)));
        let most = self.supplied - self.supplied / 10;
        // Of a few units nine tenths are all of them.
        let most_ms = paid_at(most).filter(|ms| most < self.supplied && Some(*ms) != all_ms);
        let marks = [
            (self.supplied.div_ceil(2), self.half_ms, half),
            (most, most_ms, Some(self.words.percent(90))),
            (self.supplied, all_ms, Some(self.words.percent(100))),
        ];
        // The last one first: where there is room for one, it is the one that counts.
        for (units, ms, said) in marks.into_iter().rev() {
            let (Some(ms), Some(said)) = (ms, said) else { continue };
            let (x, y) = (frame.x(ms), frame.y(units));
            drawing.circle(x, y);
            let label =
                |x, y, anchor, class| Label::new(x, y, vec![plain(&said)]).at(anchor).class(class);
            drawing.first_of(&[
                label(x + 10.0, y + 18.0, Anchor::Start, "t"),
                label(x - 9.0, y - 8.0, Anchor::End, "t halo"),
                label(x + 10.0, y + 34.0, Anchor::Start, "t"),
                label(x, y - 12.0, Anchor::Middle, "t halo"),
            ]);
        }
    }

    /// What the areas are, written where they are high enough for it.
    fn names(&self, drawing: &mut Drawing, frame: &Frame) {
        let words = self.words;
        let paid = |at: u64| (frame.bottom, frame.y(self.at(at).paid));
        let held = |at: u64| {
            let moment = self.at(at);
            (frame.y(moment.paid), frame.y(moment.paid + moment.held))
        };
        within(drawing, frame, words.chart_paid(), "t", paid);
        if !within(drawing, frame, words.chart_held_not_paid(), "t halo", held) {
            within(drawing, frame, words.chart_held(), "t halo", held);
        }
    }

    /// How it stood so long after the opening.
    fn at(&self, ms: u64) -> Moment {
        let place = self.moments.partition_point(|moment| moment.at_ms <= ms);
        place.checked_sub(1).map_or_else(Moment::default, |place| self.moments[place])
    }
}

/// Writes what stands at the end: beside it, or above it in one line where there is no room beside.
fn place_end(drawing: &mut Drawing, frame: &Frame, labels: &[Label], width: Width) {
    if width.is_small() {
        let mut right = frame.axis.right;
        for label in labels.iter().rev() {
            let label = Label { x: right, y: 14.0, ..label.clone() }.at(Anchor::End);
            right = label.rect().left - 14.0;
            drawing.label(&label);
        }
        return;
    }
    // From the bottom upward, each at least a line above the one before.
    let mut lowest = f64::INFINITY;
    for label in labels.iter().rev() {
        let wanted = frame.bottom - (frame.bottom - frame.top) * label.y + 5.0;
        let y = wanted.min(lowest).min(frame.bottom - 2.0);
        lowest = y - 18.0;
        drawing.label(&Label { x: frame.axis.right + 12.0, y, ..label.clone() });
    }
}

/// Writes words into an area where it is high, if they fit; `edges` has its lower and upper edge.
fn within(
    drawing: &mut Drawing,
    frame: &Frame,
    said: &str,
    class: &'static str,
    edges: impl Fn(u64) -> (f64, f64),
) -> bool {
    const PLACES: u64 = 48;
    const ROOM: f64 = 24.0;
    let half = Label::new(0.0, 0.0, vec![plain(said)]).width() / 2.0 + 6.0;
    let at = |place: u64| frame.axis.end_ms / PLACES * place;
    let mut places: Vec<(f64, f64, f64)> = Vec::new();
    for place in 1..PLACES {
        let middle = frame.x(at(place));
        if middle - half < frame.axis.left || middle + half > frame.axis.right {
            continue;
        }
        let near = (0..=PLACES).filter(|other| (frame.x(at(*other)) - middle).abs() <= half + 6.0);
        let (mut lower, mut upper) = (frame.bottom, frame.top);
        for other in near {
            let (low, high) = edges(at(other));
            lower = lower.min(low);
            upper = upper.max(high);
        }
        let room = lower - upper;
        if room >= ROOM {
            places.push((room, middle, f64::midpoint(lower, upper)));
        }
    }
    // The middle one of those that have room enough.
    let most = places.iter().map(|(room, ..)| *room).fold(0.0, f64::max);
    places.retain(|(room, ..)| *room >= most * 0.6);
    let Some((_, x, y)) = places.get(places.len() / 2).copied() else { return false };
    let label = |y| Label::new(x, y, vec![plain(said)]).at(Anchor::Middle).class(class);
    drawing.first_of(&[label(y + 4.0), label(y + 24.0), label(y - 16.0)])
}

#[cfg(test)]
mod tests {
    use super::*;

    const EN: Language = Language::English;

    fn paid<'a>(supplied: u64, moments: &'a [Moment], gaps: &'a [Gap]) -> Paid<'a> {
        let end_ms = moments.last().map_or(0, |moment| moment.at_ms);
        let at = |units: u64| {
            moments.iter().find(|moment| moment.paid >= units).map(|moment| moment.at_ms)
        };
        Paid {
            words: EN,
            supplied,
            moments,
            end_ms,
            half_ms: at(supplied.div_ceil(2)),
            all_ms: at(supplied),
            gaps,
        }
    }

    /// Draws it in every width, in both languages: nothing may touch, leave the box, or be no number.
    #[track_caller]
    fn check(paid: &Paid) {
        let widths = Width::ALL.into_iter().chain([Width::Paper]);
        for width in widths {
            for words in Language::ALL {
                let drawing = Paid { words, ..paid.clone() }.drawing(width);
                let boxes = drawing.boxes();
                for (place, one) in boxes.iter().enumerate() {
                    // A mark may stand where another one does; words may not.
                    let is_mark = |rect: &Rect| (rect.right - rect.left - 12.0).abs() < 0.01;
                    for other in &boxes[..place] {
                        let apart = one.right <= other.left
                            || other.right <= one.left
                            || one.bottom <= other.top
                            || other.bottom <= one.top;
                        assert!(apart || is_mark(one), "{width:?}: {one:?} touches {other:?}");
                    }
                }
                let svg = drawing.finish("x");
                assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            }
        }
    }

    fn rush(supplied: u64, end_ms: u64) -> Vec<Moment> {
        let steps = 400;
        let moments = (1..=steps).map(|step| {
            let paid = supplied * step * step / (steps * steps);
            let held = (supplied - paid).min(supplied * step / 20);
            Moment { at_ms: end_ms * step / steps, paid, held }
        });
        moments.collect()
    }

    #[test]
    fn no_label_touches_another_whatever_is_drawn() {
        for supplied in [1, 2, 7, 1_000, 15_000, 1_234_567, 16_777_215] {
            for end_ms in [1, 200, 802, 9_999, 61_000, 241_330, 7_200_000, 200_000_000] {
                check(&paid(supplied, &rush(supplied, end_ms), &[]));
            }
        }
        let only = [Moment { at_ms: 200, paid: 1, held: 0 }];
        check(&paid(1, &only, &[]));
        check(&paid(1_000, &[], &[]));
        check(&paid(1_000, &[Moment { at_ms: 7, paid: 0, held: 1_000 }], &[]));
        check(&paid(1_000, &[Moment { at_ms: 7_200_000, paid: 1, held: 1 }], &[]));
    }

    #[test]
    fn gaps_are_bands_and_the_longest_are_named() {
        let moments = rush(15_000, 241_330);
        let many: Vec<Gap> = (0..256_u64)
            .map(|place| Gap {
                from_ms: place * 900,
                to_ms: place * 900 + 400 + place,
                is_away: place.is_multiple_of(2),
            })
            .collect();
        check(&paid(15_000, &moments, &many));
        let one = [Gap { from_ms: 60_000, to_ms: 72_000, is_away: false }];
        let svg = paid(15_000, &moments, &one).draw(Width::Wide, "x");
        assert!(svg.contains("paused 12.0\u{a0}s") && svg.contains("c-gap"), "{svg}");
        let away = [Gap { is_away: true, ..one[0] }];
        assert!(
            paid(15_000, &moments, &away)
                .draw(Width::Wide, "x")
                .contains("server away 12.0\u{a0}s")
        );
    }

    #[test]
    fn the_end_says_what_became_of_the_supply() {
        let slow = [
            Moment { at_ms: 3_600_000, paid: 338, held: 0 },
            Moment { at_ms: 7_200_000, paid: 612, held: 12 },
        ];
        let svg = paid(1_000, &slow, &[]).draw(Width::Wide, "612 paid");
        for part in [
            ">612</tspan>\u{a0}paid",
            ">12</tspan>\u{a0}held",
            ">376</tspan>\u{a0}left",
            "role=\"img\" aria-label=\"612 paid\"",
        ] {
            assert!(svg.contains(part), "{part} in {svg}");
        }
        assert!(svg.contains("half after 2"), "{svg}");
        assert!(!svg.contains("100\u{a0}%"), "what was not all paid has no mark at 100 %: {svg}");
    }

    #[test]
    fn a_drawing_has_no_more_corners_than_pixels() {
        let moments: Vec<Moment> =
            (1..=512).map(|at| Moment { at_ms: at, paid: at, held: 0 }).collect();
        let svg = paid(512, &moments, &[]).draw(Width::Phone, "x");
        assert!(svg.len() < 8_000, "{} bytes", svg.len());
    }
}
