//! The 128 bits that name a hold for all time.

use std::{fmt, str::FromStr};

use crate::{DropId, IdError, Incarnation, PoolIndex, SlotIndex, TakeNumber, Units};

/// Name of a hold: drop (32 bits), incarnation (26), pool (8), slot (24), take number (38).
///
/// The take number and the incarnation make it unique for ever; the slot makes it an address. A
/// confirmed slot is never used again, so an id whose slot has moved on always means "ended".
/// Shown as 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HoldId(u128);

const TAKE_SHIFT: u32 = 0;
const SLOT_SHIFT: u32 = TAKE_SHIFT + TakeNumber::BITS;
const POOL_SHIFT: u32 = SLOT_SHIFT + SlotIndex::BITS;
const INCARNATION_SHIFT: u32 = POOL_SHIFT + PoolIndex::BITS;
const DROP_SHIFT: u32 = INCARNATION_SHIFT + Incarnation::BITS;
const _: () = assert!(DROP_SHIFT + u32::BITS == u128::BITS, "a hold id is exactly 128 bits");
const _: () = assert!(SlotIndex::BITS >= Units::BITS, "each unit can have a slot");

impl HoldId {
    /// Packs the parts.
    pub const fn new(
        drop: DropId,
        incarnation: Incarnation,
        pool: PoolIndex,
        slot: SlotIndex,
        take: TakeNumber,
    ) -> Self {
        Self(
            (drop.get() as u128) << DROP_SHIFT
                | (incarnation.get() as u128) << INCARNATION_SHIFT
                | (pool.get() as u128) << POOL_SHIFT
                | (slot.get() as u128) << SLOT_SHIFT
                | (take.get() as u128) << TAKE_SHIFT,
        )
    }

    /// All 128 bits, most significant first.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// The inverse of [`HoldId::to_bytes`]; every pattern of bits is some id.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }

    /// The drop that the hold was made in.
    pub fn drop_id(self) -> DropId {
        DropId::new(self.field(DROP_SHIFT, u32::BITS))
    }

    /// The node's incarnation that made the hold.
    pub fn incarnation(self) -> Incarnation {
        Incarnation::new(self.field(INCARNATION_SHIFT, Incarnation::BITS))
            .expect("the field has the type's width")
    }

    /// The pool that the units came from.
    pub fn pool(self) -> PoolIndex {
        PoolIndex::new(self.field(POOL_SHIFT, PoolIndex::BITS))
            .expect("the field has the type's width")
    }

    /// The slot that holds the state.
    pub fn slot(self) -> SlotIndex {
        SlotIndex::new(self.field(SLOT_SHIFT, SlotIndex::BITS))
            .expect("the field has the type's width")
    }

    /// The take's place in the order of its pool.
    pub fn take(self) -> TakeNumber {
        TakeNumber::new(self.field(TAKE_SHIFT, TakeNumber::BITS))
            .expect("the field has the type's width")
    }

    fn field<T: TryFrom<u128>>(self, shift: u32, bits: u32) -> T {
        let value = (self.0 >> shift) & ((1 << bits) - 1);
        T::try_from(value).unwrap_or_else(|_| unreachable!("a field of {bits} bits fits its type"))
    }
}

impl fmt::Display for HoldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for HoldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "HoldId({} incarnation {} pool {} slot {} take {})",
            self.drop_id(),
            self.incarnation(),
            self.pool(),
            self.slot(),
            self.take()
        )
    }
}

impl FromStr for HoldId {
    type Err = IdError;

    /// Reads 32 lower-case hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let malformed = IdError::Malformed { kind: "hold id", expected: "32 hexadecimal digits" };
        let plain =
            text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !plain {
            return Err(malformed);
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_| malformed)
    }
}

/// Name of an order: the id of the hold that it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId(HoldId);

impl OrderId {
    /// The order that confirming `hold` makes.
    pub const fn of(hold: HoldId) -> Self {
        Self(hold)
    }

    /// The hold that the order came from.
    pub const fn hold(self) -> HoldId {
        self.0
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for OrderId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        text.parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_hold_id_keeps_its_parts(
            drop: u32,
            incarnation in 0..=Incarnation::MAX.get(),
            pool: u8,
            slot in 0..=SlotIndex::MAX.get(),
            take in 0..=TakeNumber::MAX.get(),
        ) {
            let id = HoldId::new(
                DropId::new(drop),
                Incarnation::new(incarnation).unwrap(),
                PoolIndex::new(pool).unwrap(),
                SlotIndex::new(slot).unwrap(),
                TakeNumber::new(take).unwrap(),
            );
            prop_assert_eq!(id.drop_id().get(), drop);
            prop_assert_eq!(id.incarnation().get(), incarnation);
            prop_assert_eq!(id.pool().get(), pool);
            prop_assert_eq!(id.slot().get(), slot);
            prop_assert_eq!(id.take().get(), take);
            prop_assert_eq!(id.to_string().parse::<HoldId>().unwrap(), id);
            prop_assert_eq!(HoldId::from_bytes(id.to_bytes()), id);
        }

        #[test]
        fn text_that_is_no_hold_id_is_refused(text in "\\PC{0,40}") {
            let plain = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            prop_assert_eq!(text.parse::<HoldId>().is_ok(), plain);
        }
    }

    fn hold() -> HoldId {
        HoldId::new(
            DropId::new(1),
            Incarnation::new(2).unwrap(),
            PoolIndex::new(3).unwrap(),
            SlotIndex::new(4).unwrap(),
            TakeNumber::new(5).unwrap(),
        )
    }

    /// Ids stand in records and with clients: their bits never move.
    #[test]
    fn the_parts_of_a_hold_id_keep_their_places() {
        assert_eq!(hold().to_string(), "0000000100000080c000010000000005");
        assert_eq!(format!("{:?}", hold()), "HoldId(d1 incarnation 2 pool 3 slot 4 take 5)");
    }

    #[test]
    fn only_32_lower_case_digits_are_a_hold_id() {
        let digits = hold().to_string();
        let upper = digits.to_uppercase();
        let signed = format!("+{}", &digits[1..]);
        let longer = format!("{digits}0");
        for text in ["", "abc", &digits[1..], longer.as_str(), signed.as_str(), upper.as_str()] {
            let refused = text.parse::<HoldId>().unwrap_err().to_string();
            assert_eq!(refused, "not a hold id; expected 32 hexadecimal digits", "{text}");
        }
    }

    #[test]
    fn an_order_has_the_name_of_its_hold() {
        let order = OrderId::of(hold());
        assert_eq!(order.hold(), hold());
        assert_eq!(order.to_string(), hold().to_string());
        assert_eq!(order.to_string().parse(), Ok(order));
        assert!("d1".parse::<OrderId>().is_err());
    }
}
