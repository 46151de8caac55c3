//! Whether a client may send one more message: as a connection, as a viewer, as an address.

use stampede_domain::{DurationMs, Rate, RateDebt, TooFast, UnixMillis};
use stampede_engine::Viewer;

use super::addresses::{Addresses, Pass};

/// What a client may send besides what its whole address may.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageLimits {
    /// On one connection.
    pub(crate) connection: Rate,
    /// On all connections of one viewer.
    pub(crate) viewer: Option<Rate>,
}

/// What one connection has sent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sent {
    spent: RateDebt,
    /// Messages over a limit since the last one within all of them.
    over: u32,
}

/// Whether a message is within the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Admission {
    Within,
    /// Over a limit: the next one is within it after that time.
    Over {
        retry_after: DurationMs,
        in_a_row: u32,
    },
}

impl Sent {
    /// Counts a message at `now`. What is over the narrower limit does not use up the wider ones, so
    /// whoever floods takes nothing from others at the same address; nor does who has shown no ticket,
    /// and whose connections are counted.
    pub(crate) fn admit(
        &mut self,
        limits: MessageLimits,
        viewer: Option<&Viewer>,
        (addresses, pass): (&Addresses, &Pass),
        now: UnixMillis,
    ) -> Admission {
        let within = self.spent.spend(limits.connection, now).and_then(|()| {
            let Some(viewer) = viewer else { return Ok(()) };
            limits.viewer.map_or(Ok(()), |rate| viewer.pace().spend(rate, now))?;
            addresses.message(pass, now)
        });
        self.note(within)
    }

    fn note(&mut self, within: Result<(), TooFast>) -> Admission {
        match within {
            Ok(()) => {
                self.over = 0;
                Admission::Within
            }
            Err(TooFast { retry_after }) => {
                self.over = self.over.saturating_add(1);
                Admission::Over { retry_after, in_a_row: self.over }
            }
        }
    }
}
