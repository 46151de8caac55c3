//! Ledgers of the past are those that a server would have left.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use stampede_domain::{Amendment, DropPlan, UnixMillis, ViewerLimits};
use stampede_ledger::{
    Amended, CorrectionRecord, NoCopy, PhaseRecord, PlannedCopy, Record, SqliteJournal,
};
use stampede_report::{
    ReportSheet,
    commands::{CommandEffect, commands},
    drop_plan, drop_report, ledger_report, verify_journal,
};
use stampede_testkit::{PastLedger, plan, units};

/// When the ledgers begin.
const FROM: UnixMillis = UnixMillis::new(1_763_816_400_000);

#[test]
fn the_terms_of_a_drop_are_those_that_were_amended_last_also_once_it_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = PastLedger::create(folder.path(), FROM);
    let mut limits = |ends: &[PhaseRecord]| {
        let terms = plan(3);
        let mut drop = ledger.plan(terms.clone());
        drop.open(&mut ledger);
        drop.phase(&mut ledger, PhaseRecord::Paused);
        let mut limits = ViewerLimits::of(&terms);
        (limits.of_drop, limits.of_skus[0]) = (units(1), units(1));
        let amendment = Amendment { limits: Some(limits), end: None };
        let amended = Amended { amendment, last_takes: Vec::new() };
        ledger.push(drop.id, CorrectionRecord::Amended(Box::new(amended)));
        drop.phase(&mut ledger, PhaseRecord::Resumed);
        drop.lot(&mut ledger, 0, 2);
        for end in ends {
            drop.phase(&mut ledger, *end);
        }
        drop.id
    };
    let copy = PlannedCopy::None(NoCopy::StreamFull);
    let drops = [
        limits(&[PhaseRecord::Closed, PhaseRecord::Settled]),
        limits(&[PhaseRecord::UndoBegun { copy }, PhaseRecord::Voided]),
    ];
    ledger.finish();
    let journal = SqliteJournal::open(folder.path()).unwrap();
    for drop in drops {
        let terms = drop_plan(&journal, drop).unwrap();
        assert_eq!(terms.limit_per_viewer, units(1), "{drop}");
    }
}

#[test]
fn a_rehearsal_is_in_no_show_and_its_commands_tell_the_stream() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = PastLedger::create(folder.path(), FROM);
    let live = ledger.plan(plan(3));
    let terms: DropPlan = plan(3).rehearsed(live.id, FROM);
    let mut copy = ledger.plan(terms);
    let command = |action: &str| {
        let key = stampede_domain::KeyFingerprint::of(action.as_bytes());
        let (actor, role, action, reason) = ("ada".into(), "host".into(), action.into(), "".into());
        let outcome = stampede_ledger::RecordedOutcome::Accepted;
        let request = key;
        let command =
            stampede_ledger::Command { actor, role, action, key, request, reason, outcome };
        Record::Command(Box::new(command))
    };
    ledger.push(copy.id, command("rehearse"));
    ledger.wait(1_000);
    ledger.push(copy.id, command("end_rehearsal"));
    copy.phase(&mut ledger, PhaseRecord::Cancelled);
    ledger.finish();
    let journal = SqliteJournal::open(folder.path()).unwrap();
    let page = commands(&journal, None, 10, |_| true).unwrap();
    let stream = plan(3).stream;
    for recorded in &page.commands {
        let did = CommandEffect::Rehearsal { stream: stream.clone() };
        assert_eq!(recorded.did, Some(did), "{}", recorded.command.action.as_str());
        assert_eq!(recorded.drop, copy.id);
    }
    assert_eq!(page.commands.len(), 2);
    let sheet = ReportSheet(&ledger_report(&journal).unwrap()).to_string();
    assert!(sheet.contains("left out: rehearsals 0, cancelled and voided drops 0"), "{sheet}");
    let verification = verify_journal(&journal).unwrap();
    assert!(verification.findings.is_empty(), "{verification:?}");
}

#[test]
fn a_past_sale_is_sound_and_tells_what_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = PastLedger::create(folder.path(), FROM);
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
