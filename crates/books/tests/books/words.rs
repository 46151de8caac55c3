//! Plans, times and other quantities from words.

use std::fmt::Write;

use stampede_books::Limits;
use stampede_domain::{DropPlan, DurationMs, Mode, PaymentTerms, SkuPlan, UnixMillis, WhenOffline};
use stampede_testkit::{plan_of, sku};

/// Where the time of every story begins.
pub(crate) const BEGIN_MS: u64 = 1_000_000_000;

/// What bounds the books of every story: few rooms, few bytes, one for each unit.
pub(crate) const LIMITS: Limits = Limits {
    sale_bytes_max: 40_000_000,
    merchant_bytes_max: 20_000_000,
    bytes_needed: |supplied| supplied.map(|units| u64::from(units.get())).sum(),
    rooms_max: 4,
    rooms_per_owner_max: 2,
    admitted_per_room_max: 2,
    tally_interval: DurationMs::from_secs(60),
};

const SKUS: [&str; 3] = ["mug", "cup", "cap"];

/// The words of one line, taken one by one.
#[derive(Clone, Debug)]
pub(crate) struct Words<'a>(std::iter::Peekable<std::str::SplitWhitespace<'a>>);

impl<'a> Words<'a> {
    pub(crate) fn of(line: &'a str) -> Self {
        Self(line.split_whitespace().peekable())
    }

    /// The next word.
    pub(crate) fn word(&mut self) -> &'a str {
        self.0.next().expect("one more word")
    }

    pub(crate) fn peek(&mut self) -> Option<&'a str> {
        self.0.peek().copied()
    }

    /// Takes the next word if it is this one.
    pub(crate) fn take(&mut self, word: &str) -> bool {
        self.0.next_if_eq(&word).is_some()
    }

    /// Takes the next word if it is such a one.
    pub(crate) fn next_if(&mut self, is: impl FnOnce(&str) -> bool) -> Option<&'a str> {
        self.0.next_if(|word| is(word))
    }

    /// What follows this word, if it is next.
    pub(crate) fn after(&mut self, word: &str) -> Option<&'a str> {
        self.take(word).then(|| self.word())
    }

    pub(crate) fn number(&mut self) -> u32 {
        self.word().parse().expect("a number")
    }

    pub(crate) fn span(&mut self) -> DurationMs {
        span(self.word())
    }

    /// `for 5m`, if it is next.
    pub(crate) fn lasting(&mut self) -> Option<DurationMs> {
        self.after("for").map(span)
    }

    pub(crate) fn end(mut self) {
        assert_eq!(self.peek(), None, "no more words");
    }
}

/// `250ms`, `30s`, `5m`, `1h`, or several in a row: `1m30s`.
pub(crate) fn span(word: &str) -> DurationMs {
    let mut millis = 0;
    let mut rest = word;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).expect("a span has a unit");
        let (number, tail) = rest.split_at(digits);
        let end = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        let each = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => panic!("no unit of time: {unit}"),
        };
        millis += each * number.parse::<u64>().expect("a number");
        rest = tail;
    }
    DurationMs::new(millis)
}

/// A span in the same words.
pub(crate) fn span_words(span: DurationMs) -> String {
    let millis = span.get();
    let parts =
        [(millis / 3_600_000, "h"), (millis / 60_000 % 60, "m"), (millis / 1_000 % 60, "s")];
    let mut text = String::new();
    for (number, unit) in parts.iter().filter(|(number, _)| *number > 0) {
        write!(text, "{number}{unit}").unwrap();
    }
    if !millis.is_multiple_of(1_000) {
        write!(text, "{}ms", millis % 1_000).unwrap();
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// A time of a story, as the span since its beginning.
pub(crate) fn time_words(at: UnixMillis) -> String {
    span_words(at.since(UnixMillis::new(BEGIN_MS)))
}

/// A time so long after the beginning.
pub(crate) fn time(since: DurationMs) -> UnixMillis {
    UnixMillis::new(BEGIN_MS).plus(since)
}

/// The terms of a drop: `mug 5 reserve 2 cup 3 hold 60s countdown 10s starts 1m ends 20m offline 30s`, with
/// `lasts 15m` from the opening in place of `ends`,
/// `stream late`, `merchant beta`, `limit 4`, `hidden`, `rehearsal`, `grace 2s`, `stretch 30s`; `stays` behind `offline 30s` leaves it to the host
/// to go on. Planned times are times of the story.
pub(crate) fn plan_words(words: &mut Words<'_>) -> DropPlan {
    let mut skus: Vec<SkuPlan> = Vec::new();
    while let Some(id) = words.peek().filter(|word| SKUS.contains(word)) {
        words.word();
        let mut sku = sku(id, words.number());
        if words.take("reserve") {
            sku.reserve = stampede_testkit::units(words.number());
        }
        skus.push(sku);
    }
    let mut plan = plan_of(skus);
    while let Some(term) = words.peek() {
        words.word();
        match term {
            "hold" => plan.hold_ttl = words.span(),
            "countdown" => plan.countdown = words.span(),
            "starts" => plan.starts_at = Some(time(words.span())),
            "lasts" => plan.ends_after_opening = Some(words.span()),
            "ends" => plan.ends_at = Some(time(words.span())),
            "offline" => {
                let (pause_after, resume) = (words.span(), !words.take("stays"));
                plan.when_offline = Some(WhenOffline { pause_after, resume });
            }
            "stream" => plan.stream = words.word().parse().unwrap(),
            "merchant" => plan.merchant = words.word().parse().unwrap(),
            "limit" => {
                let limit = stampede_testkit::units(words.number());
                plan.limit_per_viewer = limit;
                plan.skus.iter_mut().for_each(|sku| sku.limit_per_viewer = limit);
            }
            "titled" => words.word().clone_into(&mut plan.title),
            "hidden" => plan.hidden = true,
            "rehearsal" => plan.mode = Mode::Rehearsal,
            "grace" => payment_terms(&mut plan).grace = words.span(),
            "stretch" => payment_terms(&mut plan).stretch = words.span(),
            other => panic!("no term of a plan: {other}"),
        }
    }
    plan
}

fn payment_terms(plan: &mut DropPlan) -> &mut PaymentTerms {
    let none = PaymentTerms { grace: DurationMs::ZERO, stretch: DurationMs::ZERO };
    plan.payment_terms.get_or_insert(none)
}
