//! Tickets over a connection's life.

use stampede_domain::{ChannelId, DurationMs, Mode, UnixMillis};
use stampede_ledger::{Record, fake::FakeLedger};
use stampede_wire::{ClientMessage, ServerMessage, Subprotocol, ticket::Ticket};

use crate::world::{World, plan, verifier, wait_for};

fn closed_after_hello(world: &World, ticket: &str) -> u16 {
    let mut client = world.dial(Subprotocol::Json);
    client.hello(ticket);
    client.closed()
}

#[test]
fn a_bad_ticket_is_refused() {
    let world = World::new();
    let drop = world.open(plan(2));
    assert_eq!(closed_after_hello(&world, "rubbish"), 4100);
    let mut forged = world.ticket("v1");
    let last = forged.pop().unwrap();
    forged.push(if last == 'A' { 'B' } else { 'A' });
    assert_eq!(closed_after_hello(&world, &forged), 4100);
    world.check_unharmed(drop);
}

#[test]
fn an_expired_ticket_is_refused() {
    let world = World::new();
    let ticket = world.ticket("v1");
    world.advance(3_600_000);
    assert_eq!(closed_after_hello(&world, &ticket), 4101);
}

#[test]
fn tickets_go_by_the_wall_clock_and_holds_do_not() {
    let world = World::new();
    let drop = world.open(plan(2));
    let ticket_of = |viewer, wall: UnixMillis| {
        let expires_at = wall.plus(DurationMs::from_secs(3_600));
        world.ticket_with(viewer, |ticket| ticket.expires_at = expires_at)
    };
    let mut early = world.join("v1");
    early.buy(drop, "mug", 1, "first");
    early.held();
    // The server has run eight hours fast until somebody sets its clock right.
    world.set_wall(-8 * 3_600_000);
    let wall = world.engine.wall();
    let mut client = world.dial(Subprotocol::Json);
    client.hello(&ticket_of("v2", wall));
    let welcome = client.welcomed();
    assert_eq!((welcome.ticket_expires_in_ms, welcome.server_time_ms), (3_600_000, wall.get()));
    client.buy(drop, "mug", 1, "second");
    let held = client.held();
    assert_eq!(held.expires_in_ms, plan(0).hold_ttl.get());
    // It was ten minutes slow: what expired in that time is expired.
    let stale = ticket_of("v3", wall);
    world.set_wall(2 * 3_600_000);
    assert_eq!(closed_after_hello(&world, &stale), 4101);
    assert_eq!(world.available(drop), 0, "no hold has ended");
}

#[test]
fn keys_can_be_changed_while_connections_stay() {
    let world = World::new();
    let drop = world.open(plan(2));
    let mut old = world.join("v1");
    world.gateway.as_ref().unwrap().set_tickets(verifier("k2"));
    assert_eq!(closed_after_hello(&world, &world.ticket("v2")), 4100);
    old.buy(drop, "mug", 1, "first");
    old.held();
}

#[test]
fn a_ticket_that_runs_out_stops_buys_until_it_is_refreshed() {
    let world = World::with(|config| {
        config.heartbeat = DurationMs::from_secs(3_600);
        config.ticket_grace = DurationMs::from_secs(30);
    });
    let drop = world.open(plan(2));
    let expiring = |seconds| {
        let at = world.now().plus(DurationMs::from_secs(seconds));
        world.ticket_with("v1", |ticket| ticket.expires_at = at)
    };
    let mut client = world.dial(Subprotocol::Json);
    client.hello(&expiring(60));
    assert_eq!(client.welcomed().ticket_expires_in_ms, 60_000);
    world.advance(60_000);
    client.buy(drop, "mug", 1, "first");
    assert_eq!(client.refused_as(), "ticket_expired");
    assert_eq!(world.refused(drop, "ticket_expired"), 1);
    client.send(&ClientMessage::Refresh { ticket: expiring(100).into() });
    match client.next() {
        ServerMessage::Refreshed(refreshed) => assert_eq!(refreshed.ticket_expires_in_ms, 100_000),
        other => panic!("{other:?}"),
    }
    client.buy(drop, "mug", 1, "first");
    client.held();
    world.advance(129_000);
    client.buy(drop, "mug", 1, "second");
    while !matches!(client.next(), ServerMessage::Refused(refused) if refused.code == "ticket_expired")
    {
    }
    world.advance(1_000);
    assert_eq!(client.closed(), 4101);
}

#[test]
fn a_refresh_keeps_the_bearer() {
    let world = World::new();
    let others: [fn(&mut Ticket); 4] = [
        |ticket| ticket.viewer = "v2".parse().unwrap(),
        |ticket| ticket.stream = "other".parse().unwrap(),
        |ticket| ticket.channel = Some("kol".parse().unwrap()),
        |ticket| ticket.mode = Mode::Rehearsal,
    ];
    for change in others {
        let mut client = world.join("v1");
        let ticket = world.ticket_with("v1", change);
        client.send(&ClientMessage::Refresh { ticket: ticket.into() });
        assert_eq!(client.closed(), 4102);
    }
    let mut client = world.join("v1");
    client.send(&ClientMessage::Refresh { ticket: "rubbish".into() });
    assert_eq!(client.closed(), 4100);
}

#[test]
fn a_refresh_over_the_rate_checks_no_signature() {
    let world = World::with(|config| config.messages_burst = 2);
    let mut client = world.join("v1");
    client.send(&ClientMessage::Refresh { ticket: world.ticket("v1").into() });
    assert!(matches!(client.next(), ServerMessage::Refreshed(_)));
    // A ticket that were checked would end it with 4100.
    client.send(&ClientMessage::Refresh { ticket: "rubbish".into() });
    assert_eq!(client.closed(), 4105);
}

#[test]
fn a_ticket_reaches_the_holds_of_its_own_stream_only() {
    let world = World::new();
    let drop = world.open(plan(2));
    let mut live = world.join("v1");
    live.buy(drop, "mug", 1, "first");
    let hold = live.held().hold;
    let others: [fn(&mut Ticket); 2] =
        [|ticket| ticket.mode = Mode::Rehearsal, |ticket| ticket.stream = "other".parse().unwrap()];
    for change in others {
        let mut other = world.dial(Subprotocol::Json);
        other.hello(&world.ticket_with("v1", change));
        assert!(other.welcomed().holds.is_empty());
        other.release(hold);
        assert_eq!(other.refused_as(), "unknown_hold");
        other.pay(hold);
        assert_eq!(other.refused_as(), "unknown_hold");
    }
    assert_eq!(world.available(drop), 1);
    live.pay(hold);
    world.settle_payment();
    assert_eq!(live.ordered().hold, hold);
}

#[test]
fn a_rehearsal_shows_rehearsals_only() {
    let world = World::new();
    let live = world.open(plan(2));
    let mut rehearsal = plan(2);
    rehearsal.mode = Mode::Rehearsal;
    let rehearsal = world.open(rehearsal);
    let mut client = world.dial(Subprotocol::Json);
    client.hello(&world.ticket_with("v1", |ticket| ticket.mode = Mode::Rehearsal));
    let shown: Vec<_> = client.welcomed().drops.iter().map(|drop| drop.drop).collect();
    assert_eq!(shown, [rehearsal]);
    client.buy(live, "mug", 1, "a");
    assert_eq!(client.refused_as(), "unknown_drop");
}

#[test]
fn a_refusal_of_the_gateways_own_counts_for_the_channel_of_the_ticket() {
    let ledger = FakeLedger::new("n1".parse().unwrap());
    let world = World::on_fake(&ledger);
    let drop = world.open(plan(2));
    let expires_at = world.now().plus(DurationMs::from_secs(60));
    let channel: ChannelId = "nina-tv".parse().unwrap();
    let ticket = world.ticket_with("v1", |ticket| {
        (ticket.channel, ticket.expires_at) = (Some(channel.clone()), expires_at);
    });
    let mut client = world.dial(Subprotocol::Json);
    client.hello(&ticket);
    client.welcomed();
    world.advance(60_000);
    client.buy(drop, "mug", 1, "first");
    assert_eq!(client.refused_as(), "ticket_expired");
    let tally = wait_for("the tally", || {
        world.advance(1_000);
        ledger.rows().iter().flat_map(|row| row.decode()).find_map(|record| match record {
            Ok(Record::Tally(tally)) => Some(tally),
            _ => None,
        })
    });
    let clicks = tally.clicks();
    let named = tally.sources.map(|sources| sources.channels.named);
    assert_eq!((clicks, named), (1, Some(vec![(channel, 1)])));
}
