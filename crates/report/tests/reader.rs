//! Reports that are kept between reads.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::{
    cell::OnceCell,
    path::Path,
    rc::Rc,
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use proptest::prelude::*;
use rusqlite::Connection;
use stampede_domain::{DropId, RefundReason};
use stampede_ledger::LEDGER_FILE;
use stampede_report::{FoldError, ReportError, ReportReader, drop_report};
use support::{
    busy::busy_sale,
    counted::Counted,
    journal,
    money::{PRICE, cancelled, due},
    plan,
    sale::State,
    sim::Sim,
    steps::{play, step},
};

const FIRST: DropId = DropId::new(1);
const SECOND: DropId = DropId::new(2);

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_drop_that_is_followed_equals_one_that_is_folded_anew(
        steps in proptest::collection::vec(step(), 0..60),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut sim = Sim::new(dir.path());
        for supplies in [&[9, 4][..], &[6]] {
            sim.open(plan(supplies));
        }
        let (reader, journal) = (ReportReader::new(), journal(dir.path()));
        let compare = || {
            for drop in [FIRST, SECOND] {
                let followed = reader.drop(&journal, drop).unwrap();
                assert_eq!(*followed, drop_report(&journal, drop).unwrap());
            }
        };
        for step in &steps {
            play(&mut sim, std::slice::from_ref(step));
            sim.flush();
            compare();
        }
        sim.settle(FIRST);
        compare();
        let ordered = sim.sale(FIRST).holds.iter().find(|hold| hold.state == State::Confirmed);
        if let Some(hold) = ordered.map(|hold| hold.id) {
            sim.adjust(hold, cancelled(1, PRICE));
            sim.adjust(hold, due(&format!("{hold}-1"), PRICE, RefundReason::Cancelled));
            sim.flush();
            compare();
        }
        sim.close();
    }
}

#[test]
fn a_settled_drop_is_folded_once() {
    let dir = tempfile::tempdir().unwrap();
    busy_sale(dir.path());
    let (reader, counted) = (ReportReader::new(), Counted::open(dir.path()));
    let first = reader.drop(&counted, FIRST).unwrap();
    let rows = counted.rows.get();
    assert_eq!(u64::try_from(rows).unwrap(), first.journal.commits);
    let again = reader.drop(&counted, FIRST).unwrap();
    assert!(Arc::ptr_eq(&first, &again), "nothing was made anew");
    assert_eq!(counted.rows.get(), rows);
}

#[test]
fn what_is_kept_is_bounded_by_its_entries() {
    let dir = tempfile::tempdir().unwrap();
    busy_sale(dir.path());
    let counted = Counted::open(dir.path());
    let rows_read = |reader: &ReportReader, drops: &[DropId]| {
        let before = counted.rows.get();
        for drop in drops {
            reader.drop(&counted, *drop).unwrap();
        }
        counted.rows.get() - before
    };
    let roomy = ReportReader::new();
    let both = rows_read(&roomy, &[FIRST, SECOND]);
    assert_eq!(rows_read(&roomy, &[FIRST, SECOND, FIRST]), 0);
    let narrow = ReportReader::with_room(1);
    assert_eq!(rows_read(&narrow, &[FIRST, SECOND]), both);
    assert_eq!(rows_read(&narrow, &[SECOND]), 0, "the one that was read last stays");
    assert_eq!(rows_read(&narrow, &[FIRST, SECOND]), both);
}

#[test]
fn drops_that_may_be_large_are_folded_one_at_a_time() {
    const SETTLED: DropId = DropId::new(3);
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    for _ in [FIRST, SECOND, SETTLED] {
        sim.open(plan(&[3]));
    }
    sim.settle(SETTLED);
    sim.close();
    let reader = Arc::new(ReportReader::new());
    let other: Rc<OnceCell<JoinHandle<()>>> = Rc::default();
    let mut counted = Counted::open(dir.path());
    counted.before_rows = Box::new({
        let (reader, other, path) = (Arc::clone(&reader), Rc::clone(&other), dir.path().to_owned());
        move || {
            if other.get().is_some() {
                return;
            }
            (*reader).drop(&journal(&path), SETTLED).unwrap();
            let (reader, path, (tell, told)) =
                (Arc::clone(&reader), path.clone(), mpsc::sync_channel(1));
            let read = move || {
                let mut counted = Counted::open(&path);
                // Nobody listens any more if it has waited for its turn.
                counted.before_rows = Box::new(move || {
                    let _ = tell.try_send(());
                });
                (*reader).drop(&counted, SECOND).unwrap();
            };
            other.set(thread::spawn(read)).unwrap();
            // That it waits cannot be seen: it has its chance to come too early.
            let early = told.recv_timeout(Duration::from_millis(100));
            assert_eq!(early, Err(RecvTimeoutError::Timeout), "it did not wait for its turn");
        }
    });
    (*reader).drop(&counted, FIRST).unwrap();
    drop(counted);
    Rc::into_inner(other).unwrap().into_inner().unwrap().join().unwrap();
}

/// Makes the newest row of a drop unreadable.
fn damage(path: &Path, drop: DropId) {
    let connection = Connection::open(path.join(LEDGER_FILE)).unwrap();
    connection.pragma_update(None, "ignore_check_constraints", true).unwrap();
    let newest = "SELECT max(rowid) FROM journal WHERE drop_id = ?1";
    let sql = format!("UPDATE journal SET body = x'00' WHERE rowid = ({newest})");
    assert_eq!(connection.execute(&sql, [drop.get()]).unwrap(), 1);
}

#[test]
fn a_damaged_row_is_named_and_harms_no_other_drop() {
    let dir = tempfile::tempdir().unwrap();
    busy_sale(dir.path());
    let reader = ReportReader::new();
    let other = reader.drop(&journal(dir.path()), SECOND).unwrap();
    damage(dir.path(), FIRST);
    for _ in 0..2 {
        let error = reader.drop(&journal(dir.path()), FIRST).unwrap_err();
        let ReportError::Fold(FoldError::Record { drop: FIRST, incarnation, seq, .. }) = &error
        else {
            panic!("{error}");
        };
        let words = format!("d1 incarnation {incarnation} commit {seq}: ");
        assert!(error.to_string().contains(&words), "{error}");
    }
    let again = reader.drop(&journal(dir.path()), SECOND).unwrap();
    assert!(Arc::ptr_eq(&other, &again));
    let unknown = reader.drop(&journal(dir.path()), DropId::new(77));
    assert!(matches!(unknown, Err(ReportError::NoDrop { .. })));
}
