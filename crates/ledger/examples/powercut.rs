//! Cuts the power under a selling ledger; see `tests/powercut`.
//!
//! `cargo run -p stampede-ledger --example powercut -- [--cuts 20] [--seed N]
//! [--synchronous full|off] [--json]`. Ends with 1 if a promise was lost or the ledger is damaged.
#![allow(clippy::unwrap_used, reason = "shares its parts with a test")]

#[path = "../tests/powercut/disk.rs"]
mod disk;
#[path = "../tests/powercut/drill.rs"]
mod drill;
#[path = "../tests/support/mod.rs"]
mod support;
#[path = "../tests/powercut/vfs.rs"]
mod vfs;

use std::process::ExitCode;

use stampede_ledger::Synchronous;

fn main() -> ExitCode {
    let mut seed = u64::from(std::process::id());
    let mut cuts = 20;
    let mut synchronous = Synchronous::Full;
    let mut json = false;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().unwrap_or_default();
        match argument.as_str() {
            "--json" => json = true,
            "--seed" => seed = value().parse().expect("--seed takes a number"),
            "--cuts" => cuts = value().parse().expect("--cuts takes a number"),
            "--synchronous" => match value().as_str() {
                "full" => synchronous = Synchronous::Full,
                "off" => synchronous = Synchronous::Off,
                other => panic!("--synchronous takes full or off, not {other:?}"),
            },
            other => panic!("unknown argument {other:?}"),
        }
    }
    let dir = tempfile::tempdir().expect("a temporary folder");
    let report = drill::run(dir.path(), seed, cuts, synchronous);
    if !json {
        println!(
            "{} power cuts, {} of them while opening: {} of {} promises lost, ledger {}",
            report.cuts,
            report.cuts_in_recovery,
            report.promises_lost,
            report.promises,
            report.damage.as_deref().unwrap_or("ok")
        );
    }
    println!("{report}");
    if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
