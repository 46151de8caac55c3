//! The database's own check of its file.

use stampede_ledger::{Journal, ReadError};

use super::finding::{FINDINGS_MAX, Fault, Findings, Place};

/// Lets the database look at every page, index, constraint.
pub(super) fn check(journal: &dyn Journal, findings: &mut Findings) {
    let reports = match journal.inspect(FINDINGS_MAX) {
        Ok(reports) => reports,
        Err(ReadError::Backend { source, .. }) => vec![source.to_string()],
        Err(error) => vec![error.to_string()],
    };
    for report in reports {
        findings.add(Place::LEDGER, Fault::File { report });
    }
}
