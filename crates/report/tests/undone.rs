//! A drop that was opened by mistake, whose opening was undone: what verify, the report and the list of commands say.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use stampede_domain::{DropId, DropPlan, DurationMs, Phase, UnixMillis};
use stampede_ledger::{HoldRecord, NoCopy, PhaseRecord, PlannedCopy, Record};
use stampede_report::{
    ShowReport,
    commands::{CommandEffect, commands},
    drop_report, reports,
    show::{ShowDrop, shows},
};
use support::{
    forge::{Forged, forge},
    journal, plan,
    sale::State,
    sim::Sim,
    verify_dir,
};
use tempfile::TempDir;

const DROP: DropId = DropId::new(1);
const COPY: DropId = DropId::new(2);

fn terms() -> DropPlan {
    let ends_at = Some(UnixMillis::new(support::START_MS + 60_000));
    DropPlan { ends_at, ..plan(&[10, 4]) }
}

/// A drop with three holds, one of them given back, that is called off; its copy has these terms.
fn called_off(copy: Option<DropPlan>) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    let drop = sim.open(terms());
    for who in 1..=3 {
        sim.now_ms += 100;
        sim.buy(drop, who, 0, 1, "a");
    }
    sim.flush();
    sim.end(drop, 0, State::Released);
    sim.flush();
    sim.undo(drop, copy);
    sim.close();
    dir
}

fn copied() -> TempDir {
    called_off(Some(DropPlan { ends_at: None, ..terms() }))
}

/// What verify finds once the rows were changed, with fitting hashes.
fn lie(ledger: &TempDir, change: impl FnOnce(&mut Vec<Forged>)) -> Vec<&'static str> {
    let dir = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(ledger.path()).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
    }
    forge(dir.path(), change);
    let verification = verify_dir(dir.path()).unwrap();
    verification.findings.iter().map(|finding| finding.fault.kind()).collect()
}

#[track_caller]
fn check(name: &str, ledger: &TempDir, change: impl FnOnce(&mut Vec<Forged>)) {
    let found = lie(ledger, change);
    assert!(found.contains(&name), "expected {name}: {found:?}");
}

/// The first record that `wanted` picks.
fn find(rows: &mut [Forged], wanted: impl Fn(&Record) -> bool) -> &mut Record {
    let mut records = rows.iter_mut().flat_map(|forged| &mut forged.records);
    records.find(|record| wanted(record)).expect("the sale has such a record")
}

fn is_undo(record: &Record) -> bool {
    matches!(record, Record::Phase(PhaseRecord::UndoBegun { .. }))
}

fn is_released(record: &Record) -> bool {
    matches!(record, Record::Hold(HoldRecord::Released { .. }))
}

#[test]
fn a_drop_that_was_called_off_is_sound_with_its_copy_or_without() {
    for copy in [Some(terms()), Some(DropPlan { ends_at: None, ..terms() }), None] {
        let ledger = called_off(copy);
        let verification = verify_dir(ledger.path()).unwrap();
        assert!(verification.ok, "{verification}");
        let counts = verification.counts;
        assert_eq!((counts.released, counts.confirmed, counts.live_holds), (3, 0, 0));
    }
}

#[test]
fn the_copy_has_the_terms_as_they_were_put_right() {
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    let drop = sim.open(terms());
    sim.pause(drop);
    sim.amend(drop, 3, 2);
    sim.flush();
    let put_right = DropPlan::clone(&sim.sale(drop).plan);
    assert_ne!(put_right, terms());
    sim.undo(drop, Some(put_right));
    sim.close();
    let verification = verify_dir(dir.path()).unwrap();
    assert!(verification.ok, "{verification}");
    check("copy_differs", &dir, |rows| {
        let limit = |record: &Record| matches!(record, Record::Planned { plan, .. } if plan.limit_per_viewer.get() == 3);
        if let Record::Planned { plan, .. } = find(rows, limit) {
            *plan = terms().into();
        }
    });
}

#[test]
fn a_take_may_become_durable_behind_the_undo_that_it_preceded() {
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    let drop = sim.open(terms());
    sim.now_ms += 100;
    sim.buy(drop, 1, 0, 1, "a");
    sim.undo(drop, None);
    sim.close();
    let verification = verify_dir(dir.path()).unwrap();
    assert!(verification.ok, "{verification}");
    check("taken_while_shut", &dir, |rows| {
        let taken = find(rows, |record| matches!(record, Record::Hold(HoldRecord::Taken { .. })));
        if let Record::Hold(HoldRecord::Taken { taken_at, .. }) = taken {
            *taken_at = taken_at.plus(DurationMs::new(1));
        }
    });
}

#[test]
fn lies_about_an_undone_opening_are_found() {
    let ledger = copied();
    // The last of the holds that were called off is an order after all.
    check("confirmed_after_undo", &ledger, |rows| confirm_last(rows));
    check("undone_after_orders", &ledger, |rows| {
        let released = find(rows, is_released);
        let Record::Hold(HoldRecord::Released { hold, units }) = *released else { unreachable!() };
        let (viewer, channel) = (support::viewer(1), None);
        let amount = support::eur(1_990);
        *released = Record::Hold(HoldRecord::Confirmed { hold, viewer, units, amount, channel });
    });
    check("voided_live", &ledger, |rows| {
        let last = rows.iter_mut().rev().find(|forged| forged.records.iter().any(is_released));
        let records = &mut last.unwrap().records;
        let place = records.iter().position(is_released).unwrap();
        records.remove(place);
    });
    check("voided_without_undo", &ledger, |rows| {
        *find(rows, is_undo) = Record::Phase(PhaseRecord::Paused);
    });
    check("voided_without_undo", &ledger, |rows| {
        *find(rows, is_undo) = Record::Phase(PhaseRecord::Closed);
    });
    check("not_allowed", &ledger, |rows| {
        let voided = |record: &Record| *record == Record::Phase(PhaseRecord::Voided);
        *find(rows, voided) = Record::Phase(PhaseRecord::Settled);
    });
}

fn confirm_last(rows: &mut [Forged]) {
    let mut records = rows.iter_mut().rev().flat_map(|forged| forged.records.iter_mut().rev());
    let released = records.find(|record| is_released(record)).unwrap();
    let Record::Hold(HoldRecord::Released { hold, units }) = *released else { unreachable!() };
    let viewer = support::viewer(3);
    let channel = support::sim::channel_of(3);
    let amount = support::eur(1_990);
    *released = Record::Hold(HoldRecord::Confirmed { hold, viewer, units, amount, channel });
}

#[test]
fn lies_about_the_copy_are_found() {
    let ledger = copied();
    let name = |copy| {
        move |rows: &mut Vec<Forged>| {
            *find(rows, is_undo) = Record::Phase(PhaseRecord::UndoBegun { copy });
        }
    };
    check("copy_missing", &ledger, name(PlannedCopy::Drop(DropId::new(9))));
    check("copy_missing", &ledger, name(PlannedCopy::Drop(DROP)));
    assert_eq!(
        lie(&ledger, name(PlannedCopy::None(NoCopy::MemoryFull))),
        Vec::<&str>::new(),
        "nothing says that it is not a plan of its own"
    );
    let mut dearer = terms();
    dearer.skus[0].price = support::eur(2_990);
    for other in [
        dearer,
        DropPlan { starts_at: Some(UnixMillis::new(support::START_MS + 9_000)), ..terms() },
        DropPlan { running_order: 7, ..terms() },
    ] {
        let verification = verify_dir(called_off(Some(other)).path()).unwrap();
        let kinds = verification.findings.iter().map(|finding| finding.fault.kind());
        assert_eq!(kinds.collect::<Vec<_>>(), ["copy_differs"], "{verification}");
    }
}

#[test]
fn the_report_of_a_drop_that_was_called_off_counts_in_no_sum() {
    let ledger = copied();
    let journal = journal(ledger.path());
    let report = drop_report(&journal, DROP).unwrap();
    assert_eq!((report.phase, report.sold, report.held, report.left()), (Phase::Voided, 0, 0, 14));
    assert_eq!((report.taken.released.holds, report.settled_after), (3, None));
    assert!(report.closing_hash.is_some(), "it is final");
    let all = reports(&journal).unwrap();
    let found = shows(all.iter().map(ShowDrop::of), report.as_of);
    assert_eq!(found.len(), 1);
    let show = ShowReport::new(all.iter().cloned().map(std::sync::Arc::new).collect()).unwrap();
    let of = |report: &std::sync::Arc<stampede_report::DropReport>| report.drop;
    assert_eq!(show.called_off().map(of).collect::<Vec<_>>(), [DROP]);
    assert_eq!(show.counted().map(of).collect::<Vec<_>>(), [COPY]);
    assert_eq!((show.sums().taken, show.sums().supplied), (0, 0));
    let json = serde_json::to_value(show.json()).unwrap();
    assert_eq!(json["cancelled"][0]["phase"], "voided");
    assert_eq!(json["drops"][0]["phase"], "scheduled");
}

#[test]
fn the_list_of_commands_says_what_became_of_the_copy() {
    for (ledger, copy) in [
        (copied(), PlannedCopy::Drop(COPY)),
        (called_off(None), PlannedCopy::None(NoCopy::StreamFull)),
    ] {
        let all = commands(&journal(ledger.path()), None, 10, |_| true).unwrap().commands;
        let undo = all.iter().find(|one| one.command.action.as_str() == "undo").unwrap();
        assert_eq!(undo.did, Some(CommandEffect::Undone { copy }));
        let others = all.iter().filter(|one| one.command.action.as_str() != "undo");
        assert!(others.into_iter().all(|one| one.did.is_none()), "no other has a copy");
    }
}
