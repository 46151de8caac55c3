//! The order of writing: answers first, then ticks.

use smallvec::SmallVec;

use super::{Sessions, slab::Token};

/// How far a connection's output has been written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum WriteOutcome {
    /// Nothing waits any more.
    All,
    /// The socket took less than it was given.
    Blocked,
    /// The close frame is written, which was the last.
    Over,
    /// The connection has to be dropped as it is.
    Gone,
}

impl Sessions {
    /// Writes what waits for a connection, answers before ticks, as far as `send` takes it: it is
    /// given bytes, it gives how many of them it took.
    pub(crate) fn write(
        &mut self,
        token: Token,
        mut send: impl FnMut(&[u8]) -> usize,
    ) -> WriteOutcome {
        if self.is_doomed(token) {
            return WriteOutcome::Gone;
        }
        loop {
            let Some(session) = self.slab.get_mut(token) else { return WriteOutcome::Gone };
            let waiting = session.outbox.waiting();
            if !waiting.is_empty() {
                let taken = send(waiting);
                session.outbox.took(taken);
                if !session.outbox.waiting().is_empty() {
                    return WriteOutcome::Blocked;
                }
            }
            if session.outbox.has_close() {
                return WriteOutcome::Over;
            }
            if let Some(drop) = self.owed_drop(token) {
                let Some(session) = self.slab.get_mut(token) else { return WriteOutcome::Gone };
                let taken = send(&drop);
                if taken < drop.len() {
                    session.outbox.keep_welcome(&drop, taken);
                    return WriteOutcome::Blocked;
                }
                continue;
            }
            let ticks = self.ticks(token);
            let Some(session) = self.slab.get_mut(token) else { return WriteOutcome::Gone };
            match ticks.as_slice() {
                [] => return WriteOutcome::All,
                // What everybody gets is not copied for each of them.
                [tick] => {
                    let taken = send(tick);
                    if taken < tick.len() {
                        session.outbox.keep(tick, taken);
                        return WriteOutcome::Blocked;
                    }
                }
                ticks => ticks.iter().for_each(|tick| session.outbox.push_frames(tick)),
            }
        }
    }

    /// The next drop that the welcome still owes a session, as it stands now; it counts as sent.
    fn owed_drop(&mut self, token: Token) -> Option<bytes::Bytes> {
        let session = self.slab.get_mut(token)?;
        let subprotocol = session.subprotocol;
        let joined = session.joined_mut().filter(|joined| joined.owed.is_some())?;
        let now = self.port.moment();
        let audience = self.audiences.get_mut(joined.audience)?;
        loop {
            let Some(drop) = joined.owed.as_mut()?.0.pop() else {
                joined.owed = None;
                return None;
            };
            // A drop that was called off meanwhile is told no more.
            if let Some(frame) = audience.info_frame(drop, subprotocol, now) {
                self.metrics.answers.increment(1);
                return Some(frame);
            }
        }
    }

    /// The ticks that a session has not been sent yet; they count as sent.
    fn ticks(&mut self, token: Token) -> SmallVec<[bytes::Bytes; 2]> {
        let Some(session) = self.slab.get_mut(token) else { return SmallVec::new() };
        let subprotocol = session.subprotocol;
        let Some(joined) = session.joined_mut() else { return SmallVec::new() };
        let Some(audience) = self.audiences.get_mut(joined.audience) else {
            return SmallVec::new();
        };
        let (seen, tick) = (joined.seen_tick, audience.tick());
        if seen == tick {
            return SmallVec::new();
        }
        joined.seen_tick = tick;
        let ticks: SmallVec<_> = audience.ticks_since(seen, subprotocol).collect();
        self.metrics.ticks.increment(ticks.len() as u64);
        self.metrics.ticks_skipped.increment(tick - seen - 1);
        ticks
    }

    /// Whether sessions wait for their turn to be told news.
    pub(crate) fn has_news(&self) -> bool {
        !self.news.is_empty()
    }

    /// The next session that has news.
    pub(crate) fn next_with_news(&mut self) -> Option<Token> {
        let token = self.news.pop_front()?;
        if let Some(session) = self.slab.get_mut(token) {
            session.has_news = false;
        }
        Some(token)
    }

    /// The next session whose output has to be written.
    pub(crate) fn next_with_output(&mut self) -> Option<Token> {
        let token = self.listed.pop_front()?;
        if let Some(session) = self.slab.get_mut(token) {
            session.is_listed = false;
        }
        Some(token)
    }
}
