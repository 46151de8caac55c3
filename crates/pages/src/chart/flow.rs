//! What became of the units that were taken: paid, come back, taken again.

use std::fmt::Write as _;

use super::drawing::{Drawing, Label, Rect, Width, plain, short, strong};
use crate::{numbers::count, words::Language};

/// Units taken, by what became of them.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    pub(crate) words: Language,
    /// Units ever taken.
    pub(crate) taken: u64,
    /// What stands below it.
    pub(crate) taken_second: String,
    /// From the top downward: how many units, what became of them, a second line.
    pub(crate) ends: Vec<(u64, &'static str, String)>,
    /// Of those that came back, in words; the arrow is drawn where any were taken again.
    pub(crate) again: Option<(u64, String)>,
    /// Whether it is as high as the highest: what it shows still grows.
    pub(crate) keeps_height: bool,
}

/// The drawing's measures, in pixels.
#[derive(Clone, Copy)]
struct Measures {
    height: f64,
    /// Height of all units together.
    all: f64,
    /// Words need so much below those before.
    apart: f64,
}

/// Where all of it begins.
const TOP: f64 = 40.0;

/// From one line of words to the next, so that neither touches the other.
const LINE: f64 = 19.0;
/// Height of the least part, so that it is seen.
const LEAST: f64 = 2.0;

impl Flow {
    pub(crate) fn draw(&self, width: Width, finding: &str) -> String {
        self.drawing(width).finish(finding)
    }

    fn drawing(&self, width: Width) -> Drawing {
        let whole = width.beside();
        let measures = match width {
            Width::Paper => Measures { height: 232.0, all: 60.0, apart: 34.0 },
            _ => Measures { height: 324.0, all: 140.0, apart: 42.0 },
        };
        let mut drawing = Drawing::new(width.class(), whole, measures.height);
        let right = (whole * 0.44).round();
        let words = self.words;
        let taken = if self.taken == 1 { words.flow_taken_once() } else { words.flow_taken() };
        let first = vec![strong(count(self.taken)), plain(format!("\u{a0}{taken}"))];
        drawing.label(&Label::new(0.0, 14.0, first));
        drawing.label(&Label::new(0.0, 31.0, vec![plain(&self.taken_second)]).class("s soft"));
        let (from, lowest) = self.ends(&mut drawing, right, measures);
        let left = Rect { left: 0.0, top: TOP, right: 10.0, bottom: from.max(TOP + LEAST) };
        if self.taken > 0 {
            drawing.rect(left, "c-ink");
        }
        if let Some((units, said)) = &self.again {
            if *units > 0 {
                arrow_back(&mut drawing, right, from, lowest);
            }
            let y = (lowest.max(from) + 52.0).min(measures.height - 4.0);
            let line = |y, said: &str| Label::new(0.0, y, vec![plain(said)]);
            // In two lines where it is too long for one.
            if !drawing.label(&line(y, said))
                && let Some((first, rest)) = said.split_once(", ").or_else(|| said.split_once('，'))
            {
                let y = y.min(measures.height - LINE - 4.0);
                drawing.label(&line(y, &format!("{first},")));
                drawing.label(&line(y + LINE, rest));
            }
        }
        if !self.keeps_height {
            let under = if self.again.is_some() { 76.0 } else { 26.0 };
            drawing.end_at(lowest.max(from) + under);
        }
        drawing
    }

    /// Draws what became of the units; says how far down that goes on the left and on the right.
    fn ends(&self, drawing: &mut Drawing, right: f64, measures: Measures) -> (f64, f64) {
        let shown: Vec<_> = self.ends.iter().filter(|(units, ..)| *units > 0).collect();
        let (mut from, mut to, mut lowest) = (TOP, TOP, TOP);
        for (place, (units, word, second)) in shown.iter().enumerate() {
            let tall = self.tall(*units, measures);
            let class = ["c-flow-1", "c-flow-2", "c-flow-3"][place.min(2)];
            drawing.path(&ribbon(10.0, from, right, to, tall), class);
            let end = Rect { left: right, top: to, right: right + 10.0, bottom: to + tall };
            drawing.rect(end, "c-ink");
            let middle = to + tall / 2.0;
            let at = |y, spans| Label::new(right + 22.0, y, spans);
            let said = vec![strong(count(*units)), plain(format!("\u{a0}{word}"))];
            // Where both have no room beside each other, the word stands below its number.
            let below = if drawing.label(&at(middle, said)) {
                second.as_str()
            } else {
                drawing.label(&at(middle, vec![strong(count(*units))]));
                word
            };
            drawing.label(&at(middle + 17.0, vec![plain(below)]).class("s soft"));
            lowest = to + tall;
            from += tall;
            // The next one's words stand clear of these.
            let next = shown.get(place + 1).map_or(0.0, |(units, ..)| self.tall(*units, measures));
            to = (to + tall + 10.0).max(middle + measures.apart - next / 2.0);
        }
        (from, lowest)
    }

    #[expect(clippy::cast_precision_loss, reason = "a drawing has a few hundred pixels")]
    fn tall(&self, units: u64, measures: Measures) -> f64 {
        let whole = self.ends.iter().map(|(units, ..)| units).sum::<u64>().max(self.taken).max(1);
        (measures.all * units as f64 / whole as f64).max(LEAST)
    }
}

/// The way of what was taken again: from below the ends back to below the beginning.
fn arrow_back(drawing: &mut Drawing, right: f64, from: f64, lowest: f64) {
    let under = lowest.max(from) + 24.0;
    let (edge, x) = (short(right + 5.0), short(right - 1.0));
    let mut path = format!("M{edge} {}V{}q0 6 -6 6", short(lowest + 4.0), short(under));
    write!(path, "M{x} {}H11q-6 0 -6 -6V{}", short(under + 6.0), short(from + 12.0))
        .expect("memory takes what is written");
    drawing.path(&path, "c-again");
    drawing.path(&format!("M0.5 {}l4.5 -8 4.5 8z", short(from + 12.0)), "c-tip");
}

/// A band from the left to the right, as high at both ends.
fn ribbon(left: f64, from: f64, right: f64, to: f64, tall: f64) -> String {
    let [left, from, right, to, tall] = [left, from, right, to, tall].map(short);
    let middle = short(f64::midpoint(left, right));
    let (from_low, to_low) = (short(from + tall), short(to + tall));
    format!(
        "M{left} {from}C{middle} {from} {middle} {to} {right} {to}V{to_low}C{middle} {to_low} {middle} {from_low} {left} {from_low}z"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(ends: [u64; 4]) -> Flow {
        let said = ["paid", "still held", "not paid in time", "given back"];
        let ends: Vec<_> = ends
            .into_iter()
            .zip(said)
            .map(|(units, word)| (units, word, "2,014 holds".to_owned()))
            .collect();
        let taken = ends.iter().map(|(units, ..)| units).sum();
        let back = ends[2].0 + ends[3].0;
        Flow {
            words: Language::English,
            taken,
            taken_second: "in 15,245 holds".to_owned(),
            keeps_height: false,
            ends,
            again: (back > 0).then(|| {
                (back, "2,489 came back, at least 2,488 of it was taken again".to_owned())
            }),
        }
    }

    #[test]
    fn every_end_has_its_words_clear_of_the_others() {
        let cases = [
            [15_000, 0, 2_307, 182],
            [1, 0, 0, 0],
            [0, 0, 1, 0],
            [0, 1, 0, 0],
            [1, 1, 1, 1],
            [16_777_215, 1, 1, 1],
            [1, 16_777_215, 5, 16_777_215],
            [100, 100, 100, 100],
        ];
        for case in cases {
            for width in Width::ALL.into_iter().chain([Width::Paper]) {
                let flow = flow(case);
                let svg = flow.draw(width, "x");
                let ends = case.iter().filter(|units| **units > 0).count();
                let words = 2 + 2 * ends + usize::from(flow.again.is_some());
                // One more where a sentence is broken in two.
                let found = svg.matches("<text").count();
                assert!((words..=words + 1).contains(&found), "{case:?} {width:?}: {svg}");
                let is_whole = svg.contains("2,489 came back,") && svg.contains("was taken again");
                assert!(flow.again.is_none() || is_whole, "{case:?} {width:?}: {svg}");
            }
        }
    }

    #[test]
    fn what_still_grows_has_its_height_from_the_beginning() {
        let high = |flow: &Flow| {
            let svg = Flow { keeps_height: true, ..flow.clone() }.draw(Width::Narrow, "x");
            svg.split_once("height=\"").unwrap().1.split_once('"').unwrap().0.to_owned()
        };
        let empty = Flow { taken: 0, ends: Vec::new(), again: None, ..flow([1, 0, 0, 0]) };
        for later in [[0, 15_000, 0, 0], [1, 1, 1, 1], [16_777_215, 1, 1, 1]] {
            assert_eq!(high(&empty), high(&flow(later)), "{later:?}");
        }
    }

    #[test]
    fn the_arrow_back_is_drawn_only_where_something_was_taken_again() {
        assert!(flow([15_000, 0, 2_307, 182]).draw(Width::Wide, "x").contains("c-again"));
        assert!(!flow([15_000, 0, 0, 0]).draw(Width::Wide, "x").contains("c-again"));
    }
}
