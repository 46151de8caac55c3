//! Countdowns with the video's delay: the host has time to say the word before viewers can buy.

use stampede_domain::{
    DropId, DurationMs, Moment, Phase, PlanError, StreamId,
    limits::{COUNTDOWN_MS_MAX, VIDEO_DELAY_MS_MAX, VIDEO_DELAY_MS_MIN},
};
use stampede_ledger::{Room as Change, RoomChange};

use super::{
    Books,
    rooms::{change, known},
};
use crate::{
    command::CommandRefusal,
    decision::Decision,
    drop::{DropBook, check_end},
    stream::Room,
    video::{VideoRefusal, countdown_min},
};

impl Books {
    /// Starts the countdown of a drop by command.
    pub(crate) fn start_countdown(
        &mut self,
        drop: DropId,
        countdown: DurationMs,
        now: Moment,
        out: &mut Decision,
    ) -> Result<(), CommandRefusal> {
        let plan = self.drops[&drop].plan();
        if countdown.get() > COUNTDOWN_MS_MAX {
            let (field, value, min, max) = ("countdown_ms", countdown.get(), 0, COUNTDOWN_MS_MAX);
            return Err(PlanError::Range { field, value, min, max }.into());
        }
        self.check_countdown(&plan.stream, countdown)?;
        check_end(plan, now.wall.plus(countdown), now.wall)?;
        let opens_at = now.sale.plus(countdown);
        // The host has taken over: a countdown that is called off does not start by itself again.
        self.begin_countdown(now.sale, drop, opens_at, out);
        Ok(())
    }

    /// Whether a host has time to say the word so that viewers hear it as the drop opens.
    fn check_countdown(
        &self,
        stream: &StreamId,
        countdown: DurationMs,
    ) -> Result<(), VideoRefusal> {
        let delay = self.rooms.video_delay(stream);
        let min = countdown_min(delay);
        if countdown >= min {
            return Ok(());
        }
        Err(VideoRefusal::CountdownTooShort {
            stream: stream.clone(),
            delay_ms: delay.get(),
            countdown_ms: countdown.get(),
            min_ms: min.get(),
        })
    }

    /// Decides a new delay of a stream's video. The cue of a countdown that runs does not jump.
    pub(crate) fn set_video_delay(
        &self,
        stream: &StreamId,
        delay: DurationMs,
        room: Option<&Room>,
    ) -> Result<Change, CommandRefusal> {
        let room = known(stream, room)?;
        let value = delay.get();
        if value != 0 && !(VIDEO_DELAY_MS_MIN..=VIDEO_DELAY_MS_MAX).contains(&value) {
            return Err(VideoRefusal::DelayOutOfRange { value }.into());
        }
        if room.video_delay == delay {
            let what = format!("its video is {value} ms behind already");
            return Err(CommandRefusal::RoomUnchanged { stream: stream.clone(), what });
        }
        let counts_down = |(drop, book): (DropId, &DropBook)| {
            let is_it = book.phase() == Phase::Countdown && book.plan().stream == *stream;
            is_it.then_some(drop)
        };
        if let Some(drop) = self.drops().find_map(counts_down) {
            return Err(VideoRefusal::CountdownRuns { stream: stream.clone(), drop }.into());
        }
        Ok(change(stream, RoomChange::VideoDelay(delay)))
    }
}
