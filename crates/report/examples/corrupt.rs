//! Damages the ledger of a data directory, so that `stampede verify` has something to find.
//!
//! `cargo run -p stampede-report --example corrupt -- --data DIR --kind NAME --seed N`; without
//! `--kind` it lists the kinds, one a line.

#[path = "../tests/support/corrupt.rs"]
mod corrupt;
#[path = "../tests/support/dice.rs"]
mod dice;

use std::{path::PathBuf, process::ExitCode};

use corrupt::Kind;
use dice::Dice;

/// Reads `--name value` pairs.
fn option(arguments: &[String], name: &str) -> Option<String> {
    let place = arguments.iter().position(|argument| argument == name)?;
    arguments.get(place + 1).cloned()
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(name) = option(&arguments, "--kind") else {
        for (_, name) in Kind::ALL {
            println!("{name}");
        }
        return ExitCode::SUCCESS;
    };
    let seed = option(&arguments, "--seed").map_or(Ok(0), |seed| seed.parse());
    let data = option(&arguments, "--data").map(PathBuf::from);
    let (Some(kind), Some(data), Ok(seed)) = (Kind::from_name(&name), data, seed) else {
        eprintln!("usage: corrupt --data DIR --kind NAME [--seed N]");
        return ExitCode::from(2);
    };
    println!("{}", corrupt::corrupt(&data, kind, seed));
    ExitCode::SUCCESS
}
