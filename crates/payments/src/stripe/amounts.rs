//! Amounts as Stripe writes them: whole numbers of a minor unit that is not always ISO's.
//!
//! The tables are those of "Supported currencies" (<https://docs.stripe.com/currencies>, checked on 2026-11-30 by
//! stored copies: the units by quotations up to 2026-09-30, the table of minima by a copy that is older). Currencies
//! have two decimals there, except for those on the list "Zero-decimal currencies". Two things are not as the page
//! reads at first:
//!
//! - UGX is on that list, and the "Special cases" of the same page ask for two decimals that are always `00`: "to
//!   charge 5 UGX, provide an amount value of 500". The special case is the more exact of the two, so it counts.
//!   HUF and TWD are special for payouts only; their charges have two decimals.
//! - The page has left out its section on three-decimal currencies. The rule that their last digit is 0 stood there
//!   at the end of 2022. It refuses at most what Stripe takes by now.

use stampede_domain::{Currency, Money};

/// "Zero-decimal currencies", without UGX. ISO gives MGA two decimals.
const ZERO_DECIMAL: [&str; 15] = [
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF",
    "XOF", "XPF",
];

/// "Special cases": two decimals that are always `00`. ISO gives them none.
const WHOLE_WITH_TWO_DECIMALS: [&str; 2] = ["ISK", "UGX"];

/// Three decimals, of which the last is always 0.
const THREE_DECIMAL: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];

/// "Minimum charge amount" by settlement currency, in our minor units.
const MINIMA: [(&str, u64); 24] = [
    ("USD", 50),
    ("AED", 200),
    ("AUD", 50),
    ("BGN", 100),
    ("BRL", 50),
    ("CAD", 50),
    ("CHF", 50),
    ("CZK", 1_500),
    ("DKK", 250),
    ("EUR", 50),
    ("GBP", 30),
    ("HKD", 400),
    ("HUF", 17_500),
    ("INR", 50),
    ("JPY", 50),
    ("MXN", 1_000),
    ("MYR", 200),
    ("NOK", 300),
    ("NZD", 50),
    ("PLN", 200),
    ("RON", 200),
    ("SEK", 300),
    ("SGD", 50),
    ("THB", 1_000),
];

/// Why an amount exists on one side only.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// No currency of ISO 4217.
    #[error("no currency has the code {code:?}")]
    UnknownCurrency {
        /// The code as Stripe wrote it, cut to eight characters.
        code: String,
    },
    /// Stripe does not say how many decimals it has, and ISO does not say two.
    #[error("Stripe names no minor unit of {currency}")]
    UnknownUnit {
        /// The currency.
        currency: Currency,
    },
    /// Too fine for Stripe.
    #[error("Stripe takes no {money}: {minor} is no multiple of {step}", minor = money.minor())]
    TooFineForStripe {
        /// The amount.
        money: Money,
        /// What its minor units have to be a multiple of.
        step: u64,
    },
    /// Too fine for our minor units.
    #[error(
        "Stripe's amount {amount} is no amount of {currency} here: it is no multiple of {step}"
    )]
    TooFineForUs {
        /// The amount in Stripe's units.
        amount: u64,
        /// The currency.
        currency: Currency,
        /// What the amount has to be a multiple of.
        step: u64,
    },
    /// Above [`Money::MINOR_MAX`].
    #[error("Stripe's amount {amount} of {currency} is too large")]
    TooLarge {
        /// The amount in Stripe's units.
        amount: u64,
        /// The currency.
        currency: Currency,
    },
}

/// How a currency is written on both sides.
#[derive(Clone, Copy)]
struct Units {
    /// Decimals of our minor unit.
    our_digits: u32,
    /// Decimals of Stripe's.
    stripe_digits: u32,
    /// Stripe takes multiples of this only.
    stripe_step: u64,
}

impl Units {
    fn of(currency: Currency) -> Result<Self, AmountError> {
        let code = currency.code();
        let unknown = AmountError::UnknownUnit { currency };
        let our_digits = currency.minor_digits().map(u32::from).ok_or(unknown.clone())?;
        let (stripe_digits, stripe_step) = if ZERO_DECIMAL.contains(&code) {
            (0, 1)
        } else if WHOLE_WITH_TWO_DECIMALS.contains(&code) {
            (2, 100)
        } else if THREE_DECIMAL.contains(&code) {
            (3, 10)
        } else if our_digits == 2 {
            (2, 1)
        } else {
            // Stripe's rule says two decimals and ISO says otherwise; Stripe does not take it so far.
            return Err(unknown);
        };
        Ok(Self { our_digits, stripe_digits, stripe_step })
    }

    /// By what our minor units are multiplied, then divided, to be Stripe's.
    const fn scale(self) -> (u64, u64) {
        let times = 10_u64.pow(self.stripe_digits.saturating_sub(self.our_digits));
        let by = 10_u64.pow(self.our_digits.saturating_sub(self.stripe_digits));
        (times, by)
    }
}

/// Stripe's number for an amount.
///
/// # Errors
/// [`AmountError::UnknownUnit`] or [`AmountError::TooFineForStripe`]. Nothing is ever rounded.
pub fn to_provider(money: Money) -> Result<u64, AmountError> {
    let units = Units::of(money.currency())?;
    let (times, by) = units.scale();
    // A multiple of what is divided by, whose result is a multiple of Stripe's step.
    let step = by * (units.stripe_step / times).max(1);
    if !money.minor().is_multiple_of(step) {
        return Err(AmountError::TooFineForStripe { money, step });
    }
    let shrunk = money.minor() / by;
    Ok(shrunk.checked_mul(times).expect("2^53 times 100 fits 64 bits"))
}

/// The amount that Stripe's number means, with Stripe's code of the currency, such as `eur`.
///
/// # Errors
/// [`AmountError`], except [`AmountError::TooFineForStripe`]: what Stripe says is taken as exactly as it can be
/// written here.
pub fn from_provider(amount: u64, code: &str) -> Result<Money, AmountError> {
    let currency = currency(code)?;
    let (times, by) = Units::of(currency)?.scale();
    if !amount.is_multiple_of(times) {
        return Err(AmountError::TooFineForUs { amount, currency, step: times });
    }
    let minor = (amount / times).checked_mul(by);
    let money = minor.and_then(|minor| Money::new(minor, currency));
    money.ok_or(AmountError::TooLarge { amount, currency })
}

/// Stripe writes codes in small letters.
fn currency(code: &str) -> Result<Currency, AmountError> {
    let unknown = || AmountError::UnknownCurrency { code: code.chars().take(8).collect() };
    if code.bytes().any(|b| !b.is_ascii_lowercase()) {
        return Err(unknown());
    }
    code.to_ascii_uppercase().parse().map_err(|_| unknown())
}

/// The least that Stripe charges, in each currency in which it documents that.
///
/// # Panics
/// Never: the table has codes of ISO 4217 with small amounts.
pub fn minima() -> impl Iterator<Item = Money> {
    MINIMA.into_iter().map(|(code, minor)| {
        let money = code.parse().ok().and_then(|currency| Money::new(minor, currency));
        money.expect("a code of ISO 4217 with a small amount")
    })
}

/// The least that Stripe charges on an account that settles in this currency; `None` where it documents nothing.
///
/// An account that settles in another currency has that one's minimum, by a rate of Stripe's own. Some payment methods
/// have no minimum.
pub fn minimum(currency: Currency) -> Option<Money> {
    minima().find(|minimum| minimum.currency() == currency)
}
