//! The `stampede` command.

mod address_or_empty;
mod allocator;
mod cli;
mod clock;
mod config;
mod crowds;
mod demo;
mod descriptors;
mod failure;
mod invite;
mod payment_settings;
mod qr;
mod scrape;
mod serve;
mod staff;
mod staged;
mod telemetry;
mod ticket_keys;
mod tls;
mod tools;
mod warnings;
mod webhooks;

use std::process::ExitCode;

use clap::Parser;

use crate::{
    cli::{Cli, Command},
    failure::Failure,
};

fn main() -> ExitCode {
    // A ledger holds people's ids, its folder secrets: what is made here is for this account alone.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let done = match Cli::parse().command {
        Command::Demo(args) => demo::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Verify(args) => tools::verify(&args),
        Command::Report(args) => tools::report(&args),
        Command::Audit(args) => tools::audit(&args),
        Command::Load(args) => return stampede_loadtest::run_load(&args),
        Command::Token(command) => staff::run(command),
        Command::Invite(args) => invite::run(&args),
        Command::Ticket(command) => tools::ticket(command),
        Command::Audience => return stampede_loadtest::audience_process(),
        Command::Crowd => return stampede_loadtest::crowd_process(),
    };
    match done {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}

/// Exit code of a command that ran but found something wrong.
pub(crate) const FOUND_WRONG: u8 = 1;

impl Failure {
    /// Says on standard error what failed; the exit code is 2.
    fn report(&self) -> ExitCode {
        eprintln!("stampede: {self}");
        ExitCode::from(2)
    }
}
