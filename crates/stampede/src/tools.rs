//! Commands that read a data directory: verify, report, audit, ticket.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use stampede_domain::{DropId, Mode, UnixMillis};
use stampede_engine::Clock;
use stampede_ledger::SqliteJournal;
use stampede_report::{
    LedgerReport, ReportJson, ReportSheet, Verification,
    fold::UnmatchedMoney,
    lineage::{Lineage, Subject, lineage},
    orders::OrdersReader,
};
use stampede_wire::ticket::Ticket;

use crate::{
    FOUND_WRONG,
    cli::{AuditArgs, AuditOf, ReportArgs, TicketCommand, VerifyArgs},
    clock::SystemClock,
    failure::Failure,
    ticket_keys,
};

pub(crate) fn verify(args: &VerifyArgs) -> Result<ExitCode, Failure> {
    let found: Verification = stampede_report::verify_journal(&SqliteJournal::open(&args.data)?)?;
    if args.json {
        say(&serde_json::to_string(&found.json())?)?;
    } else {
        say(found.to_string().trim_end())?;
    }
    Ok(if found.ok { ExitCode::SUCCESS } else { ExitCode::from(FOUND_WRONG) })
}

pub(crate) fn report(args: &ReportArgs) -> Result<ExitCode, Failure> {
    let drop = args.drop.as_deref().map(str::parse::<DropId>).transpose()?;
    let journal = SqliteJournal::open(&args.data)?;
    let report = match drop {
        Some(drop) => {
            let drops = vec![stampede_report::drop_report(&journal, drop)?];
            LedgerReport { drops, unmatched: UnmatchedMoney::default() }
        }
        None => stampede_report::ledger_report(&journal)?,
    };
    if args.json {
        let reports: Vec<ReportJson> =
            report.drops.iter().map(stampede_report::DropReport::json).collect();
        say(&serde_json::to_string(&reports)?)?;
    } else if drop.is_some() {
        report.drops.iter().try_for_each(|report| say(report.to_string().trim_end()))?;
    } else {
        say(ReportSheet(&report).to_string().trim_end())?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn audit(args: &AuditArgs) -> Result<ExitCode, Failure> {
    let subject = match &args.of {
        AuditOf { hold: Some(hold), .. } => Subject::Hold(hold.parse()?),
        AuditOf { order: Some(order), .. } => Subject::Order(order.parse()?),
        AuditOf { viewer, .. } => Subject::Viewer(viewer.as_deref().unwrap_or_default().parse()?),
    };
    let told = lineage(&SqliteJournal::open(&args.data)?, &OrdersReader::new(), &subject)?;
    let texts: Vec<String> = told.iter().map(Lineage::to_string).collect();
    say(texts.join("\n").trim_end())?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn ticket(command: TicketCommand) -> Result<ExitCode, Failure> {
    let TicketCommand::Mint { data, stream, viewer, channel, rehearsal, lifetime_s } = command;
    let (_, minter) = ticket_keys::signer(&data)?;
    let now = SystemClock::start().wall();
    let ticket = Ticket {
        viewer: viewer.parse()?,
        stream: stream.parse()?,
        channel: channel.as_deref().map(str::parse).transpose()?,
        mode: if rehearsal { Mode::Rehearsal } else { Mode::Live },
        expires_at: UnixMillis::new(now.get().saturating_add(lifetime_s.saturating_mul(1000))),
    };
    say(&minter.mint(&ticket, now))?;
    Ok(ExitCode::SUCCESS)
}

/// Prints a line; a reader that has seen enough is no failure.
fn say(text: &str) -> Result<(), Failure> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
