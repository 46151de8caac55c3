//! Amounts of every currency, in Stripe's units and in ours.

use proptest::prelude::*;
use stampede_domain::{Currency, Money};
use stampede_payments::stripe::amounts::{AmountError, from_provider, minimum, to_provider};

/// Where Stripe's unit is not a hundredth, or ours is not: Stripe's number for one whole, our number for one
/// whole, what our minor units have to be a multiple of.
const SPECIAL: [(&str, u64, u64, u64); 22] = [
    ("BHD", 1_000, 1_000, 10),
    ("BIF", 1, 1, 1),
    ("CLP", 1, 1, 1),
    ("DJF", 1, 1, 1),
    ("GNF", 1, 1, 1),
    ("ISK", 100, 1, 1),
    ("JOD", 1_000, 1_000, 10),
    ("JPY", 1, 1, 1),
    ("KMF", 1, 1, 1),
    ("KRW", 1, 1, 1),
    ("KWD", 1_000, 1_000, 10),
    ("MGA", 1, 100, 100),
    ("OMR", 1_000, 1_000, 10),
    ("PYG", 1, 1, 1),
    ("RWF", 1, 1, 1),
    ("TND", 1_000, 1_000, 10),
    ("UGX", 100, 1, 1),
    ("VND", 1, 1, 1),
    ("VUV", 1, 1, 1),
    ("XAF", 1, 1, 1),
    ("XOF", 1, 1, 1),
    ("XPF", 1, 1, 1),
];

/// Stripe takes none of them, and no rule says in which unit it would.
const WITHOUT_UNIT: [&str; 18] = [
    "CLF",
    "IQD",
    "LYD",
    "UYI",
    "UYW",
    "XAG",
    "XAU",
    "XBA",
    "XBB",
    "XBC",
    "XBD",
    "XDR",
    "XPD",
    "XPT",
    "XSU",
    "XTS",
    "XUA",
    concat!("XX", "X"),
];

/// Every currency of ISO 4217 that the domain knows.
fn currencies() -> Vec<Currency> {
    let letters = || b'A'..=b'Z';
    let codes =
        letters().flat_map(|a| letters().flat_map(move |b| letters().map(move |c| [a, b, c])));
    codes.filter_map(|code| Currency::new(std::str::from_utf8(&code).unwrap()).ok()).collect()
}

fn money(minor: u64, code: &str) -> Money {
    Money::new(minor, code.parse().unwrap()).unwrap()
}

#[test]
fn every_currency_has_its_unit_or_none() {
    let currencies = currencies();
    assert!(currencies.len() > 170, "{}", currencies.len());
    for currency in currencies {
        let code = currency.code();
        let small = code.to_lowercase();
        if WITHOUT_UNIT.contains(&code) {
            let unknown = AmountError::UnknownUnit { currency };
            assert_eq!(to_provider(money(100, code)), Err(unknown.clone()), "{code}");
            assert_eq!(from_provider(100, &small), Err(unknown), "{code}");
            continue;
        }
        let special = SPECIAL.into_iter().find(|(special, ..)| *special == code);
        let (_, theirs, ours, step) = special.unwrap_or((code, 100, 100, 1));
        assert_eq!(to_provider(money(7 * ours, code)), Ok(7 * theirs), "{code}");
        assert_eq!(from_provider(7 * theirs, &small), Ok(money(7 * ours, code)), "{code}");
        assert_eq!(to_provider(money(0, code)), Ok(0), "{code}");
        assert_eq!(to_provider(money(step, code)).unwrap() * ours, step * theirs, "{code}");
        for minor in 1..step {
            let fine = AmountError::TooFineForStripe { money: money(minor, code), step };
            assert_eq!(to_provider(money(minor, code)), Err(fine), "{code}");
        }
        let step = (theirs / ours).max(1);
        for amount in 1..step {
            let fine = AmountError::TooFineForUs { amount, currency, step };
            assert_eq!(from_provider(amount, &small), Err(fine), "{code}");
        }
    }
}

#[test]
fn stripes_own_examples_hold() {
    assert_eq!(to_provider(money(1_000, "USD")), Ok(1_000), "10 USD");
    assert_eq!(to_provider(money(500, "JPY")), Ok(500), "500 JPY");
    assert_eq!(to_provider(money(5, "ISK")), Ok(500), "5 ISK");
    assert_eq!(to_provider(money(5, "UGX")), Ok(500), "5 UGX");
    assert_eq!(from_provider(1_045, "huf"), Ok(money(1_045, "HUF")), "10.45 HUF");
    assert_eq!(from_provider(80_045, "twd"), Ok(money(80_045, "TWD")), "800.45 TWD");
    assert_eq!(to_provider(money(5_120, "KWD")), Ok(5_120), "5.120 KWD");
    assert!(to_provider(money(5_124, "KWD")).is_err(), "5.124 KWD");
    assert_eq!(from_provider(5_124, "kwd"), Ok(money(5_124, "KWD")), "exact, so it is taken");
}

#[test]
fn an_amount_without_its_like_names_both_sides() {
    let error = |result: Result<u64, AmountError>| result.unwrap_err().to_string();
    assert_eq!(
        error(to_provider(money(5_124, "KWD"))),
        "Stripe takes no 5.124 KWD: 5124 is no multiple of 10"
    );
    assert_eq!(
        error(from_provider(550, "isk").map(Money::minor)),
        "Stripe's amount 550 is no amount of ISK here: it is no multiple of 100"
    );
    assert_eq!(
        error(from_provider(1, "iqd").map(Money::minor)),
        "Stripe names no minor unit of IQD"
    );
}

#[test]
fn codes_that_stripe_does_not_write_are_no_currency() {
    for code in ["", "EUR", "Eur", "eu", "euro", "zzz", "e€", "usdc", "eur "] {
        let unknown = from_provider(100, code).unwrap_err();
        assert!(matches!(unknown, AmountError::UnknownCurrency { .. }), "{code}: {unknown}");
    }
    let long = from_provider(100, &"é".repeat(1_000)).unwrap_err();
    assert_eq!(long, AmountError::UnknownCurrency { code: "é".repeat(8) });
}

#[test]
fn amounts_end_where_ours_do() {
    let most = Money::MINOR_MAX;
    assert_eq!(from_provider(most, "eur"), Ok(money(most, "EUR")));
    assert_eq!(to_provider(money(most, "ISK")), Ok(most * 100));
    assert_eq!(from_provider(most * 100, "isk"), Ok(money(most, "ISK")));
    for (amount, code) in [(most + 1, "eur"), (u64::MAX, "eur"), (u64::MAX, "mga"), (most, "mga")] {
        let large = from_provider(amount, code).unwrap_err();
        assert!(matches!(large, AmountError::TooLarge { .. }), "{amount} {code}: {large}");
    }
}

#[test]
fn minima_are_those_of_stripes_table() {
    let shown = |code: &str| minimum(code.parse().unwrap()).map(|money| money.to_string());
    let table = [
        "0.50 USD",
        "2.00 AED",
        "0.50 AUD",
        "1.00 BGN",
        "0.50 BRL",
        "0.50 CAD",
        "0.50 CHF",
        "15.00 CZK",
        "2.50 DKK",
        "0.50 EUR",
        "0.30 GBP",
        "4.00 HKD",
        "175.00 HUF",
        "0.50 INR",
        "50 JPY",
        "10.00 MXN",
        "2.00 MYR",
        "3.00 NOK",
        "0.50 NZD",
        "2.00 PLN",
        "2.00 RON",
        "3.00 SEK",
        "0.50 SGD",
        "10.00 THB",
    ];
    for row in table {
        let (_, code) = row.split_once(' ').unwrap();
        assert_eq!(shown(code).as_deref(), Some(row));
    }
    let with_minimum = currencies().into_iter().filter(|currency| minimum(*currency).is_some());
    assert_eq!(with_minimum.count(), table.len());
    for row in table.iter().filter_map(|row| row.split_once(' ')) {
        let least = minimum(row.1.parse().unwrap()).unwrap();
        assert!(to_provider(least).is_ok(), "Stripe can charge its own minimum of {least}");
    }
}

proptest! {
    #[test]
    fn there_and_back_is_the_same(minor in 0..=Money::MINOR_MAX, place: prop::sample::Index) {
        let currencies = currencies();
        let currency = *place.get(&currencies);
        let code = currency.code().to_lowercase();
        let money = Money::new(minor, currency).unwrap();
        if let Ok(amount) = to_provider(money) {
            prop_assert_eq!(from_provider(amount, &code), Ok(money));
        }
        if let Ok(money) = from_provider(minor, &code)
            && let Ok(amount) = to_provider(money)
        {
            prop_assert_eq!(amount, minor);
        }
    }

    #[test]
    fn no_number_makes_it_panic(amount: u64, code in "\\PC{0,6}|[a-z]{3}") {
        let _ = from_provider(amount, &code);
    }
}
