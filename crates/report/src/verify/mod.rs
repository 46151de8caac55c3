//! Replays a ledger with code of its own to find out whether everything in it agrees.
//!
//! Nothing here is shared with the engine or with the fold beyond the decoding of records and a plan's
//! map of its pools: hashes, phases, sums, limits are worked out again from the documented rules, so
//! that a mistake there does not hide itself here.

mod brake;
mod chain;
mod copies;
mod facts;
mod file;
mod finding;
mod holds;
mod keys;
mod money;
mod orders;
mod phases;
mod pool;
mod replay;
mod rooms;
mod seals;
mod starts;
mod tables;
mod terms;
mod verification;
mod viewers;

use std::collections::BTreeMap;

use stampede_domain::DropId;
use stampede_ledger::{Journal, ReadError, Row, RowHash, RowKey, Rows};

pub use brake::BrakeFault;
pub use chain::ChainFault;
pub use copies::CopyFault;
pub use finding::{FINDINGS_MAX, Fault, Finding, Place};
pub use holds::{HoldEnd, HoldFault};
pub use money::{MoneyFault, UnmatchedFault};
pub use phases::{PhaseFault, Stage, StreamFault};
pub use rooms::RoomFault;
pub use tables::TableFault;
pub use verification::{Counts, Verification};

use self::{
    brake::BrakeBook,
    chain::{ChainCheck, ChainFault as Chain},
    copies::CopyCheck,
    facts::RowFacts,
    finding::Findings,
    keys::KeyCheck,
    money::UnmatchedCheck,
    orders::OrderJoin,
    pool::own_number,
    replay::DropReplay,
    rooms::RoomBook,
    seals::SealCheck,
    starts::Starts,
    tables::LinkCheck,
};

/// How late a decision may seem before it counts as late, in milliseconds.
///
/// Records carry the time of their commit, not of their decision: a thread that was kept from
/// running between the two makes a decision look late. No fault of the sale is that slow.
pub const LATE_MS_MAX: u64 = 5_000;

/// Verifies a ledger, also while its server runs.
///
/// # Errors
/// Only if the ledger cannot be held at one state; damage within it is a finding.
pub fn verify_journal(journal: &dyn Journal) -> Result<Verification, ReadError> {
    let mut findings = Findings::default();
    file::check(journal, &mut findings);
    // One state for everything: the tables must agree with the journal at the same commit.
    let _snapshot = journal.snapshot()?;
    let mut counts = Counts::default();
    let heads = replay(journal, &mut counts, &mut findings).unwrap_or_else(|error| {
        let fault = Fault::Unreadable { report: error.to_string() };
        findings.add(Place::LEDGER, fault);
        BTreeMap::new()
    });
    Ok(Verification::new(findings, counts, heads))
}

fn replay(
    journal: &dyn Journal,
    counts: &mut Counts,
    findings: &mut Findings,
) -> Result<BTreeMap<DropId, RowHash>, ReadError> {
    let mut verifier = Verifier {
        chains: ChainCheck::default(),
        drops: BTreeMap::new(),
        starts: Starts::default(),
        brake: BrakeBook::default(),
        rooms: RoomBook::default(),
        copies: CopyCheck::default(),
        unmatched: UnmatchedCheck::default(),
        links: LinkCheck::new(journal.links()?),
        orders: OrderJoin::new(journal)?,
        keys: KeyCheck::default(),
        seals: SealCheck::default(),
        facts: RowFacts::default(),
    };
    let mut last = None;
    for row in Rows::after(journal, RowKey::default()) {
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                // What lies behind cannot be compared with anything.
                let place = last.unwrap_or(Place::LEDGER);
                findings.add(place, Fault::Unreadable { report: error.to_string() });
                return Ok(BTreeMap::new());
            }
        };
        last = Some(Place::row(row.drop, row.incarnation, row.seq));
        verifier.row(&row, counts, findings)?;
    }
    let heads = verifier.chains.heads();
    verifier.finish(journal, counts, findings)?;
    Ok(heads)
}

struct Verifier<'a> {
    chains: ChainCheck,
    drops: BTreeMap<DropId, DropReplay>,
    starts: Starts,
    brake: BrakeBook,
    rooms: RoomBook,
    copies: CopyCheck,
    unmatched: UnmatchedCheck,
    links: LinkCheck,
    orders: OrderJoin<'a>,
    keys: KeyCheck,
    seals: SealCheck,
    facts: RowFacts,
}

impl Verifier<'_> {
    fn row(
        &mut self,
        row: &Row,
        counts: &mut Counts,
        findings: &mut Findings,
    ) -> Result<(), ReadError> {
        counts.rows += 1;
        counts.bytes += u64::try_from(row.body.len()).expect("a row is small");
        let Some(times) = self.chains.row(row, findings) else { return Ok(()) };
        let facts = &mut self.facts;
        let drop = row.drop.sale();
        let replay = self.drops.entry(drop);
        let replay = replay.or_insert_with(|| DropReplay::new(drop, row.incarnation));
        self.starts.begin(row.incarnation);
        replay.row(row, times, &self.starts, facts, counts, findings);
        self.starts.row(facts, times.at);
        if facts.changes_air() {
            self.chains.note_air();
        }
        if facts.records != u64::from(row.records) {
            let (stated, found) = (row.records, facts.records);
            let place = Place::row(row.drop, row.incarnation, row.seq);
            findings.add(place, Chain::RecordCount { stated, found });
        }
        counts.records += facts.records;
        let place = Place::row(row.drop, row.incarnation, row.seq);
        if row.drop == DropId::HOUSE {
            self.brake.row(&facts.rest, place, times.at, findings);
            self.unmatched.row(&facts.rest, place, findings);
        }
        self.rooms.row(row.drop, &facts.rest, place, findings);
        self.copies.row(row.drop, &facts.rest, place, findings);
        self.brake.takes(&facts.taken, place, findings);
        self.links.row(row, &facts.viewers, findings);
        self.keys.row(row, &facts.rest);
        self.seals.row(row, times.at, facts);
        self.orders.row(row, times.at, &facts.orders, findings)
    }

    fn finish(
        mut self,
        journal: &dyn Journal,
        counts: &mut Counts,
        findings: &mut Findings,
    ) -> Result<(), ReadError> {
        let end_times = self.chains.end_times();
        self.chains.finish(&journal.nodes()?, &journal.incarnations()?, findings);
        for replay in self.drops.values_mut() {
            replay.finish(&self.starts, &end_times, counts, findings);
        }
        self.copies.finish(findings);
        self.links.finish(findings);
        let sums = self.drops.iter().flat_map(|(drop, replay)| {
            replay.sums().map(|(pool, supplied, taken)| (*drop, pool, supplied, taken))
        });
        let sku_of = |drop, pool| match self.drops.get(&drop) {
            Some(replay) => replay.filed_under(pool),
            None => own_number(pool),
        };
        tables::check_supply(&journal.supply()?, sums, sku_of, findings);
        self.keys.finish(journal.command_keys()?, findings);
        self.seals.finish(journal.seals()?, findings);
        counts.commits = self.chains.commits;
        counts.viewers = self.links.viewers;
        let drops = self.drops.keys().filter(|drop| **drop != DropId::HOUSE).count();
        counts.drops = u64::try_from(drops).expect("drops have 32 bits");
        (counts.orders, counts.orders_pending) = self.orders.finish(findings)?;
        Ok(())
    }
}
