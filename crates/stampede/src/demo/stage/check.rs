//! Promises held against the ledger.

use std::path::{Path, PathBuf};

use stampede_ledger::SqliteJournal;
use stampede_loadtest::{
    ControlClient, ControlError, PromiseLogError, ReportedMoney, TillAccount, audit_promises,
    promise_bytes, read_promises_within,
};
use tokio::task::spawn_blocking;

use super::super::DemoError;
use crate::failure::Failure;

/// The promises that had come at a moment: how long each log was.
#[derive(Debug)]
pub(super) struct ReceivedPromises(Vec<Log>);

#[derive(Debug)]
struct Log {
    drop: String,
    path: PathBuf,
    bytes: u64,
}

/// What the ledger keeps of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Check {
    pub(super) given: u64,
    pub(super) kept: u64,
    /// Whether the verifier finds nothing wrong, the audit neither.
    pub(super) sound: bool,
    /// The first things that are wrong, in words.
    pub(super) wrong: Vec<String>,
}

impl ReceivedPromises {
    /// Those of this moment.
    pub(super) fn now(logs: &Path) -> Result<Self, DemoError> {
        let unusable =
            |source| DemoError::Promises(PromiseLogError::Io { path: logs.to_owned(), source });
        let mut received = Vec::new();
        for entry in std::fs::read_dir(logs).map_err(unusable)? {
            let path = entry.map_err(unusable)?.path();
            let drop = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            let (drop, bytes) = (drop.to_owned(), promise_bytes(&path)?);
            received.push(Log { drop, path, bytes });
        }
        Ok(Self(received))
    }

    /// Holds them against the ledger of a running server, which must have been read later.
    pub(super) async fn check(
        self,
        control: ControlClient,
        ledger: PathBuf,
    ) -> Result<Check, Failure> {
        let mut check = Check { sound: true, ..Check::default() };
        for log in self.0 {
            check.add(log, &control).await?;
        }
        let verify = move || stampede_report::verify_journal(&SqliteJournal::open(&ledger)?);
        let verified = spawn_blocking(verify).await;
        let verified = verified.expect("the verifier neither panics nor is cancelled")?;
        if verified.found > 0 {
            check.sound = false;
            check.wrong.push(format!("the verifier has {} findings", verified.found));
        }
        Ok(check)
    }
}

impl Check {
    async fn add(&mut self, log: Log, control: &ControlClient) -> Result<(), Failure> {
        let Log { drop, path, bytes } = log;
        let ledger =
            control.ledger(&drop).await.map_err(|error: ControlError| DemoError::from(error))?;
        let audited = spawn_blocking(move || {
            read_promises_within(&path, bytes).map(|promises| audit_promises(&promises, &ledger))
        });
        let audit = audited.await.expect("an audit neither panics nor is cancelled");
        let audit = audit.map_err(DemoError::from)?;
        self.given += audit.promises;
        self.kept += audit.promises - audit.promises_lost;
        self.sound &= audit.is_clean();
        self.wrong.extend(audit.mismatches.into_iter().map(|what| format!("{drop}: {what}")));
        Ok(())
    }

    /// Holds the till's books against the server's: the ledger of each drop, and its report.
    pub(super) async fn compare_money(
        &mut self,
        till: &TillAccount,
        control: &ControlClient,
    ) -> Result<(), Failure> {
        let mut wrong = till.wrong.clone();
        for drop in till.drops.keys() {
            let ledger = control.ledger(drop).await.map_err(DemoError::from)?;
            let report = control.report(drop).await.map_err(DemoError::from)?;
            let reported: ReportedMoney = serde_json::from_value(report)?;
            wrong.extend(till.differences(drop, &ledger, reported));
        }
        self.sound &= wrong.is_empty();
        self.wrong.append(&mut wrong);
        Ok(())
    }

    pub(super) fn is_good(&self) -> bool {
        self.sound && self.kept == self.given
    }
}
