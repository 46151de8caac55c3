//! Streams that the platform reports offline or online, with what that does to their drops.

use stampede_domain::{DropId, Phase, StreamId, UnixMillis};
use stampede_ledger::{Record, StreamRecord};
use tracing::info;

use super::Steward;
use crate::command::{CommandOutcome, CommandRefusal, Done, StaffCommand};

impl Steward {
    /// Decides a report about a stream: each of its drops has it in its own chain. A report of what
    /// is known already changes nothing.
    pub(super) fn report_stream(
        &mut self,
        command: &StaffCommand,
        stream: &StreamId,
        online: bool,
        now: UnixMillis,
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
        // A drop that has settled may be here still, until its record is durable.
        let drops = self.books.iter().filter(|(_, book)| !book.phase.is_final());
        let drops = drops.filter(|(_, book)| book.plan().stream == *stream);
        let drops: Vec<DropId> = drops.map(|(id, _)| *id).collect();
        if drops.is_empty() {
            return Err(CommandRefusal::UnknownStream { stream: stream.clone() });
        }
        let now = self.report_time(now);
        for drop in drops {
            if online { self.stream_is_back(drop) } else { self.stream_is_gone(drop, now) }
        }
        Ok(Done { drop: DropId::HOUSE, lot: None, ban: None, replayed: false })
    }

    /// When a stream was reported offline, if it is, by what its drops know.
    pub(super) fn offline_since(&self, stream: &StreamId) -> Option<UnixMillis> {
        // What a drop that is over knows is no longer kept up to date.
        let live = self.books.values().filter(|book| !book.phase.is_final());
        let mut books = live.filter(|book| book.plan().stream == *stream);
        books.find_map(|book| book.watch.offline_since())
    }

    pub(super) fn stream_is_gone(&mut self, drop: DropId, at: UnixMillis) {
        let book = self.book_mut(drop);
        if book.watch.offline_since().is_some() {
            return;
        }
        book.watch.go_offline(at);
        book.sale.set_stream_offline(Some(at));
        self.shared.tell_followers();
        self.push(drop, Record::Stream(StreamRecord::Offline { at }));
    }

    fn stream_is_back(&mut self, drop: DropId) {
        let book = self.book_mut(drop);
        if book.watch.offline_since().is_none() {
            return;
        }
        let goes_on = book.watch.come_back(book.sale.plan());
        book.sale.set_stream_offline(None);
        self.shared.tell_followers();
        if goes_on {
            info!(%drop, "the stream is back: the drop goes on");
            self.permit(drop, Phase::Open, None, Record::Stream(StreamRecord::Online));
        } else {
            self.push(drop, Record::Stream(StreamRecord::Online));
        }
    }

    /// The stream has been offline for as long as the plan allows.
    pub(super) fn offline_lapses(&mut self, drop: DropId) {
        let book = self.book_mut(drop);
        let mut watch = book.watch;
        let from = book.phase;
        match watch.lapse(from) {
            Some(phase) => {
                info!(%drop, %from, to = %phase, "the stream is offline for too long");
                self.forbid(drop, phase, Record::Stream(StreamRecord::OfflineLapsed));
            }
            None => self.push(drop, Record::Stream(StreamRecord::OfflineLapsed)),
        }
        self.book_mut(drop).watch = watch;
    }
}
