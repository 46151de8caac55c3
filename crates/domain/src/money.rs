//! Amounts in minor units of an ISO 4217 currency.

use std::{fmt, str::FromStr};

use crate::{IdError, Units};

/// An ISO 4217 currency by its three letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Checks a code such as `EUR` against the list of ISO 4217.
    ///
    /// # Errors
    /// [`IdError::Malformed`] if no currency has the code.
    pub fn new(code: &str) -> Result<Self, IdError> {
        let malformed = || IdError::Malformed {
            kind: "currency",
            expected: "an ISO 4217 code in capitals, like EUR",
        };
        iso_currency::Currency::from_code(code).ok_or_else(malformed)?;
        <[u8; 3]>::try_from(code.as_bytes()).map(Self).map_err(|_| malformed())
    }

    /// The three letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a currency code is ASCII")
    }

    /// Decimal digits of the minor unit: 2 for EUR, 0 for JPY. `None` where ISO 4217 names none.
    pub fn minor_digits(self) -> Option<u16> {
        iso_currency::Currency::from_code(self.code()).and_then(iso_currency::Currency::exponent)
    }
}

impl FromStr for Currency {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::new(text)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Currency({})", self.code())
    }
}

/// An amount of money, never negative, in minor units (cents for EUR, yen for JPY).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    /// Minor units, at most 2^53 - 1 so that every JSON reader keeps it exact.
    minor: u64,
    currency: Currency,
}

impl Money {
    /// The largest amount in minor units: 2^53 - 1.
    pub const MINOR_MAX: u64 = (1 << 53) - 1;

    /// Wraps an amount, or `None` above [`Money::MINOR_MAX`].
    pub const fn new(minor: u64, currency: Currency) -> Option<Self> {
        if minor <= Self::MINOR_MAX { Some(Self { minor, currency }) } else { None }
    }

    /// Minor units.
    pub const fn minor(self) -> u64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The price of `units` pieces, or `None` above [`Money::MINOR_MAX`].
    pub fn checked_times(self, units: Units) -> Option<Self> {
        Self::new(self.minor.checked_mul(u64::from(units.get()))?, self.currency)
    }

    /// The sum, or `None` above [`Money::MINOR_MAX`] or across currencies.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        if self.currency != other.currency {
            return None;
        }
        Self::new(self.minor.checked_add(other.minor)?, self.currency)
    }
}

impl fmt::Display for Money {
    /// `49.90 EUR`, `4990 JPY`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.currency.minor_digits() {
            None | Some(0) => write!(f, "{} {}", self.minor, self.currency),
            Some(digits) => {
                let scale = 10_u64.pow(u32::from(digits));
                let (whole, part) = (self.minor / scale, self.minor % scale);
                write!(f, "{whole}.{part:0width$} {}", self.currency, width = usize::from(digits))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_follow_their_currency() {
        let show =
            |minor, code: &str| Money::new(minor, code.parse().unwrap()).unwrap().to_string();
        assert_eq!(show(4990, "EUR"), "49.90 EUR");
        assert_eq!(show(5, "EUR"), "0.05 EUR");
        assert_eq!(show(4990, "JPY"), "4990 JPY");
        assert_eq!(show(1234, "KWD"), "1.234 KWD");
        assert!("eur".parse::<Currency>().is_err());
        assert!("ZZZ".parse::<Currency>().is_err());
    }

    #[test]
    fn sums_stop_at_the_limit() {
        let eur = "EUR".parse().unwrap();
        let most = Money::new(Money::MINOR_MAX, eur).unwrap();
        assert_eq!(most.checked_add(Money::new(1, eur).unwrap()), None);
        assert_eq!(most.checked_times(Units::new(2).unwrap()), None);
        assert_eq!(most.checked_add(Money::new(0, "JPY".parse().unwrap()).unwrap()), None);
        assert_eq!(Money::new(Money::MINOR_MAX + 1, eur), None);
    }

    #[test]
    fn amounts_add_up_in_their_currency() {
        let eur = "EUR".parse().unwrap();
        let price = Money::new(1_990, eur).unwrap();
        assert_eq!((price.minor(), price.currency()), (1_990, eur));
        assert_eq!(price.checked_times(Units::new(3).unwrap()), Money::new(5_970, eur));
        assert_eq!(price.checked_times(Units::ZERO), Money::new(0, eur));
        assert_eq!(price.checked_add(Money::new(10, eur).unwrap()), Money::new(2_000, eur));
        assert_eq!(Money::MINOR_MAX, 9_007_199_254_740_991, "what every JSON reader keeps exact");
        assert_eq!((eur.code(), format!("{eur:?}").as_str()), ("EUR", "Currency(EUR)"));
    }
}
