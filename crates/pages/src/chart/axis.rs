//! The axis of time below a drawing.

use super::{
    drawing::{Anchor, Drawing, Label, Rect, plain},
    scale::{Tick, times},
};
use crate::words::Language;

/// Time from the opening on, from the left to the right.
#[derive(Clone, Copy)]
pub(super) struct TimeAxis {
    pub(super) words: Language,
    /// The right edge, in milliseconds: 1 at least.
    pub(super) end_ms: u64,
    pub(super) left: f64,
    pub(super) right: f64,
    /// Where it lies.
    pub(super) y: f64,
    /// The class of its words.
    pub(super) class: &'static str,
}

impl TimeAxis {
    /// The place of a moment.
    #[expect(clippy::cast_precision_loss, reason = "a drawing has a few hundred pixels")]
    pub(super) fn x(&self, ms: u64) -> f64 {
        let share = ms.min(self.end_ms) as f64 / self.end_ms.max(1) as f64;
        self.left + (self.right - self.left) * share
    }

    /// Draws it with `most` steps at most, fewer where their words would touch.
    pub(super) fn draw(&self, drawing: &mut Drawing, most: u64) {
        let steps = (1..=most).rev().map(|most| times(self.words, self.end_ms, most));
        let mut steps: Vec<Vec<Tick>> = steps.collect();
        let found = steps.iter().position(|ticks| self.fit(ticks));
        let ticks = steps.swap_remove(found.unwrap_or(steps.len() - 1));
        for (place, tick) in ticks.iter().enumerate() {
            let x = self.x(tick.value);
            drawing.line((x, self.y), (x, self.y + 5.0), "c-tick");
            drawing.label(&self.label(tick, place));
        }
    }

    fn label(&self, tick: &Tick, place: usize) -> Label {
        let label = Label::new(self.x(tick.value), self.y + 20.0, vec![plain(&tick.text)]);
        let label = label.at(Anchor::Middle).class(self.class);
        if place == 0 {
            Label { x: self.left - 2.0, ..label }.at(Anchor::Start)
        } else if label.rect().right > self.right + 12.0 {
            Label { x: self.right + 4.0, ..label }.at(Anchor::End)
        } else {
            label
        }
    }

    /// Whether the words of these ticks stand clear of each other.
    fn fit(&self, ticks: &[Tick]) -> bool {
        let rects = ticks.iter().enumerate().map(|(place, tick)| self.label(tick, place).rect());
        let rects: Vec<Rect> = rects.collect();
        rects.windows(2).all(|two| two[0].right + 6.0 < two[1].left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_tick_has_its_unit_however_narrow_the_drawing_is() {
        for width in [120.0, 200.0, 288.0, 660.0] {
            for end_ms in [10, 1_000, 61_000, 241_330, 7_200_000, 172_800_000, 864_000_000] {
                for words in Language::ALL {
                    let mut drawing = Drawing::new("draw-wide", width + 20.0, 60.0);
                    let axis =
                        TimeAxis { words, end_ms, left: 10.0, right: width, y: 30.0, class: "t" };
                    axis.draw(&mut drawing, 6);
                    let svg = drawing.finish("x");
                    let (lines, words) =
                        (svg.matches("<line").count(), svg.matches("<text").count());
                    assert_eq!(lines, words, "{width} {end_ms}: {svg}");
                }
            }
        }
    }
}
