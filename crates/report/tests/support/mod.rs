//! A small sale without an engine, written to a real ledger by the ledger's own writer.
#![allow(dead_code, reason = "each test program uses its own part")]
#![allow(unreachable_pub, reason = "a module of several programs, none of which has a public")]
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

pub mod busy;
pub mod corrections;
pub mod corrupt;
pub mod counted;
pub mod dice;
pub mod forge;
pub mod money;
pub mod requests;
pub mod sale;
pub mod shop;
pub mod sim;
pub mod spreadsheet;
pub mod steps;
pub mod twin;
pub mod undo;

use std::path::Path;

pub use dice::Dice;
use stampede_domain::{
    Currency, DropPlan, DurationMs, Money, PaymentTerms, SkuPlan, Units, UnixMillis, ViewerNumber,
};
use stampede_ledger::{ReadError, SqliteJournal};
use stampede_report::{Verification, verify_journal};

/// The first moment of every history: 2025-11-22 13:00 UTC.
pub const START_MS: u64 = 1_763_816_400_000;
/// How long a hold lives.
pub const TTL_MS: u64 = 3_000;
/// How much longer it stays for a payment.
pub const GRACE_MS: u64 = 400;
/// What the first attempt to pay has.
pub const STRETCH_MS: u64 = 2_000;
/// Countdown of every drop.
pub const COUNTDOWN_MS: u64 = 1_000;

/// The ledger of a data directory, open for reading.
pub fn journal(path: &Path) -> SqliteJournal {
    SqliteJournal::open(path).unwrap()
}

/// What the verifier makes of the ledger of a data directory, if it can be opened.
pub fn verify_dir(path: &Path) -> Result<Verification, ReadError> {
    verify_journal(&SqliteJournal::open(path)?)
}

pub fn units(count: u32) -> Units {
    Units::new(count).unwrap()
}

pub fn at(ms: u64) -> UnixMillis {
    UnixMillis::new(START_MS + ms)
}

pub fn viewer(number: u64) -> ViewerNumber {
    ViewerNumber::new(number).unwrap()
}

pub fn eur(minor: u64) -> Money {
    Money::new(minor, Currency::new("EUR").unwrap()).unwrap()
}

/// A plan with one SKU for each supply given, whose orders are paid for on record.
pub fn plan(supplies: &[u32]) -> DropPlan {
    let skus = supplies.iter().zip(0_u64..).map(|(supply, number)| SkuPlan {
        id: format!("mug-{number}").parse().unwrap(),
        title: format!("Mug number {number}"),
        options: Vec::new(),
        merchant_sku: format!("M-{number}"),
        image: None,
        price: eur(1_990 + 1_000 * number),
        supply: units(*supply),
        limit_per_viewer: units(3),
        reserve: units(0),
        numbered: false,
    });
    DropPlan {
        stream: "friday".parse().unwrap(),
        limit_per_viewer: units(4),
        holds_per_viewer_max: 6,
        hold_ttl: DurationMs::new(TTL_MS),
        countdown: DurationMs::new(COUNTDOWN_MS),
        payment_terms: Some(PaymentTerms {
            grace: DurationMs::new(GRACE_MS),
            stretch: DurationMs::new(STRETCH_MS),
        }),
        ..stampede_testkit::plan_of(skus)
    }
}
