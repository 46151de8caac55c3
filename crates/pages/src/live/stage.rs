//! The stage for the person on camera: goods, price, the cue, units left, the producer's line.

use serde::Serialize;

use super::{Air, Cast, Cue, Live, Reader, Standing, cue::Word, rehearsal, standing::Sum};
use crate::{
    answers::{Running, Sale, Snapshot},
    numbers::{count, timer},
    words::Language,
};

/// Goods that are named as taken at most: what fits one line.
const TAKEN_MAX: usize = 3;
/// Characters of a line that are still drawn large.
const LINE_LARGE_MAX: usize = 28;

/// Everything on the stage.
#[derive(Debug, Serialize)]
pub(crate) struct Stage {
    pub(crate) title: String,
    pub(crate) price: String,
    /// `number`, `count`, `go`, `hear`, `words` or `long`: sizes.
    pub(crate) kind: &'static str,
    /// Characters of the supply: the number keeps the size that fits it.
    pub(crate) fits: usize,
    /// Words in front of a number.
    pub(crate) lead: String,
    pub(crate) text: String,
    /// The line below: what the number counts, what comes of it.
    pub(crate) under: String,
    pub(crate) rest: String,
    /// At its right.
    pub(crate) right: String,
    pub(crate) cue: Option<Cue>,
    /// The producer's line.
    pub(crate) line: String,
    pub(crate) large: bool,
    /// Whether a rehearsal goes on: nobody buys for real.
    pub(crate) rehearsing: bool,
    /// How late viewers see the stream.
    pub(crate) video: String,
}

impl Stage {
    pub(crate) fn new(snapshot: &Snapshot, reader: Reader<'_>) -> Self {
        let words = reader.language;
        let running = Running { drops: Vec::new(), show: None };
        let scene = rehearsal::scene(snapshot, &running);
        let snapshot = scene.as_ref().map_or(snapshot, |(snapshot, _)| snapshot);
        let Live { air, next, line, video, rehearsing, .. } = Live::new(snapshot, &running, reader);
        let bare = Self {
            title: next.map_or_else(|| words.no_next().to_owned(), |next| next.title),
            price: String::new(),
            kind: "words",
            fits: 1,
            lead: String::new(),
            text: words.stage_wait().to_owned(),
            under: String::new(),
            rest: String::new(),
            right: String::new(),
            cue: None,
            large: line.encode_utf16().count() <= LINE_LARGE_MAX,
            line,
            rehearsing,
            video: if snapshot.video_delay_ms == 0 { String::new() } else { video },
        };
        match (air, Cast::of(snapshot).air) {
            (Some(air), Some(sale)) => bare.with(air, sale, snapshot, words),
            _ => bare,
        }
    }

    fn with(self, air: Air, sale: &Sale, snapshot: &Snapshot, words: Language) -> Self {
        let (standing, sum) = (Standing::of(sale), Sum::of_sale(sale));
        let own = Self { title: air.title, price: air.price, fits: air.hero.fits, ..self };
        let may_sell = matches!(
            standing,
            Standing::Planned
                | Standing::Countdown
                | Standing::Open
                | Standing::AllTaken
                | Standing::Paused
        );
        if snapshot.blocked.is_some() && may_sell {
            let (text, under) = (words.stage_blocked(), words.sku_left(count(sum.left)));
            let (text, rest) = (text.to_owned(), words.stage_nobody_buys().to_owned());
            return Self { kind: "words", text, under, rest, ..own };
        }
        if let Some(word) = Word::of(sale, standing, snapshot.video_delay_ms) {
            return Self { cue: air.cue, ..own.with_word(word, sale, sum, words) };
        }
        let units = count(sum.supplied);
        let (kind, text, under, rest) = match standing {
            Standing::Countdown => {
                let n = sale.opens_in_ms.unwrap_or_default().div_ceil(1_000);
                let lead = words.stage_opens_in().to_owned();
                let (text, under) = (n.to_string(), words.units_in(units));
                return Self { kind: "count", lead, text, under, cue: air.cue, ..own };
            }
            Standing::Open | Standing::Planned => {
                let out = air.skus.iter().filter(|sku| sku.out).take(TAKEN_MAX);
                let out: Vec<String> = out.map(|sku| words.stage_sku_taken(&sku.name)).collect();
                ("number", air.hero.text, words.stage_left().to_owned(), out.join(", "))
            }
            Standing::AllTaken => {
                let held = sale.held_ending.as_ref().and_then(|held| held.last_in_ms);
                let last = held.or(sale.last_hold_ends_in_ms);
                let rest = last.map(|last| words.stage_last_ends(timer(last)));
                ("long", air.hero.text, words.stage_taken(units), rest.unwrap_or_default())
            }
            Standing::SoldOut => {
                let rest = words.nothing_comes_back().to_owned();
                ("words", air.hero.text, words.stage_taken(units), rest)
            }
            Standing::Paused => {
                let rest = words.stage_nobody_buys().to_owned();
                ("words", words.state_paused().to_owned(), words.sku_left(count(sum.left)), rest)
            }
            _ => ("words", air.hero.text, String::new(), String::new()),
        };
        Self { kind, text, under, rest, ..own }
    }

    fn with_word(self, word: Word, sale: &Sale, sum: Sum, words: Language) -> Self {
        let units = words.units_in(count(sum.supplied));
        let left = sale.opens_in_ms.unwrap_or_default().div_ceil(1_000);
        let right = match word {
            Word::Heard => words.state_open().to_owned(),
            _ => words.stage_opens(left),
        };
        let (kind, lead, text, under) = match word {
            Word::Ahead(n) => ("count", words.stage_say_go_in().to_owned(), n.to_string(), units),
            Word::Now => {
                ("go", String::new(), words.go().to_owned(), words.stage_say_it().to_owned())
            }
            Word::Under(n) => ("way", words.stage_hear_in().to_owned(), n.to_string(), units),
            Word::Heard => ("hear", String::new(), words.hear_you_now().to_owned(), units),
        };
        Self { kind, lead, text, under, right, ..self }
    }
}
