//! Drops that sell on what comes back, off air, then close by themselves.

use stampede_domain::{DropId, DurationMs, Phase, UnixMillis};
use stampede_ledger::CorrectionRecord;

use super::Books;
use crate::{
    command::{CommandRefusal, DropAction, WindDownRefusal},
    decision::{Decision, Effect},
    drop::DropBook,
};

/// How many hold times a drop winds down for at most: what is held may come back once, be bought and come back again.
const HOLD_TIMES: u64 = 2;

impl Books {
    /// A drop begins to wind down by command, and gives the air up.
    pub(super) fn wind_down(
        &mut self,
        at: UnixMillis,
        (drop, phase): (DropId, Phase),
        out: &mut Decision,
    ) -> Result<(), CommandRefusal> {
        let book = self.drops.get(&drop);
        match phase {
            Phase::Open | Phase::Paused if book.is_some_and(DropBook::winds_down) => {
                return Err(WindDownRefusal::Already.into());
            }
            Phase::Open => {}
            Phase::Paused => return Err(WindDownRefusal::Paused.into()),
            Phase::Scheduled
            | Phase::Countdown
            | Phase::Closed
            | Phase::Settled
            | Phase::Cancelled
            | Phase::Voiding
            | Phase::Voided => {
                let action = DropAction::WIND_DOWN;
                return Err(CommandRefusal::WrongPhase { action, phase });
            }
        }
        let span = self.drops[&drop].plan().hold_ttl.get().saturating_mul(HOLD_TIMES);
        let until = at.plus(DurationMs::new(span));
        let next = self.record(at, drop, CorrectionRecord::WindsDown { until }, out);
        out.when_durable.push(Effect::WindDown { drop, until });
        out.when_durable.extend(next.map(Effect::Air));
        Ok(())
    }
}

impl DropBook {
    /// When a drop that winds down closes at the latest, by the sale's clock.
    pub fn winds_down_until(&self) -> Option<UnixMillis> {
        self.winds_down_until
    }

    pub(super) fn winds_down(&self) -> bool {
        self.winds_down_until.is_some()
    }

    /// Whether nothing is left and nothing is held: every unit on sale is in an order.
    pub(crate) fn is_sold_out(&self) -> bool {
        self.sold == self.supplied
    }
}

#[cfg(test)]
mod tests {
    use stampede_ledger::PhaseRecord;

    use super::*;
    use crate::{
        books::given::{self, DROP, NOW},
        command::Role,
    };

    #[test]
    fn a_drop_that_winds_down_says_until_when() {
        let mut books = given::one_drop();
        given::follow(&mut books, DROP, PhaseRecord::Countdown { opens_at: NOW });
        given::follow(&mut books, DROP, PhaseRecord::Opened);
        assert_eq!(books.drop(DROP).unwrap().winds_down_until(), None);
        let command = given::command(Role::Host, DropAction::WindDown.on(DROP));
        let (context, mut out) = (crate::CommandContext::default(), Decision::default());
        books.command(&command, &context, given::moment(), &mut out).unwrap();
        let book = books.drop(DROP).unwrap();
        let hold_ttl = book.plan().hold_ttl;
        assert_eq!(book.winds_down_until(), Some(NOW.plus(hold_ttl).plus(hold_ttl)));
    }
}
