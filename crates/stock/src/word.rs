//! The stock word: everything that racing takes contest, as one plain value.

use std::fmt;

use stampede_domain::{TakeNumber, Units};

/// Open bit, waiting bit, 24 bits of available units, 38 bits of take number.
///
/// A plain value: each transition is a pure function from word to word. Every take raises the
/// number, so the order of takes is on record, and no two states of a word are ever the same while
/// takes happen between them.
///
/// ```text
///  63     62        61 ........ 38   37 ........... 0
/// +------+---------+---------------+-----------------+
/// | open | waiting | available     | last take       |
/// +------+---------+---------------+-----------------+
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct StockWord(u64);

const AVAILABLE_SHIFT: u32 = TakeNumber::BITS;
const WAITING_SHIFT: u32 = AVAILABLE_SHIFT + Units::BITS;
const OPEN_SHIFT: u32 = WAITING_SHIFT + 1;
const _: () = assert!(OPEN_SHIFT + 1 == u64::BITS, "the fields fill the word exactly");

const WAITING: u64 = 1 << WAITING_SHIFT;
const OPEN: u64 = 1 << OPEN_SHIFT;
const NUMBER_MASK: u64 = TakeNumber::MAX.get();
const AVAILABLE_MASK: u64 = (Units::MAX.get() as u64) << AVAILABLE_SHIFT;

/// Why a word lets nobody take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Short {
    /// The open bit is off, or all take numbers are spent.
    Shut,
    /// Nothing is available to the public.
    SoldOut,
    /// Something is available, but less than asked for.
    NotEnough {
        /// What there is.
        available: Units,
    },
}

impl StockWord {
    /// Shut, nothing available, no take yet.
    pub(crate) const EMPTY: Self = Self(0);

    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    pub(crate) const fn is_open(self) -> bool {
        self.0 & OPEN != 0
    }

    pub(crate) const fn is_waiting(self) -> bool {
        self.0 & WAITING != 0
    }

    pub(crate) fn available(self) -> Units {
        u32::try_from((self.0 & AVAILABLE_MASK) >> AVAILABLE_SHIFT)
            .ok()
            .and_then(Units::new)
            .expect("the mask leaves 24 bits")
    }

    /// The number of the latest take; 0 before the first.
    pub(crate) fn last_take(self) -> TakeNumber {
        TakeNumber::new(self.0 & NUMBER_MASK).expect("the mask leaves 38 bits")
    }

    /// Moves `units` from available to held; the new word carries the take's number.
    pub(crate) fn take(self, units: Units) -> Result<Self, Short> {
        if !self.is_open() {
            return Err(Short::Shut);
        }
        let available = self.available();
        if self.is_waiting() || available.is_zero() {
            return Err(Short::SoldOut);
        }
        let left = available.checked_take(units).ok_or(Short::NotEnough { available })?;
        // 2^38 takes last a century at 80 a second; a word that has spent them stays shut.
        let number = self.last_take().next().ok_or(Short::Shut)?;
        Ok(self.with_available(left).with_last_take(number))
    }

    /// Makes `units` available; `None` if the word cannot hold that many.
    pub(crate) fn give(self, units: Units) -> Option<Self> {
        self.available().checked_add(units).map(|sum| self.with_available(sum))
    }

    /// Lets go of `units` that nobody has taken.
    ///
    /// # Errors
    /// The available units, if they are fewer.
    pub(crate) fn withdraw(self, units: Units) -> Result<Self, Units> {
        let available = self.available();
        let left = available.checked_take(units).ok_or(available)?;
        Ok(self.with_available(left))
    }

    pub(crate) const fn opened(self) -> Self {
        Self(self.0 | OPEN)
    }

    pub(crate) const fn shut(self) -> Self {
        Self(self.0 & !OPEN)
    }

    /// Refuses the public until [`StockWord::served`].
    pub(crate) const fn awaited(self) -> Self {
        Self(self.0 | WAITING)
    }

    /// Lets the public take again.
    pub(crate) const fn served(self) -> Self {
        Self(self.0 & !WAITING)
    }

    pub(crate) fn with_available(self, units: Units) -> Self {
        Self(self.0 & !AVAILABLE_MASK | u64::from(units.get()) << AVAILABLE_SHIFT)
    }

    pub(crate) fn with_last_take(self, number: TakeNumber) -> Self {
        Self(self.0 & !NUMBER_MASK | number.get())
    }
}

impl fmt::Debug for StockWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StockWord")
            .field("open", &self.is_open())
            .field("waiting", &self.is_waiting())
            .field("available", &self.available().get())
            .field("last_take", &self.last_take().get())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn units(count: u32) -> Units {
        Units::new(count).unwrap()
    }

    fn word(open: bool, waiting: bool, available: u32, number: u64) -> StockWord {
        let word = StockWord::EMPTY
            .with_available(units(available))
            .with_last_take(TakeNumber::new(number).unwrap());
        let word = if open { word.opened() } else { word };
        if waiting { word.awaited() } else { word }
    }

    #[test]
    fn a_take_needs_an_open_word_with_enough_units() {
        assert_eq!(word(true, false, 3, 7).take(units(2)), Ok(word(true, false, 1, 8)));
        assert_eq!(word(true, false, 3, 7).take(units(3)), Ok(word(true, false, 0, 8)));
        assert_eq!(
            word(true, false, 3, 7).take(units(4)),
            Err(Short::NotEnough { available: units(3) })
        );
        assert_eq!(word(true, false, 0, 7).take(units(1)), Err(Short::SoldOut));
        assert_eq!(word(true, true, 3, 7).take(units(1)), Err(Short::SoldOut));
        assert_eq!(word(false, false, 3, 7).take(units(1)), Err(Short::Shut));
        assert_eq!(
            word(true, false, 3, TakeNumber::MAX.get()).take(units(1)),
            Err(Short::Shut),
            "numbers never start again"
        );
    }

    #[test]
    fn a_give_never_carries_into_the_next_field() {
        let full = word(false, false, Units::MAX.get(), 1);
        assert_eq!(full.give(units(1)), None);
        assert_eq!(full.give(Units::ZERO), Some(full));
    }

    proptest! {
        #[test]
        fn each_transition_leaves_the_other_fields_alone(
            open: bool,
            waiting: bool,
            available in 0..=Units::MAX.get(),
            number in 0..TakeNumber::MAX.get(),
            change in 0..=Units::MAX.get(),
        ) {
            let before = word(open, waiting, available, number);
            prop_assert_eq!(StockWord::from_bits(before.bits()), before);
            prop_assert_eq!(before.available(), units(available));
            prop_assert_eq!(before.opened(), word(true, waiting, available, number));
            prop_assert_eq!(before.shut(), word(false, waiting, available, number));
            prop_assert_eq!(before.awaited(), word(open, true, available, number));
            prop_assert_eq!(before.served(), word(open, false, available, number));
            if let Some(after) = before.give(units(change)) {
                prop_assert_eq!(after, word(open, waiting, available + change, number));
            }
            match before.withdraw(units(change)) {
                Ok(after) => {
                    prop_assert_eq!(after, word(open, waiting, available - change, number));
                }
                Err(free) => {
                    prop_assert!(change > available);
                    prop_assert_eq!(free, units(available));
                }
            }
            if let Ok(after) = before.take(units(change)) {
                prop_assert!(open && !waiting);
                prop_assert_eq!(after, word(true, false, available - change, number + 1));
            }
        }
    }

    #[test]
    fn a_word_is_shown_by_its_fields() {
        assert_eq!(
            format!("{:?}", word(true, false, 3, 7)),
            "StockWord { open: true, waiting: false, available: 3, last_take: 7 }"
        );
    }
}
