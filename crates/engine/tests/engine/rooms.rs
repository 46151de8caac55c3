//! Streams as rooms: squatters stay out, invited merchants get in, restarts change nothing.

use std::sync::Arc;

use proptest::prelude::*;
use stampede_domain::{DropId, DropPlan, DurationMs, Phase};
use stampede_engine::{
    Action, CommandOutcome, CommandRefusal, DropAction, EngineConfig, Role, RoomOwner, RoomView,
    StaffCommand, StreamAction, StreamScope,
};
use stampede_ledger::{Record, Room, RoomChange};

use crate::{
    brake::records,
    support::{Waiting, World, plan, wait_for},
};

/// A member of staff: name, role, the merchant of the token.
pub(crate) type Who = (&'static str, Role, Option<&'static str>);

pub(crate) const ADMIN: Who = ("root", Role::Admin, None);
const PLATFORM: Who = ("encoder", Role::Platform, None);
pub(crate) const ACME: Who = ("acme", Role::Merchant, Some("acme"));
pub(crate) const ZETA: Who = ("zeta", Role::Merchant, Some("zeta"));
const BETA: Who = ("beta", Role::Merchant, Some("beta"));
pub(crate) const NINA: Who = ("nina", Role::Creator, None);
const OTTO: Who = ("otto", Role::Creator, None);

/// Gives commands, each with a key of its own.
pub(crate) struct Desk {
    pub(crate) world: World,
    keys: u32,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { world: World::new(), keys: 0 }
    }

    fn with(config: &EngineConfig) -> Self {
        let World { ledger, clock, engine, .. } = World::new();
        engine.shutdown();
        let config = EngineConfig { cores: 2, ..config.clone() };
        Self { world: World::start_with(config, ledger, clock), keys: 0 }
    }

    pub(crate) fn give(&mut self, who: Who, action: impl Into<Action>) -> CommandOutcome {
        self.keys += 1;
        let (actor, role, bound) = who;
        let merchant = bound.map(|id| id.parse().unwrap());
        let command = StaffCommand {
            actor: actor.into(),
            role,
            merchant,
            streams: StreamScope::All,
            key: format!("k{}", self.keys).parse().unwrap(),
            reason: None,
            action: action.into(),
        };
        Waiting(self.world.engine.command(command).unwrap()).get()
    }

    /// A plan of the token's own merchant.
    pub(crate) fn plan(&mut self, who: Who, stream: &str) -> CommandOutcome {
        self.plan_for(who, who.2.unwrap(), stream)
    }

    pub(crate) fn plan_for(&mut self, who: Who, merchant: &str, stream: &str) -> CommandOutcome {
        self.give(who, Action::Plan { plan: Arc::new(terms(merchant, stream)) })
    }

    pub(crate) fn code(&mut self, who: Who, action: impl Into<Action>) -> String {
        self.give(who, action).unwrap_err().code().to_owned()
    }

    pub(crate) fn restart(self) -> Self {
        Self { world: self.world.restart(1), ..self }
    }

    pub(crate) fn rooms(&self) -> Vec<RoomView> {
        self.world.engine.rooms(None, usize::MAX, |_| true)
    }
}

pub(crate) fn terms(merchant: &str, stream: &str) -> DropPlan {
    DropPlan { merchant: merchant.parse().unwrap(), stream: stream.parse().unwrap(), ..plan(5) }
}

pub(crate) fn admit(stream: &str, merchant: &str) -> Action {
    StreamAction::Admit { merchant: merchant.parse().unwrap() }.on(stream.parse().unwrap())
}

pub(crate) fn hosts(stream: &str, merchant: &str, allowed: bool) -> Action {
    let merchant = merchant.parse().unwrap();
    let action = if allowed {
        StreamAction::AllowHosts { merchant }
    } else {
        StreamAction::ForbidHosts { merchant }
    };
    action.on(stream.parse().unwrap())
}

pub(crate) fn dismiss(stream: &str, merchant: &str) -> Action {
    StreamAction::Dismiss { merchant: merchant.parse().unwrap() }.on(stream.parse().unwrap())
}

fn make(stream: &str, owner: RoomOwner) -> Action {
    StreamAction::MakeRoom { owner }.on(stream.parse().unwrap())
}

pub(crate) fn move_to(stream: &str, owner: RoomOwner) -> Action {
    StreamAction::MoveRoom { owner }.on(stream.parse().unwrap())
}

fn end(stream: &str) -> Action {
    StreamAction::EndRoom.on(stream.parse().unwrap())
}

pub(crate) fn merchant(name: &str) -> RoomOwner {
    RoomOwner::Merchant(name.parse().unwrap())
}

pub(crate) fn creator(name: &str) -> RoomOwner {
    RoomOwner::Creator(name.into())
}

#[test]
fn a_stream_belongs_to_the_merchant_who_names_it_first() {
    let mut desk = Desk::new();
    desk.plan(ACME, "friday").unwrap();
    let refused = desk.plan(ZETA, "friday").unwrap_err();
    assert_eq!(refused.code(), "stream_not_yours");
    assert_eq!(
        refused.to_string(),
        "stream friday belongs to merchant acme, and zeta is not admitted to it; ask merchant acme or \
         an admin to admit zeta, or use a stream of your own"
    );
    let room = RoomView {
        stream: "friday".parse().unwrap(),
        owner: merchant("acme"),
        admitted: Vec::new(),
        video_delay: DurationMs::ZERO,
        hosts_plan_for: Vec::new(),
    };
    assert_eq!(desk.rooms(), [room]);
    let made =
        Room { stream: "friday".parse().unwrap(), change: RoomChange::Owner(merchant("acme")) };
    assert!(records(&desk.world.ledger, DropId::HOUSE).contains(&Record::Room(Box::new(made))));
}

#[test]
fn nobody_squats_in_anothers_stream() {
    let mut desk = Desk::new();
    let own = desk.plan(ACME, "friday").unwrap().drop;
    desk.give(ACME, DropAction::StartCountdown.on(own)).unwrap();
    // No plan, no edit into it, no way into the room, and the drop there is as if it did not exist.
    assert_eq!(desk.plan(ZETA, "friday").unwrap_err().code(), "stream_not_yours");
    let elsewhere = desk.plan(ZETA, "saturday").unwrap().drop;
    let moved = DropAction::Edit { plan: Arc::new(terms("zeta", "friday")) };
    assert_eq!(desk.code(ZETA, moved.on(elsewhere)), "fixed_field");
    assert_eq!(desk.code(ZETA, admit("friday", "zeta")), "stream_not_yours");
    assert_eq!(desk.code(ZETA, dismiss("friday", "acme")), "stream_not_yours");
    assert_eq!(desk.code(ZETA, end("friday")), "stream_not_yours");
    assert_eq!(desk.code(ZETA, make("sunday", merchant("zeta"))), "forbidden");
    assert_eq!(desk.code(ZETA, move_to("friday", merchant("zeta"))), "forbidden");
    for action in [DropAction::Close, DropAction::Pause, DropAction::Feature, DropAction::Cancel] {
        assert_eq!(desk.code(ZETA, action.on(own)), "unknown_drop");
    }
    let offline = StreamAction::Offline.on("friday".parse().unwrap());
    assert_eq!(desk.code(ZETA, offline), "forbidden");
    let mut desk = desk.restart();
    assert_eq!(desk.plan(ZETA, "friday").unwrap_err().code(), "stream_not_yours");
    assert_eq!(desk.code(NINA, admit("friday", "zeta")), "stream_not_yours");
    assert_eq!(desk.code(NINA, DropAction::Pause.on(own)), "unknown_drop");
    let host = ("hanna", Role::Host, Some("acme"));
    assert_eq!(desk.code(host, admit("friday", "zeta")), "forbidden");
}

#[test]
fn an_admitted_merchant_sells_until_dismissed_and_what_is_planned_stays() {
    let mut desk = Desk::new();
    desk.plan(ACME, "friday").unwrap();
    desk.give(ACME, admit("friday", "zeta")).unwrap();
    let (first, second) =
        (desk.plan(ZETA, "friday").unwrap().drop, desk.plan(ZETA, "friday").unwrap().drop);
    let mut desk = desk.restart();
    let third = desk.plan(ZETA, "friday").unwrap().drop;
    desk.give(ZETA, DropAction::StartCountdown.on(first)).unwrap();
    desk.world.wait_phase(first, Phase::Open);
    desk.give(ZETA, DropAction::Feature.on(first)).unwrap();
    desk.give(ACME, dismiss("friday", "zeta")).unwrap();
    let mut desk = desk.restart();
    assert_eq!(desk.plan(ZETA, "friday").unwrap_err().code(), "stream_not_yours");
    assert_eq!(desk.code(ZETA, DropAction::Feature.on(first)), "stream_not_yours");
    let edit = DropAction::Edit { plan: Arc::new(terms("zeta", "friday")) };
    desk.give(ZETA, edit.on(second)).unwrap();
    desk.give(ZETA, DropAction::StartCountdown.on(second)).unwrap();
    desk.world.wait_phase(second, Phase::Open);
    // The owner removes what has not begun, and chooses what is on air; the rest is the merchant's.
    desk.give(ACME, DropAction::Cancel.on(third)).unwrap();
    desk.give(ACME, DropAction::Feature.on(first)).unwrap();
    for action in [DropAction::Pause, DropAction::Close] {
        let refused = desk.give(ACME, action.on(first)).unwrap_err();
        assert!(matches!(refused, CommandRefusal::ForeignDrop { .. }), "{refused}");
    }
    assert_eq!(desk.code(ACME, DropAction::Cancel.on(first)), "wrong_phase");
    desk.give(ACME, admit("friday", "zeta")).unwrap();
    desk.plan(ZETA, "friday").unwrap();
}

#[test]
fn merchants_sell_side_by_side_in_a_creators_room() {
    let mut desk = Desk::new();
    desk.give(PLATFORM, make("late-show", creator("nina"))).unwrap();
    assert_eq!(desk.plan(ACME, "late-show").unwrap_err().code(), "stream_not_yours");
    for merchant in ["acme", "zeta"] {
        desk.give(NINA, admit("late-show", merchant)).unwrap();
    }
    let mugs = desk.plan(ACME, "late-show").unwrap().drop;
    let lamps = desk.plan(ZETA, "late-show").unwrap().drop;
    let mut desk = desk.restart();
    for drop in [mugs, lamps] {
        desk.give(NINA, DropAction::StartCountdown.on(drop)).unwrap();
        desk.world.wait_phase(drop, Phase::Open);
    }
    desk.give(NINA, DropAction::Feature.on(mugs)).unwrap();
    wait_for("mugs on air", || desk.world.engine.sale(mugs)?.is_featured().then_some(()));
    desk.give(NINA, DropAction::Pause.on(lamps)).unwrap();
    desk.give(ZETA, DropAction::Resume.on(lamps)).unwrap();
    // The goods stay the merchants': no more units, no plans, nothing elsewhere.
    let units = stampede_domain::Units::ONE;
    let more = DropAction::Restock { sku: "mug".parse().unwrap(), units };
    assert_eq!(desk.code(NINA, more.on(mugs)), "forbidden");
    assert_eq!(desk.plan_for(NINA, "acme", "late-show").unwrap_err().code(), "forbidden");
    let elsewhere = desk.plan(ACME, "friday").unwrap().drop;
    assert_eq!(desk.code(NINA, DropAction::StartCountdown.on(elsewhere)), "unknown_drop");
    assert_eq!(desk.code(OTTO, DropAction::Pause.on(mugs)), "unknown_drop");
    assert_eq!(desk.code(OTTO, dismiss("late-show", "acme")), "stream_not_yours");
    assert_eq!(desk.code(ZETA, DropAction::Feature.on(mugs)), "unknown_drop");
}

#[test]
fn the_house_makes_rooms_and_moves_them() {
    let mut desk = Desk::new();
    desk.give(ADMIN, make("gala", RoomOwner::House)).unwrap();
    assert_eq!(desk.plan(ACME, "gala").unwrap_err().code(), "stream_not_yours");
    // An admin plans for everybody.
    let planned = desk.plan_for(ADMIN, "acme", "gala").unwrap().drop;
    assert_eq!(desk.code(ADMIN, make("gala", creator("nina"))), "room_exists");
    assert_eq!(desk.code(ADMIN, move_to("gala", RoomOwner::House)), "room_unchanged");
    assert_eq!(desk.code(ADMIN, move_to("ball", RoomOwner::House)), "unknown_room");
    assert_eq!(desk.code(ADMIN, make("ball", creator(" "))), "invalid_account");
    let bound = ("anna", Role::Admin, Some("acme"));
    assert_eq!(desk.code(bound, make("ball", merchant("acme"))), "forbidden");
    desk.give(ADMIN, admit("gala", "zeta")).unwrap();
    desk.give(PLATFORM, move_to("gala", merchant("zeta"))).unwrap();
    let mut desk = desk.restart();
    let room = desk.rooms().remove(0);
    assert_eq!((room.owner, room.admitted), (merchant("zeta"), vec![]), "no owner is admitted");
    desk.plan(ZETA, "gala").unwrap();
    // What acme has there stays its own.
    desk.give(ACME, DropAction::StartCountdown.on(planned)).unwrap();
    assert_eq!(desk.code(ADMIN, end("gala")), "room_in_use");
}

#[test]
fn a_room_without_drops_can_end_and_then_belongs_to_whoever_comes_first() {
    let mut desk = Desk::new();
    let drop = desk.plan(ACME, "friday").unwrap().drop;
    assert_eq!(desk.code(ACME, end("friday")), "room_in_use");
    desk.give(ACME, DropAction::Cancel.on(drop)).unwrap();
    wait_for("the end of the drop", || {
        let over = desk.world.engine.sale(drop).is_none_or(|sale| sale.phase().is_final());
        over.then_some(())
    });
    desk.give(ACME, end("friday")).unwrap();
    // The journal still holds the first drop; it makes nobody an owner.
    let mut desk = desk.restart();
    assert_eq!(desk.rooms(), []);
    assert_eq!(desk.code(ACME, end("friday")), "unknown_room");
    desk.plan(ZETA, "friday").unwrap();
    assert_eq!(desk.restart().rooms()[0].owner, merchant("zeta"));
}

#[test]
fn no_admitted_merchant_takes_every_place() {
    let mut desk = Desk::new();
    desk.plan(ACME, "friday").unwrap();
    for name in ["zeta", "beta"] {
        desk.give(ACME, admit("friday", name)).unwrap();
    }
    for _ in 0..32 {
        desk.plan(ZETA, "friday").unwrap();
    }
    let refused = desk.plan(ZETA, "friday").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "zeta may have 32 drops in stream friday that are not over, and have them; settle or cancel \
         some first, or use a stream of your own"
    );
    for _ in 0..16 {
        desk.plan(BETA, "friday").unwrap();
    }
    let refused = desk.plan(BETA, "friday").unwrap_err();
    assert_eq!(refused.code(), "share_full");
    for _ in 0..15 {
        desk.plan(ACME, "friday").unwrap();
    }
    assert_eq!(desk.plan(ACME, "friday").unwrap_err().code(), "stream_full");
}

#[test]
fn rooms_are_bounded_and_nobody_uses_up_those_of_others() {
    let config = EngineConfig {
        rooms_max: 5,
        rooms_per_owner_max: 2,
        admitted_per_room_max: 1,
        ..EngineConfig::default()
    };
    let mut desk = Desk::with(&config);
    let first = desk.plan(ACME, "a1").unwrap().drop;
    let second = desk.plan(ACME, "a2").unwrap().drop;
    let refused = desk.plan(ACME, "a3").unwrap_err();
    assert_eq!(refused.code(), "rooms_full");
    assert!(refused.to_string().starts_with("merchant acme may have 2 streams"), "{refused}");
    assert_eq!(desk.code(ADMIN, make("a3", merchant("acme"))), "rooms_full");
    // A room without a drop gives way; the one planned last stays.
    for drop in [second, first] {
        desk.give(ACME, DropAction::Cancel.on(drop)).unwrap();
        desk.world.wait_phase(drop, Phase::Cancelled);
    }
    desk.plan(ACME, "a3").unwrap();
    let names =
        |desk: &Desk| desk.rooms().iter().map(|room| room.stream.to_string()).collect::<Vec<_>>();
    assert_eq!(names(&desk), ["a2", "a3"]);
    desk.plan(ZETA, "z1").unwrap();
    desk.plan(ZETA, "z2").unwrap();
    desk.give(ADMIN, make("c1", creator("nina"))).unwrap();
    // All are there: an idle merchant's gives way, nobody else's.
    desk.plan(BETA, "b1").unwrap();
    assert_eq!(names(&desk), ["a3", "b1", "c1", "z1", "z2"]);
    let refused = desk.plan(BETA, "b2").unwrap_err();
    assert!(refused.to_string().starts_with("all owners may have 5 streams"), "{refused}");
    assert_eq!(desk.code(ADMIN, move_to("c1", merchant("zeta"))), "rooms_full");
    desk.give(NINA, admit("c1", "acme")).unwrap();
    assert_eq!(desk.code(NINA, admit("c1", "acme")), "room_unchanged");
    assert_eq!(desk.code(NINA, admit("c1", "zeta")), "room_full");
    assert_eq!(desk.code(NINA, dismiss("c1", "zeta")), "room_unchanged");
}

#[test]
fn a_retry_of_a_command_about_a_room_does_nothing_twice() {
    let desk = Desk::new();
    let give = |desk: &Desk, key: &str, action: Action| {
        desk.world.give_as(Role::Admin, key, action).unwrap().get()
    };
    let first = give(&desk, "one", make("gala", creator("nina"))).unwrap();
    assert!(!first.replayed);
    let desk = desk.restart();
    assert!(give(&desk, "one", make("gala", creator("nina"))).unwrap().replayed);
    let other = give(&desk, "one", make("gala", creator("otto")));
    assert_eq!(other, Err(CommandRefusal::KeyReused));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_restart_finds_the_rooms_as_they_were(steps in proptest::collection::vec((0..5_usize, 0..10_u8, 0..3_usize, 0..3_usize), 1..40)) {
        let config = EngineConfig {
            rooms_max: 3,
            rooms_per_owner_max: 2,
            admitted_per_room_max: 2,
            ..EngineConfig::default()
        };
        let mut desk = Desk::with(&config);
        for (who, what, stream, name) in steps {
            let who = [ADMIN, ACME, ZETA, BETA, NINA][who];
            let (stream, name) = (["s1", "s2", "s3"][stream], ["acme", "zeta", "beta"][name]);
            let _ = match what {
                0 | 1 => desk.plan_for(who, name, stream),
                2 => desk.give(who, admit(stream, name)),
                3 => desk.give(who, dismiss(stream, name)),
                4 => desk.give(who, make(stream, creator("nina"))),
                5 => desk.give(who, move_to(stream, merchant(name))),
                6 => desk.give(who, end(stream)),
                7 => desk.give(who, hosts(stream, name, true)),
                8 => desk.give(who, hosts(stream, name, false)),
                _ => {
                    let drops = desk.world.engine.sales();
                    let found = drops.iter().find(|sale| sale.phase() == Phase::Scheduled);
                    match found {
                        Some(sale) => desk.give(who, DropAction::Cancel.on(sale.id())),
                        None => continue,
                    }
                }
            };
        }
        let before = desk.rooms();
        let World { ledger, clock, engine, .. } = desk.world;
        engine.shutdown();
        let world = World::start_with(EngineConfig { cores: 2, ..config }, ledger, clock);
        let after = world.engine.rooms(None, usize::MAX, |_| true);
        prop_assert_eq!(before, after);
    }
}
