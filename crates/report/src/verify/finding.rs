//! The faults that a verification may find, each with its numbers.

use std::fmt;

use stampede_domain::{DropId, Incarnation, Seq};

use super::{
    brake::BrakeFault,
    chain::ChainFault,
    copies::CopyFault,
    holds::HoldFault,
    money::{MoneyFault, UnmatchedFault},
    phases::PhaseFault,
    rooms::RoomFault,
    tables::TableFault,
};

/// Findings that a verification keeps; it counts the rest.
pub const FINDINGS_MAX: usize = 100;

/// Where in a ledger something was found; parts that do not apply are absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The drop's chain.
    pub drop: Option<DropId>,
    /// The node's start.
    pub incarnation: Option<Incarnation>,
    /// The commit.
    pub seq: Option<Seq>,
    /// The record within the row, from 0.
    pub record: Option<u32>,
}

impl Place {
    /// The ledger as a whole.
    pub const LEDGER: Self = Self { drop: None, incarnation: None, seq: None, record: None };

    /// A commit over all drops.
    pub const fn commit(incarnation: Incarnation, seq: Seq) -> Self {
        Self { drop: None, incarnation: Some(incarnation), seq: Some(seq), record: None }
    }

    /// A drop as a whole.
    pub const fn drop(drop: DropId) -> Self {
        Self { drop: Some(drop), incarnation: None, seq: None, record: None }
    }

    /// A journal row.
    pub const fn row(drop: DropId, incarnation: Incarnation, seq: Seq) -> Self {
        Self { drop: Some(drop), incarnation: Some(incarnation), seq: Some(seq), record: None }
    }

    /// A record of this row.
    #[must_use]
    pub const fn record(self, record: u32) -> Self {
        Self { record: Some(record), ..self }
    }
}

impl fmt::Display for Place {
    /// `d3 incarnation 1 commit 17 record 4`, or `ledger`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.drop.map(|drop| drop.to_string()),
            self.incarnation.map(|number| format!("incarnation {number}")),
            self.seq.map(|seq| format!("commit {seq}")),
            self.record.map(|record| format!("record {record}")),
        ];
        let words: Vec<String> = parts.into_iter().flatten().collect();
        f.write_str(if words.is_empty() { "ledger" } else { "" })?;
        f.write_str(&words.join(" "))
    }
}

/// One thing that is wrong with a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub place: Place,
    /// What.
    pub fault: Fault,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.fault)
    }
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The database file, as `SQLite` sees it.
    #[error("the database file is damaged: {report}")]
    File {
        /// `SQLite`'s own sentence.
        report: String,
    },
    /// A table that cannot be read to its end.
    #[error("unreadable from here on: {report}")]
    Unreadable {
        /// The reader's sentence.
        report: String,
    },
    /// Rows that do not chain.
    #[error(transparent)]
    Chain(#[from] ChainFault),
    /// A drop that did what its phase forbids.
    #[error(transparent)]
    Phase(#[from] PhaseFault),
    /// Takes or holds that contradict each other.
    #[error(transparent)]
    Hold(#[from] HoldFault),
    /// Money that does not add up.
    #[error(transparent)]
    Money(#[from] MoneyFault),
    /// Money that nobody could match, and that is done with, though nobody knew of it.
    #[error(transparent)]
    Unmatched(#[from] UnmatchedFault),
    /// A brake that contradicts itself.
    #[error(transparent)]
    Brake(#[from] BrakeFault),
    /// Rooms that contradict themselves, or drops that stand in the wrong one.
    #[error(transparent)]
    Room(#[from] RoomFault),
    /// The copy of an undone opening that is none.
    #[error(transparent)]
    Copy(#[from] CopyFault),
    /// Tables that disagree with the journal.
    #[error(transparent)]
    Table(#[from] TableFault),
}

impl Fault {
    /// A stable name for programs.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::File { .. } => "file_damaged",
            Self::Unreadable { .. } => "unreadable",
            Self::Chain(fault) => fault.kind(),
            Self::Phase(fault) => fault.kind(),
            Self::Hold(fault) => fault.kind(),
            Self::Money(fault) => fault.kind(),
            Self::Unmatched(fault) => fault.kind(),
            Self::Brake(fault) => fault.kind(),
            Self::Room(fault) => fault.kind(),
            Self::Copy(fault) => fault.kind(),
            Self::Table(fault) => fault.kind(),
        }
    }
}

/// Collects findings, at most [`FINDINGS_MAX`]; counts all.
#[derive(Debug, Default)]
pub(super) struct Findings {
    kept: Vec<Finding>,
    found: u64,
}

impl Findings {
    pub(super) fn add(&mut self, place: Place, fault: impl Into<Fault>) {
        self.found += 1;
        if self.kept.len() < FINDINGS_MAX {
            self.kept.push(Finding { place, fault: fault.into() });
        }
    }

    /// The findings kept, with the number of all.
    pub(super) fn into_parts(self) -> (Vec<Finding>, u64) {
        (self.kept, self.found)
    }
}
