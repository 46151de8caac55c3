//! Where a drop stands, in the pages' few words.

use crate::{
    answers::{Figures, Phase, Sale, Summary},
    numbers::count,
    words::Language,
};

/// Where a drop stands: its phase, told apart by what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Planned,
    Countdown,
    Open,
    /// Open with nothing left, while held units may come back or some are in reserve.
    AllTaken,
    /// Nothing left, nothing held, nothing in reserve.
    SoldOut,
    Paused,
    Closed,
    Settled,
    CalledOff,
}

/// Units that are asked for in a drop.
pub(super) fn units_asked(sale: &Sale) -> u64 {
    sale.requests.iter().filter(|request| request.is_open()).map(|request| request.units).sum()
}

/// Units over all SKUs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) supplied: u64,
    pub(crate) left: u64,
    pub(crate) held: u64,
    pub(crate) paid: u64,
    pub(crate) reserve: u64,
}

impl Sum {
    pub(crate) fn of(skus: &[Figures]) -> Self {
        skus.iter().fold(Self::default(), |sum, sku| Self {
            supplied: sum.supplied + sku.supplied,
            left: sum.left + sku.available,
            held: sum.held + sku.held,
            paid: sum.paid + sku.sold,
            reserve: sum.reserve + sku.reserve,
        })
    }

    /// The units of a drop. A stage is not told what is held and paid: there all that is taken is either.
    pub(crate) fn of_sale(sale: &Sale) -> Self {
        let sum = Self::of(&sale.skus);
        let taken = sum.supplied.saturating_sub(sum.left);
        match (sum.held + sum.paid, sale.can_come_back) {
            (0, true) => Self { held: taken, ..sum },
            (0, false) => Self { paid: taken, ..sum },
            _ => sum,
        }
    }

    /// Characters of all units that are on sale or in reserve: a number keeps the size that fits them, also when units go
    /// from one to the other.
    pub(crate) fn fits(self) -> usize {
        count(self.supplied + self.reserve).chars().count()
    }

    pub(crate) fn of_summary(summary: &Summary) -> Self {
        Self {
            supplied: summary.supplied,
            left: summary.available,
            held: summary.held,
            paid: summary.sold.unwrap_or_default(),
            reserve: summary.reserve,
        }
    }
}

impl Standing {
    pub(crate) fn of(sale: &Sale) -> Self {
        Self::new(sale.phase, Sum::of_sale(sale))
    }

    pub(crate) fn of_summary(summary: &Summary) -> Self {
        Self::new(summary.phase, Sum::of_summary(summary))
    }

    pub(crate) fn new(phase: Phase, sum: Sum) -> Self {
        Self::of_units(phase, sum.supplied, sum.left, sum.held + sum.reserve)
    }

    /// By the units of all its lots, those that are left, those that may come on sale again: held or in reserve.
    pub(crate) fn of_units(phase: Phase, supplied: u64, left: u64, to_come: u64) -> Self {
        let nothing_left = supplied > 0 && left == 0;
        match phase {
            Phase::Scheduled => Self::Planned,
            Phase::Countdown => Self::Countdown,
            Phase::Cancelled | Phase::Voiding | Phase::Voided => Self::CalledOff,
            _ if nothing_left && to_come == 0 => Self::SoldOut,
            Phase::Open if nothing_left => Self::AllTaken,
            Phase::Open => Self::Open,
            Phase::Paused => Self::Paused,
            Phase::Closed => Self::Closed,
            Phase::Settled => Self::Settled,
        }
    }

    /// The name of its icon, the same as that of its class.
    pub(crate) const fn glyph(self) -> &'static str {
        match self {
            Self::Planned => "ring",
            Self::Countdown => "half",
            Self::Open | Self::AllTaken => "play",
            Self::SoldOut | Self::Settled => "tick",
            Self::Paused => "bars",
            Self::Closed => "square",
            Self::CalledOff => "cross",
        }
    }

    pub(crate) fn word(self, words: Language) -> &'static str {
        match self {
            Self::Planned => words.state_scheduled(),
            Self::Countdown => words.state_countdown(),
            Self::Open => words.state_open(),
            Self::AllTaken => words.state_all_taken(),
            Self::SoldOut => words.state_sold_out(),
            Self::Paused => words.state_paused(),
            Self::Closed => words.state_closed(),
            Self::Settled => words.state_settled(),
            Self::CalledOff => words.state_cancelled(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(left: u64, held: u64) -> Sum {
        Sum { supplied: 10, left, held, paid: 10 - left - held, reserve: 0 }
    }

    #[test]
    fn sold_out_is_said_only_when_nothing_can_come_back() {
        assert_eq!(Standing::new(Phase::Open, sum(0, 1)), Standing::AllTaken);
        assert_eq!(Standing::new(Phase::Open, sum(0, 0)), Standing::SoldOut);
        assert_eq!(Standing::new(Phase::Open, sum(1, 0)), Standing::Open);
        assert_eq!(Standing::new(Phase::Closed, sum(0, 1)), Standing::Closed);
        assert_eq!(Standing::new(Phase::Closed, sum(0, 0)), Standing::SoldOut);
        assert_eq!(Standing::new(Phase::Settled, sum(1, 0)), Standing::Settled);
        assert_eq!(Standing::new(Phase::Paused, sum(0, 3)), Standing::Paused);
    }

    #[test]
    fn what_was_opened_by_mistake_is_called_off_whatever_was_taken() {
        for phase in [Phase::Voiding, Phase::Voided] {
            assert_eq!(Standing::new(phase, sum(0, 0)), Standing::CalledOff);
            assert_eq!(Standing::new(phase, sum(3, 7)), Standing::CalledOff);
        }
    }

    #[test]
    fn nothing_is_sold_out_while_some_is_in_reserve() {
        let reserved = Sum { reserve: 1, ..sum(0, 0) };
        assert_eq!(Standing::new(Phase::Open, reserved), Standing::AllTaken);
        assert_eq!(Standing::new(Phase::Paused, reserved), Standing::Paused);
        assert_eq!(Standing::new(Phase::Closed, reserved), Standing::Closed);
        assert_eq!(Standing::new(Phase::Settled, reserved), Standing::Settled);
    }

    #[test]
    fn a_drop_without_units_is_not_sold_out() {
        assert_eq!(Standing::new(Phase::Open, Sum::default()), Standing::Open);
        assert_eq!(Standing::new(Phase::Scheduled, Sum::default()), Standing::Planned);
    }
}
