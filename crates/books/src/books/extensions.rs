//! More time for every live hold of a drop.

use stampede_domain::{
    DropId, DurationMs, UnixMillis,
    limits::{EXTENDED_MS_MAX, EXTENSION_MS_MAX, EXTENSION_MS_MIN},
};
use stampede_ledger::DeadlineRecord;

use super::Books;
use crate::{
    command::CommandRefusal,
    decision::{Act, Decision, Effect},
};

impl Books {
    /// Gives every hold that was taken before now more time.
    pub(super) fn extend(
        &mut self,
        now: UnixMillis,
        drop: DropId,
        span: DurationMs,
        out: &mut Decision,
    ) -> Result<(), CommandRefusal> {
        let (by, min, max) = (span.get(), EXTENSION_MS_MIN, EXTENSION_MS_MAX);
        if !(min..=max).contains(&by) {
            return Err(CommandRefusal::ExtensionOutOfRange { by, min, max });
        }
        let extended = self.drops[&drop].extended().get();
        if extended + by > EXTENDED_MS_MAX {
            return Err(CommandRefusal::ExtensionsFull { by, extended, max: EXTENDED_MS_MAX });
        }
        out.at_once.push(Act::Extend { drop, span, until: now });
        self.record(now, drop, DeadlineRecord::Extended { span, until: now }, out);
        out.when_durable.push(Effect::Extended { drop, until: now });
        Ok(())
    }
}
