//! Reads a sale from the journal: the sell-out report, audit lines, an independent verifier.
//!
//! The crate exists to read the ledger from the outside: it knows the ledger's read port, nothing
//! of the database, nothing of the engine, so that what it finds is no echo of the engine's own opinion.

pub mod audit;
mod bound_keys;
mod chain;
mod channel_cut;
pub mod commands;
mod csv;
pub mod fold;
mod json;
mod kept;
pub mod lineage;
pub mod orders;
mod read;
mod reader;
pub mod show;
mod suspensions;
mod tables;
mod text;
mod times;
pub mod verify;

pub use bound_keys::{BoundCommand, BoundKeys};
pub use channel_cut::{ChannelReportJson, ShowChannelReportJson};
pub use fold::{DropReport, Fold, FoldError};
pub use json::{CHANNELS_LISTED_MAX, CountsJson, ReportJson};
pub use read::{LedgerReport, ReportError, drop_plan, drop_report, ledger_report, reports};
pub use reader::ReportReader;
pub use show::ShowReport;
pub use stampede_ledger::{Journal, JournalSource, ReadError};
pub use tables::XlsxError;
pub use text::ReportSheet;
pub use verify::{Verification, verify_journal};
