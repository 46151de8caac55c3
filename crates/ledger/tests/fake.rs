//! The fake ledger against the database: what the same commits leave in both reads alike.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::sync::Arc;

use stampede_domain::{DropId, KeyFingerprint};
use stampede_ledger::{
    Command, CommandKey, DataDir, IncarnationRow, Journal, LinkRow, NodeRow, OpenLedger, OrderRow,
    PhaseRecord, Projection, Record, RecordedOutcome, Row, RowKey, Rows, Seal, SqliteJournal,
    SqliteLedger, SupplyRow, fake::FakeLedger,
};
use support::{DROP, Rig, confirmed, entry, entry_in, expired, hold, lot, node, plan, taken, wait};

/// Everything that the port tells.
#[derive(Debug, PartialEq)]
struct Content {
    rows: Vec<Row>,
    nodes: Vec<NodeRow>,
    starts: Vec<IncarnationRow>,
    supply: Vec<SupplyRow>,
    links: Vec<LinkRow>,
    orders: Vec<OrderRow>,
    keys: Vec<CommandKey>,
    seals: Vec<Seal>,
    is_sound: bool,
}

fn content(journal: &dyn Journal) -> Content {
    let _one_state = journal.snapshot().unwrap();
    Content {
        rows: Rows::after(journal, RowKey::default()).map(Result::unwrap).collect(),
        nodes: journal.nodes().unwrap(),
        starts: journal.incarnations().unwrap(),
        supply: journal.supply().unwrap(),
        links: journal.links().unwrap(),
        orders: journal.orders(0, 100).unwrap(),
        keys: journal.command_keys().unwrap().unwrap(),
        seals: journal.seals().unwrap().unwrap(),
        is_sound: journal.inspect(1).unwrap().is_empty(),
    }
}

fn restock() -> Record {
    Record::Command(Box::new(Command {
        actor: "nina".into(),
        role: "host".into(),
        action: "restock".into(),
        key: KeyFingerprint::from_bits(1),
        request: KeyFingerprint::from_bits(2),
        reason: "more".into(),
        outcome: RecordedOutcome::Accepted,
    }))
}

/// Commits records together, in one row each drop.
fn commit(rig: &mut Rig, records: impl IntoIterator<Item = (DropId, Record)>) {
    for (drop, record) in records {
        rig.core.stage(entry_in(drop, record));
    }
    rig.core.flush();
    wait(|| rig.core.durable() == rig.core.pushed());
}

/// Two starts sell from a drop until it settles, beside another that goes on.
fn sell(mut open: impl FnMut() -> OpenLedger) {
    let other = DropId::new(2);
    let planned = || Record::Planned { plan: Arc::new(plan()), revision: 1 };
    let mut rig = Rig::start(open());
    commit(&mut rig, [(other, planned()), (DROP, planned())]);
    commit(&mut rig, [(DROP, lot(100)), (DROP, PhaseRecord::Opened.into())]);
    let [sold, held] = [1, 2].map(|number| hold(rig.incarnation, number));
    commit(&mut rig, [(DROP, taken(sold)), (DROP, taken(held)), (other, Record::Featured)]);
    commit(&mut rig, [(DROP, confirmed(sold)), (DROP, lot(5)), (DROP, restock())]);
    rig.writer.shutdown().unwrap();
    let mut rig = Rig::start(open());
    let ends = [expired(held), PhaseRecord::Closed.into(), PhaseRecord::Settled.into()];
    commit(&mut rig, ends.map(|record| (DROP, record)));
    rig.core.push(entry_in(DropId::HOUSE, restock()));
    wait(|| rig.core.durable() == rig.core.pushed());
    rig.writer.shutdown().unwrap();
}

#[test]
fn a_fake_ledger_reads_as_the_database_does() {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::lock(dir.path()).unwrap();
    sell(|| SqliteLedger::open(&data, &node()).unwrap());
    let fake = FakeLedger::new(node());
    sell(|| fake.open());
    let (journal, database) = (fake.journal(), SqliteJournal::open(dir.path()).unwrap());
    let content_of_fake = content(&journal);
    assert_eq!(content_of_fake, content(&database));
    let Content { orders, keys, seals, .. } = &content_of_fake;
    assert_eq!((orders.len(), keys.len(), seals.len()), (1, 1, 1), "each table has something");
    for drop in [DROP, DropId::new(2), DropId::new(3)] {
        let chain = |journal: &dyn Journal| -> (Option<Seal>, Vec<Row>) {
            let rows = Rows::of_drop(journal, drop).unwrap().map(Result::unwrap);
            (journal.seal(drop).unwrap(), rows.collect())
        };
        assert_eq!(chain(&journal), chain(&database), "{drop}");
    }
    let key = &keys[0];
    assert_eq!(journal.command_key(&key.actor, key.key).unwrap().as_ref(), Some(key));
    assert_eq!(journal.command_key("somebody else", key.key).unwrap(), None);
    let marks = [&journal as &dyn Journal, &database].map(|j| j.mark(Projection::Orders).unwrap());
    assert_eq!(marks[0], marks[1]);
}

#[test]
fn a_journal_of_a_fake_ledger_stays_as_it_was_opened() {
    let fake = FakeLedger::new(node());
    let mut rig = Rig::start(fake.open());
    let before = fake.journal();
    rig.core.push(entry(Record::Featured));
    wait(|| rig.core.durable() == rig.core.pushed());
    assert_eq!(content(&before).rows, []);
    assert_eq!(content(&fake.journal()).rows, fake.rows());
    rig.writer.shutdown().unwrap();
}
