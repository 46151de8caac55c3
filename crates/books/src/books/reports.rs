//! Streams that the platform reports offline or online, with what that does to their drops.

use stampede_domain::{DropId, StreamId, UnixMillis};
use stampede_ledger::StreamRecord;

use super::Books;
use crate::{
    command::{CommandOutcome, CommandRefusal, Done, StaffCommand},
    decision::{Act, Decision},
    drop::StreamWatch,
};

impl Books {
    /// Decides a report about a stream: each of its drops has it in its own chain. A report of what
    /// is known already changes nothing. `at` is when a report that a stream is gone counts from.
    pub(crate) fn report_stream(
        &mut self,
        command: &StaffCommand,
        (stream, online): (&StreamId, bool),
        at: UnixMillis,
        out: &mut Decision,
    ) -> CommandOutcome {
        let action = command.action.name();
        if !command.role.may(&command.action) {
            return Err(CommandRefusal::forbidden(command.role, &command.action));
        }
        if let Some(bound) = command.merchant.clone() {
            return Err(CommandRefusal::BoundToken { action, bound });
        }
        if !command.streams.covers(stream) {
            return Err(CommandRefusal::UnknownStream { stream: stream.clone() });
        }
        let drops = self.live_in_stream(stream);
        if drops.is_empty() {
            return Err(CommandRefusal::UnknownStream { stream: stream.clone() });
        }
        for drop in drops {
            if online {
                self.stream_is_back(drop, at, out);
            } else {
                self.stream_is_gone(drop, at, out);
            }
        }
        Ok(Done { drop: DropId::HOUSE, lot: None, ban: None, replayed: false })
    }

    fn live_in_stream(&self, stream: &StreamId) -> Vec<DropId> {
        let drops = self.live().filter(|(_, book)| book.plan().stream == *stream);
        drops.map(|(drop, _)| drop).collect()
    }

    /// When a stream was reported offline, if it is, by what its drops know. What a drop that is over
    /// knows is no longer kept up to date.
    pub(crate) fn offline_since(&self, stream: &StreamId) -> Option<UnixMillis> {
        let mut books = self.live().filter(|(_, book)| book.plan().stream == *stream);
        books.find_map(|(_, book)| book.watch().offline_since())
    }

    pub(crate) fn stream_is_gone(&mut self, drop: DropId, at: UnixMillis, out: &mut Decision) {
        if self.drops[&drop].watch().offline_since().is_some() {
            return;
        }
        self.record(at, drop, StreamRecord::Offline { at }, out);
        out.at_once.push(Act::ShowStream { drop, offline_since: Some(at) });
    }

    fn stream_is_back(&mut self, drop: DropId, at: UnixMillis, out: &mut Decision) {
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
