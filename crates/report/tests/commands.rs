//! Staff commands, read back a page at a time.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use rusqlite::Connection;
use stampede_domain::DropId;
use stampede_ledger::LEDGER_FILE;
use stampede_report::commands::commands;
use support::{busy::busy_sale, journal};

#[test]
fn pages_lead_from_the_newest_command_to_the_first() {
    let dir = tempfile::tempdir().unwrap();
    busy_sale(dir.path());
    let journal = journal(dir.path());
    let all = commands(&journal, None, 1_000, |_| true).unwrap();
    assert!(!all.more);
    let numbers: Vec<u64> = all.commands.iter().map(|found| found.number).collect();
    let count = numbers.len() as u64;
    assert_eq!(numbers, (1..=count).rev().collect::<Vec<_>>());
    let first = all.commands.last().unwrap();
    assert_eq!(first.command.action.as_str(), "plan");
    let (mut paged, mut before) = (Vec::new(), None);
    loop {
        let page = commands(&journal, before, 3, |_| true).unwrap();
        before = page.commands.last().map(|oldest| oldest.number);
        paged.extend(page.commands);
        if !page.more {
            break;
        }
    }
    assert_eq!(paged, all.commands);
    let one = DropId::new(2);
    let seen = commands(&journal, None, 1_000, |drop| drop == one).unwrap().commands;
    assert!(!seen.is_empty() && seen.iter().all(|found| found.drop == one));
}

#[test]
fn a_page_reads_no_further_than_its_end() {
    let dir = tempfile::tempdir().unwrap();
    busy_sale(dir.path());
    let journal = journal(dir.path());
    let page = |before| commands(&journal, before, 10, |_| true);
    let first = page(Some(2)).unwrap();
    assert_eq!(first.commands.len(), 1);
    // What cannot be read shows how far somebody reads.
    let ledger = Connection::open(dir.path().join(LEDGER_FILE)).unwrap();
    let last =
        "SELECT rowid FROM journal ORDER BY incarnation DESC, seq DESC, drop_id DESC LIMIT 1";
    let broken = format!("UPDATE journal SET body = x'ff' WHERE rowid = ({last})");
    assert_eq!(ledger.execute(&broken, ()).unwrap(), 1);
    page(None).unwrap_err();
    assert_eq!(page(Some(2)).unwrap(), first);
}
