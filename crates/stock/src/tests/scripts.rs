//! Whole stories as scripts: one line a step, its outcome after the arrow.
//!
//! ```text
//! lot     3                 units added to pool 0; `p1` after them names pool 1
//! withdraw 1 -> not_free 0  units taken out of a pool
//! withdraw all -> withdrawn 2
//! limits  5 1 3             of the drop, then of each SKU; while closed
//! buy     v1 k1 2 -> h1     viewer, key, units, pool like a lot's; the hold gets the next name
//! held    h1                its record is durable
//! confirm h1 -> won         also: end, give
//! stock   available=1 takes=1
//! ```

use stampede_domain::{DropId, HoldId, Incarnation, PoolIndex, SlotIndex, TakeNumber};

use super::{
    story::{Story, check},
    support::{config, config_of, key, pool, request, units, viewer},
};
use crate::{
    DropStock, End, GiveOutcome, HoldView, RestoreError, RestoredHold, RestoredState, StockConfig,
    Take,
};

#[test]
fn a_sale_from_lot_to_order() {
    check(
        config(10),
        "lot 3
         buy v1 k1 1 -> shut
         open
         buy v1 k1 2 -> h1
         buy v2 k1 2 -> not_enough 1
         buy v2 k1 1 -> h2
         buy v3 k1 1 -> sold_out
         stock -> available=0 takes=2
         confirm h1 -> pending
         held h1
         confirm h1 -> won
         confirm h1 -> confirmed
         end h1 -> confirmed
         give h1 -> refused
         view h1 -> confirmed
         view h2 -> pending",
    );
}

#[test]
fn a_key_keeps_its_answer_through_sell_out_close_and_end() {
    check(
        config(10),
        "lot 1
         open
         buy v1 k1 1 -> h1
         buy v1 k1 1 -> replay h1
         buy v1 k1 2 -> key_reused
         buy v2 k1 1 -> sold_out
         held h1
         end h1 -> won
         buy v1 k1 1 -> replay h1
         give h1 -> public 1
         buy v1 k1 1 -> replay h1
         view h1 -> ended
         close
         buy v1 k1 1 -> replay h1
         buy v1 k2 1 -> shut
         stock -> available=1 takes=1",
    );
}

#[test]
fn units_that_nobody_has_taken_are_withdrawn_and_no_others() {
    check(
        config(10),
        "lot 5
         open
         buy v1 k1 2 -> h1
         withdraw 4 -> not_free 3
         withdraw 3 -> withdrawn
         buy v2 k1 1 -> sold_out
         withdraw 1 -> not_free 0
         held h1
         end h1 -> won
         give h1 -> public 2
         withdraw 1 -> withdrawn
         buy v2 k1 2 -> not_enough 1
         lot 2
         close
         withdraw 1 -> withdrawn
         open
         buy v2 k1 2 -> h2
         stock -> available=0 takes=2",
    );
}

#[test]
fn all_that_is_free_is_withdrawn_at_once() {
    check(
        config(10),
        "lot 5
         open
         buy v1 k1 2 -> h1
         withdraw all -> withdrawn 3
         stock -> available=0 takes=1
         withdraw all -> not_free 0
         held h1
         end h1 -> won
         withdraw all -> not_free 0
         give h1 -> public 2
         withdraw all -> withdrawn 2
         lot 1
         buy v2 k1 1 -> h2",
    );
}

#[test]
fn a_key_keeps_its_answer_in_every_pool_of_its_sku() {
    check(
        config_of(&[0, 1, 0], &[9, 9], 9),
        "lot 2
         lot 2 p1
         lot 2 p2
         open
         buy v1 k1 2 p2 -> h1
         buy v1 k1 2 p2 -> replay h1
         buy v1 k1 2 -> replay h1
         buy v1 k1 1 -> key_reused
         buy v1 k1 2 p1 -> key_reused",
    );
}

#[test]
#[should_panic(expected = "each SKU with a pool has its limits")]
fn a_sku_without_limits_is_refused() {
    let _ = DropStock::new(config_of(&[0, 0, 1], &[1], 1));
}

#[test]
fn a_loop_of_buy_and_release_meets_the_cap() {
    check(
        StockConfig { holds_per_viewer_max: 2, ..config(5) },
        "lot 5
         open
         buy v1 k1 1 -> h1
         held h1
         end h1 -> won
         give h1 -> public 1
         buy v1 k2 1 -> h2
         held h2
         end h2 -> won
         give h2 -> public 1
         buy v1 k3 1 -> capped 2
         buy v1 k2 1 -> replay h2
         buy v2 k1 1 -> h3",
    );
}

#[test]
fn a_waitlist_comes_before_the_public() {
    check(
        config(10),
        "lot 2
         open
         buy v1 k1 1 -> h1
         wait 1 -> available 1
         wait 2 -> waiting
         buy v2 k1 1 -> sold_out
         held h1
         end h1 -> won
         give h1 -> waiting 1
         stock -> available=1 takes=1
         served 1
         stock -> available=2 takes=1
         buy v2 k1 2 -> h2",
    );
}

#[test]
fn answers_come_in_their_order_of_precedence() {
    check(
        StockConfig { holds_per_viewer_max: 1, ..config(1) },
        "lot 1
         open
         buy v2 k1 1 full -> no_room
         buy v2 k1 2 full -> over_limit 1 for good
         buy v1 k1 1 -> h1
         buy v1 k1 2 -> key_reused
         buy v1 k2 1 -> over_limit 1 for good
         held h1
         end h1 -> won
         give h1 -> public 1
         buy v1 k2 1 -> capped 1
         buy v2 k1 1 -> h2
         buy v1 k2 1 -> capped 1
         buy v3 k1 2 -> over_limit 1 for good
         buy v3 k1 1 full -> sold_out
         close
         buy v1 k1 1 -> replay h1
         buy v3 k1 2 -> shut",
    );
}

#[test]
fn a_slot_serves_again_and_its_old_id_stays_ended() {
    let mut story = Story::new(config(1));
    story.step(&["lot", "1"]);
    story.step(&["open"]);
    for round in 0..8 {
        let (by, name) = (format!("v{round}"), format!("h{}", round + 1));
        assert_eq!(story.step(&["buy", &by, "k1", "1"]), name);
        story.step(&["held", &name]);
        assert_eq!(story.step(&["end", &name]), "won");
        assert_eq!(story.step(&["give", &name]), "public 1");
        assert_eq!(story.step(&["give", &name]), "refused");
    }
    assert_eq!(story.step(&["buy", "v9", "k1", "1"]), "h9");
    let slots: std::collections::HashSet<_> = story.holds.iter().map(|hold| hold.slot()).collect();
    assert!(slots.len() <= 9, "slots come back");
    assert_eq!(story.hold("h9").slot(), story.hold("h8").slot());
    for old in 1..9 {
        let name = format!("h{old}");
        assert_eq!(story.step(&["view", &name]), "ended");
        assert_eq!(story.step(&["end", &name]), "ended");
    }
}

#[test]
fn ids_that_were_never_made_are_unknown() {
    let mut story = Story::new(config(1));
    story.step(&["lot", "1"]);
    story.step(&["open"]);
    story.step(&["buy", "v1", "k1", "1"]);
    let made = story.hold("h1");
    let with = |drop: u32, incarnation: u32, in_pool: u8, slot: u32, take: u64| {
        HoldId::new(
            DropId::new(drop),
            Incarnation::new(incarnation).unwrap(),
            PoolIndex::new(in_pool).unwrap(),
            SlotIndex::new(slot).unwrap(),
            TakeNumber::new(take).unwrap(),
        )
    };
    let slot = made.slot().get();
    assert_eq!(with(1, 1, 0, slot, 1), made);
    let strange = [
        with(2, 1, 0, slot, 1),
        with(1, 2, 0, slot, 1),
        with(1, 1, 1, slot, 1),
        with(1, 1, 0, SlotIndex::MAX.get(), 1),
        with(1, 1, 0, slot, 0),
        with(1, 1, 0, slot, 2),
    ];
    for hold in strange {
        assert_eq!(story.stock.view(hold), HoldView::Unknown, "{hold:?}");
        assert_eq!(story.stock.end(hold), End::Unknown);
        assert_eq!(story.stock.give(hold), GiveOutcome::Refused);
    }
    assert_eq!(story.stock.view(with(1, 0, 0, slot, 1)), HoldView::Ended, "an earlier start's");
}

fn restored(slot: u32, take: u64, by: u64, count: u32, state: RestoredState) -> RestoredHold {
    let request = request(by, by, count);
    RestoredHold {
        id: HoldId::new(
            DropId::new(1),
            Incarnation::new(1).unwrap(),
            pool(0),
            SlotIndex::new(slot).unwrap(),
            TakeNumber::new(take).unwrap(),
        ),
        viewer: viewer(by),
        key: key(by),
        units: units(count),
        taken_at: request.now,
        deadline: request.deadline,
        state,
    }
}

#[test]
fn a_restored_stock_sells_on_without_touching_restored_slots() {
    let mut stock =
        DropStock::new(StockConfig { incarnation: Incarnation::new(2).unwrap(), ..config(10) });
    stock.add_supply(pool(0), units(20)).unwrap();
    stock.restore_hold(&restored(3, 9, 1, 2, RestoredState::Held)).unwrap();
    stock.restore_hold(&restored(0, 4, 2, 1, RestoredState::Confirmed)).unwrap();
    stock.restore_hold(&restored(3, 2, 3, 1, RestoredState::Ended)).unwrap();
    stock.restore_take_number(pool(0), TakeNumber::new(7).unwrap());
    stock.permit_takes();
    let mut lane = stock.lane();
    let mut slots = Vec::new();
    for by in 10..27 {
        let Take::Taken(hold) = stock.take(&mut lane, &request(by, by, 1), || true) else {
            panic!("17 units are left")
        };
        assert_eq!(hold.take().get(), by, "numbers go on after 9");
        assert_eq!(hold.incarnation().get(), 2);
        slots.push(hold.slot().get());
    }
    assert_eq!(stock.take(&mut lane, &request(99, 1, 1), || true), Take::SoldOut);
    slots.sort_unstable();
    slots.dedup();
    assert_eq!(slots.len(), 17, "each hold has a slot of its own");
    assert!(!slots.contains(&0) && !slots.contains(&3));
    let held = restored(3, 9, 1, 2, RestoredState::Held).id;
    assert_eq!(stock.take(&mut lane, &request(1, 1, 2), || true), Take::Replay(held));
    assert!(matches!(stock.end(held), End::Won(_)));
    assert!(matches!(stock.give(held), GiveOutcome::ToPublic(_)));
    assert_eq!(stock.pools().next().unwrap().available, units(2));
}

#[test]
fn a_hold_returns_to_whichever_slot_it_had() {
    let mut stock = DropStock::new(config(10));
    stock.add_supply(pool(0), units(20)).unwrap();
    for (slot, take) in [511, 512, 1_024, 65_536].into_iter().zip(1..) {
        let hold = restored(slot, take, take, 1, RestoredState::Held);
        stock.restore_hold(&hold).unwrap();
        assert!(matches!(stock.view(hold.id), HoldView::Held(_)), "slot {slot}");
    }
}

#[test]
fn a_journal_that_contradicts_itself_is_refused() {
    let build = || {
        let mut stock = DropStock::new(config(10));
        stock.add_supply(pool(0), units(2)).unwrap();
        stock.restore_hold(&restored(0, 1, 1, 1, RestoredState::Held)).unwrap();
        stock
    };
    let more = restored(1, 2, 2, 2, RestoredState::Held);
    assert_eq!(
        build().restore_hold(&more),
        Err(RestoreError::Oversold { hold: more.id, units: units(2), available: units(1) })
    );
    let shared = restored(0, 2, 2, 1, RestoredState::Held);
    assert_eq!(build().restore_hold(&shared), Err(RestoreError::SlotTaken { hold: shared.id }));
    let again = restored(1, 2, 1, 1, RestoredState::Ended);
    let first = restored(0, 1, 1, 1, RestoredState::Held).id;
    assert_eq!(
        build().restore_hold(&again),
        Err(RestoreError::KeyRepeated { hold: again.id, first })
    );
    let mut other = restored(1, 2, 2, 1, RestoredState::Held);
    other.id = HoldId::new(
        DropId::new(9),
        other.id.incarnation(),
        pool(0),
        other.id.slot(),
        other.id.take(),
    );
    assert_eq!(build().restore_hold(&other), Err(RestoreError::OtherDrop { hold: other.id }));
    other.id = HoldId::new(
        DropId::new(1),
        other.id.incarnation(),
        pool(5),
        other.id.slot(),
        other.id.take(),
    );
    assert_eq!(
        build().restore_hold(&other),
        Err(RestoreError::UnknownPool { hold: other.id, pools: 1 })
    );
}

#[test]
fn room_is_asked_only_by_what_nothing_else_refuses() {
    let stock = DropStock::new(config(3));
    stock.add_supply(pool(0), units(4)).unwrap();
    let mut lane = stock.lane();
    let mut take = |by, with, count, room| {
        let mut asked = false;
        let taken = stock.take(&mut lane, &request(by, with, count), || {
            asked = true;
            room
        });
        (taken, asked)
    };
    assert_eq!(take(1, 1, 1, true), (Take::Shut, false));
    stock.permit_takes();
    assert_eq!(take(1, 1, 1, false), (Take::NoRoom, true), "it would have taken");
    let (Take::Taken(hold), true) = take(1, 1, 2, true) else { panic!("units are there") };
    assert_eq!(take(1, 1, 2, true), (Take::Replay(hold), false));
    assert_eq!(take(1, 1, 1, true), (Take::KeyReused, false));
    assert_eq!(
        take(1, 2, 2, true),
        (Take::OverViewerLimit { limit: units(3), for_good: false }, false)
    );
    assert_eq!(take(2, 2, 3, true), (Take::NotEnough { available: units(2) }, false));
    assert!(matches!(take(2, 2, 2, true), (Take::Taken(_), true)));
    assert_eq!(take(3, 3, 1, true), (Take::SoldOut, false));
    stock.forbid_takes();
    assert_eq!(take(3, 3, 1, true), (Take::Shut, false));
}

#[test]
#[should_panic(expected = "made it")]
fn a_lane_of_another_stock_is_refused() {
    let (one, other) = (DropStock::new(config(1)), DropStock::new(config(1)));
    one.add_supply(pool(0), units(1)).unwrap();
    one.permit_takes();
    let _ = one.take(&mut other.lane(), &request(1, 1, 1), || true);
}

#[test]
#[should_panic(expected = "not pending")]
fn a_commit_applied_twice_stops() {
    let mut story = Story::new(config(1));
    for step in [&["lot", "1"][..], &["open"], &["buy", "v1", "k1", "1"], &["held", "h1"]] {
        story.step(step);
    }
    story.step(&["held", "h1"]);
}
