//! Ledgers of the past are those that a server would have left.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use stampede_domain::UnixMillis;
use stampede_ledger::{PhaseRecord, SqliteJournal};
use stampede_report::{drop_report, verify_journal};
use stampede_testkit::{PastLedger, plan};

#[test]
fn a_past_sale_is_sound_and_tells_what_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = PastLedger::create(folder.path(), UnixMillis::new(1_763_816_400_000));
    let mut mugs = ledger.plan(plan(3));
    mugs.open(&mut ledger);
    let holds = [1, 2, 3].map(|who| mugs.take(&mut ledger, who, (0, 1), Some("ben-tv")));
    ledger.wait(1_000);
    mugs.confirm(&mut ledger, &holds[0]);
    mugs.release(&mut ledger, &holds[1]);
    ledger.wait(60_000);
    mugs.expire(&mut ledger, &holds[2]);
    mugs.settle(&mut ledger);
    let mut called_off = ledger.plan(plan(5));
    called_off.phase(&mut ledger, PhaseRecord::Cancelled);
    ledger.finish();
    let journal = SqliteJournal::open(folder.path()).unwrap();
    let verification = verify_journal(&journal).unwrap();
    assert!(verification.findings.is_empty(), "{verification:?}");
    let report = drop_report(&journal, mugs.id).unwrap();
    assert_eq!((report.supplied, report.sold, report.buyers.len()), (3, 1, 1));
    assert_eq!(report.taken.expired.units, 1);
    assert!(drop_report(&journal, called_off.id).unwrap().phase.is_final());
}
