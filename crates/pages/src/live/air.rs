//! The drop on air: its hero, bar, goods.

use serde::Serialize;

use super::{
    Cue, Reader, Row, Standing,
    cue::Word,
    standing::Sum,
    tiles::{self, Chart, Recent, Tile},
};
use crate::{
    answers::{Goods, Mode, Phase, Plan, Sale, Snapshot},
    goods::{picture, prices},
    numbers::{clock, count, shares, short_clock, span, tenths, timer, whole_seconds},
    words::Language,
};

/// The least time that is more than 59 seconds once it is rounded up, in milliseconds.
const MINUTE_MORE: u64 = 59_001;

/// The drop on air.
#[derive(Debug, Serialize)]
pub(crate) struct Air {
    pub(crate) drop: String,
    pub(crate) title: String,
    /// What draws the goods.
    pub(crate) picture: String,
    pub(crate) rehearsal: bool,
    pub(crate) price: String,
    /// Place, price, limit, end.
    pub(crate) facts: Vec<String>,
    pub(crate) glyph: &'static str,
    pub(crate) state: String,
    pub(crate) hero: Hero,
    pub(crate) under: Under,
    pub(crate) cue: Option<Cue>,
    pub(crate) bar: Bar,
    /// What the goods differ by.
    pub(crate) differ_by: String,
    pub(crate) skus: Vec<SkuRow>,
    pub(crate) tiles: Vec<Tile>,
    pub(crate) chart: Chart,
}

/// The one number, or the words in its place.
#[derive(Debug, Serialize)]
pub(crate) struct Hero {
    /// `number`, `cue`, `hear`, `words` or `long`: sizes.
    pub(crate) kind: &'static str,
    /// Characters of the supply, what is in reserve among it: the number keeps the size that fits it.
    pub(crate) fits: usize,
    pub(crate) text: String,
    /// A second number at the right, empty if there is none.
    pub(crate) beside: String,
}

/// The line under the hero.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Under {
    pub(crate) left: String,
    pub(crate) note: String,
    pub(crate) right: String,
    pub(crate) right_note: String,
}

/// The stock bar.
#[derive(Debug, Serialize)]
pub(crate) struct Bar {
    /// Paid, held, left in tenths of a percent.
    pub(crate) shares: [u64; 3],
    pub(crate) paid: String,
    pub(crate) held: String,
    pub(crate) left: String,
    /// The three shares in words.
    pub(crate) percents: [String; 3],
    /// All of it as a sentence.
    pub(crate) label: String,
}

/// One SKU.
#[derive(Debug, Serialize)]
pub(crate) struct SkuRow {
    pub(crate) sku: String,
    pub(crate) name: String,
    pub(crate) left: String,
    /// Nothing left while it is on sale.
    pub(crate) out: bool,
    pub(crate) held: String,
    pub(crate) paid: String,
    pub(crate) shares: [u64; 3],
}

impl Air {
    pub(crate) fn new(sale: &Sale, snapshot: &Snapshot, order: &[Row], reader: Reader<'_>) -> Self {
        let words = reader.language;
        let (standing, sum) = (Standing::of(sale), Sum::of_sale(sale));
        let word = Word::of(sale, standing, snapshot.video_delay_ms);
        let has_cue = standing == Standing::Countdown || word.is_some();
        let recent = Recent::of(snapshot, &sale.drop);
        Self {
            drop: sale.drop.clone(),
            title: sale.plan.title.clone(),
            picture: picture(&sale.plan.skus),
            rehearsal: sale.plan.mode == Mode::Rehearsal,
            price: prices(&sale.plan.skus, words),
            facts: facts(sale, order, reader),
            glyph: standing.glyph(),
            state: state(sale, standing, reader),
            hero: match word {
                Some(word) => Hero::of_word(word, sale, sum, words),
                None => Hero::new(sale, standing, sum, words),
            },
            under: match word {
                Some(_) => Under::of_word(sale, snapshot, reader),
                None => Under::new(sale, standing, sum, words),
            },
            cue: has_cue.then(|| Cue::new(sale, snapshot, word, reader)),
            bar: Bar::new(sum, words),
            differ_by: differ_by(&sale.plan, words),
            skus: sku_rows(sale, standing, words),
            tiles: tiles::tiles(sale, sum, &recent, words),
            chart: Chart::new(&recent, words),
        }
    }
}

impl Air {
    /// What the page is drawn from while nothing is on air.
    pub(crate) fn none(snapshot: &Snapshot, reader: Reader<'_>) -> Self {
        Self::new(&Sale::none(), snapshot, &[], reader)
    }
}

impl SkuRow {
    /// The row that the browser fills for a SKU that it has not drawn yet.
    pub(crate) fn blank() -> Self {
        let text = String::new;
        let (sku, name, left, held, paid) = (text(), text(), text(), text(), text());
        Self { sku, name, left, out: false, held, paid, shares: [0; 3] }
    }
}

fn facts(sale: &Sale, order: &[Row], reader: Reader<'_>) -> Vec<String> {
    let words = reader.language;
    let place = order.iter().position(|row| row.drop == sale.drop).unwrap_or_default() + 1;
    let mut facts = vec![
        words.place_of(place, order.len()),
        prices(&sale.plan.skus, words),
        words.at_most_each(count(sale.plan.most_each())),
    ];
    match (sale.ends_at_ms().zip(reader.ahead_min), sale.plan.ends_after_opening_ms) {
        (Some((ends, ahead)), _) => facts.push(words.ends_at(short_clock(ends, ahead))),
        (None, Some(after)) if sale.phase.is_before() => {
            facts.push(words.ends_after_opening(span(words, after)));
        }
        _ => {}
    }
    facts
}

/// Where the drop stands; of one that winds down until when at the latest.
fn state(sale: &Sale, standing: Standing, reader: Reader<'_>) -> String {
    let words = reader.language;
    if !sale.winds_down() || !matches!(standing, Standing::Open | Standing::AllTaken) {
        return standing.word(words).to_owned();
    }
    match sale.ends_at_ms().zip(reader.ahead_min) {
        Some((ends, ahead)) => words.winds_down_until(short_clock(ends, ahead)),
        None => words.winds_down().to_owned(),
    }
}

impl Hero {
    /// The word in the place of the number, beside it the time to the opening.
    fn of_word(word: Word, sale: &Sale, sum: Sum, words: Language) -> Self {
        let kind = match word {
            Word::Ahead(_) | Word::Now => "cue",
            Word::Under(_) | Word::Heard => "hear",
        };
        let beside = match sale.phase {
            Phase::Countdown => whole_seconds(words, sale.opens_in_ms.unwrap_or_default()),
            _ => words.state_open().to_owned(),
        };
        Self { kind, fits: sum.fits(), text: word.said(words), beside }
    }

    fn new(sale: &Sale, standing: Standing, sum: Sum, words: Language) -> Self {
        let number = |units| (count(units), String::new());
        let (kind, (text, beside)) = match standing {
            Standing::Countdown => {
                let left = sale.opens_in_ms.unwrap_or_default();
                let text = match left {
                    0 => words.opens_now().to_owned(),
                    // In one line, however long it is.
                    MINUTE_MORE.. => words.opens_in(timer(left)),
                    _ => words.opens_in(whole_seconds(words, left)),
                };
                ("cue", (text, String::new()))
            }
            Standing::AllTaken => {
                let to_come = if sum.held > 0 { sum.held } else { sum.reserve };
                ("long", (words.all_taken_for_now().to_owned(), count(to_come)))
            }
            Standing::SoldOut => ("words", (words.sold_out().to_owned(), count(sum.paid))),
            Standing::Closed if sum.held > 0 => {
                ("words", (words.closed().to_owned(), count(sum.held)))
            }
            Standing::Closed | Standing::Settled => {
                ("words", (words.closed().to_owned(), count(sum.paid)))
            }
            Standing::CalledOff => ("words", (words.called_off().to_owned(), String::new())),
            Standing::Planned => ("number", number(sum.supplied)),
            Standing::Open | Standing::Paused => ("number", number(sum.left)),
        };
        Self { kind, fits: sum.fits(), text, beside }
    }
}

impl Under {
    /// What the second number beside the word says.
    fn of_word(sale: &Sale, snapshot: &Snapshot, reader: Reader<'_>) -> Self {
        let words = reader.language;
        let since = |ago| {
            let clock = reader.ahead_min.map(|ahead| clock(snapshot.server_time_ms - ago, ahead));
            clock.map(|time| words.since(time)).unwrap_or_default()
        };
        let right_note = match (sale.phase, sale.opened_ago_ms) {
            (Phase::Countdown, _) => words.to_the_opening().to_owned(),
            (_, Some(ago)) => since(ago),
            _ => String::new(),
        };
        Self { right_note, ..Self::default() }
    }

    fn new(sale: &Sale, standing: Standing, sum: Sum, words: Language) -> Self {
        let supplied = count(sum.supplied);
        let left = |left| Self { left, ..Self::default() };
        match standing {
            Standing::Countdown | Standing::CalledOff => Self::default(),
            Standing::Planned | Standing::Open => left(words.left_of(supplied)),
            Standing::Paused => {
                Self { note: words.paused_for_now().to_owned(), ..left(words.left_of(supplied)) }
            }
            Standing::AllTaken => {
                let taken = Self { note: words.all_taken_left(supplied), ..Self::default() };
                if sum.held == 0 && sum.reserve > 0 {
                    let (left, right) = (words.nothing_held(), words.of_reserve());
                    return Self { left: left.to_owned(), right: right.to_owned(), ..taken };
                }
                let left = in_reserve(sum, words).unwrap_or_else(|| words.no_reserve().to_owned());
                Self { left, ..taken }.and_held(sale, sum, words.held_can_come_back(), words)
            }
            Standing::SoldOut => Self {
                note: words.nothing_comes_back().to_owned(),
                right: words.of_paid(supplied),
                ..left(words.nothing_left().to_owned())
            },
            Standing::Closed | Standing::Settled => {
                let note = in_reserve(sum, words).unwrap_or_default();
                let unsold = Self { note, ..left(words.not_sold(count(sum.left))) };
                if standing == Standing::Closed && sum.held > 0 {
                    return unsold.and_held(sale, sum, words.held_can_be_paid(), words);
                }
                Self { right: words.of_paid(supplied), ..unsold }
            }
        }
    }

    /// With when what is held ends, where the server tells it.
    fn and_held(self, sale: &Sale, sum: Sum, otherwise: &str, words: Language) -> Self {
        let ending = sale.held_ending.as_ref().filter(|_| sum.held > 0);
        let last = ending.and_then(|held| held.last_in_ms);
        let first = ending.and_then(|held| held.first_in_ms);
        Self {
            right: last.map_or(otherwise.to_owned(), |last| words.held_last_in(timer(last))),
            right_note: first.map_or(String::new(), |first| words.first_ends_in(timer(first))),
            ..self
        }
    }
}

/// What is in reserve, where anything is.
fn in_reserve(sum: Sum, words: Language) -> Option<String> {
    (sum.reserve > 0).then(|| words.in_reserve(count(sum.reserve)))
}

impl Bar {
    fn new(sum: Sum, words: Language) -> Self {
        let shares = shares([sum.paid, sum.held, sum.left]);
        let (paid, held, left) = (count(sum.paid), count(sum.held), count(sum.left));
        let label = words.stock_bar(count(sum.supplied), &paid, &held, &left);
        Self { shares, percents: shares.map(|share| tenths(words, share)), paid, held, left, label }
    }
}

/// The one option that all goods have, as the heading of their column.
fn differ_by(plan: &Plan, words: Language) -> String {
    let mut names = plan.skus.iter().map(|sku| match sku.options.as_slice() {
        [only] => Some(only.name.as_str()),
        _ => None,
    });
    match names.next().flatten() {
        Some(first) if names.all(|name| name == Some(first)) => first.to_owned(),
        _ => words.sku().to_owned(),
    }
}

/// What tells one SKU from the others of its drop.
pub(crate) fn sku_name(goods: &Goods) -> String {
    if goods.options.is_empty() {
        return goods.title.clone();
    }
    let values: Vec<&str> = goods.options.iter().map(|option| option.value.as_str()).collect();
    values.join(", ")
}

fn sku_rows(sale: &Sale, standing: Standing, words: Language) -> Vec<SkuRow> {
    let on_sale = matches!(standing, Standing::Open | Standing::AllTaken | Standing::Paused);
    let rows = sale.skus.iter().zip(&sale.plan.skus).map(|(figures, goods)| {
        let out = on_sale && figures.available == 0 && figures.supplied > 0;
        SkuRow {
            sku: figures.sku.clone(),
            name: sku_name(goods),
            left: if out { words.all_taken().to_owned() } else { count(figures.available) },
            out,
            held: count(figures.held),
            paid: count(figures.sold),
            shares: shares([figures.sold, figures.held, figures.available]),
        }
    });
    rows.collect()
}
