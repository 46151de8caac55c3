//! Bans against the running server: by viewer, channel, address.

use stampede_domain::{BanId, BanTarget, DurationMs, Mode};
use stampede_engine::BrakeAction;
use stampede_ledger::fake::{FakeLedger, Fault};
use stampede_wire::{ClientMessage, ServerMessage, Subprotocol};

use crate::{
    client::Client,
    world::{World, plan, wait_for},
};

fn ban(world: &World, target: BanTarget, release_holds: bool) {
    world.command(BrakeAction::Ban { target, release_holds, expires_in: None });
}

fn viewer(id: &str) -> BanTarget {
    BanTarget::Viewer(id.parse().unwrap())
}

fn channel(stream: Option<&str>) -> BanTarget {
    let stream = stream.map(|stream| stream.parse().unwrap());
    BanTarget::Channel { channel: "nina-tv".parse().unwrap(), stream }
}

/// A viewer whose ticket names the channel.
fn join_by_channel(world: &World, viewer: &str) -> Client {
    let mut client = world.dial(Subprotocol::Json);
    client.hello(&world.ticket_with(viewer, |t| t.channel = Some("nina-tv".parse().unwrap())));
    client.welcomed();
    client
}

#[test]
fn a_banned_viewer_is_closed_and_stays_out() {
    let world = World::new();
    let drop = world.open(plan(5));
    let mut eve = world.join("eve");
    let second = world.join("eve");
    eve.buy(drop, "mug", 1, "e1");
    eve.held();
    ban(&world, viewer("eve"), false);
    assert_eq!(eve.closed(), 4201);
    assert_eq!(second.closed(), 4201);
    let mut again = world.dial(Subprotocol::MsgPack);
    again.hello(&world.ticket("eve"));
    assert_eq!(again.closed(), 4201);
    assert_eq!(world.available(drop), 4, "the hold lives on");
    world.check_unharmed(drop);
    world.command(BrakeAction::Unban { ban: BanId::new(1) });
    let mut back = world.dial(Subprotocol::Json);
    back.hello(&world.ticket("eve"));
    assert_eq!(back.welcomed().holds.len(), 1, "and is there when the ban is over");
}

#[test]
fn a_ban_of_a_channel_takes_its_holds_along() {
    let world = World::new();
    let drop = world.open(plan(5));
    let mut eve = join_by_channel(&world, "eve");
    eve.buy(drop, "mug", 2, "e1");
    eve.held();
    let mut ann = world.join("ann");
    ann.buy(drop, "mug", 1, "a1");
    ann.held();
    ban(&world, channel(Some("show")), true);
    assert_eq!(eve.closed(), 4201);
    wait_for("the units", || (world.available(drop) == 4).then_some(()));
    ann.send(&ClientMessage::Ping);
    while !matches!(ann.next(), ServerMessage::Pong(_)) {}
    let mut again = world.dial(Subprotocol::Json);
    again.hello(&world.ticket_with("eve", |t| t.channel = Some("nina-tv".parse().unwrap())));
    assert_eq!(again.closed(), 4201);
    // The viewer was not banned, only the channel.
    world.join("eve");
}

#[test]
fn a_take_under_way_is_released_though_its_connection_is_gone() {
    let ledger = FakeLedger::new("n1".parse().unwrap());
    let world = World::on_fake(&ledger);
    let drop = world.open(plan(5));
    let (mut eve, mut ann) = (join_by_channel(&world, "eve"), world.join("ann"));
    ledger.order(ledger.commits() + 1, Fault::Hang);
    ann.buy(drop, "mug", 1, "a1");
    ledger.wait_until_hanging();
    eve.buy(drop, "mug", 2, "e1");
    wait_for("the take", || (world.available(drop) == 2).then_some(()));
    eve.vanish();
    let show = "show".parse().unwrap();
    wait_for("the connection to end", || {
        (world.engine.viewers_connected(&show, Mode::Live) == 1).then_some(())
    });
    let witness = join_by_channel(&world, "bob");
    let target = channel(Some("show"));
    let banned = world.begin(BrakeAction::Ban { target, release_holds: true, expires_in: None });
    assert_eq!(witness.closed(), 4201, "the ban has come");
    ledger.release();
    banned.blocking_recv().unwrap().unwrap();
    ann.held();
    wait_for("the units", || (world.available(drop) == 4).then_some(()));
}

#[test]
fn a_channel_banned_in_another_stream_goes_on_here() {
    let world = World::new();
    let drop = world.open(plan(5));
    let mut eve = join_by_channel(&world, "eve");
    ban(&world, channel(Some("monday")), true);
    eve.buy(drop, "mug", 1, "e1");
    eve.held();
    join_by_channel(&world, "ann");
}

#[test]
fn a_banned_address_is_closed_then_turned_away_at_the_door() {
    let world = World::new();
    let drop = world.open(plan(5));
    let mut eve = world.join("eve");
    eve.buy(drop, "mug", 1, "e1");
    eve.held();
    let greeting = world.dial(Subprotocol::Json);
    let target = BanTarget::Addresses("127.0.0.0/24".parse().unwrap());
    let expires_in = Some(DurationMs::from_secs(60));
    world.command(BrakeAction::Ban { target, release_holds: true, expires_in });
    assert_eq!(eve.closed(), 4201);
    assert_eq!(greeting.closed(), 4201, "before its hello too");
    wait_for("the units", || (world.available(drop) == 5).then_some(()));
    let refused = Client::try_dial(world.address, Subprotocol::Json.name());
    assert!(refused.is_err_and(|why| why.to_string().contains("403")));
    world.advance(60_000);
    wait_for("the end", || (world.engine.brake().ban_count() == 0).then_some(()));
    world.check_unharmed(drop);
}
