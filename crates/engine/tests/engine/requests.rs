//! Requests for more units than are in reserve.

use stampede_domain::{DropId, DropPlan, Phase, RequestId, Units};
use stampede_engine::{
    Action, CommandOutcome, CommandRefusal, DropAction, RequestEnd, RequestRefusal, Role,
    StaffCommand, StreamScope,
};
use stampede_ledger::{Record, RequestRecord, fake::Fault};

use crate::support::{World, plan, wait_for};

fn restock(count: u32) -> DropAction {
    DropAction::Restock { sku: "mug".parse().unwrap(), units: Units::new(count).unwrap() }
}

/// A drop with so much on sale and so much in reserve.
fn open(world: &mut World, supply: u32, reserve: u32) -> DropId {
    let mut terms = DropPlan { more_by_request: true, ..plan(supply) };
    terms.skus[0].reserve = Units::new(reserve).unwrap();
    world.open_drop(terms)
}

fn give(world: &World, role: Role, key: &str, action: impl Into<Action>) -> CommandOutcome {
    world.give_as(role, key, action).unwrap().get()
}

/// A command of an admin.
fn command(key: &str, action: Action) -> StaffCommand {
    StaffCommand {
        actor: "ada".into(),
        role: Role::Admin,
        merchant: None,
        streams: StreamScope::All,
        key: key.parse().unwrap(),
        reason: None,
        action,
    }
}

/// How the requests of a drop are shown: number, units, how each ended.
fn shown(world: &World, drop: DropId) -> Vec<(u32, u32, Option<RequestEnd>)> {
    let requests = world.engine.sale(drop).unwrap().asked().shown();
    let of = |end: &Option<(RequestEnd, _)>| end.as_ref().map(|(end, _)| *end);
    requests.iter().map(|one| (one.number, one.units.get(), of(&one.ended))).collect()
}

fn over(outcome: CommandOutcome) -> RequestRefusal {
    match outcome {
        Err(CommandRefusal::Request(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_host_asks_and_the_merchant_grants_also_after_a_restart() {
    let mut world = World::new();
    let drop = open(&mut world, 5, 4);
    let asked = give(&world, Role::Host, "ask", restock(10).on(drop)).unwrap();
    let request = RequestId { drop, number: 1 };
    let told = asked.asked.unwrap();
    assert_eq!((told.request, told.reserve.get(), asked.lot), (request, 4, None));
    assert_eq!(world.figures(drop), [5, 5, 0, 0], "nothing moves");
    assert_eq!(shown(&world, drop), [(1, 10, None)]);
    let again = give(&world, Role::Host, "ask", restock(10).on(drop)).unwrap();
    assert_eq!((again.asked, again.replayed), (Some(told), true));
    assert!(give(&world, Role::Host, "some", restock(3).on(drop)).unwrap().lot.is_some());
    let world = world.restart(100);
    world.wait_phase(drop, Phase::Open);
    assert_eq!(shown(&world, drop), [(1, 10, None)]);
    let again = give(&world, Role::Host, "ask", restock(10).on(drop)).unwrap();
    assert_eq!((again.asked, again.replayed), (Some(told), true));
    let grant = || DropAction::GrantRequest { number: 1 }.on(drop);
    let granted = give(&world, Role::Merchant, "grant", grant()).unwrap();
    assert_eq!((granted.lot, world.figures(drop)), (Some(3), [18, 18, 0, 0]));
    assert_eq!(shown(&world, drop), [(1, 10, Some(RequestEnd::Granted { lot: 3 }))]);
    assert_eq!(world.engine.sale(drop).unwrap().figures()[0].reserve, Units::ZERO);
    let refusal = over(give(&world, Role::Merchant, "grant-again", grant()));
    assert!(matches!(refusal, RequestRefusal::Ended { end: RequestEnd::Granted { .. }, .. }));
    assert!(give(&world, Role::Merchant, "grant", grant()).unwrap().replayed);
}

#[test]
fn of_answers_at_the_same_moment_one_counts() {
    for round in 0..40_u32 {
        let mut world = World::new();
        let drop = open(&mut world, 5, 0);
        give(&world, Role::Host, "ask", restock(7).on(drop)).unwrap();
        let number = 1;
        let mut actions = vec![
            DropAction::GrantRequest { number },
            DropAction::GrantRequest { number },
            DropAction::DeclineRequest { number },
            DropAction::Close,
        ];
        actions.rotate_left(round as usize % 4);
        let keys = ["a", "b", "c", "d"];
        let engine = &world.engine;
        let outcomes: Vec<(DropAction, CommandOutcome)> = std::thread::scope(|scope| {
            let given = actions.into_iter().zip(keys).map(|(action, key)| {
                scope.spawn(move || {
                    let given = engine.command(command(key, action.clone().on(drop))).unwrap();
                    let outcome = given.blocking_recv().unwrap();
                    (action, outcome)
                })
            });
            let given: Vec<_> = given.collect();
            given.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let answers = outcomes.iter().filter(|(action, _)| action.request().is_some());
        let won: Vec<_> = answers.filter(|(_, outcome)| outcome.is_ok()).collect();
        assert!(won.len() <= 1, "{outcomes:?}");
        let lots = won.iter().filter(|(_, outcome)| outcome.as_ref().unwrap().lot.is_some());
        let supplied = 5 + 7 * u32::try_from(lots.count()).unwrap();
        wait_for("closed", || {
            let phase = world.engine.sale(drop)?.phase();
            matches!(phase, Phase::Closed | Phase::Settled).then_some(())
        });
        assert_eq!(world.figures(drop)[0], supplied, "{outcomes:?}");
        let rows = world.ledger.rows();
        let records = rows.iter().flat_map(|row| row.decode().map(Result::unwrap));
        let ended = |record: &Record| matches!(record, Record::Request(RequestRecord::Ended(_)));
        assert_eq!(records.filter(ended).count(), won.len());
    }
}

#[test]
fn what_is_not_durable_is_not_shown() {
    let mut world = World::new();
    let drop = open(&mut world, 5, 0);
    world.ledger.order(world.ledger.commits() + 1, Fault::Hang);
    let waiting = world.give_as(Role::Host, "ask", restock(7).on(drop)).unwrap();
    assert_eq!(shown(&world, drop), []);
    world.ledger.release();
    assert!(waiting.get().unwrap().asked.is_some());
    assert_eq!(shown(&world, drop), [(1, 7, None)]);
}
