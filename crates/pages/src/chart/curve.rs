//! How fast the units were taken: the share of the supply over milliseconds.

use super::{
    axis::TimeAxis,
    drawing::{Anchor, Drawing, Label, Width, along, plain, strong},
};
use crate::words::Language;

/// A moment that is marked: the share of the supply that was taken by then, in percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) percent: u64,
    pub(crate) at_ms: u64,
}

/// Units taken over time.
#[derive(Clone, Debug)]
pub(crate) struct Curve<'a> {
    pub(crate) words: Language,
    /// Shares of the supply in tenths of a percent, with their moments after the opening, ascending.
    pub(crate) points: &'a [(u64, u64)],
    pub(crate) marks: &'a [Mark],
    /// The right edge: at or after the last moment.
    pub(crate) end_ms: u64,
    /// A moment, as it is written.
    pub(crate) time: fn(Language, u64) -> String,
}

impl Curve<'_> {
    pub(crate) fn draw(&self, width: Width, finding: &str) -> String {
        self.drawing(width).finish(finding)
    }

    #[expect(clippy::cast_precision_loss, reason = "a drawing has a few hundred pixels")]
    fn drawing(&self, width: Width) -> Drawing {
        let whole = width.half();
        let height = if width == Width::Paper { 190.0 } else { 260.0 };
        let mut drawing = Drawing::new(width.class(), whole, height);
        let (left, right, top, bottom) = (52.0, whole - 18.0, 34.0, height - 30.0);
        let end_ms = self.end_ms.max(1);
        let axis = TimeAxis { words: self.words, end_ms, left, right, y: bottom, class: "s soft" };
        let x = |ms| axis.x(ms);
        let y = |tenths: u64| bottom - (bottom - top) * tenths.min(1_000) as f64 / 1_000.0;
        for percent in [0, 25, 50, 75, 100] {
            drawing.line((left, y(percent * 10)), (right, y(percent * 10)), "c-grid");
            if percent % 50 == 0 {
                let label = Label::new(
                    left - 8.0,
                    y(percent * 10) + 4.0,
                    vec![plain(self.words.percent(percent))],
                );
                drawing.label(&label.at(Anchor::End).class("s soft"));
            }
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a width in pixels"
        )]
        let every = self.points.len().div_ceil(((right - left) / 2.0) as usize).max(1);
        let last = self.points.len().saturating_sub(1);
        let kept = self
            .points
            .iter()
            .enumerate()
            .filter(|(place, _)| (place + 1).is_multiple_of(every) || *place == last);
        let reached = self.points.last().map_or(0, |(_, tenths)| *tenths);
        let points = std::iter::once((left, bottom))
            .chain(kept.map(|(_, (ms, tenths))| (x(*ms), y(*tenths))))
            .chain([(right, y(reached))]);
        let points: Vec<(f64, f64)> = points.collect();
        let under = points.iter().copied().chain([(right, bottom), (left, bottom)]);
        drawing.path(&format!("{}z", along(under)), "c-under");
        drawing.path(&along(points), "c-line");
        axis.draw(&mut drawing, 5);
        self.marks(&mut drawing, x, y, bottom);
        drawing
    }

    fn marks(
        &self,
        drawing: &mut Drawing,
        x: impl Fn(u64) -> f64,
        y: impl Fn(u64) -> f64,
        bottom: f64,
    ) {
        for mark in self.marks {
            let (x, y) = (x(mark.at_ms), y(mark.percent * 10));
            drawing.line((x, y), (x, bottom), "c-event");
            drawing.circle(x, y);
        }
        // The last one first: where there is room for one, it is the one that counts.
        for mark in self.marks.iter().rev() {
            let (x, y) = (x(mark.at_ms), y(mark.percent * 10));
            let said = || {
                let time = (self.time)(self.words, mark.at_ms);
                vec![strong(self.words.percent(mark.percent)), plain(format!(" {time}"))]
            };
            let at = |x, y, anchor| Label::new(x, y, said()).at(anchor).class("t halo");
            drawing.first_of(&[
                at(x - 12.0, y - 2.0, Anchor::End),
                at(x, y - 12.0, Anchor::Middle),
                at(x + 12.0, y + 14.0, Anchor::Start),
                at(x - 4.0, y - 12.0, Anchor::End),
                at(x + 4.0, y - 12.0, Anchor::Start),
                at(x + 12.0, y + 32.0, Anchor::Start),
            ]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::milliseconds;

    #[test]
    fn marks_that_lie_together_leave_out_words_rather_than_touch() {
        let cases: [&[(u64, u64)]; 4] = [
            &[(50, 395), (90, 714), (100, 802)],
            &[(50, 1), (90, 1), (100, 1)],
            &[(50, 100), (90, 101), (100, 802)],
            &[(50, 7_199_000), (90, 7_199_500), (100, 7_200_000)],
        ];
        for case in cases {
            let marks: Vec<Mark> = case
                .iter()
                .map(|(percent, at_ms)| Mark { percent: *percent, at_ms: *at_ms })
                .collect();
            let end_ms = marks.last().unwrap().at_ms * 5 / 4;
            let points: Vec<(u64, u64)> =
                (1..=512).map(|step| (marks[2].at_ms * step / 512, 1_000 * step / 512)).collect();
            for width in Width::ALL.into_iter().chain([Width::Paper]) {
                for words in Language::ALL {
                    let curve =
                        Curve { words, points: &points, marks: &marks, end_ms, time: milliseconds };
                    let svg = curve.draw(width, "x");
                    assert!(svg.contains(&words.percent(100)), "{svg}");
                    assert!(!svg.contains("NaN"), "{svg}");
                }
            }
        }
    }
}
