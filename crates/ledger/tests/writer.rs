//! The writer against a ledger that fails on order.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::{sync::Arc, thread};

use stampede_domain::{DropId, limits::BATCH_RECORDS_MAX};
use stampede_ledger::{
    Applier, Entry, PhaseRecord, Record, RingConfig, Row, RowHash, StoreError, Writer,
    fake::{FakeLedger, Fault},
};
use support::{
    ApplierLog, DROP, Rig, entry, entry_in, fixed_now, hold, hold_in, lot, node, taken, wait, wake,
};

fn records_of(rows: &[Row]) -> Vec<Record> {
    rows.iter().flat_map(|row| row.decode().collect::<Result<Vec<_>, _>>().unwrap()).collect()
}

/// A rig whose first commit hangs, with one entry in it.
fn hanging(entries_max: usize) -> (FakeLedger, Rig) {
    let ledger = FakeLedger::new(node());
    ledger.order(1, Fault::Hang);
    let mut rig = Rig::start_with_room(ledger.open(), entries_max);
    rig.core.push(entry(lot(1_000_000)));
    ledger.wait_until_hanging();
    (ledger, rig)
}

#[test]
fn the_steward_is_served_before_a_flood_of_takes() {
    let (ledger, mut rig) = hanging(64);
    let incarnation = rig.incarnation;
    for number in 1..50 {
        rig.core.push(entry(taken(hold(incarnation, number))));
    }
    let paused = rig.steward.push(entry(Record::Phase(PhaseRecord::Paused)));
    ledger.release();
    wait(|| rig.steward.durable() >= paused && rig.core.durable() == rig.core.pushed());
    let batches = rig.seen.batches();
    assert_eq!(batches.len(), 2, "what waits goes into one commit");
    assert_eq!(batches[1][0], Record::Phase(PhaseRecord::Paused));
    assert_eq!(batches[1].len(), 50);
    assert_eq!((rig.steward.durable().get(), rig.core.durable().get()), (1, 50));
}

#[test]
fn staged_entries_wait_for_their_flush_and_are_one_commit() {
    let ledger = FakeLedger::new(node());
    let mut rig = Rig::start(ledger.open());
    let incarnation = rig.incarnation;
    let room = rig.core.room();
    for number in 1..=40 {
        rig.core.stage(entry(taken(hold(incarnation, number))));
    }
    assert_eq!(rig.core.room(), room - 40, "what is staged owns its room");
    let other = rig.steward.push(entry(Record::Phase(PhaseRecord::Paused)));
    wait(|| rig.steward.durable() >= other);
    assert_eq!(
        rig.seen.batches(),
        [[Record::Phase(PhaseRecord::Paused)]],
        "the writer has not seen the staged ones"
    );
    rig.core.flush();
    wait(|| rig.core.durable() == rig.core.pushed());
    assert_eq!(rig.seen.batches()[1].len(), 40);
}

#[test]
fn a_producer_that_goes_leaves_nothing_staged() {
    let ledger = FakeLedger::new(node());
    let Rig { mut core, writer, incarnation, .. } = Rig::start(ledger.open());
    core.stage(entry(taken(hold(incarnation, 1))));
    drop(core);
    writer.shutdown().unwrap();
    assert_eq!(records_of(&ledger.rows()), [taken(hold(incarnation, 1))]);
}

#[test]
fn nothing_is_durable_or_applied_while_the_commit_hangs() {
    let (ledger, rig) = hanging(64);
    assert_eq!(rig.core.durable().get(), 0);
    assert_eq!(rig.seen.records(), 0);
    assert_eq!(ledger.rows(), []);
    ledger.release();
    rig.writer.shutdown().unwrap();
    assert_eq!(rig.core.durable().get(), 1);
    assert_eq!(records_of(&ledger.rows()), [lot(1_000_000)]);
    assert_eq!(rig.core.room(), 0, "nobody drains the ring any more");
}

#[test]
fn a_batch_is_bounded() {
    let room = BATCH_RECORDS_MAX + 1_000;
    let (ledger, mut rig) = hanging(room);
    let incarnation = rig.incarnation;
    for number in 0..u32::try_from(room - 1).unwrap() {
        rig.core.push(entry(taken(hold(incarnation, number))));
    }
    ledger.release();
    wait(|| rig.core.durable() == rig.core.pushed());
    let sizes: Vec<usize> = rig.seen.batches().iter().map(Vec::len).collect();
    assert_eq!(sizes.iter().sum::<usize>(), room);
    assert!(sizes.iter().all(|size| *size <= BATCH_RECORDS_MAX), "{sizes:?}");
    // Room for one more flush is left.
    assert!(sizes[1] > BATCH_RECORDS_MAX - 512, "{sizes:?}");
}

#[test]
fn what_is_handed_over_together_stands_in_one_commit() {
    // Decisions of 300 records, waiting in one ring: they do not go into a commit evenly.
    let decisions = BATCH_RECORDS_MAX / 300 * 2;
    let (ledger, mut rig) = hanging(decisions * 300);
    let incarnation = rig.incarnation;
    for decision in 0..u32::try_from(decisions).unwrap() {
        for part in 0..300 {
            rig.core.stage(entry(taken(hold(incarnation, decision * 300 + part))));
        }
        rig.core.flush();
    }
    ledger.release();
    wait(|| rig.core.durable() == rig.core.pushed());
    let batches = rig.seen.batches();
    assert!(batches.len() > 2, "{} commits hold all of them", batches.len());
    for batch in &batches[1..] {
        assert_eq!(batch.len() % 300, 0, "a commit of {} records splits a decision", batch.len());
        assert!(batch.len() <= BATCH_RECORDS_MAX);
    }
}

#[test]
fn a_writer_that_is_awake_sees_a_decision_whole() {
    let ledger = FakeLedger::new(node());
    let mut rig = Rig::start_with_room(ledger.open(), 1 << 16);
    let incarnation = rig.incarnation;
    for decision in 0..5_000_u32 {
        while rig.core.room() < 2 {
            thread::yield_now();
        }
        for part in 0..2 {
            rig.core.stage(entry(taken(hold(incarnation, decision * 2 + part))));
        }
        rig.core.flush();
    }
    wait(|| rig.core.durable() == rig.core.pushed());
    let odd = rig.seen.batches().iter().filter(|batch| batch.len() % 2 != 0).count();
    assert_eq!(odd, 0, "commits with half a decision");
}

#[test]
fn a_failed_commit_promises_nothing_more() {
    for (fault, found_after_restart) in [(Fault::Before, 1), (Fault::After, 2)] {
        let ledger = FakeLedger::new(node());
        ledger.order(2, fault);
        let mut rig = Rig::start(ledger.open());
        rig.commit(vec![lot(5)]);
        let incarnation = rig.incarnation;
        rig.core.push(entry(taken(hold(incarnation, 1))));
        wait(|| rig.core.is_stopped() && !rig.seen.poisoned().is_empty());
        assert!(rig.writer.is_poisoned());
        assert_eq!(rig.core.durable().get(), 1);
        assert_eq!(rig.core.room(), 0);
        assert_eq!(rig.seen.records(), 1, "an unknown commit is not applied");
        assert_eq!(rig.seen.poisoned().len(), 1);
        assert!(rig.writer.shutdown().is_err());
        assert_eq!(ledger.commits(), 2, "nothing is tried after the failure");
        assert_eq!(ledger.rows().len(), found_after_restart, "{fault:?}");
    }
}

#[test]
fn a_lock_of_another_program_delays_the_batch_and_poisons_nothing() {
    let ledger = FakeLedger::new(node());
    ledger.order(2, Fault::Busy);
    let mut rig = Rig::start(ledger.open());
    rig.commit(vec![lot(5)]);
    let incarnation = rig.incarnation;
    rig.core.push(entry(taken(hold(incarnation, 1))));
    wait(|| rig.seen.is_busy() && ledger.commits() > 4);
    assert_eq!((rig.core.durable().get(), rig.writer.is_poisoned()), (1, false));
    ledger.release();
    wait(|| rig.core.durable() == rig.core.pushed());
    assert!(!rig.seen.is_busy());
    assert_eq!(records_of(&ledger.rows()), [lot(5), taken(hold(incarnation, 1))]);
    rig.writer.shutdown().unwrap();
}

#[test]
fn a_stop_does_not_wait_for_ever_for_a_lock() {
    let ledger = FakeLedger::new(node());
    ledger.order(1, Fault::Busy);
    let mut rig = Rig::start(ledger.open());
    rig.core.push(entry(lot(5)));
    ledger.wait_until_hanging();
    assert!(matches!(rig.writer.shutdown(), Err(StoreError::Busy)));
    assert_eq!((rig.core.durable().get(), ledger.rows().len()), (0, 0));
}

#[test]
fn every_promise_outlives_a_fault_at_any_commit() {
    for seed in 0..60 {
        let ledger = FakeLedger::new(node());
        let (commit, fault) = ledger.order_by_seed(seed, 12);
        let mut promised = Vec::new();
        for _start in 0..3 {
            let mut rig = Rig::start(ledger.open());
            let incarnation = rig.incarnation;
            for number in 1..30 {
                let hold = hold(incarnation, number);
                if rig.core.room() == 0 {
                    break;
                }
                let position = rig.core.push(entry(taken(hold)));
                if number % 3 == 0 {
                    wait(|| rig.core.durable() >= position || rig.core.is_stopped());
                }
            }
            let _outcome = rig.writer.shutdown();
            let durable = u32::try_from(rig.core.durable().get()).unwrap();
            promised.extend((1..=durable).map(|number| taken(hold(incarnation, number))));
        }
        let found = records_of(&ledger.rows());
        for promise in &promised {
            assert!(found.contains(promise), "seed {seed}: {fault:?} at {commit} lost {promise:?}");
        }
        let later = (found.len() - promised.len(), fault);
        assert!(later.0 == 0 || later.1 == Fault::After, "seed {seed}: {later:?}");
    }
}

#[test]
fn a_newer_start_fences_the_older_one() {
    let ledger = FakeLedger::new(node());
    let mut old = Rig::start(ledger.open());
    old.commit(vec![lot(5)]);
    let mut new = Rig::start(ledger.open());
    old.core.push(entry(lot(5)));
    wait(|| old.core.is_stopped());
    new.commit(vec![lot(7)]);
    assert_eq!(ledger.rows().len(), 2);
    let error = old.writer.shutdown().unwrap_err().to_string();
    assert_eq!(error, "node n1 incarnation 1 is fenced: commit 2 found another writer");
}

#[test]
fn each_drop_has_a_row_in_its_own_chain() {
    let (ledger, mut rig) = hanging(64);
    let incarnation = rig.incarnation;
    let other = DropId::new(7);
    rig.core.push(entry_in(other, taken(hold_in(other, incarnation, 1))));
    rig.core.push(entry(taken(hold(incarnation, 2))));
    rig.core.push(entry_in(other, taken(hold_in(other, incarnation, 3))));
    ledger.release();
    rig.writer.shutdown().unwrap();
    let rows = ledger.rows();
    let shape: Vec<_> =
        rows.iter().map(|row| (row.seq.get(), row.drop.get(), row.records)).collect();
    assert_eq!(shape, [(1, 1, 1), (2, 1, 1), (2, 7, 2)]);
    assert_eq!(rows[0].prev_hash, RowHash::genesis(DROP));
    assert_eq!(rows[1].prev_hash, rows[0].hash);
    assert_eq!(rows[2].prev_hash, RowHash::genesis(other));
    assert!(rows.iter().all(|row| row.hash == row.computed_hash()));
    assert_eq!(rows[2].header().unwrap().rows, 2);
    assert_eq!(ledger.open().links.viewers.len(), 3);
}

#[test]
fn time_never_runs_backwards_across_starts() {
    let ledger = FakeLedger::new(node());
    let mut opened = ledger.open();
    let future = stampede_domain::UnixMillis::new(support::AT_MS + 1_000_000);
    opened.chains.last_at = future;
    let mut rig = Rig::start(opened);
    rig.commit(vec![lot(1)]);
    assert_eq!(ledger.rows()[0].header().unwrap().at, future);
}

#[test]
fn two_producers_never_sleep_through_each_other() {
    const EACH: u32 = 20_000;
    let ledger = FakeLedger::new(node());
    let opened = ledger.open();
    let incarnation = opened.chains.incarnation;
    let seen = ApplierLog::default();
    let (wakes, threads): (Vec<_>, Vec<_>) = (0..2)
        .map(|_| {
            let cell = Arc::new(std::sync::OnceLock::<thread::Thread>::new());
            let woken = Arc::clone(&cell);
            let wake: stampede_ledger::Wake =
                Arc::new(move || woken.get().into_iter().for_each(thread::Thread::unpark));
            (wake, cell)
        })
        .unzip();
    let mut rings = vec![RingConfig { entries_max: 4, wake: wake(thread::current()) }];
    rings.extend(wakes.into_iter().map(|wake| RingConfig { entries_max: 8, wake }));
    let (writer, mut producers) =
        Writer::spawn(opened.store, opened.chains, Box::new(seen.clone()), fixed_now(), rings)
            .unwrap();
    let mut cores = producers.drain(1..).zip(threads).enumerate();
    thread::scope(|scope| {
        for (core, (mut producer, cell)) in cores.by_ref() {
            scope.spawn(move || {
                cell.set(thread::current()).unwrap();
                let drop = DropId::new(u32::try_from(core + 1).unwrap());
                for number in 0..EACH {
                    wait(|| producer.room() > 0);
                    let record = taken(hold_in(drop, incarnation, number));
                    producer.push(Entry { drop, record, link: None, tag: 0 });
                }
                wait(|| producer.durable() == producer.pushed());
            });
        }
    });
    writer.shutdown().unwrap();
    for drop in [1, 2].map(DropId::new) {
        let wanted: Vec<_> = (0..EACH).map(|n| taken(hold_in(drop, incarnation, n))).collect();
        let rows: Vec<_> = ledger.rows().into_iter().filter(|row| row.drop == drop).collect();
        assert!(records_of(&rows) == wanted, "{drop} keeps the order of its pushes");
    }
    assert_eq!(seen.records(), 2 * 20_000);
}

#[test]
#[should_panic(expected = "the caller owns room")]
fn a_push_without_room_is_a_bug() {
    let (ledger, mut rig) = hanging(1);
    rig.core.push(entry(lot(1)));
    // Unwinding joins the writer, which must not hang for ever.
    let release = thread::spawn(move || {
        thread::park();
        ledger.release();
    });
    let _release = OnDrop(release.thread().clone());
    rig.core.push(entry(lot(1)));
}

struct OnDrop(thread::Thread);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.unpark();
    }
}

#[test]
#[should_panic(expected = "unreadable record")]
fn a_plan_that_could_not_be_read_back_is_a_bug() {
    let mut plan = support::plan();
    plan.title = String::new();
    let ledger = FakeLedger::new(node());
    let mut rig = Rig::start(ledger.open());
    rig.steward.push(entry(Record::Planned { plan: plan.into(), revision: 1 }));
}

#[test]
fn a_panic_on_the_writer_ends_the_process() {
    const CHILD: &str = "STAMPEDE_TEST_WRITER_PANICS";
    struct Panics;
    impl Applier<u64> for Panics {
        fn applied(&mut self, _entries: &mut Vec<Entry<u64>>) {
            panic!("as the test wants");
        }

        fn poisoned(&mut self, _why: &StoreError) {}
    }
    if std::env::var_os(CHILD).is_some() {
        let opened = FakeLedger::new(node()).open();
        let rings = vec![RingConfig { entries_max: 1, wake: wake(thread::current()) }];
        let (store, chains) = (opened.store, opened.chains);
        let (writer, mut producers) =
            Writer::spawn(store, chains, Box::new(Panics), fixed_now(), rings).unwrap();
        producers[0].push(entry(lot(1)));
        let _outcome = writer.shutdown();
        return;
    }
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_panic_on_the_writer_ends_the_process"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&child.status), Some(6));
}
