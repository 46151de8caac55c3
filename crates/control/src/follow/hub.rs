//! State that the followers of one stream share.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use axum::body::Bytes;
use parking_lot::Mutex;
use stampede_domain::{DropId, MerchantId, StreamId};
use stampede_engine::{Changes, Engine, Moment, SaleDrop};
use tokio::sync::watch;

use super::{
    People, Reader,
    event::event,
    shown_drop::{Numbers, ShownDrop},
};
use crate::{
    dto::{DropGone, Encoded, StreamChanged, StreamFacts, StreamSnapshot},
    rehearsed::{any_is_past, leave_out_past},
    stage::StageLines,
};

/// A look at the figures serves every follower who asks within this time, in microseconds.
const LOOK_US: u64 = 50_000;
/// Followers who were sent drops are told when these leave, this many at most; beyond that a follower who
/// missed some gets a new snapshot.
const GONE_MAX: usize = 64;

/// A stream, read and encoded once for all who follow it. It lives as long as somebody does.
#[derive(Debug)]
pub(crate) struct Hub {
    stream: StreamId,
    changes: watch::Receiver<Changes>,
    lines: watch::Receiver<u64>,
    shown: Mutex<StreamView>,
    pub(super) people: People,
}

/// How far a follower has been told.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NewsMark {
    /// The latest number of all; 0 before the snapshot.
    news: u64,
    /// The latest number when figures were told.
    figures: u64,
}

#[derive(Debug, Default)]
struct StreamView {
    seen: Option<(Changes, u64)>,
    looked_us: u64,
    facts: Option<StreamFacts>,
    /// Number of the latest change of the stream's facts.
    facts_changed: u64,
    /// What was last read, numbered.
    numbers: Numbers,
    /// In running order.
    drops: Vec<ShownDrop>,
    gone: VecDeque<GoneDrop>,
    /// A follower who has not been told up to this number has missed something that is no longer kept.
    forgotten: u64,
}

#[derive(Debug)]
struct GoneDrop {
    number: u64,
    drop: DropId,
    merchant: MerchantId,
}

impl NewsMark {
    /// Whether nothing was sent yet.
    pub(crate) fn is_new(self) -> bool {
        self.news == 0
    }
}

impl Hub {
    pub(crate) fn new(engine: &Engine, lines: &StageLines, stream: &StreamId) -> Self {
        Self {
            stream: stream.clone(),
            changes: engine.follow(),
            lines: lines.watch(),
            shown: Mutex::default(),
            people: People::default(),
        }
    }

    fn look(&self, reader: Reader<'_>, shown: &mut StreamView) {
        let changes = (*self.changes.borrow(), *self.lines.borrow());
        shown.look(reader, &self.stream, changes);
    }

    /// The events that a follower was not sent yet, of drops that it may see: all of them as one
    /// snapshot if it was sent none, or missed some. Figures come only where they are asked for.
    pub(crate) fn news(
        &self,
        reader: Reader<'_>,
        seen: &mut NewsMark,
        with_figures: bool,
    ) -> VecDeque<Bytes> {
        let mut shown = self.shown.lock();
        self.look(reader, &mut shown);
        let mut events = VecDeque::new();
        let is_snapshot = seen.is_new() || seen.news < shown.forgotten;
        if is_snapshot {
            events.push_back(event("snapshot", &shown.snapshot(reader, &self.people)));
        } else {
            shown.deltas(*seen, with_figures, reader, &mut events);
        }
        seen.news = shown.numbers.latest();
        if is_snapshot || with_figures {
            seen.figures = seen.news;
        }
        events
    }

    /// Whether a reader has to do with the stream as a whole, not with the drops alone that they may see.
    pub(crate) fn concerns(&self, reader: Reader<'_>) -> bool {
        let mut shown = self.shown.lock();
        self.look(reader, &mut shown);
        shown.concerns(reader)
    }

    /// The stream as it stands now, as JSON.
    pub(crate) fn snapshot(&self, reader: Reader<'_>) -> Bytes {
        let mut shown = self.shown.lock();
        self.look(reader, &mut shown);
        Bytes::from(shown.snapshot(reader, &self.people).json().to_owned())
    }
}

impl StreamView {
    /// Reads what may have changed: everything for the first follower after a while, or after a change.
    fn look(&mut self, reader: Reader<'_>, stream: &StreamId, changes: (Changes, u64)) {
        let engine = reader.engine;
        let micros = engine.micros();
        let since_us = micros.saturating_sub(self.looked_us);
        // Where no time has passed a clock may stand still.
        let is_fresh = since_us > 0 && since_us < LOOK_US;
        if is_fresh && self.seen == Some(changes) {
            return;
        }
        let now = engine.moment();
        let is_another = self.seen.is_none_or(|(seen, _)| seen.drops != changes.0.drops);
        if is_another || any_is_past(self.drops.iter().map(|drop| &drop.sale)) {
            let mut sales = engine.stream(stream);
            leave_out_past(&mut sales);
            self.list(sales, now);
        }
        (self.seen, self.looked_us) = (Some(changes), micros);
        let facts = StreamFacts::of(engine, reader.lines, stream);
        if self.facts.as_ref() != Some(&facts) {
            (self.facts, self.facts_changed) = (Some(facts), self.numbers.next());
        }
        for drop in &mut self.drops {
            let forgotten = drop.look(now, &mut self.numbers);
            self.forgotten = self.forgotten.max(forgotten);
        }
    }

    /// Takes over the stream's drops; those that are no longer there are gone.
    fn list(&mut self, sales: Vec<Arc<SaleDrop>>, now: Moment) {
        let mut before: BTreeMap<DropId, ShownDrop> =
            self.drops.drain(..).map(|drop| (drop.view.drop, drop)).collect();
        for sale in sales {
            let shown = match before.remove(&sale.id()) {
                Some(mut known) => {
                    known.sale = sale;
                    known
                }
                None => ShownDrop::new(sale, now, self.numbers.next()),
            };
            self.drops.push(shown);
        }
        for (drop, shown) in before {
            if self.gone.len() >= GONE_MAX
                && let Some(oldest) = self.gone.pop_front()
            {
                self.forgotten = self.forgotten.max(oldest.number);
            }
            let (number, merchant) = (self.numbers.next(), shown.view.plan.merchant.clone());
            self.gone.push_back(GoneDrop { number, drop, merchant });
        }
    }

    /// Whether the reader has to do with the stream as a whole: it is open to them, or they sell there.
    fn concerns(&self, reader: Reader<'_>) -> bool {
        let has_drops = || self.drops.iter().any(|drop| reader.sees(&drop.view.plan.merchant));
        reader.sees_stream() || has_drops()
    }

    /// What the reader may know of the stream as a whole.
    fn facts(&self, reader: Reader<'_>) -> Option<StreamFacts> {
        self.facts.clone().filter(|_| self.concerns(reader))
    }

    fn deltas(
        &mut self,
        seen: NewsMark,
        with_figures: bool,
        reader: Reader<'_>,
        events: &mut VecDeque<Bytes>,
    ) {
        if self.facts_changed > seen.news
            && let Some(facts) = self.facts(reader)
        {
            let stream = reader.stream.to_string();
            let server_time_ms = reader.engine.wall().get();
            let changed = StreamChanged { stream, server_time_ms, facts };
            events.push_back(event("stream", &Encoded::new(&changed)));
        }
        let is_new = |gone: &&GoneDrop| gone.number > seen.news && reader.sees(&gone.merchant);
        let gone = self.gone.iter().filter(is_new);
        events.extend(
            gone.map(|gone| {
                event("gone", &Encoded::new(&DropGone { drop: gone.drop.to_string() }))
            }),
        );
        for drop in &mut self.drops {
            if !reader.sees(&drop.view.plan.merchant) {
                continue;
            }
            if !reader.staff.reads_money() {
                let moved = with_figures && drop.moved > seen.figures;
                if drop.changed > seen.news || moved {
                    events.push_back(event("drop", &drop.stage_state()));
                }
                continue;
            }
            if drop.changed > seen.news {
                events.push_back(drop.change_event());
            }
            if with_figures && drop.moved > seen.figures.max(drop.changed) {
                events.push_back(drop.figures_event());
            }
            let seconds = drop.seconds.iter().filter(|second| second.number > seen.news);
            events.extend(seconds.map(|second| event("second", &second.json)));
        }
    }

    fn snapshot(&mut self, reader: Reader<'_>, people: &People) -> Encoded {
        let visible = |drop: &&mut ShownDrop| reader.sees(&drop.view.plan.merchant);
        let mut snapshot = StreamSnapshot {
            stream: reader.stream.to_string(),
            server_time_ms: reader.engine.wall().get(),
            facts: self.facts(reader).unwrap_or(StreamFacts::NONE),
            drops: Vec::new(),
            seconds: BTreeMap::new(),
            people: people.known_to(reader.who),
        };
        for drop in self.drops.iter_mut().filter(visible) {
            if !reader.staff.reads_money() {
                snapshot.drops.push(drop.stage_state());
                continue;
            }
            let id = drop.view.drop.to_string();
            let seconds: Vec<_> = drop.seconds.iter().map(|second| second.json.clone()).collect();
            if !seconds.is_empty() {
                snapshot.seconds.insert(id, seconds);
            }
            snapshot.drops.push(drop.state());
        }
        Encoded::new(&snapshot)
    }
}
