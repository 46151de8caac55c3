//! The next drop, and the whole running order.

use serde::Serialize;

use super::{
    Cast, Reader, Standing,
    buttons::may,
    cue::{countdown, seconds},
    standing::Sum,
};
use crate::{
    answers::{Goods, Mode, Running, Sale, Snapshot, Summary},
    goods::{picture, prices},
    numbers::{clock, count, whole_seconds},
    words::Language,
};

/// The drop that can go on air next.
#[derive(Debug, Serialize)]
pub(crate) struct Next {
    pub(crate) drop: String,
    pub(crate) title: String,
    pub(crate) picture: String,
    /// Viewers have not heard of it.
    pub(crate) hidden: bool,
    pub(crate) stock: String,
    pub(crate) price: String,
    pub(crate) countdown: String,
    /// When it opens by itself, empty if it does not.
    pub(crate) by_itself: String,
}

impl Next {
    /// What the page is drawn from while nothing is planned.
    pub(crate) fn none(reader: Reader<'_>) -> Self {
        Self::new(&Sale::none(), 0, reader)
    }

    pub(crate) fn new(sale: &Sale, delay_ms: u64, reader: Reader<'_>) -> Self {
        let words = reader.language;
        let sum = Sum::of(&sale.skus);
        let units = count(sum.supplied);
        let stock = match sale.skus.len() {
            1 => words.units_in(units),
            skus => words.units_in_skus(units, skus),
        };
        let stock = match sum.reserve {
            0 => stock,
            reserve => words.units_and_reserve(stock, count(reserve)),
        };
        let countdown = match countdown(sale.plan.countdown_ms, delay_ms) {
            0 => words.no_countdown().to_owned(),
            ms if delay_ms == 0 => whole_seconds(words, ms),
            ms => words.countdown_to_speak(whole_seconds(words, ms), seconds(words, ms - delay_ms)),
        };
        let by_itself = sale.plan.starts_at_ms.zip(reader.ahead_min);
        let by_itself = by_itself
            .filter(|_| sale.start_missed_ms.is_none())
            .map(|(at, ahead)| words.opens_by_itself(clock(at, ahead)));
        Self {
            drop: sale.drop.clone(),
            title: sale.plan.title.clone(),
            picture: picture(&sale.plan.skus),
            hidden: sale.hidden,
            stock,
            price: words.limit_each(prices(&sale.plan.skus, words), count(sale.plan.most_each())),
            countdown,
            by_itself: by_itself.unwrap_or_default(),
        }
    }
}

/// One row of the running order.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) drop: String,
    pub(crate) place: usize,
    pub(crate) title: String,
    pub(crate) picture: String,
    pub(crate) glyph: &'static str,
    /// `air`, `next`, `done` or `plain`.
    pub(crate) kind: &'static str,
    /// Says that the drop is a rehearsal; empty if it is not.
    pub(crate) mark: &'static str,
    /// Says that viewers have not heard of it; empty if they have.
    pub(crate) hidden: &'static str,
    pub(crate) result: String,
    /// Whether the reader may make it the next one.
    pub(crate) can_be_next: bool,
}

impl Row {
    /// The row that the browser fills for a drop that it has not drawn yet.
    pub(crate) fn blank() -> Self {
        let (drop, title, result) = (String::new(), String::new(), String::new());
        let picture = picture(&[]);
        let (mark, hidden) = ("", "");
        Self {
            drop,
            place: 0,
            title,
            picture,
            glyph: "ring",
            kind: "plain",
            mark,
            hidden,
            result,
            can_be_next: false,
        }
    }
}

/// The same few figures, from whichever answer has the newer ones.
struct Line<'a> {
    drop: &'a str,
    title: &'a str,
    mode: Mode,
    hidden: bool,
    winds_down: bool,
    /// Nothing is known of the goods of a drop that has left memory.
    goods: &'a [Goods],
    standing: Standing,
    sum: Sum,
}

impl<'a> Line<'a> {
    fn here(sale: &'a Sale) -> Self {
        Self {
            drop: &sale.drop,
            title: &sale.plan.title,
            mode: sale.plan.mode,
            hidden: sale.hidden,
            winds_down: sale.winds_down(),
            goods: &sale.plan.skus,
            standing: Standing::of(sale),
            sum: Sum::of_sale(sale),
        }
    }

    fn over(summary: &'a Summary) -> Self {
        let (standing, sum) = (Standing::of_summary(summary), Sum::of_summary(summary));
        let (drop, title, mode) = (&summary.drop, &summary.title, summary.mode);
        let (hidden, winds_down) = (false, false);
        Self { drop, title, mode, hidden, winds_down, goods: &[], standing, sum }
    }
}

/// All drops of the stream in their order: the list names also those that have left memory.
fn lines<'a>(snapshot: &'a Snapshot, running: &'a Running) -> Vec<Line<'a>> {
    let here = |drop: &str| snapshot.drops.iter().find(|sale| sale.drop == drop);
    let listed = running.drops.iter();
    let mut lines: Vec<_> = listed
        .map(|summary| here(&summary.drop).map_or_else(|| Line::over(summary), Line::here))
        .collect();
    for sale in &snapshot.drops {
        if !lines.iter().any(|line| line.drop == sale.drop) {
            lines.push(Line::here(sale));
        }
    }
    lines
}

pub(crate) fn rows(
    snapshot: &Snapshot,
    running: &Running,
    cast: &Cast<'_>,
    rehearsing: bool,
    reader: Reader<'_>,
) -> Vec<Row> {
    let words = reader.language;
    let is = |sale: Option<&Sale>, drop: &str| sale.is_some_and(|sale| sale.drop == drop);
    let can_be_next = |line: &Line<'_>| {
        let is_other = |next: &Sale| next.drop != line.drop && next.plan.mode == line.mode;
        let is_planned = matches!(line.standing, Standing::Planned);
        is_planned && cast.next.is_some_and(is_other) && may(reader.role, "move")
    };
    let lines = lines(snapshot, running);
    // One mark beside a title at most. While a rehearsal goes on, all are.
    let is_marked = |line: &Line<'_>| line.mode == Mode::Rehearsal && !rehearsing;
    let rows = lines.iter().enumerate().map(|(place, line)| {
        let (kind, result) = if is(cast.air, line.drop) {
            ("air", words.on_air().to_owned())
        } else if is(cast.next, line.drop) {
            ("next", words.next().to_owned())
        } else {
            result(line, words)
        };
        Row {
            drop: line.drop.to_owned(),
            place: place + 1,
            title: line.title.to_owned(),
            picture: picture(line.goods),
            glyph: line.standing.glyph(),
            kind,
            mark: if is_marked(line) { words.rehearsal() } else { "" },
            hidden: if line.hidden && !is_marked(line) { words.hidden() } else { "" },
            result,
            can_be_next: can_be_next(line),
        }
    });
    rows.collect()
}

fn result(line: &Line<'_>, words: Language) -> (&'static str, String) {
    let sum = line.sum;
    match line.standing {
        Standing::Open | Standing::AllTaken if line.winds_down => {
            ("plain", words.winds_down_left(count(sum.left)))
        }
        Standing::Planned => ("plain", words.units_in(count(sum.supplied))),
        Standing::SoldOut => ("done", words.all_paid(count(sum.paid))),
        Standing::Closed | Standing::Settled => ("done", words.n_paid(count(sum.paid))),
        Standing::CalledOff => ("done", words.called_off().to_owned()),
        Standing::Open => ("plain", words.off_air_left(count(sum.left))),
        other => ("plain", other.word(words).to_owned()),
    }
}

/// Units paid over all drops of the stream. Rehearsals sell nothing real, so they are left out, as in `/shows` and in
/// reports.
pub(crate) fn tonight(snapshot: &Snapshot, running: &Running, words: Language) -> String {
    let lines = lines(snapshot, running);
    let live = lines.iter().filter(|line| line.mode == Mode::Live);
    let paid = live.map(|line| line.sum.paid).sum();
    words.tonight_paid(count(paid))
}
