//! Hosts plan for merchants who let them, and change nothing of any other plan.

use std::{collections::BTreeMap, sync::Arc};

use proptest::prelude::*;
use stampede_domain::{DropId, DropPlan, KeyFingerprint, Phase};
use stampede_engine::{DropAction, Role};

use crate::rooms::{
    ACME, ADMIN, Desk, NINA, Who, ZETA, admit, creator, dismiss, hosts, merchant, move_to, terms,
};

const HUGO: Who = ("hugo", Role::Host, None);
const HANNA: Who = ("hanna", Role::Host, Some("acme"));

/// An acme drop in `show`, where zeta is admitted.
fn show() -> (Desk, DropId) {
    let mut desk = Desk::new();
    let drop = desk.plan(ACME, "show").unwrap().drop;
    desk.give(ACME, admit("show", "zeta")).unwrap();
    (desk, drop)
}

fn edit(merchant: &str) -> DropAction {
    DropAction::Edit {
        plan: Arc::new(DropPlan { title: "Other".into(), ..terms(merchant, "show") }),
    }
}

/// Whose drops hosts may plan in `show`.
fn allowing(desk: &Desk) -> Vec<String> {
    let show = desk.rooms().into_iter().find(|room| room.stream.as_str() == "show");
    show.unwrap().hosts_plan_for.iter().map(ToString::to_string).collect()
}

#[test]
fn a_host_plans_where_the_merchant_lets_hosts() {
    let (mut desk, drop) = show();
    for action in [edit("acme"), DropAction::Cancel] {
        assert_eq!(desk.code(HUGO, action.on(drop)), "hosts_not_allowed");
    }
    let refused = desk.plan_for(HUGO, "acme", "show").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "acme does not let hosts plan in stream show; acme's staff or an admin may plan there, and may let hosts"
    );
    // A merchant speaks for itself alone, and a host for nobody.
    for (who, code) in [(ZETA, "forbidden"), (HUGO, "forbidden"), (NINA, "forbidden")] {
        assert_eq!(desk.code(who, hosts("show", "acme", true)), code);
    }
    desk.give(ACME, hosts("show", "acme", true)).unwrap();
    let planned = desk.plan_for(HUGO, "acme", "show").unwrap().drop;
    for (who, drop) in [(HUGO, planned), (HANNA, drop)] {
        desk.give(who, edit("acme").on(drop)).unwrap();
        desk.give(who, DropAction::Cancel.on(drop)).unwrap();
    }
    assert_eq!(desk.plan_for(HUGO, "acme", "late").unwrap_err().code(), "hosts_not_allowed");
    desk.give(ACME, hosts("show", "acme", false)).unwrap();
    assert_eq!(desk.plan_for(HUGO, "acme", "show").unwrap_err().code(), "hosts_not_allowed");
}

#[test]
fn a_host_of_one_merchant_plans_for_no_other() {
    let (mut desk, _) = show();
    desk.give(ADMIN, hosts("show", "zeta", true)).unwrap();
    let drop = desk.plan_for(HUGO, "zeta", "show").unwrap().drop;
    assert_eq!(desk.plan_for(HANNA, "zeta", "show").unwrap_err().code(), "forbidden");
    // Its merchant owns the room and might call it off.
    assert_eq!(desk.code(HANNA, DropAction::Cancel.on(drop)), "forbidden");
    assert_eq!(desk.code(HANNA, edit("zeta").on(drop)), "forbidden");
}

#[test]
fn the_permission_goes_with_the_merchant_and_stays_over_a_restart() {
    let (mut desk, _) = show();
    assert_eq!(desk.code(ADMIN, hosts("show", "beta", true)), "stream_not_yours");
    desk.give(ZETA, hosts("show", "zeta", true)).unwrap();
    desk.give(ADMIN, hosts("show", "acme", true)).unwrap();
    assert_eq!(desk.code(ACME, hosts("show", "acme", true)), "room_unchanged");
    let mut desk = desk.restart();
    assert_eq!(allowing(&desk), ["acme", "zeta"]);
    // Whoever is let in no more takes it along: the owner before, and a merchant who is dismissed.
    desk.give(ADMIN, move_to("show", creator("nina"))).unwrap();
    assert_eq!(allowing(&desk), ["zeta"]);
    desk.give(NINA, dismiss("show", "zeta")).unwrap();
    desk.give(NINA, admit("show", "zeta")).unwrap();
    assert!(allowing(&desk).is_empty());
    // One who was admitted and owns the room now is let in still.
    desk.give(ZETA, hosts("show", "zeta", true)).unwrap();
    desk.give(ADMIN, move_to("show", merchant("zeta"))).unwrap();
    assert_eq!(allowing(&desk.restart()), ["zeta"]);
}

/// The terms of every planned drop, and which of them are called off.
fn plans(desk: &Desk) -> BTreeMap<DropId, (Arc<DropPlan>, bool)> {
    let sales = desk.world.engine.sales();
    let told = |sale: &Arc<stampede_engine::SaleDrop>| {
        (sale.id(), (Arc::clone(sale.plan()), sale.phase() == Phase::Cancelled))
    };
    sales.iter().map(told).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_host_without_permission_changes_nothing_of_a_plan(
        steps in proptest::collection::vec((0..5_usize, 0..8_u8, 0..2_usize, 0..4_usize), 1..40),
    ) {
        let (mut desk, _) = show();
        for (who, what, name, place) in steps {
            let who = [ADMIN, ACME, ZETA, HUGO, HANNA][who];
            let name = ["acme", "zeta"][name];
            let drop = DropId::new(u32::try_from(place).unwrap() + 1);
            let (before, allowed) = (plans(&desk), allowing(&desk));
            let plan = || Arc::new(DropPlan { title: format!("T{place}"), ..terms(name, "show") });
            let changes = KeyFingerprint::of(b"title");
            let _ = match what {
                0 => desk.plan_for(who, name, "show"),
                1 => desk.give(who, DropAction::Edit { plan: plan() }.on(drop)),
                2 => desk.give(who, DropAction::Patch { plan: plan(), changes }.on(drop)),
                3 => desk.give(who, DropAction::Cancel.on(drop)),
                4 => desk.give(who, hosts("show", name, true)),
                5 => desk.give(who, hosts("show", name, false)),
                6 => desk.give(who, dismiss("show", name)),
                _ => desk.give(who, admit("show", name)),
            };
            if who.1 != Role::Host {
                continue;
            }
            prop_assert_eq!(&allowing(&desk), &allowed, "a host permits nothing");
            for (drop, after) in plans(&desk) {
                let own = after.0.merchant.to_string();
                let may = allowed.contains(&own) && who.2.is_none_or(|bound| bound == own);
                prop_assert!(may || before.get(&drop) == Some(&after), "{} changed {drop}", who.0);
            }
        }
    }
}
