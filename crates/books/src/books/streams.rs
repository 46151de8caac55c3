//! Commands about a stream: what they change, which is then made so.

use stampede_domain::{DropId, StreamId, UnixMillis};
use stampede_ledger::Room as RoomRecord;

use super::{
    Books,
    rooms::{dismiss, let_hosts_plan},
};
use crate::{
    command::{CommandRefusal, StreamAction},
    decision::Decision,
    stream::Room,
};

/// What a command changes about a stream.
pub(crate) enum StreamChange {
    /// It is gone for these drops.
    Gone(Vec<DropId>),
    /// It is back for these drops.
    Back(Vec<DropId>),
    /// Whose it is, who is let in, for whom hosts plan, how much later it is seen.
    Rooms(Vec<RoomRecord>),
}

impl Books {
    /// What a command changes about a stream; `room` is the stream's, as far as its actor speaks for it.
    pub(crate) fn stream_change(
        &self,
        stream: &StreamId,
        action: &StreamAction,
        room: Option<&Room>,
    ) -> Result<StreamChange, CommandRefusal> {
        let change = match action {
            StreamAction::Offline => return self.reported(stream).map(StreamChange::Gone),
            StreamAction::Online => return self.reported(stream).map(StreamChange::Back),
            StreamAction::MakeRoom { owner } => {
                return self.make_room(stream, owner, room).map(StreamChange::Rooms);
            }
            StreamAction::MoveRoom { owner } => self.move_room(stream, owner, room),
            StreamAction::Admit { merchant } => self.admit(stream, merchant, room),
            StreamAction::Dismiss { merchant } => dismiss(stream, merchant, room),
            StreamAction::AllowHosts { merchant } => let_hosts_plan(stream, merchant, true, room),
            StreamAction::ForbidHosts { merchant } => let_hosts_plan(stream, merchant, false, room),
            StreamAction::EndRoom => self.end_room(stream, room),
            StreamAction::SetVideoDelay { delay } => self.set_video_delay(stream, *delay, room),
            StreamAction::Rehearse { .. } | StreamAction::EndRehearsal => {
                unreachable!("the grant of a rehearsal is another")
            }
        };
        Ok(StreamChange::Rooms(vec![change?]))
    }

    /// Changes it. `reported_at` is when a report counts from.
    pub(crate) fn change_stream(
        &mut self,
        change: StreamChange,
        at: UnixMillis,
        reported_at: UnixMillis,
        out: &mut Decision,
    ) {
        match change {
            StreamChange::Gone(drops) => {
                for drop in drops {
                    self.stream_is_gone(drop, reported_at, out);
                }
            }
            StreamChange::Back(drops) => {
                for drop in drops {
                    self.stream_is_back(drop, reported_at, out);
                }
            }
            StreamChange::Rooms(changes) => self.change_rooms(at, changes, out),
        }
    }
}
