//! Cards that force an outcome of the sandbox, as payment providers have test cards.

use std::{fmt, str::FromStr};

use crate::IdError;

/// What the sandbox shall do with one attempt to pay, whatever its shares of failures are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TestCard {
    /// The payment succeeds.
    Approved,
    /// It fails with `card_declined`; the viewer may try again.
    Declined,
    /// It fails with `insufficient_funds`; the viewer may try again.
    InsufficientFunds,
    /// It fails with `stolen_card` for good: the hold ends.
    DeclinedForGood,
    /// It succeeds once the viewer has passed the bank's check (3-D Secure), which takes a while.
    Challenge,
    /// It succeeds after a long time.
    Slow,
    /// It succeeds only when the hold has ended, its grace included.
    Late,
    /// It never comes to anything: the attempt is called off when the hold has ended.
    Expires,
    /// It takes another amount than is owed.
    WrongAmount,
    /// It succeeds and is reported twice; then the same hold is paid a second time.
    Duplicate,
    /// It succeeds; a moment later the money is given back.
    Refunded,
}

impl TestCard {
    /// Every card.
    pub const ALL: [Self; 11] = [
        Self::Approved,
        Self::Declined,
        Self::InsufficientFunds,
        Self::DeclinedForGood,
        Self::Challenge,
        Self::Slow,
        Self::Late,
        Self::Expires,
        Self::WrongAmount,
        Self::Duplicate,
        Self::Refunded,
    ];

    /// The name on every interface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::InsufficientFunds => "insufficient_funds",
            Self::DeclinedForGood => "declined_for_good",
            Self::Challenge => "challenge",
            Self::Slow => "slow",
            Self::Late => "late",
            Self::Expires => "expires",
            Self::WrongAmount => "wrong_amount",
            Self::Duplicate => "duplicate",
            Self::Refunded => "refunded",
        }
    }
}

impl fmt::Display for TestCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for TestCard {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::ALL.into_iter().find(|card| card.name() == text).ok_or(IdError::Malformed {
            kind: "test card",
            expected: "approved, declined, insufficient_funds, declined_for_good, challenge, slow, late, expires, \
                       wrong_amount, duplicate or refunded",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_are_known_by_name_and_an_unknown_one_is_told_which_there_are() {
        for card in TestCard::ALL {
            assert_eq!(card.to_string().parse(), Ok(card));
        }
        let unknown = "4242".parse::<TestCard>().unwrap_err().to_string();
        assert!(unknown.starts_with("not a test card; expected approved, "), "{unknown}");
        for card in TestCard::ALL {
            assert!(unknown.contains(card.name()), "{unknown}");
        }
    }
}
