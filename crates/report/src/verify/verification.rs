//! The result of a verification, as text or JSON.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;
use stampede_domain::{DropId, Incarnation, Seq};
use stampede_ledger::RowHash;

use super::finding::{FINDINGS_MAX, Finding, Findings};
use crate::text::grouped;

/// What a verification went through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Drops with a chain of their own.
    pub drops: u64,
    /// Journal rows.
    pub rows: u64,
    /// Commits.
    pub commits: u64,
    /// Records.
    pub records: u64,
    /// Bytes of all bodies.
    pub bytes: u64,
    /// Takes.
    pub takes: u64,
    /// Holds that became orders.
    pub confirmed: u64,
    /// Holds given back.
    pub released: u64,
    /// Holds whose deadline passed.
    pub expired: u64,
    /// Holds that have not ended.
    pub live_holds: u64,
    /// Take numbers that never became durable, as restarts list them.
    pub takes_lost: u64,
    /// Take numbers that commits still under way, or a crash, leave open.
    pub takes_under_way: u64,
    /// Rows of the orders table.
    pub orders: u64,
    /// Orders that the projection still has to make.
    pub orders_pending: u64,
    /// Viewers with a link.
    pub viewers: u64,
}

/// Whether a ledger is sound.
#[derive(Clone, Debug)]
#[must_use]
pub struct Verification {
    /// Whether nothing was found.
    pub ok: bool,
    /// What was found, in the order of discovery; at most [`FINDINGS_MAX`].
    pub findings: Vec<Finding>,
    /// How much was found, beyond the limit too.
    pub found: u64,
    /// What was looked at.
    pub counts: Counts,
    /// The last hash of each chain. Noted elsewhere, they betray a person who rewrites everything;
    /// empty if the journal could not be read to its end.
    pub heads: BTreeMap<DropId, RowHash>,
}

impl Verification {
    pub(super) fn new(
        findings: Findings,
        counts: Counts,
        heads: BTreeMap<DropId, RowHash>,
    ) -> Self {
        let (findings, found) = findings.into_parts();
        Self { ok: found == 0, findings, found, counts, heads }
    }

    /// `ok` or `damaged`.
    pub const fn verdict(&self) -> &'static str {
        if self.ok { "ok" } else { "damaged" }
    }

    /// The result for programs.
    pub fn json(&self) -> VerificationJson {
        VerificationJson {
            verify: self.verdict(),
            found: self.found,
            findings_max: FINDINGS_MAX,
            findings: self.findings.iter().map(FindingJson::of).collect(),
            counts: self.counts,
            heads: self
                .heads
                .iter()
                .map(|(drop, hash)| (drop.to_string(), hash.to_string()))
                .collect(),
        }
    }
}

impl fmt::Display for Verification {
    /// The result for people; several lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { drops, commits, records, takes, confirmed, .. } = self.counts;
        writeln!(f, "verify       {}", self.verdict())?;
        writeln!(f, "journal      {} records in {} commits", grouped(records), grouped(commits))?;
        writeln!(f, "drops        {}", grouped(drops))?;
        let lost = self.counts.takes_lost;
        writeln!(f, "takes        {} ({} lost in restarts)", grouped(takes), grouped(lost))?;
        let (released, expired) = (self.counts.released, self.counts.expired);
        let ends = [grouped(confirmed), grouped(released), grouped(expired)];
        writeln!(
            f,
            "holds        {} confirmed, {} released, {} expired",
            ends[0], ends[1], ends[2]
        )?;
        let (live, under_way) = (self.counts.live_holds, self.counts.takes_under_way);
        writeln!(
            f,
            "open         {} holds, {} takes under way",
            grouped(live),
            grouped(under_way)
        )?;
        let (orders, pending) = (self.counts.orders, self.counts.orders_pending);
        writeln!(f, "orders       {} ({} to be made)", grouped(orders), grouped(pending))?;
        writeln!(f, "viewers      {}", grouped(self.counts.viewers))?;
        for (drop, hash) in &self.heads {
            writeln!(f, "{:<12} {hash}", format!("head {drop}"))?;
        }
        if self.ok {
            return Ok(());
        }
        writeln!(f, "findings     {}", grouped(self.found))?;
        for finding in &self.findings {
            writeln!(f, "  {finding} [{}]", finding.fault.kind())?;
        }
        if self.found > self.findings.len() as u64 {
            writeln!(f, "  ... only the first {FINDINGS_MAX} are listed")?;
        }
        Ok(())
    }
}

/// A [`Verification`] on its way to JSON.
#[derive(Clone, Debug, Serialize)]
pub struct VerificationJson {
    /// `ok` or `damaged`.
    pub verify: &'static str,
    /// How much was found.
    pub found: u64,
    /// How many findings are listed at most.
    pub findings_max: usize,
    /// What was found.
    pub findings: Vec<FindingJson>,
    /// What was looked at.
    pub counts: Counts,
    /// The last hash of each chain, by drop; `d0` is the house's.
    pub heads: BTreeMap<String, String>,
}

/// A [`Finding`] on its way to JSON.
#[derive(Clone, Debug, Serialize)]
pub struct FindingJson {
    /// The drop, like `d3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drop: Option<String>,
    /// The node's start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<u32>,
    /// The commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The record within the row, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<u32>,
    /// Stable name of the fault.
    pub kind: &'static str,
    /// What is wrong, with its numbers.
    pub what: String,
}

impl FindingJson {
    fn of(finding: &Finding) -> Self {
        let place = finding.place;
        Self {
            drop: place.drop.map(|drop| drop.to_string()),
            incarnation: place.incarnation.map(Incarnation::get),
            seq: place.seq.map(Seq::get),
            record: place.record,
            kind: finding.fault.kind(),
            what: finding.fault.to_string(),
        }
    }
}
