//! Streams that the platform reports offline or online, with what that does to their drops.

use stampede_domain::{DropId, StreamId, UnixMillis};
use stampede_ledger::StreamRecord;

use super::Books;
use crate::{
    command::CommandRefusal,
    decision::{Act, Decision},
    drop::StreamWatch,
};

impl Books {
    /// The drops that a report about a stream is for: each of them has it in its own chain.
    pub(crate) fn reported(&self, stream: &StreamId) -> Result<Vec<DropId>, CommandRefusal> {
        let drops = self.live().filter(|(_, book)| book.plan().stream == *stream);
        let drops: Vec<_> = drops.map(|(drop, _)| drop).collect();
        if drops.is_empty() {
            return Err(CommandRefusal::UnknownStream { stream: stream.clone() });
        }
        Ok(drops)
    }

    /// When a stream was reported offline, if it is, by what its drops know. What a drop that is over
    /// knows is no longer kept up to date.
    pub(crate) fn offline_since(&self, stream: &StreamId) -> Option<UnixMillis> {
        let mut books = self.live().filter(|(_, book)| book.plan().stream == *stream);
        books.find_map(|(_, book)| book.watch().offline_since())
    }

    /// A stream has gone; for a drop that knows it already nothing changes.
    pub(crate) fn stream_is_gone(&mut self, drop: DropId, at: UnixMillis, out: &mut Decision) {
        if self.drops[&drop].watch().offline_since().is_some() {
            return;
        }
        self.record(at, drop, StreamRecord::Offline { at }, out);
        out.at_once.push(Act::ShowStream { drop, offline_since: Some(at) });
    }

    /// A stream is back; for a drop that knows it already nothing changes.
    pub(crate) fn stream_is_back(&mut self, drop: DropId, at: UnixMillis, out: &mut Decision) {
        let book = &self.drops[&drop];
        if book.watch().offline_since().is_none() {
            return;
        }
        out.at_once.push(Act::ShowStream { drop, offline_since: None });
        if book.watch().goes_on(book.plan()) {
            self.permit(at, drop, StreamRecord::Online, out);
        } else {
            self.record(at, drop, StreamRecord::Online, out);
        }
    }

    /// The stream has been offline for as long as the plan allows.
    pub(crate) fn lapse(&mut self, drop: DropId, at: UnixMillis, out: &mut Decision) {
        let book = &self.drops[&drop];
        let mut watch: StreamWatch = *book.watch();
        if watch.lapse(book.phase()).is_some() {
            self.forbid(at, drop, StreamRecord::OfflineLapsed, out);
        } else {
            self.record(at, drop, StreamRecord::OfflineLapsed, out);
        }
    }
}
