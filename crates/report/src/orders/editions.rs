//! The numbers of units: of a numbered SKU, each unit sold has one, as editions have.

use std::{collections::BTreeSet, fmt};

/// Numbers without a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberRange {
    /// The lowest.
    pub first: u32,
    /// The highest.
    pub last: u32,
}

impl fmt::Display for NumberRange {
    /// `37`, `37-38`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, last } = self;
        if first == last { write!(f, "{first}") } else { write!(f, "{first}-{last}") }
    }
}

/// The numbers of an order's units: ranges in ascending order, with gaps between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitNumbers(Vec<NumberRange>);

impl UnitNumbers {
    /// The ranges.
    pub fn ranges(&self) -> &[NumberRange] {
        &self.0
    }

    /// Adds a number above all others.
    fn push(&mut self, number: u32) {
        match self.0.last_mut() {
            Some(range) if range.last.checked_add(1) == Some(number) => range.last = number,
            _ => self.0.push(NumberRange { first: number, last: number }),
        }
    }

    /// Takes the highest number out.
    fn pop(&mut self) -> Option<u32> {
        let range = self.0.last_mut()?;
        let highest = range.last;
        if range.first == highest {
            self.0.pop();
        } else {
            range.last -= 1;
        }
        Some(highest)
    }
}

impl fmt::Display for UnitNumbers {
    /// `No. 37`, `No. 2, 37-38`; nothing without numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, range) in self.0.iter().enumerate() {
            write!(f, "{}{range}", if place == 0 { "No. " } else { ", " })?;
        }
        Ok(())
    }
}

/// Which numbers of one SKU are given out.
///
/// Orders get numbers as they are confirmed. Units that were cancelled and are on sale again bring their numbers
/// back; the next orders get these first, the lowest before the others, so that in the end each number has a unit.
/// Units that are cancelled for good keep their numbers to themselves: those are never given again.
#[derive(Clone, Debug, Default)]
pub(super) struct Edition {
    /// The highest number given so far.
    highest: u32,
    /// Numbers below it that came back.
    back: BTreeSet<u32>,
}

impl Edition {
    /// Numbers for the units of an order.
    pub(super) fn give(&mut self, units: u32) -> UnitNumbers {
        let mut numbers = UnitNumbers::default();
        for _ in 0..units {
            // A journal that sells more than 2^32 units of a SKU is the verifier's business.
            let Some(number) = self.back.pop_first().or_else(|| self.highest.checked_add(1)) else {
                break;
            };
            self.highest = self.highest.max(number);
            numbers.push(number);
        }
        numbers
    }

    /// How many units the numbers are of, where so many are supplied: units that were taken off the sale may have had
    /// lower numbers than some that were sold.
    pub(super) fn of(&self, supplied: u64) -> u64 {
        supplied.max(u64::from(self.highest))
    }

    /// Takes the numbers of cancelled units from an order, its highest ones; `on_sale` if the units are on sale
    /// again.
    pub(super) fn cancel(&mut self, numbers: &mut UnitNumbers, units: u32, on_sale: bool) {
        for _ in 0..units {
            let Some(number) = numbers.pop() else { break };
            if on_sale {
                self.back.insert(number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_that_came_back_are_given_first_the_lowest_before_the_others() {
        let mut edition = Edition::default();
        let mut orders: Vec<_> = [1, 2, 3].map(|units| edition.give(units)).into();
        let shown: Vec<_> = orders.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["No. 1", "No. 2-3", "No. 4-6"]);
        edition.cancel(&mut orders[2], 2, true);
        edition.cancel(&mut orders[0], 1, true);
        assert_eq!(orders[2].to_string(), "No. 4", "the buyer keeps the lowest");
        assert_eq!(orders[0].to_string(), "");
        assert_eq!(edition.give(2).to_string(), "No. 1, 5");
        assert_eq!(edition.give(2).to_string(), "No. 6-7");
        edition.cancel(&mut orders[1], 1, false);
        assert_eq!(edition.give(1).to_string(), "No. 8", "3 is gone for good");
    }

    proptest! {
        /// Orders and cancellations in any order: no number is given twice, and none is left out below the highest,
        /// but for what is gone for good and what waits for the next order.
        #[test]
        fn no_number_has_two_units(acts in proptest::collection::vec((1_u32..4, 0_usize..8, 0_u32..4, any::<bool>()), 0..60)) {
            let (mut edition, mut orders) = (Edition::default(), Vec::new());
            let mut gone = 0;
            for (units, which, cancelled, on_sale) in acts {
                orders.push(edition.give(units));
                if let Some(order) = orders.get_mut(which) {
                    let count = |order: &UnitNumbers| -> u32 {
                        order.ranges().iter().map(|range| range.last - range.first + 1).sum()
                    };
                    let before = count(order);
                    edition.cancel(order, cancelled, on_sale);
                    gone += if on_sale { 0 } else { before - count(order) };
                }
            }
            let all: Vec<u32> =
                orders.iter().flat_map(UnitNumbers::ranges).flat_map(|range| range.first..=range.last).collect();
            let held: BTreeSet<u32> = all.iter().copied().collect();
            prop_assert_eq!(held.len(), all.len(), "a number has two units");
            prop_assert!(held.is_disjoint(&edition.back));
            let known = u32::try_from(held.len() + edition.back.len()).unwrap() + gone;
            prop_assert_eq!(known, edition.highest);
        }
    }
}
