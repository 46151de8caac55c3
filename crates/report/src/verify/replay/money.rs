//! Money and deadlines of one drop, record by record.

use stampede_domain::{DurationMs, HoldId, Money, Units, UnixMillis};
use stampede_ledger::{DeadlineRecord, PaymentChange, PaymentRecord, Record};

use super::{DropReplay, Moment};
use crate::verify::{
    LATE_MS_MAX,
    chain::CommitTimes,
    finding::Findings,
    holds::{HoldEnd, HoldFault},
    money::{MoneyFault, NamedHold, Standing},
    phases::{PhaseFault, name},
    pool::TakenHold,
};

impl DropReplay {
    /// What the plan asks for these units of a hold's goods.
    pub(super) fn goods(&self, hold: HoldId, units: Units) -> Option<Money> {
        let (_, sku) = self.phases.as_ref()?.sku_of(hold.pool())?;
        let minor = sku.price.minor().checked_mul(u64::from(units.get()))?;
        Money::new(minor, sku.price.currency())
    }

    /// The deadline that the hold's viewer is shown, moved by all that moved it so far.
    pub(super) fn deadline(&self, taken: &TakenHold) -> UnixMillis {
        let moved_ms = [
            self.suspensions.moved_ms(taken.since),
            self.extensions.moved_ms(taken.since),
            self.outage_ms,
        ];
        let moved_ms = moved_ms.iter().fold(0_u64, |sum, moved| sum.saturating_add(*moved));
        taken.deadline_base.plus(DurationMs::new(moved_ms))
    }

    /// When the hold ends by itself: the plan's grace after its deadline.
    pub(super) fn ends_at(&self, taken: &TakenHold) -> UnixMillis {
        let grace = self.phases.as_ref().map_or(DurationMs::ZERO, |phases| phases.plan.grace());
        self.deadline(taken).plus(grace)
    }

    fn taken(&self, hold: HoldId) -> Option<&TakenHold> {
        self.pools.get(usize::from(hold.pool().get()))?.taken(hold)
    }

    fn named(&self, hold: HoldId, times: CommitTimes) -> Option<NamedHold> {
        if self.phases.as_ref().is_some_and(|phases| phases.stage.is_over()) {
            return self.named_over(hold);
        }
        let (taken, phases) = (self.taken(hold)?, self.phases.as_ref()?);
        let late_ms = times.decided_after.since(self.ends_at(taken)).get();
        let stands = match taken.end {
            Some(HoldEnd::Confirmed) => Standing::Ordered,
            Some(HoldEnd::Released | HoldEnd::Expired) => Standing::Gone,
            None if late_ms > LATE_MS_MAX => Standing::Late,
            None => Standing::Held,
        };
        let (units, goods) = (taken.units, self.goods(hold, taken.units));
        Some(NamedHold { hold, stands, units, goods, mode: phases.plan.mode })
    }

    /// A record of the chain of adjustments.
    pub(super) fn adjust(&mut self, record: &Record, moment: Moment, findings: &mut Findings) {
        let stage = self.phases.as_ref().map(|phases| phases.stage);
        match (stage, record) {
            (None, record) => {
                findings.add(moment.place, PhaseFault::NoPlan { record: name(record) });
            }
            (Some(stage), Record::Payment(record)) if stage.is_over() => {
                self.payment(record, moment, findings);
            }
            // Staff may ask for an order's money back when its drop is long over.
            (Some(stage), Record::Command(_)) if stage.is_over() => {}
            (Some(stage), record) => {
                let record = name(record);
                findings.add(moment.place, PhaseFault::NotAllowed { record, stage });
            }
        }
    }

    /// A hold of a drop that is over: of each only its money is known, and whether its number was taken.
    fn named_over(&self, hold: HoldId) -> Option<NamedHold> {
        let phases = self.phases.as_ref()?;
        let pool = self.pools.get(usize::from(hold.pool().get()))?;
        pool.had(hold.take().get()).then(|| {
            let stands = self.money.stands_over(hold);
            let units = self.money.units(hold);
            let goods = self.goods(hold, units);
            NamedHold { hold, stands, units, goods, mode: phases.plan.mode }
        })
    }

    pub(super) fn payment(
        &mut self,
        record: &PaymentRecord,
        moment: Moment,
        findings: &mut Findings,
    ) {
        let Moment { place, times, .. } = moment;
        let hold = record.hold;
        if hold.drop_id() != self.drop {
            return findings.add(place, HoldFault::ForeignHold { hold });
        }
        let Some(named) = self.named(hold, times) else {
            let record = record.change.name();
            return findings.add(place, MoneyFault::NeverTaken { record, hold });
        };
        let into = match &record.change {
            PaymentChange::Retaken { into, .. } if into.drop_id() == self.drop => {
                self.named(*into, times)
            }
            _ => None,
        };
        self.money.record(record, named, into, place, findings);
    }

    pub(super) fn move_deadlines(
        &mut self,
        record: DeadlineRecord,
        moment: Moment,
        findings: &mut Findings,
    ) {
        match record {
            DeadlineRecord::Stretched { hold, span } => {
                self.stretch(hold, span, moment, findings);
            }
            DeadlineRecord::Extended { span, until } => self.extensions.add(span, until),
        }
    }

    /// An attempt to pay has the plan's stretch from its beginning, which lies before the row's time. It may have begun
    /// in the hold's grace: then the deadline lies that much behind it.
    fn stretch(&mut self, hold: HoldId, span: DurationMs, moment: Moment, findings: &mut Findings) {
        let Moment { place, times, .. } = moment;
        if hold.drop_id() != self.drop {
            return findings.add(place, HoldFault::ForeignHold { hold });
        }
        let record = "stretched";
        let found = self.named(hold, times).zip(self.taken(hold).copied());
        let (Some((named, taken)), Some(phases)) = (found, self.phases.as_ref()) else {
            return findings.add(place, MoneyFault::NeverTaken { record, hold });
        };
        if named.stands != Standing::Held {
            findings.add(place, MoneyFault::NotHeld { record, hold });
        }
        if taken.is_stretched {
            findings.add(place, MoneyFault::StretchedTwice { hold });
        }
        if !self.money.is_begun(hold) {
            findings.add(place, MoneyFault::StretchedForNothing { hold });
        }
        let (grace, stretch) = (phases.plan.grace(), phases.plan.stretch());
        let most = DurationMs::new(stretch.get().saturating_add(grace.get()));
        let (deadline, latest) = (self.deadline(&taken).plus(span), times.at.plus(stretch));
        if deadline > latest || span > most {
            let fault = MoneyFault::StretchTooLong { hold, span, most, deadline, latest };
            findings.add(place, fault);
        }
        if let Some(pool) = self.pools.get_mut(usize::from(hold.pool().get())) {
            pool.stretch(hold, span);
        }
    }
}
