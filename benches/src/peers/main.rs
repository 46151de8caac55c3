//! Stampede among its peers: one run, one core for each server, one for the generator.

mod drive;
mod echo;
mod error;
mod meter;
mod postgres;
mod redis;
mod report;
mod resp;
mod rows;
mod server;
mod stampede;
mod viewers;
mod wish;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;

use crate::{
    drive::Load,
    error::PeersError,
    report::{MissingRow, Report},
    rows::{Bench, ROWS},
};

/// Measures Stampede and its peers; `cargo xtask peers` installs and builds what it needs
#[derive(Parser)]
#[command(max_term_width = 100)]
struct Arguments {
    /// Where the program of a peer is, like `redis=/usr/bin/redis-server`
    #[arg(long = "program", value_name = "NAME=PATH", value_parser = program)]
    programs: Vec<(String, PathBuf)>,
    /// Why a peer is missing, like `bun=npm is missing`
    #[arg(long = "missing", value_name = "NAME=WHY", value_parser = named)]
    missing: Vec<(String, String)>,
    /// Where data of the servers goes: a folder on the disk that is to be measured
    #[arg(long)]
    data: PathBuf,
    /// How long each row is measured
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// How many connections, ascending
    #[arg(long, value_delimiter = ',', default_values_t = [200, 2_000])]
    connections: Vec<u32>,
    /// Only these rows
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Print one JSON object as the last line
    #[arg(long)]
    json: bool,
}

fn named(text: &str) -> Result<(String, String), String> {
    let (name, rest) = text.split_once('=').ok_or("NAME=... is expected")?;
    Ok((name.to_owned(), rest.to_owned()))
}

fn program(text: &str) -> Result<(String, PathBuf), String> {
    named(text).map(|(name, path)| (name, path.into()))
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(2)
        }
    }
}

/// Whether every row that could be measured kept its promises.
fn run(arguments: Arguments) -> Result<bool, PeersError> {
    let Arguments { programs, missing, data, seconds, connections, only, json } = arguments;
    let known = || ROWS.iter().map(|row| row.name).collect::<Vec<_>>().join(", ");
    if let Some(name) = only.iter().find(|name| ROWS.iter().all(|row| row.name != **name)) {
        return Err(PeersError::UnknownRow { name: name.clone(), known: known() });
    }
    stampede_swarm::raise_descriptor_limit();
    stampede_swarm::stay_on_core(server::GENERATOR_CORE)
        .map_err(|errno| error::system("stay on the second core")(errno.into()))?;
    let bench = Bench { programs, missing, data };
    let mut report = Report { message_bytes: rows::message().len(), seconds, ..Report::default() };
    let mut kept = true;
    println!("{}", report::titles());
    for connections in connections {
        let measured = Duration::from_secs(seconds);
        let warm_up = Duration::from_secs(1);
        let load = Load { connections, warm_up, measured, process: None };
        for row in ROWS.iter().filter(|row| only.is_empty() || only.iter().any(|o| o == row.name)) {
            match bench.measure(row, &load) {
                Ok(row) => {
                    println!("{}", row.line());
                    report.rows.push(row);
                }
                Err(why) => {
                    println!("{:20} {connections:6} MISSING: {why}", row.name);
                    kept &= !matches!(why, PeersError::PromisesLost { .. });
                    let why = why.to_string();
                    report.missing.push(MissingRow { name: row.name, connections, why });
                }
            }
        }
    }
    report.finish();
    println!("\n{}", report.words());
    if json {
        println!("{}", serde_json::to_string(&report).expect("a report is plain data"));
    }
    Ok(kept)
}
