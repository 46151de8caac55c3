//! One reader of a stream's events.

use std::{collections::VecDeque, sync::Arc};

use axum::body::Bytes;
use stampede_domain::{DurationMs, StreamId, UnixMillis};
use stampede_engine::Changes;
use tokio::{
    sync::watch,
    time::{Interval, MissedTickBehavior, interval},
};

use super::{
    FollowerPlaces, Hub, Person, Present, Reader,
    event::{alive, event},
    hub::NewsMark,
};
use crate::{
    auth::{Staff, Still},
    dto::{Encoded, SessionEnding},
    state::ControlState,
};

/// Longest silence of a stream of events.
const ALIVE_EVERY: DurationMs = DurationMs::from_secs(1);
/// Time between two looks at whether the follower may still follow.
const CHECK_EVERY: DurationMs = DurationMs::from_secs(1);
/// How long before its end a follower's session is spoken of: two minutes, found within a second.
const SESSION_WARNED: DurationMs = DurationMs::from_secs(121);
/// How soon a client comes back once a stream has ended.
const HELLO: &str = "retry: 1000\n\n";

/// One reader of a stream's events: it is asked for the next piece when its connection has room for it.
pub(crate) struct Follower {
    state: ControlState,
    staff: Staff,
    stream: StreamId,
    hub: Arc<Hub>,
    /// Whether a creator may see the stream, which can change.
    is_own: bool,
    seen: NewsMark,
    ready: VecDeque<Bytes>,
    changes: watch::Receiver<Changes>,
    lines: watch::Receiver<u64>,
    people: watch::Receiver<u64>,
    /// The latest number of people that was told.
    people_seen: u64,
    /// Who follows, if they want the others to know that they are there.
    who: Option<Person>,
    /// Whether it has to do with the stream as a whole.
    is_concerned: bool,
    /// Whether the others know that it is there.
    present: Option<Present>,
    /// The end of the session that the follower was told of.
    warned: Option<UnixMillis>,
    draining: watch::Receiver<bool>,
    figures: Interval,
    alive: Interval,
    check: Interval,
    _places: FollowerPlaces,
}

/// Why a follower looks for news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WakeReason {
    Change,
    Figures,
    Alive,
    Check,
}

impl Follower {
    pub(crate) fn new(
        state: &ControlState,
        staff: Staff,
        stream: StreamId,
        figures_every: DurationMs,
        who: Option<Person>,
        places: FollowerPlaces,
    ) -> Self {
        let engine = state.engine();
        let every = |span: DurationMs| {
            let mut every = interval(span.to_std());
            every.set_missed_tick_behavior(MissedTickBehavior::Delay);
            every.reset();
            every
        };
        let hub = state.followed().hub(engine, state.stage_lines(), &stream);
        let mut follower = Self {
            people: hub.people.watch(),
            people_seen: 0,
            who,
            is_concerned: false,
            present: None,
            warned: None,
            hub,
            is_own: engine.is_creators(&stream, staff.name()),
            seen: NewsMark::default(),
            ready: VecDeque::from([Bytes::from_static(HELLO.as_bytes())]),
            changes: engine.follow(),
            lines: state.stage_lines().watch(),
            draining: state.draining().watch(),
            figures: every(figures_every),
            alive: every(ALIVE_EVERY),
            check: every(CHECK_EVERY),
            state: state.clone(),
            staff,
            stream,
            _places: places,
        };
        follower.look_around();
        follower
    }

    /// Looks whether it has to do with the stream, and is there for the others if so.
    fn look_around(&mut self) {
        let reader = reader(&self.state, &self.staff, &self.stream);
        let is_concerned = self.hub.concerns(reader);
        if is_concerned != self.is_concerned {
            let who = self.who.clone().filter(|_| is_concerned);
            self.present = who.map(|who| Present::new(Arc::clone(&self.hub), who));
            self.is_concerned = is_concerned;
            // Told anew: what holds for the stream may have stood long before.
            self.seen = NewsMark::default();
        }
    }

    /// The next piece for the connection; `None` once the stream is over.
    pub(crate) async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Some(piece);
            }
            let woken = if self.seen.is_new() { WakeReason::Figures } else { self.woken().await? };
            match woken {
                WakeReason::Alive => self.ready.push_back(alive(self.state.engine())),
                WakeReason::Check => self.check()?,
                _ => self.look(woken == WakeReason::Figures),
            }
            if !self.ready.is_empty() {
                self.alive.reset();
            }
        }
    }

    /// Sleeps until there may be something to say; `None` once the server stops.
    async fn woken(&mut self) -> Option<WakeReason> {
        tokio::select! {
            biased;
            _ = self.draining.wait_for(|draining| *draining) => None,
            _ = self.check.tick() => Some(WakeReason::Check),
            changed = self.changes.changed() => changed.ok().map(|()| WakeReason::Change),
            changed = self.lines.changed() => changed.ok().map(|()| WakeReason::Change),
            changed = self.people.changed() => changed.ok().map(|()| WakeReason::Change),
            _ = self.figures.tick() => Some(WakeReason::Figures),
            _ = self.alive.tick() => Some(WakeReason::Alive),
        }
    }

    fn look(&mut self, with_figures: bool) {
        let who = self.present.as_ref().map(Present::person);
        let reader = reader(&self.state, &self.staff, &self.stream).present(who);
        // Whoever comes between the two is told twice rather than never.
        let mut people = Vec::new();
        if self.seen.is_new() {
            self.people_seen = *self.people.borrow_and_update();
        } else {
            people = self.hub.people.news(&mut self.people_seen, reader);
        }
        self.ready.extend(self.hub.news(reader, &mut self.seen, with_figures));
        self.ready.extend(people);
    }

    /// Looks whether it may go on: the token is still known, the stream still the creator's or still not,
    /// still theirs to see if it was. `None` if not. Says when the session comes near its end, and when that was put off.
    fn check(&mut self) -> Option<()> {
        self.state.followed().end_silent(self.state.engine());
        let was_concerned = self.is_concerned;
        self.look_around();
        if was_concerned && !self.is_concerned {
            return None;
        }
        let is_own = self.state.engine().is_creators(&self.stream, self.staff.name());
        let still = self
            .staff
            .still(self.state.staff(), self.state.sessions(), self.state.engine().wall())
            .filter(|_| is_own == self.is_own)?;
        if let Still::Session(session) = still {
            let now = self.state.engine().wall();
            let ends_at = session.idles_at.min(session.ends_at);
            let near = (ends_at.since(now) <= SESSION_WARNED).then_some(ends_at);
            if near != self.warned {
                self.warned = near;
                let ending = SessionEnding::new(&session, now);
                self.ready.push_back(event("session", &Encoded::new(&ending)));
            }
        }
        self.look(false);
        Some(())
    }
}

fn reader<'a>(state: &'a ControlState, staff: &'a Staff, stream: &'a StreamId) -> Reader<'a> {
    Reader::new((state.engine(), state.stage_lines()), staff, stream)
}
