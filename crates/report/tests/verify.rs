//! The verifier against sound ledgers, damaged ones, lies with fitting hashes.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::sync::Arc;

use rusqlite::Connection;
use stampede_domain::{
    BanId, DropId, DropPlan, DurationMs, HoldId, RefusalCode, SkuIndex, TakeNumber, UnixMillis,
    ViewerLimits,
};
use stampede_ledger::{
    Amended, BrakePart, BrakeRecord, Command, CorrectionRecord, HoldRecord, Journal, LEDGER_FILE,
    PhaseRecord, PlannedCopy, Record, RecordedOutcome, RequestAsked, RequestEnd, RequestEnded,
    RequestRecord, Room, RoomChange, RoomOwner, SealSummary, SqliteJournal,
};
use stampede_report::{Verification, drop_report};
use support::{
    TTL_MS,
    busy::busy_sale,
    corrupt::{Kind, corrupt},
    forge::{Forged, forge},
    journal, plan,
    sale::{State, pool},
    sim::Sim,
    units, verify_dir,
};
use tempfile::TempDir;

fn sound() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    busy_sale(dir.path());
    dir
}

/// A copy of a sound ledger; making one takes longer than copying it.
fn copy(of: &TempDir) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(of.path()).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
    }
    dir
}

fn kinds(verification: &Verification) -> Vec<&'static str> {
    verification.findings.iter().map(|finding| finding.fault.kind()).collect()
}

#[test]
fn a_sound_ledger_verifies() {
    let dir = sound();
    let verification = verify_dir(dir.path()).unwrap();
    assert!(verification.ok, "{verification}");
    let counts = verification.counts;
    assert_eq!(counts.drops, 2);
    assert_eq!(counts.orders, counts.confirmed);
    assert_eq!(counts.takes, counts.confirmed + counts.released + counts.expired);
    assert!(counts.takes_lost > 0, "the sale loses a take to its restart: {verification}");
    assert!(counts.expired > 0 && counts.released > 0 && counts.confirmed > 3, "{verification}");
}

/// Writes every seal's summary anew.
fn rewrite_seals(of: &TempDir, change: impl Fn(SealSummary) -> SealSummary) {
    let connection = Connection::open(of.path().join(LEDGER_FILE)).unwrap();
    for seal in SqliteJournal::open(of.path()).unwrap().seals().unwrap().unwrap() {
        let summary = change(SealSummary::decode(&seal.summary).unwrap()).encode();
        let update = "UPDATE seals SET summary = ?1 WHERE drop_id = ?2";
        assert_eq!(connection.execute(update, (summary, seal.drop.get())), Ok(1));
    }
}

#[test]
fn seals_of_older_versions_are_compared_by_what_they_say() {
    let ledger = sound();
    rewrite_seals(&ledger, |summary| summary.version_1());
    let verification = verify_dir(ledger.path()).unwrap();
    assert!(verification.ok, "{verification}");
    rewrite_seals(&ledger, |summary| SealSummary { revision: 9, ..summary });
    assert!(kinds(&verify_dir(ledger.path()).unwrap()).contains(&"seal_summary_differs"));
}

#[test]
fn the_opening_and_the_currency_of_a_seal_are_worked_out_again() {
    let ledger = sound();
    let later = |at: UnixMillis| UnixMillis::new(at.get() + 1);
    let changes: [fn(SealSummary) -> SealSummary; 2] = [
        |summary| SealSummary { opened_at: None, ..summary },
        |summary| SealSummary { currency: Some("JPY".parse().unwrap()), ..summary },
    ];
    for change in changes {
        let dir = copy(&ledger);
        rewrite_seals(&dir, change);
        assert!(kinds(&verify_dir(dir.path()).unwrap()).contains(&"seal_summary_differs"));
    }
    rewrite_seals(&ledger, |mut summary| {
        summary.opened_at = summary.opened_at.map(later);
        summary
    });
    assert!(kinds(&verify_dir(ledger.path()).unwrap()).contains(&"seal_summary_differs"));
}

#[test]
fn every_corruption_is_found_and_named() {
    let ledger = sound();
    for (kind, name) in Kind::ALL {
        for seed in 0..6 {
            let dir = copy(&ledger);
            let done = corrupt(dir.path(), kind, seed);
            let said = match verify_dir(dir.path()) {
                Ok(verification) => {
                    assert!(!verification.ok, "{name} seed {seed} goes unnoticed: {done}");
                    let found = kinds(&verification);
                    let named = kind.names().iter().any(|name| found.contains(name));
                    assert!(named, "{name} seed {seed} ({done}) is called\n{verification}");
                    verification.to_string()
                }
                // Damage may reach what is needed to open the ledger at all.
                Err(error) => {
                    assert_eq!(kind, Kind::BreakPage, "{name} seed {seed}: {error}");
                    error.to_string()
                }
            };
            assert!(!said.is_empty());
        }
    }
}

/// Forges a ledger and says what the verifier calls it.
fn lie(ledger: &TempDir, change: impl FnOnce(&mut Vec<Forged>)) -> Verification {
    let dir = copy(ledger);
    forge(dir.path(), change);
    verify_dir(dir.path()).unwrap()
}

/// The first record that `wanted` picks, with its row.
fn find(rows: &[Forged], wanted: impl Fn(&Record) -> bool) -> (usize, usize) {
    let found =
        rows.iter().enumerate().find_map(|(row, forged)| Some((row, forged.position(&wanted)?)));
    found.expect("the sale has such a record")
}

fn is_confirmed(record: &Record) -> bool {
    matches!(record, Record::Hold(HoldRecord::Confirmed { .. }))
}

fn is_taken(record: &Record) -> bool {
    matches!(record, Record::Hold(HoldRecord::Taken { .. }))
}

#[test]
fn a_faithful_forgery_verifies() {
    let verification = lie(&sound(), |_| ());
    assert!(verification.ok, "{verification}");
}

fn check(name: &str, ledger: &TempDir, change: impl FnOnce(&mut Vec<Forged>)) {
    let verification = lie(ledger, change);
    assert!(kinds(&verification).contains(&name), "expected {name}:\n{verification}");
}

#[test]
fn lies_about_the_brake_are_found() {
    let ledger = sound();
    let lift = |rows: &mut Vec<Forged>, part: BrakePart, record: Record| {
        let (row, at) = find(
            rows,
            |found| matches!(found, Record::Brake(BrakeRecord::Lifted { part: p, .. }) if *p == part),
        );
        rows[row].records[at] = record;
    };
    let (halt, ban) = (BrakePart::Halt, |n| BrakePart::Ban(BanId::new(n)));
    let expired = |part| Record::Brake(BrakeRecord::Lifted { part, expired: true });
    let again = Record::Brake(BrakeRecord::Halted(Box::default()));
    check("taken_while_halted", &ledger, |rows| lift(rows, halt, again));
    check("not_in_force", &ledger, |rows| lift(rows, ban(1), expired(ban(9))));
    check("not_in_force", &ledger, |rows| lift(rows, ban(1), expired(halt)));
    check("brake_ended_early", &ledger, |rows| lift(rows, halt, expired(halt)));
    check("ban_number", &ledger, |rows| {
        let (row, at) =
            find(rows, |record| matches!(record, Record::Brake(BrakeRecord::Banned(_))));
        if let Record::Brake(BrakeRecord::Banned(banned)) = &mut rows[row].records[at] {
            banned.ban = BanId::new(3);
        }
    });
    // The brake belongs to no drop.
    check("not_allowed", &ledger, |rows| {
        let (row, _) = find(rows, is_taken);
        rows[row].records.push(Record::Brake(BrakeRecord::Halted(Box::default())));
    });
}

fn room(change: RoomChange) -> Record {
    Record::Room(Box::new(Room { stream: "friday".parse().unwrap(), change }))
}

fn owner(name: &str) -> Record {
    room(RoomChange::Owner(RoomOwner::Merchant(name.parse().unwrap())))
}

/// A row of the house in front of everything, in the commit of the first drop's plan.
fn house_first(rows: &mut Vec<Forged>, records: Vec<Record>) {
    let mut house = rows[0].clone();
    house.row.drop = DropId::HOUSE;
    house.records = records;
    house.header.rows += 1;
    rows[0].header.rows += 1;
    rows.insert(0, house);
}

#[test]
fn lies_about_rooms_are_found() {
    let ledger = sound();
    let zeta = || "zeta".parse().unwrap();
    let admitted = || room(RoomChange::Admitted(zeta()));
    let dismissed = || room(RoomChange::Dismissed(zeta()));
    let late = || room(RoomChange::VideoDelay(DurationMs::from_secs(6)));
    let sound = vec![owner("acme"), late(), admitted(), dismissed(), owner("zeta"), owner("acme")];
    assert!(lie(&ledger, |rows| house_first(rows, sound)).ok);
    check("room_missing", &ledger, |rows| house_first(rows, vec![late()]));
    check("room_missing", &ledger, |rows| {
        house_first(rows, vec![owner("acme"), room(RoomChange::Ended), dismissed()]);
    });
    check("room_unchanged", &ledger, |rows| house_first(rows, vec![owner("acme"), late(), late()]));
    let hosts = |allowed, name: &str| {
        let merchant = name.parse().unwrap();
        room(if allowed {
            RoomChange::HostsAllowed(merchant)
        } else {
            RoomChange::HostsForbidden(merchant)
        })
    };
    let allowed = || hosts(true, "acme");
    let told = vec![owner("acme"), allowed(), hosts(false, "acme"), allowed()];
    assert!(lie(&ledger, |rows| house_first(rows, told)).ok);
    check("hosts_for_stranger", &ledger, |rows| {
        house_first(rows, vec![owner("acme"), hosts(true, "zeta")]);
    });
    // Whoever is let in no more has taken the permission along.
    let gone = vec![owner("acme"), admitted(), hosts(true, "zeta"), dismissed(), admitted()];
    for gone in [gone, vec![owner("zeta"), hosts(true, "zeta"), owner("acme"), admitted()]] {
        let again = gone.into_iter().chain([hosts(false, "zeta")]).collect();
        check("room_unchanged", &ledger, |rows| house_first(rows, again));
    }
    for lie in [allowed(), hosts(true, "acme")] {
        check("room_unchanged", &ledger, |rows| {
            house_first(rows, vec![owner("acme"), allowed(), lie]);
        });
    }
    for lie in [owner("acme"), dismissed(), room(RoomChange::Admitted("acme".parse().unwrap()))] {
        check("room_unchanged", &ledger, |rows| house_first(rows, vec![owner("acme"), lie]));
    }
    // A room belongs to no drop.
    check("not_allowed", &ledger, |rows| {
        let (row, _) = find(rows, is_taken);
        rows[row].records.push(owner("acme"));
    });
}

/// The second drop's merchant is not let in; the drop was planned by a command of this name and role.
fn foreign_by(rows: &mut Vec<Forged>, action: &str, role: &str) {
    house_first(rows, vec![owner("zeta")]);
    let second = rows.iter().position(|forged| {
        forged.row.drop == DropId::new(2)
            && forged.position(|found| matches!(found, Record::Planned { .. })).is_some()
    });
    let second = second.filter(|second| rows[*second].row.seq > rows[0].row.seq).unwrap();
    let key = stampede_domain::KeyFingerprint::of(b"key");
    let (actor, role, reason) = ("acme".into(), role.into(), "".into());
    let outcome = RecordedOutcome::Accepted;
    let named = action.into();
    let command = Command { actor, role, action: named, key, request: key, reason, outcome };
    let command = Record::Command(Box::new(command));
    let of = DropId::new(1);
    if action == "undo" {
        let copy = PlannedCopy::Drop(DropId::new(2));
        let first = rows.iter_mut().find(|forged| forged.row.drop == of).unwrap();
        first.records.push(Record::Phase(PhaseRecord::UndoBegun { copy }));
        first.records.push(command);
        return;
    }
    let plans = rows[second].records.iter_mut().filter_map(|record| match record {
        Record::Planned { plan, .. } => Some(plan),
        _ => None,
    });
    for plan in plans.filter(|_| action == "rehearse") {
        *plan = Arc::new(plan.rehearsed(of, UnixMillis::new(9)));
    }
    rows[second].records.push(command);
}

#[test]
fn drops_and_copies_of_merchants_who_are_not_let_in_are_found() {
    let ledger = sound();
    for action in ["plan", "rehearse", "undo"] {
        check("foreign_drop", &ledger, |rows| foreign_by(rows, action, "merchant"));
        let verification = lie(&ledger, |rows| foreign_by(rows, action, "admin"));
        assert!(!kinds(&verification).contains(&"foreign_drop"), "{action}: {verification}");
    }
    let verification = lie(&ledger, |rows| foreign_by(rows, "rehearse", "host"));
    assert!(!kinds(&verification).contains(&"foreign_drop"), "a host tries the whole show");
}

/// A host plans the second drop, whose merchant is the stream's owner.
fn planned_by_host(rows: &mut Vec<Forged>, change: Vec<Record>) {
    let mut told = vec![owner("acme")];
    told.extend(change);
    house_first(rows, told);
    for forged in rows.iter_mut().filter(|forged| forged.row.drop == DropId::new(2)) {
        for record in &mut forged.records {
            if let Record::Command(command) = record
                && command.action.as_str() == "plan"
            {
                command.role = "host".into();
            }
        }
    }
}

#[test]
fn hosts_who_plan_where_nobody_lets_them_are_found() {
    let ledger = sound();
    check("host_planned", &ledger, |rows| planned_by_host(rows, Vec::new()));
    let acme = || "acme".parse().unwrap();
    let allowed = || room(RoomChange::HostsAllowed(acme()));
    let verification = lie(&ledger, |rows| planned_by_host(rows, vec![allowed()]));
    assert!(!kinds(&verification).contains(&"host_planned"), "{verification}");
    let forbidden = room(RoomChange::HostsForbidden(acme()));
    check("host_planned", &ledger, |rows| planned_by_host(rows, vec![allowed(), forbidden]));
}

#[test]
fn lies_about_units_are_found() {
    let ledger = sound();
    check("oversold", &ledger, |rows| {
        let (row, at) = find(rows, |record| matches!(record, Record::Lot { .. }));
        if let Record::Lot { units: lot, .. } = &mut rows[row].records[at] {
            *lot = units(2);
        }
    });
    check("first_lots", &ledger, |rows| {
        let (row, at) = find(rows, |record| matches!(record, Record::Lot { .. }));
        if let Record::Lot { units: lot, .. } = &mut rows[row].records[at] {
            *lot = units(1_000);
        }
    });
    check("units_differ", &ledger, |rows| {
        let (row, at) =
            find(rows, |record| matches!(record, Record::Hold(HoldRecord::Expired { .. })));
        if let Record::Hold(HoldRecord::Expired { units: given, .. }) = &mut rows[row].records[at] {
            *given = units(given.get() + 1);
        }
    });
    check("lot_number", &ledger, |rows| {
        let (row, at) = find(rows, |record| matches!(record, Record::Lot { .. }));
        let again = rows[row].records[at].clone();
        rows[row].records.insert(at, again);
    });
}

/// A sale in which units are taken back, which ends.
fn corrected() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    let drop = sim.open(plan(&[10, 4]));
    for who in 1..=4 {
        sim.now_ms += 100;
        sim.buy(drop, who, 0, 1, "a");
    }
    sim.flush();
    sim.end(drop, 0, State::Confirmed);
    sim.take_back(drop, 0, 5);
    sim.take_back(drop, 1, 4);
    sim.flush();
    sim.tally(drop, 4);
    sim.settle(drop);
    sim.close();
    dir
}

#[test]
fn lies_about_units_that_were_taken_back_are_found() {
    let ledger = corrected();
    let verification = verify_dir(ledger.path()).unwrap();
    assert!(verification.ok, "{verification}");
    let is_withdrawn =
        |record: &Record| matches!(record, Record::Correction(CorrectionRecord::Withdrawn { .. }));
    let with = |rows: &mut Vec<Forged>, change: CorrectionRecord| {
        let (row, at) = find(rows, is_withdrawn);
        rows[row].records[at] = change.into();
    };
    let of =
        |number, count| CorrectionRecord::Withdrawn { pool: pool(number), units: units(count) };
    // Fewer were free as well; only the seal has other sums.
    let fewer = lie(&ledger, |rows| with(rows, of(0, 4)));
    assert!(kinds(&fewer).iter().all(|kind| kind.starts_with("seal_")), "{fewer}");
    check("withdrawn_not_free", &ledger, |rows| with(rows, of(0, 7)));
    check("withdrawn_range", &ledger, |rows| with(rows, of(0, 11)));
    check("withdrawn_range", &ledger, |rows| with(rows, of(0, 0)));
    check("unknown_pool", &ledger, |rows| with(rows, of(7, 1)));
    // What is not on sale yet, or no more, is not taken back.
    for begins in [PhaseRecord::Opened, PhaseRecord::Settled] {
        check("not_allowed", &ledger, |rows| {
            let (row, at) = find(rows, |record| *record == Record::Phase(begins));
            rows[row].records.insert(at, of(0, 1).into());
        });
    }
}

#[test]
fn lies_about_the_reserve_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    let mut terms = plan(&[10, 4]);
    terms.skus[0].reserve = units(7);
    let drop = sim.open(terms);
    sim.buy(drop, 1, 0, 1, "a");
    sim.flush();
    sim.reserved(drop, 0, 2);
    sim.restock(drop, 0, 5);
    sim.take_back(drop, 0, 3);
    sim.reserved(drop, 0, 5);
    sim.flush();
    sim.tally(drop, 1);
    sim.settle(drop);
    sim.close();
    let verification = verify_dir(dir.path()).unwrap();
    assert!(verification.ok, "{verification}");
    let is_reserved =
        |record: &Record| matches!(record, Record::Correction(CorrectionRecord::Reserved { .. }));
    let of = |number, count| -> Record {
        CorrectionRecord::Reserved { pool: pool(number), left: units(count) }.into()
    };
    // More than the lot behind has, less than it draws, none of it, more than before.
    for left in [1, 3, 6, 8] {
        let found = lie(&dir, |rows| {
            let (row, at) = find(rows, is_reserved);
            rows[row].records[at] = of(0, left);
        });
        assert!(kinds(&found).contains(&"reserve_differs"), "{left}: {found}");
    }
    check("reserve_differs", &dir, |rows| {
        let (row, at) = find(rows, |record| matches!(record, Record::Lot { lot: 3, .. }));
        rows[row].records.insert(at, of(1, 1));
    });
    check("unknown_pool", &dir, |rows| {
        let (row, at) = find(rows, is_reserved);
        rows[row].records[at] = of(9, 1);
    });
    check("seal_summary_differs", &dir, |rows| {
        let is_it = |record: &Record| *record == of(0, 5);
        let (row, at) = find(rows, is_it);
        rows[row].records.remove(at);
    });
}

/// A sale with three requests: granted, declined, left open.
fn asked_for_more() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    let mut terms = DropPlan { more_by_request: true, ..plan(&[10, 4]) };
    terms.skus[0].reserve = units(7);
    let drop = sim.open(terms);
    // Out of the reserve by itself, then asked for.
    sim.reserved(drop, 0, 4);
    sim.restock(drop, 0, 3);
    for number in [1, 2, 3] {
        sim.ask(drop, (number, 0), 9, 4);
    }
    sim.reserved(drop, 0, 0);
    sim.answer(drop, (1, 0), 9, RequestEnd::Granted { lot: 4 });
    sim.answer(drop, (2, 0), 9, RequestEnd::Declined);
    sim.tally(drop, 1);
    sim.settle(drop);
    sim.close();
    let verification = verify_dir(dir.path()).unwrap();
    assert!(verification.ok, "{verification}");
    dir
}

/// Changes the first request that was made.
fn first_asked(rows: &mut [Forged], change: impl Fn(&mut RequestAsked)) {
    let (row, at) = find(rows, |record| matches!(record, Record::Request(RequestRecord::Asked(_))));
    let Record::Request(RequestRecord::Asked(asked)) = &mut rows[row].records[at] else { panic!() };
    change(asked);
}

/// Changes the first end of a request.
fn first_ended(rows: &mut [Forged], change: impl Fn(&mut RequestEnded)) {
    let (row, at) = find(rows, |record| matches!(record, Record::Request(RequestRecord::Ended(_))));
    let Record::Request(RequestRecord::Ended(ended)) = &mut rows[row].records[at] else { panic!() };
    change(ended);
}

#[test]
fn lies_about_what_was_asked_for_are_found() {
    let dir = asked_for_more();
    check("request_number", &dir, |rows| first_asked(rows, |asked| asked.number = 8));
    let differs = "request_reserve_differs";
    check(differs, &dir, |rows| first_asked(rows, |asked| asked.reserve = units(3)));
    check(differs, &dir, |rows| first_asked(rows, |asked| asked.units = units(4)));
}

#[test]
fn lies_about_how_requests_ended_are_found() {
    let dir = asked_for_more();
    // Granted twice, granted although nobody asked.
    for number in [2, 9] {
        check("request_not_open", &dir, |rows| first_ended(rows, |ended| ended.number = number));
    }
    let differs = "request_differs";
    check(differs, &dir, |rows| first_ended(rows, |ended| ended.units = units(8)));
    for end in [RequestEnd::Granted { lot: 2 }, RequestEnd::Declined] {
        check(differs, &dir, |rows| first_ended(rows, |ended| ended.end = end));
    }
    check("request_unsigned", &dir, |rows| {
        first_ended(rows, |ended| ended.by.actor = "jonas".into());
    });
}

/// Has a host put on sale what the merchant has granted.
fn granted_by_host(rows: &mut [Forged]) {
    let is_grant = |record: &Record| matches!(record, Record::Command(command) if command.action.as_str() == "grant_request");
    let (row, at) = find(rows, is_grant);
    let Record::Command(command) = &mut rows[row].records[at] else { panic!() };
    command.role = "host".into();
}

#[test]
fn a_host_who_puts_more_on_sale_than_is_in_reserve_is_found() {
    let dir = asked_for_more();
    check("beyond_reserve", &dir, |rows| granted_by_host(rows));
    // Hosts of older plans put on sale what they liked.
    let found = lie(&dir, |rows| {
        granted_by_host(rows);
        for record in rows.iter_mut().flat_map(|row| &mut row.records) {
            if let Record::Planned { plan, .. } = record {
                *plan = Arc::new(DropPlan { more_by_request: false, ..(**plan).clone() });
            }
        }
    });
    assert!(!kinds(&found).contains(&"beyond_reserve"), "{found}");
}

#[test]
fn lies_about_limits_that_were_amended_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    let mut terms = plan(&[10, 4]);
    terms.limit_per_viewer = units(3);
    terms.skus.iter_mut().for_each(|sku| sku.limit_per_viewer = units(3));
    let drop = sim.open(terms);
    sim.buy(drop, 1, 0, 3, "a");
    sim.wait(10);
    sim.pause(drop);
    sim.amend(drop, 2, 2);
    // The take from before the pause commits with the other limits, one that comes behind them before both.
    sim.flush();
    sim.wait(10);
    sim.pause(drop);
    sim.wait(10);
    sim.buy(drop, 2, 0, 2, "b");
    sim.flush();
    sim.tally(drop, 1);
    sim.settle(drop);
    sim.close();
    let verification = verify_dir(dir.path()).unwrap();
    assert!(verification.ok, "{verification}");
    let report = drop_report(&journal(dir.path()), drop).unwrap();
    assert_eq!((report.revision, report.plan.limit_per_viewer), (2, units(2)));

    let is_amended =
        |record: &Record| matches!(record, Record::Correction(CorrectionRecord::Amended(_)));
    let lie = |name: &str, change: &dyn Fn(&mut Amended)| {
        check(name, &dir, |rows| {
            let (row, at) = find(rows, is_amended);
            let record = &mut rows[row].records[at];
            let Record::Correction(CorrectionRecord::Amended(amended)) = record else { panic!() };
            change(amended);
        });
    };
    let limits = |amended: &mut Amended, change: &dyn Fn(&mut ViewerLimits)| {
        change(amended.amendment.limits.as_mut().unwrap());
    };
    lie("amended_takes", &|amended| amended.last_takes[0] = TakeNumber::default());
    lie("old_limits", &|amended| amended.last_takes[0] = TakeNumber::new(9).unwrap());
    lie("amended_shape", &|amended| drop_last(&mut amended.last_takes));
    lie("amended_shape", &|amended| limits(amended, &|of| drop_last(&mut of.of_skus)));
    lie("over_drop_limit", &|amended| limits(amended, &|of| of.of_drop = units(1)));
    lie("over_sku_limit", &|amended| limits(amended, &|of| of.of_skus[0] = units(1)));
    lie("units_out_of_range", &|amended| limits(amended, &|of| of.of_skus[0] = units(1)));
    check("seal_summary_differs", &dir, |rows| {
        let (row, at) = find(rows, is_amended);
        rows[row].records.remove(at);
    });
    check("not_allowed", &dir, |rows| {
        let (row, at) = find(rows, is_amended);
        let moved = rows[row].records.remove(at);
        let is_resumed = |record: &Record| *record == Record::Phase(PhaseRecord::Resumed);
        let (row, at) = find(rows, is_resumed);
        rows[row].records.insert(at + 1, moved);
    });
}

#[test]
fn lies_about_a_wind_down_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let mut sim = Sim::new(dir.path());
    let drop = sim.open(plan(&[10]));
    let until = sim.now().plus(DurationMs::new(2 * TTL_MS));
    sim.record_alone(drop, CorrectionRecord::WindsDown { until }.into());
    sim.buy(drop, 1, 0, 1, "a");
    sim.flush();
    sim.tally(drop, 1);
    sim.settle(drop);
    sim.close();
    let verification = verify_dir(dir.path()).unwrap();
    assert!(verification.ok, "{verification}");
    let winds_down = |until| -> Record { CorrectionRecord::WindsDown { until }.into() };
    let later = until.plus(DurationMs::new(1));
    check("wind_down_differs", &dir, |rows| {
        let (row, at) = find(rows, |record| *record == winds_down(until));
        rows[row].records[at] = winds_down(later);
    });
    check("wind_down_differs", &dir, |rows| {
        let (row, at) = find(rows, |record| *record == winds_down(until));
        rows[row].records.insert(at, winds_down(until));
    });
    check("not_allowed", &dir, |rows| {
        let (row, at) = find(rows, |record| *record == winds_down(until));
        let moved = rows[row].records.remove(at);
        let (row, at) = find(rows, |record| *record == Record::Phase(PhaseRecord::Closed));
        rows[row].records.insert(at + 1, moved);
    });
}

fn drop_last<T>(list: &mut Vec<T>) {
    list.pop();
}

#[test]
fn lies_about_takes_are_found() {
    let ledger = sound();
    check("take_missing", &ledger, |rows| {
        let (row, at) = find(rows, is_taken);
        rows[row].records.remove(at);
    });
    check("take_repeated", &ledger, |rows| {
        let (row, at) = find(rows, is_taken);
        let again = rows[row].records[at].clone();
        rows[row].records.push(again);
    });
    check("key_repeated", &ledger, |rows| {
        let (row, at) = find(rows, is_taken);
        let mut again = rows[row].records[at].clone();
        if let Record::Hold(HoldRecord::Taken { hold, .. }) = &mut again {
            let number = TakeNumber::new(hold.take().get() + 900).unwrap();
            *hold =
                HoldId::new(hold.drop_id(), hold.incarnation(), hold.pool(), hold.slot(), number);
        }
        rows[row].records.push(again);
    });
    check("slot_busy", &ledger, |rows| {
        let (row, at) = find(rows, is_taken);
        let mut again = rows[row].records[at].clone();
        if let Record::Hold(HoldRecord::Taken { hold, .. }) = &mut again {
            let number = TakeNumber::new(hold.take().get() + 900).unwrap();
            *hold =
                HoldId::new(hold.drop_id(), hold.incarnation(), hold.pool(), hold.slot(), number);
        }
        rows[row].records.push(again);
    });
}

#[test]
fn lies_about_terms_are_found() {
    let ledger = sound();
    check("over_sku_limit", &ledger, |rows| {
        let (row, at) = find(rows, is_taken);
        if let Record::Hold(HoldRecord::Taken { units: taken, .. }) = &mut rows[row].records[at] {
            *taken = units(4);
        }
    });
    check("taken_while_shut", &ledger, |rows| {
        let (row, at) = find(rows, is_taken);
        let mut record = rows[row].records.remove(at);
        let (closed, _) = find(rows, |record| *record == Record::Phase(PhaseRecord::Closed));
        let closed =
            (closed + 2..rows.len()).find(|later| rows[*later].row.drop == rows[row].row.drop);
        if let Record::Hold(HoldRecord::Taken { taken_at, .. }) = &mut record {
            *taken_at = rows[closed.unwrap()].header.at;
        }
        rows[closed.unwrap()].records.insert(0, record);
    });
    check("deadline_differs", &ledger, |rows| {
        let (row, at) = find(rows, is_taken);
        if let Record::Hold(HoldRecord::Taken { deadline, .. }) = &mut rows[row].records[at] {
            *deadline = UnixMillis::new(deadline.get() + 1);
        }
    });
}

#[test]
fn lies_about_restarts_are_found() {
    let ledger = sound();
    check("take_missing", &ledger, |rows| {
        let (row, at) = find(
            rows,
            |record| matches!(record, Record::Recovered(found) if found.pools.iter().any(|p| !p.lost.is_empty())),
        );
        if let Record::Recovered(found) = &mut rows[row].records[at] {
            found.pools.iter_mut().for_each(|pool| pool.lost.clear());
        }
    });
    check("take_not_lost", &ledger, |rows| {
        let (row, at) = find(rows, |record| matches!(record, Record::Recovered(_)));
        if let Record::Recovered(found) = &mut rows[row].records[at] {
            found.pools[0].lost = vec![TakeNumber::new(1).unwrap()];
        }
    });
}

#[test]
fn lies_about_ends_are_found() {
    let ledger = sound();
    check("ended_twice", &ledger, |rows| {
        let (row, at) = find(rows, is_confirmed);
        let again = rows[row].records[at].clone();
        rows[row].records.push(again);
    });
    check("ended_twice", &ledger, |rows| {
        let (row, at) = find(rows, is_confirmed);
        if let Record::Hold(HoldRecord::Confirmed { hold, units, .. }) = rows[row].records[at] {
            rows[row].records.push(Record::Hold(HoldRecord::Released { hold, units }));
        }
    });
    check("settled_live", &ledger, |rows| {
        let (row, at) = find(rows, is_confirmed);
        rows[row].records.remove(at);
    });
    check("never_taken", &ledger, |rows| {
        let (row, at) = find(rows, is_confirmed);
        if let Record::Hold(HoldRecord::Confirmed { hold, .. }) = &mut rows[row].records[at] {
            let number = TakeNumber::new(4_000).unwrap();
            *hold =
                HoldId::new(hold.drop_id(), hold.incarnation(), hold.pool(), hold.slot(), number);
        }
    });
    check("amount_differs", &ledger, |rows| {
        let (row, at) = find(rows, is_confirmed);
        if let Record::Hold(HoldRecord::Confirmed { amount, .. }) = &mut rows[row].records[at] {
            *amount = support::eur(1);
        }
    });
    check("other_channel", &ledger, |rows| {
        let (row, at) = find(rows, is_confirmed);
        if let Record::Hold(HoldRecord::Confirmed { channel, .. }) = &mut rows[row].records[at] {
            *channel = Some("eve-tv".parse().unwrap());
        }
    });
    check("other_viewer", &ledger, |rows| {
        let (row, at) = find(rows, is_confirmed);
        if let Record::Hold(HoldRecord::Confirmed { viewer, .. }) = &mut rows[row].records[at] {
            *viewer = support::viewer(7_777);
        }
    });
    check("expired_early", &ledger, |rows| {
        let (row, at) =
            find(rows, |record| matches!(record, Record::Hold(HoldRecord::Released { .. })));
        if let Record::Hold(HoldRecord::Released { hold, units }) = rows[row].records[at] {
            rows[row].records[at] = Record::Hold(HoldRecord::Expired { hold, units });
        }
    });
    check("ended_before_durable", &ledger, |rows| {
        let (row, at) = find(rows, is_taken);
        if let Record::Hold(HoldRecord::Taken { hold, units, .. }) = rows[row].records[at] {
            rows[row].records.push(Record::Hold(HoldRecord::Released { hold, units }));
        }
    });
}

#[test]
fn lies_about_phases_are_found() {
    let ledger = sound();
    check("not_allowed", &ledger, |rows| {
        let (row, at) = find(rows, |record| *record == Record::Phase(PhaseRecord::Closed));
        rows[row].records.insert(at, Record::Phase(PhaseRecord::Resumed));
    });
    check("taken_while_shut", &ledger, |rows| {
        let (row, at) = find(rows, |record| *record == Record::Phase(PhaseRecord::Opened));
        rows[row].records.remove(at);
    });
    check("opened_early", &ledger, |rows| {
        let (row, at) =
            find(rows, |record| matches!(record, Record::Phase(PhaseRecord::Countdown { .. })));
        if let Record::Phase(PhaseRecord::Countdown { opens_at }) = &mut rows[row].records[at] {
            *opens_at = UnixMillis::new(opens_at.get() + 60_000);
        }
    });
    check("no_plan", &ledger, |rows| {
        let (row, at) = find(rows, |record| matches!(record, Record::Planned { .. }));
        rows[row].records.remove(at);
    });
    check("not_recovered", &ledger, |rows| {
        let (row, at) = find(rows, |record| matches!(record, Record::Recovered(_)));
        rows[row].records.remove(at);
    });
    check("outage_too_long", &ledger, |rows| {
        let (row, at) = find(rows, |record| matches!(record, Record::Recovered(_)));
        if let Record::Recovered(found) = &mut rows[row].records[at] {
            found.outage = DurationMs::new(60_000);
        }
    });
    check("link_missing", &ledger, |rows| {
        let (row, at) = find(rows, is_taken);
        if let Record::Hold(HoldRecord::Taken { viewer, .. }) = &mut rows[row].records[at] {
            *viewer = support::viewer(8_888);
        }
    });
}

#[test]
fn lies_about_counts_are_found() {
    let ledger = sound();
    check("answers_exceed_clicks", &ledger, |rows| {
        let (row, at) = find(rows, |record| matches!(record, Record::Tally(_)));
        if let Record::Tally(tally) = &mut rows[row].records[at] {
            tally.answers.add(9, tally.clicks() - tally.answers.total() + 1);
        }
    });
    check("channels_exceed_clicks", &ledger, |rows| {
        let (row, at) = find(rows, |record| matches!(record, Record::Tally(_)));
        if let Record::Tally(tally) = &mut rows[row].records[at] {
            let clicks = tally.clicks();
            let channels = &mut tally.sources.get_or_insert_default().channels;
            channels.other += clicks - channels.total() + 1;
        }
    });
    let sku = |place| SkuIndex::new(place).unwrap();
    check("skus_exceed_refusals", &ledger, |rows| {
        let (row, at) = find(rows, |record| matches!(record, Record::Tally(_)));
        if let Record::Tally(tally) = &mut rows[row].records[at] {
            let skus = vec![(sku(0), tally.refusals.for_want() + 1)];
            tally.sources.get_or_insert_default().skus = skus;
        }
    });
    check("tallied_sku_unknown", &ledger, |rows| {
        let (row, at) = find(rows, |record| matches!(record, Record::Tally(_)));
        if let Record::Tally(tally) = &mut rows[row].records[at] {
            tally.refusals.add(RefusalCode::SoldOut, 1);
            tally.sources.get_or_insert_default().skus = vec![(sku(60), 1)];
        }
    });
}
