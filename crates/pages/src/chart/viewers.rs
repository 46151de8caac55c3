//! How many viewers were connected over time.

use super::{
    axis::TimeAxis,
    drawing::{Anchor, Drawing, Label, Width, along, plain, strong},
    scale::round_counts,
};
use crate::{numbers::count, words::Language};

/// Viewers connected over time; moments at which nobody counted are left out.
#[derive(Clone, Debug)]
pub(crate) struct Viewers<'a> {
    pub(crate) words: Language,
    /// Moments after the opening, ascending, with how many there were: two at least.
    pub(crate) points: &'a [(u64, u64)],
    pub(crate) end_ms: u64,
}

impl Viewers<'_> {
    pub(crate) fn draw(&self, width: Width, finding: &str) -> String {
        self.drawing(width).finish(finding)
    }

    #[expect(clippy::cast_precision_loss, reason = "a drawing has a few hundred pixels")]
    fn drawing(&self, width: Width) -> Drawing {
        let whole = width.half();
        let height = 240.0;
        let mut drawing = Drawing::new(width.class(), whole, height);
        let ticks =
            round_counts(self.points.iter().map(|(_, viewers)| *viewers).max().unwrap_or(0));
        let most = ticks.last().map_or(1, |tick| tick.value).max(1);
        let at_axis = ticks
            .iter()
            .map(|tick| Label::new(0.0, 0.0, vec![plain(&tick.text)]).class("s").width());
        let left = at_axis.fold(0.0, f64::max).ceil() + 10.0;
        let (right, top, bottom) = (whole - 18.0, 34.0, height - 30.0);
        let end_ms = self.end_ms.max(1);
        let axis = TimeAxis { words: self.words, end_ms, left, right, y: bottom, class: "s soft" };
        let x = |ms| axis.x(ms);
        let y = |viewers: u64| bottom - (bottom - top) * viewers as f64 / most as f64;
        for tick in &ticks {
            drawing.line((left, y(tick.value)), (right, y(tick.value)), "c-grid");
            let label = Label::new(left - 8.0, y(tick.value) + 4.0, vec![plain(&tick.text)]);
            drawing.label(&label.at(Anchor::End).class("s soft"));
        }
        drawing
            .path(&along(self.points.iter().map(|(ms, viewers)| (x(*ms), y(*viewers)))), "c-line");
        axis.draw(&mut drawing, 5);
        if let Some((ms, viewers)) = self.peak() {
            let (x, y) = (x(ms), y(viewers));
            drawing.circle(x, y);
            let at = |x, y, anchor| {
                let said =
                    vec![strong(count(viewers)), plain(format!(" {}", self.words.chart_most()))];
                Label::new(x, y, said).at(anchor).class("t halo")
            };
            drawing.first_of(&[
                at(x, y - 12.0, Anchor::Middle),
                at(x + 10.0, y - 10.0, Anchor::Start),
                at(x - 10.0, y - 10.0, Anchor::End),
            ]);
        }
        drawing
    }

    /// The first moment with the most.
    fn peak(&self) -> Option<(u64, u64)> {
        self.points.iter().copied().reduce(|best, next| if next.1 > best.1 { next } else { best })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_are_marked_once() {
        let points = [(0, 10), (1_000, 38_420), (2_000, 38_420), (60_000, 12)];
        for width in Width::ALL {
            let viewers = Viewers { words: Language::English, points: &points, end_ms: 60_000 };
            let svg = viewers.draw(width, "x");
            assert_eq!(svg.matches("<circle").count(), 1, "{svg}");
            assert!(svg.contains(">38,420</tspan>"), "{svg}");
        }
        let few = [(0, 0), (1, 0)];
        let svg =
            Viewers { words: Language::Chinese, points: &few, end_ms: 1 }.draw(Width::Narrow, "x");
        assert!(!svg.contains("NaN"), "{svg}");
    }
}
