//! The short name of an order, for people: they read it out, type it, write it on parcels.
//!
//! `17-4211-0` is the order number 4211 of drop 17; 0 is a check digit. An [`OrderId`](crate::OrderId) is the
//! order's name for machines.
//!
//! The check digit is Damm's: H. Michael Damm, "Total anti-symmetrische Quasigruppen" (doctoral thesis,
//! Philipps-Universität Marburg, 2004). It runs over how many digits the drop has, then the digits of the drop,
//! then those of the order's number. What it catches, always:
//!
//! - one wrong digit, the check digit included,
//! - two neighbouring digits swapped, also across a hyphen, the check digit included,
//! - the hyphen between drop and order moved, by any number of places: digits alone would not tell `17-4211` from
//!   `174-211`, hence the count in front.
//!
//! Two wrong digits, digits swapped that are no neighbours, and a digit lost or doubled are caught nine times out
//! of ten: a random code passes one time in ten.

use std::{fmt, num::NonZeroU32, str::FromStr};

use crate::DropId;

/// Damm's totally anti-symmetric quasigroup of order 10: the digit so far gives the row, the next digit the column.
/// With zeros on the diagonal the check digit is what the digits before it come to.
const QUASIGROUP: [[u8; 10]; 10] = [
    [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
    [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
    [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
    [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
    [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
    [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
    [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
    [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
    [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
    [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
];

/// Digits of the largest drop, and of the largest number of an order, at most.
const DIGITS_MAX: u32 = 10;
const _: () = assert!(u32::MAX.ilog10() < DIGITS_MAX);

/// Place of an order among those of its drop, in the order of their commits, from 1 without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderNumber(NonZeroU32);

impl OrderNumber {
    /// Wraps a number; there is no order 0.
    pub const fn new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The plain number.
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for OrderNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The short name of an order: drop, number within the drop, check digit. The module says what the digit catches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderCode {
    drop: DropId,
    number: OrderNumber,
}

/// Why a text is no order code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderCodeError {
    /// Not three groups of digits.
    #[error(
        "not an order code; expected a drop, an order and a check digit with hyphens between, like 17-4211-0"
    )]
    Form,
    /// Something else than a digit.
    #[error("an order code has digits and two hyphens; {found:?} is neither")]
    Character {
        /// The first such character.
        found: char,
    },
    /// A drop or an order that cannot be.
    #[error(
        "the {part} of an order code is a number from 1 to {max} without leading zeros; {given:?} is none"
    )]
    Number {
        /// `drop` or `order`.
        part: &'static str,
        /// What was given.
        given: String,
        /// The largest one.
        max: u32,
    },
    /// Not one check digit.
    #[error("an order code ends with one check digit; {given:?} is none")]
    CheckDigit {
        /// What was given.
        given: String,
    },
    /// The check digit is another.
    #[error(
        "the check digit of {given} does not fit: a digit is wrong, or two digits or a hyphen changed places; \
         read it again"
    )]
    Mistyped {
        /// What was given.
        given: String,
    },
}

impl OrderCode {
    /// The code of an order of this drop; `None` for the house's chain, which has no orders. A chain of adjustments
    /// stands for its drop.
    pub fn new(drop: DropId, number: OrderNumber) -> Option<Self> {
        let drop = drop.sale();
        (drop != DropId::HOUSE).then_some(Self { drop, number })
    }

    /// The drop.
    pub const fn drop_id(self) -> DropId {
        self.drop
    }

    /// Place of the order among those of its drop.
    pub const fn number(self) -> OrderNumber {
        self.number
    }

    /// The digit that the others come to.
    pub fn check_digit(self) -> u8 {
        let (drop, number) = (self.drop.get(), self.number.get());
        let count = drop.ilog10() + 1;
        // The largest drop has ten digits: they count as 0, which no other drop's do.
        let state = step(0, count % 10);
        digits(number, digits(drop, state))
    }
}

/// What a state becomes by one digit.
fn step(state: u8, digit: u32) -> u8 {
    let column = usize::try_from(digit).expect("a digit is below 10");
    QUASIGROUP[usize::from(state)][column]
}

/// What a state becomes by the digits of a number.
fn digits(number: u32, state: u8) -> u8 {
    let places = (0..=number.ilog10()).rev();
    places.fold(state, |state, place| step(state, number / 10_u32.pow(place) % 10))
}

impl fmt::Display for OrderCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.drop.get(), self.number, self.check_digit())
    }
}

impl FromStr for OrderCode {
    type Err = OrderCodeError;

    /// Reads what [`OrderCode`] shows, and nothing else: every code has one spelling.
    fn from_str(text: &str) -> Result<Self, OrderCodeError> {
        if let Some(found) = text.chars().find(|c| !c.is_ascii_digit() && *c != '-') {
            return Err(OrderCodeError::Character { found });
        }
        let mut groups = text.split('-');
        let (Some(drop), Some(order), Some(check), None) =
            (groups.next(), groups.next(), groups.next(), groups.next())
        else {
            return Err(OrderCodeError::Form);
        };
        let drop = DropId::new(number("drop", drop, DropId::ADJUSTMENTS_FROM - 1)?);
        let order = number("order", order, u32::MAX)?;
        let &[check @ b'0'..=b'9'] = check.as_bytes() else {
            return Err(OrderCodeError::CheckDigit { given: check.to_owned() });
        };
        let code = OrderNumber::new(order).and_then(|number| Self::new(drop, number));
        let fits = code.filter(|code| code.check_digit() == check - b'0');
        fits.ok_or_else(|| OrderCodeError::Mistyped { given: text.to_owned() })
    }
}

/// A number from 1 to `max` without leading zeros.
fn number(part: &'static str, text: &str, max: u32) -> Result<u32, OrderCodeError> {
    let plain = Some(text).filter(|text| !text.starts_with('0'));
    let number = plain.and_then(|text| text.parse().ok()).filter(|number| *number <= max);
    number.ok_or_else(|| OrderCodeError::Number { part, given: text.to_owned(), max })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn code(drop: u32, number: u32) -> OrderCode {
        OrderCode::new(DropId::new(drop), OrderNumber::new(number).unwrap()).unwrap()
    }

    fn any_code() -> impl Strategy<Value = OrderCode> {
        let up_to = |most: u32| {
            (0..=most.ilog10()).prop_flat_map(move |place| {
                let low = 10_u32.pow(place);
                low..=low.saturating_mul(10).saturating_sub(1).min(most)
            })
        };
        (up_to(DropId::ADJUSTMENTS_FROM - 1), up_to(u32::MAX)).prop_map(|(d, n)| code(d, n))
    }

    /// The text with the characters at these places swapped.
    fn swapped(text: &str, one: usize, other: usize) -> String {
        let mut bytes = text.as_bytes().to_vec();
        bytes.swap(one, other);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_table_is_totally_anti_symmetric() {
        let at = |row: u8, column: u8| QUASIGROUP[usize::from(row)][usize::from(column)];
        for row in 0..10 {
            let mut line: Vec<_> = (0..10).map(|column| at(row, column)).collect();
            let mut column: Vec<_> = (0..10).map(|line| at(line, row)).collect();
            line.sort_unstable();
            column.sort_unstable();
            assert!(line.iter().copied().eq(0..10) && column.iter().copied().eq(0..10));
            assert_eq!(at(row, row), 0);
            for (one, other) in (0..10).flat_map(|one| (0..one).map(move |other| (one, other))) {
                assert_ne!(at(at(row, one), other), at(at(row, other), one));
            }
        }
        // The example that the thesis' algorithm is mostly shown with.
        assert_eq!(digits(572, 0), 4);
    }

    /// Codes stand on parcels: their digits never change.
    #[test]
    fn a_code_keeps_its_digits() {
        assert_eq!(code(17, 4211).to_string(), "17-4211-0");
        assert_eq!(code(1, 1).to_string(), "1-1-9");
        assert_eq!(
            code(DropId::ADJUSTMENTS_FROM - 1, u32::MAX).to_string(),
            "2147483647-4294967295-9"
        );
        let adjusted =
            OrderCode::new(DropId::new(17).adjustments(), OrderNumber::new(4211).unwrap());
        assert_eq!(adjusted, Some(code(17, 4211)));
        assert_eq!(OrderCode::new(DropId::HOUSE, OrderNumber::new(1).unwrap()), None);
        assert_eq!(OrderNumber::new(0), None);
        let read = code(17, 4211);
        assert_eq!((read.drop_id(), read.number().get()), (DropId::new(17), 4211));
    }

    #[test]
    fn what_is_no_code_says_why() {
        for (text, why) in [
            ("", "expected a drop, an order and a check digit"),
            ("17-4211", "expected a drop, an order and a check digit"),
            ("17-4211-0-1", "expected a drop, an order and a check digit"),
            ("d17-4211-0", "'d' is neither"),
            ("17–4211–0", "'–' is neither"),
            ("17 4211 0", "' ' is neither"),
            ("017-4211-0", "the drop of an order code is a number from 1 to 2147483647"),
            ("2147483648-1-0", "\"2147483648\" is none"),
            ("17--0", "the order of an order code is a number from 1 to 4294967295"),
            ("17-04211-0", "\"04211\" is none"),
            ("17-0-0", "\"0\" is none"),
            ("17-4294967296-0", "\"4294967296\" is none"),
            ("17-4211-", "ends with one check digit; \"\" is none"),
            ("17-421-10", "ends with one check digit; \"10\" is none"),
            ("17-4211-8", "the check digit of 17-4211-8 does not fit"),
        ] {
            let refused = text.parse::<OrderCode>().unwrap_err().to_string();
            assert!(refused.contains(why), "{text}: {refused}");
        }
    }

    proptest! {
        #[test]
        fn a_code_is_read_back(code in any_code()) {
            prop_assert_eq!(code.to_string().parse(), Ok(code));
        }

        #[test]
        fn every_wrong_digit_is_caught(code in any_code()) {
            let text = code.to_string();
            for (place, right) in text.char_indices().filter(|(_, c)| c.is_ascii_digit()) {
                for wrong in ('0'..='9').filter(|digit| *digit != right) {
                    let mut typed = text.clone();
                    typed.replace_range(place..=place, &wrong.to_string());
                    prop_assert!(typed.parse::<OrderCode>().is_err(), "{typed} for {text}");
                }
            }
        }

        #[test]
        fn every_swap_of_neighbours_is_caught(code in any_code()) {
            let text = code.to_string();
            let digits: Vec<usize> =
                (0..text.len()).filter(|place| text.as_bytes()[*place] != b'-').collect();
            for pair in digits.windows(2) {
                let typed = swapped(&text, pair[0], pair[1]);
                prop_assert!(typed == text || typed.parse::<OrderCode>().is_err(), "{typed} for {text}");
            }
            // A hyphen with the digit beside it.
            for place in 1..text.len() {
                let typed = swapped(&text, place - 1, place);
                prop_assert!(typed == text || typed.parse::<OrderCode>().is_err(), "{typed} for {text}");
            }
        }

        #[test]
        fn a_hyphen_at_any_other_place_is_caught(code in any_code()) {
            let text = code.to_string();
            let (both, check) = text.rsplit_once('-').unwrap();
            let plain = both.replace('-', "");
            for place in 0..=plain.len() {
                let typed = format!("{}-{}-{check}", &plain[..place], &plain[place..]);
                prop_assert!(typed == text || typed.parse::<OrderCode>().is_err(), "{typed} for {text}");
            }
        }

        /// What the module says is not caught for certain.
        #[test]
        fn one_random_code_in_ten_passes(drop in 1_u32..1_000, number in 1_u32..1_000_000) {
            let passes = (0..10).filter(|check| format!("{drop}-{number}-{check}").parse::<OrderCode>().is_ok());
            prop_assert_eq!(passes.count(), 1);
        }

        #[test]
        fn text_never_makes_it_panic(text in "[0-9-]{0,24}|\\PC{0,20}") {
            if let Ok(code) = text.parse::<OrderCode>() {
                prop_assert_eq!(code.to_string(), text);
            }
        }
    }
}
