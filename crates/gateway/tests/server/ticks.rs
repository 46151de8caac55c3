//! Messages to everybody: stock, phases, plans.

use std::sync::Arc;

use stampede_domain::{DropId, DropPlan, DurationMs, NewEnd, Phase, StockDisplay, Units};
use stampede_engine::{AmendTerms, DropAction};
use stampede_wire::{ClientMessage, DropInfo, ServerMessage, Subprotocol};

use crate::{
    client::Client,
    world::{CORES, World, plan, wait_for},
};

/// Reads ticks until the SKU shows what it should.
fn shown(client: &mut Client, sku: &str, available: u32) {
    loop {
        let stock = client.stock();
        let found = stock.skus.iter().find(|shown| shown.sku.as_str() == sku);
        if found.is_some_and(|shown| shown.available == available) {
            return;
        }
    }
}

#[test]
fn everybody_sees_the_stock_fall() {
    let world = World::new();
    let drop = world.open(plan(3));
    let mut watchers: Vec<Client> = Subprotocol::ALL
        .into_iter()
        .flat_map(|subprotocol| [subprotocol; 3])
        .enumerate()
        .map(|(number, subprotocol)| {
            let mut client = world.dial(subprotocol);
            client.hello(&world.ticket(&format!("w{number}")));
            client.welcomed();
            client
        })
        .collect();
    let mut buyer = world.join("v1");
    buyer.buy(drop, "mug", 1, "first");
    buyer.held();
    for watcher in &mut watchers {
        shown(watcher, "mug", 2);
    }
    buyer.buy(drop, "cup", 1, "second");
    buyer.held();
    for watcher in &mut watchers {
        shown(watcher, "cup", 4);
    }
    world.command(DropAction::Restock { sku: "mug".parse().unwrap(), units: Units::ONE }.on(drop));
    for watcher in &mut watchers {
        shown(watcher, "mug", 3);
    }
}

#[test]
fn nothing_is_told_while_nothing_changes() {
    let world = World::with(|config| config.tick_interval = DurationMs::new(5));
    world.open(plan(3));
    let mut client = world.join("v1");
    // Each look finds a tick due; what it told would come before the next answer.
    for _ in 0..20 {
        world.advance(5);
        client.send(&ClientMessage::Ping);
        assert!(matches!(client.next_any(), Ok(ServerMessage::Pong(_))));
    }
}

/// Exact up to four units, rounded down to even ones above.
fn rounded(supply: u32) -> DropPlan {
    let units = |count| Units::new(count).unwrap();
    let display = StockDisplay { rounded_above: units(4), round_to: units(2) };
    DropPlan { stock_display: Some(display), ..plan(supply) }
}

#[test]
fn plenty_is_rounded_and_scarce_is_exact() {
    let world = World::with(|config| config.tick_interval = DurationMs::new(1));
    let drop = world.open(rounded(7));
    let mut watcher = world.dial(Subprotocol::MsgPack);
    watcher.hello(&world.ticket("w1"));
    let mug = watcher.welcomed().drops[0].skus[0].clone();
    assert_eq!((mug.available, mug.approximate), (6, true), "seven, in the welcome");
    let mut seen = Vec::new();
    for number in 0..7 {
        let mut buyer = world.join(&format!("v{number}"));
        buyer.buy(drop, "mug", 1, "first");
        buyer.held();
        // Six of seven look the same, tick after tick.
        if number == 0 {
            for _ in 0..20 {
                world.advance(1);
                watcher.send(&ClientMessage::Ping);
                assert!(matches!(watcher.next_any(), Ok(ServerMessage::Pong(_))), "6 stays 6");
            }
            continue;
        }
        let stock = watcher.stock();
        seen.push((stock.skus[0].available, stock.skus[0].approximate));
    }
    let exact = |units| (units, false);
    assert_eq!(seen, [(4, true), exact(4), exact(3), exact(2), exact(1), exact(0)]);
    // A refusal says what there is, rounded or not.
    let mut late = world.join("late");
    late.buy(drop, "mug", 1, "late");
    assert_eq!(late.refused().available, Some(0));
}

#[test]
fn a_refusal_is_exact_where_the_stock_is_rounded() {
    let world = World::new();
    let mut terms = rounded(7);
    terms.limit_per_viewer = Units::new(9).unwrap();
    terms.skus[0].limit_per_viewer = Units::new(9).unwrap();
    let drop = world.open(terms);
    let mut buyer = world.join("v1");
    buyer.buy(drop, "mug", 8, "too-many");
    let refused = buyer.refused();
    assert_eq!((&*refused.code, refused.available), ("not_enough", Some(7)));
}

#[test]
fn phases_are_told_with_the_time_that_remains() {
    let world = World::new();
    let mut terms = plan(3);
    terms.countdown = DurationMs::from_secs(10);
    let mut client = world.join("v1");
    let drop = world.plan(terms.clone());
    let planned = client.drop_info();
    assert_eq!(planned.phase, Phase::Scheduled);
    terms.title = "Better mugs".into();
    world.command(DropAction::Edit { plan: Arc::new(terms) }.on(drop));
    let edited = client.drop_info();
    assert_eq!(edited.title, "Better mugs");
    assert!(edited.version > planned.version, "or clients would take the edit for stale");

    let mut version = edited.version;
    let mut phase = || loop {
        match client.next_any() {
            Ok(ServerMessage::Phase(notice)) => {
                assert!(std::mem::replace(&mut version, notice.version) < notice.version);
                return notice;
            }
            Ok(_) => {}
            Err(closed) => panic!("{closed:?}"),
        }
    };
    world.command(DropAction::StartCountdown.on(drop));
    let notice = phase();
    assert_eq!((notice.drop, notice.phase), (drop, Phase::Countdown));
    assert_eq!(notice.opens_in_ms, Some(10_000));
    world.advance(10_000);
    let opened = loop {
        let notice = phase();
        if notice.phase == Phase::Open {
            break notice;
        }
    };
    assert!(opened.featured);
    world.command(DropAction::Pause.on(drop));
    assert_eq!(phase().phase, Phase::Paused);
    world.command(DropAction::Close.on(drop));
    // It settles at once; a core that gets to both at a time tells the newer alone.
    let mut settled = phase();
    if settled.phase == Phase::Closed {
        settled = phase();
    }
    assert_eq!(settled.phase, Phase::Settled);
}

#[test]
fn a_drop_that_is_long_over_is_left_out_of_welcomes_with_its_orders() {
    let world = World::new();
    let drop = world.open(plan(1));
    let mut buyer = world.join("buyer");
    buyer.buy(drop, "mug", 1, "one");
    let hold = buyer.held().hold;
    buyer.pay(hold);
    world.settle_payment();
    buyer.ordered();
    world.command(DropAction::Close.on(drop));
    world.wait_phase(drop, Phase::Settled);
    // Somebody stays on every core, so that each knows since when it is over.
    let _watchers: Vec<_> = (0..2 * CORES).map(|n| world.join(&format!("w{n}"))).collect();
    let welcomed = || {
        let mut client = world.dial(Subprotocol::Json);
        client.hello(&world.ticket("buyer"));
        let welcome = client.welcomed();
        (welcome.drops.len(), welcome.orders.len())
    };
    assert_eq!(welcomed(), (1, 1));
    world.advance(600_000);
    // The steward may need a moment; orders leave memory with their drop.
    wait_for("an empty welcome", || (welcomed() == (0, 0)).then_some(()));
}

#[test]
fn an_edited_running_order_is_shown_to_whoever_comes_later() {
    let world = World::new();
    let at = |running_order| {
        let mut terms = plan(3);
        terms.running_order = running_order;
        terms
    };
    let (first, second) = (world.plan(at(1)), world.plan(at(2)));
    // With watchers on every core there is an audience that the edit has to reach.
    let mut watchers: Vec<Client> = (0..16).map(|n| world.join(&format!("w{n}"))).collect();
    world.command(DropAction::Edit { plan: Arc::new(at(3)) }.on(first));
    for watcher in &mut watchers {
        assert_eq!(watcher.drop_info().drop, first);
    }
    for number in 0..16 {
        let mut late = world.dial(Subprotocol::Json);
        late.hello(&world.ticket(&format!("l{number}")));
        let shown: Vec<_> = late.welcomed().drops.iter().map(|drop| drop.drop).collect();
        assert_eq!(shown, [second, first]);
    }
}

#[test]
fn terms_that_are_amended_are_told_to_everybody() {
    let world = World::new();
    let drop = world.open(plan(3));
    let mut watchers: Vec<Client> = (0..16).map(|n| world.join(&format!("w{n}"))).collect();
    world.command(DropAction::Pause.on(drop));
    let before = world.sale(drop).version();
    let (limit_per_viewer, skus) = (Some(Units::new(5).unwrap()), Vec::new());
    let hour = DurationMs::from_secs(3_600);
    let end = Some(NewEnd::At(world.now().plus(hour)));
    world.command(DropAction::Amend(AmendTerms { limit_per_viewer, skus, end }).on(drop));
    let shown = |told: &DropInfo| {
        let mug = &told.skus[0];
        (told.limit_per_viewer, mug.limit_per_viewer, mug.units_per_buy_max, told.closes_in_ms)
    };
    let expected = (5, 5, 5, Some(hour.get()));
    for watcher in &mut watchers {
        let told = watcher.drop_info();
        assert_eq!((told.phase, shown(&told)), (Phase::Paused, expected));
        assert!(told.version > before, "or clients would take it for stale");
    }
    let mut late = world.dial(Subprotocol::Json);
    late.hello(&world.ticket("late"));
    assert_eq!(shown(&late.welcomed().drops[0]), expected);
}

#[test]
fn a_slow_reader_skips_ticks_but_gets_the_newest() {
    const ANSWERS: usize = 20_000;
    const TICKS: u32 = 50;
    let interval = DurationMs::new(100);
    let world = World::with(|config| {
        config.tick_interval = interval;
        (config.messages_per_s, config.messages_burst) = (1_000_000, 1_000_000);
        config.queue_bytes_max = 64 << 20;
    });
    let drop = world.open(plan(1));
    let mut slow = world.join("slow");
    let mut watchers: Vec<Client> = (0..CORES).map(|n| world.join(&format!("w{n}"))).collect();
    // These are more than what the kernel keeps for a connection; the last one shows that all are read.
    for number in 0..ANSWERS {
        slow.buy(DropId::new(999), "mug", 1, &format!("{number:064}"));
    }
    slow.buy(drop, "cup", 1, "last");
    let cups = || world.sale(drop).figures()[1].available.get();
    wait_for("the last request", || (cups() == 4).then_some(()));

    for _ in 0..TICKS {
        let more = DropAction::Restock { sku: "mug".parse().unwrap(), units: Units::ONE };
        world.command(more.on(drop));
        world.advance(interval.get());
        for watcher in &mut watchers {
            watcher.send(&ClientMessage::Ping);
            watcher.stock();
        }
    }
    for _ in 0..ANSWERS {
        slow.refused();
    }
    slow.held();
    // Of all the ticks it gets the newest alone, with whatever moved since it last looked.
    let stock = slow.stock();
    let shown: Vec<_> = stock.skus.iter().map(|sku| (sku.sku.as_str(), sku.available)).collect();
    assert_eq!(shown, [("mug", 1 + TICKS), ("cup", 4)]);
    slow.send(&ClientMessage::Ping);
    assert!(matches!(slow.next_any(), Ok(ServerMessage::Pong(_))));
}
