//! Terms that are put right while a drop is on sale: a viewer's limits, the planned end.

use std::sync::Arc;

use stampede_domain::{
    Amendment, DropId, DurationMs, Moment, NewEnd, Phase, TakeNumber, UnixMillis, ViewerLimits,
    limits::OPEN_MS_MIN,
};
use stampede_ledger::{Amended, CorrectionRecord};

use super::Books;
use crate::{
    command::{AmendRefusal, AmendTerms, CommandRefusal, DropAction},
    decision::{Decision, Effect},
    drop::{DropBook, check_ahead},
};

impl Books {
    /// Amends the terms by command. A lower limit takes nothing from anybody: it binds from the next buy on.
    pub(super) fn amend(
        &mut self,
        (drop, phase): (DropId, Phase),
        wanted: &AmendTerms,
        now: Moment,
        out: &mut Decision,
    ) -> Result<(), CommandRefusal> {
        let changes_limits = wanted.limit_per_viewer.is_some() || !wanted.skus.is_empty();
        match phase {
            Phase::Open if changes_limits => return Err(AmendRefusal::NotPaused.into()),
            Phase::Open | Phase::Paused => {}
            Phase::Scheduled | Phase::Countdown => {
                return Err(AmendRefusal::NotOnSale { phase }.into());
            }
            Phase::Closed | Phase::Settled | Phase::Cancelled | Phase::Voiding | Phase::Voided => {
                let action = DropAction::AMEND;
                return Err(CommandRefusal::WrongPhase { action, phase });
            }
        }
        if !changes_limits && wanted.end.is_none() {
            return Err(AmendRefusal::Nothing.into());
        }
        if let Some(NewEnd::At(ends_at)) = wanted.end {
            check_new_end(ends_at, now.wall)?;
        }
        let book = &self.drops[&drop];
        let limits = changes_limits.then(|| book.limits_by(wanted)).transpose()?;
        let last_takes = if changes_limits { book.takes_while_shut() } else { Vec::new() };
        let amendment = Amendment { limits, end: wanted.end };
        let amended = Box::new(Amended { amendment, last_takes });
        self.record(now.sale, drop, CorrectionRecord::Amended(amended), out);
        let book = &self.drops[&drop];
        let (revision, plan) = (book.revision(), Arc::clone(book.plan()));
        out.when_durable.push(Effect::Amend { drop, revision, plan });
        Ok(())
    }
}

impl DropBook {
    /// The limits that hold with those that were asked for. Plans do not tell a SKU's own limit from the drop's that it has:
    /// where they are alike, the SKU follows the drop.
    fn limits_by(&self, wanted: &AmendTerms) -> Result<ViewerLimits, CommandRefusal> {
        let mut limits = ViewerLimits::of(self.plan());
        if let Some(of_drop) = wanted.limit_per_viewer {
            let before = std::mem::replace(&mut limits.of_drop, of_drop);
            let follow = |limit: &mut _| *limit = if *limit == before { of_drop } else { *limit };
            limits.of_skus.iter_mut().for_each(follow);
        }
        for (place, (sku, limit)) in wanted.skus.iter().enumerate() {
            let index = self.plan().sku_index(sku.as_str());
            let index = index.ok_or_else(|| CommandRefusal::UnknownSku { sku: sku.clone() })?;
            if wanted.skus[..place].iter().any(|(other, _)| other == sku) {
                return Err(AmendRefusal::SkuTwice { sku: sku.clone() }.into());
            }
            limits.of_skus[usize::from(index.get())] = *limit;
        }
        limits.check()?;
        Ok(limits)
    }

    /// The last take of each pool, while takes are shut.
    fn takes_while_shut(&self) -> Vec<TakeNumber> {
        let last = self.last_takes.as_ref().expect("the shell says it whenever takes stop");
        let number = |take: &u64| TakeNumber::new(*take).expect("the stock counts takes");
        last.iter().map(number).collect()
    }
}

/// Whether an end is so far ahead that staff can take it back, and no further than anybody plans.
fn check_new_end(ends_at: UnixMillis, now: UnixMillis) -> Result<(), CommandRefusal> {
    check_ahead("ends_at_ms", ends_at, now)?;
    if ends_at < now.plus(DurationMs::new(OPEN_MS_MIN)) {
        let (ends_at, now, min_ms) = (ends_at.get(), now.get(), OPEN_MS_MIN);
        return Err(AmendRefusal::EndsTooSoon { ends_at, now, min_ms }.into());
    }
    Ok(())
}
