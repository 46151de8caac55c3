//! More messages than anybody needs, fewer reads than everybody needs.

use stampede_domain::{DropId, Mode};

use crate::{
    abuse_sale::during_a_sale,
    client::{Client, Socket},
    raw::{ELSEWHERE, Raw, frame},
    world::{World, plan, wait_for},
};

const LIMIT: u32 = 30;

fn buy(drop: DropId, key: &str) -> Vec<u8> {
    let buy = format!(r#"{{"type":"buy","drop":"{drop}","sku":"cup","units":9,"key":"{key}"}}"#);
    frame(0x81, buy.as_bytes())
}

#[test]
fn whoever_floods_is_closed() {
    let ping = frame(0x81, br#"{"type":"ping"}"#);
    during_a_sale(
        |_| {},
        |world, drop| {
            for (what, one) in [
                ("buys", buy(drop, "k")),
                ("pings of the protocol", ping),
                ("pings of WebSocket", frame(0x89, b"")),
                ("long pings", frame(0x89, &[0; 125])),
                ("pongs that nobody asked for", frame(0x8a, b"")),
            ] {
                let mut raw = Raw::hello(world.address, &world.ticket("hostile"));
                raw.send(&one.repeat(400));
                assert_eq!(raw.closed(), 4105, "{what}");
            }
        },
    );
}

#[test]
fn a_flood_before_the_hello_is_closed() {
    during_a_sale(
        |_| {},
        |world, _| {
            let mut raw = Raw::open(world.address);
            raw.send(&frame(0x89, b"").repeat(400));
            assert_eq!(raw.closed(), 4105);
        },
    );
}

#[test]
fn what_comes_before_the_hello_takes_nothing_from_the_address() {
    let world = World::with(|config| {
        config.unlimited_addresses = vec!["127.0.0.1/32".parse().unwrap()];
        (config.messages_per_address_per_s, config.messages_per_address_burst) = (1, 1);
    });
    let drop = world.open(plan(9));
    // As wide as one viewer's limit at least, so three connections' pings would use it up.
    for _ in 0..3 {
        let mut raw = Raw::open(world.address);
        assert!(raw.send(&frame(0x89, b"").repeat(40)));
        (0..40).for_each(|_| assert_eq!(raw.next().unwrap().0, 0xa));
    }
    let mut buyer = from_elsewhere(&world, "buyer");
    buyer.buy(drop, "mug", 1, "k");
    buyer.held();
}

/// Buys that cannot win, over several connections in turn; gives the refusals' codes.
fn refusals(clients: &mut [Client], drop: DropId, count: usize) -> Vec<String> {
    (0..count)
        .map(|number| {
            let client = &mut clients[number % 2];
            client.buy(drop, "cup", 9, "k");
            client.refused_as()
        })
        .collect()
}

fn within(codes: &[String]) -> usize {
    codes.iter().filter(|code| *code != "rate_limited").count()
}

#[test]
fn one_viewer_has_one_rate_on_all_connections() {
    during_a_sale(
        |config| {
            (config.messages_per_s, config.messages_burst) = (10, LIMIT);
            (config.messages_per_viewer_per_s, config.messages_per_viewer_burst) = (10, LIMIT);
        },
        |world, drop| {
            let mut clients = [world.join("greedy"), world.join("greedy")];
            let codes = refusals(&mut clients, drop, 50);
            assert_eq!(
                within(&codes),
                LIMIT as usize,
                "the hellos came before the viewer was known"
            );
            let clients = &mut clients[..];
            clients[0].buy(drop, "cup", 9, "k");
            assert_eq!(clients[0].refused().retry_after_ms, Some(100));
            world.advance(100);
            assert_eq!(within(&refusals(clients, drop, 2)), 1);
            let mut other = [world.join("modest"), world.join("modest")];
            assert_eq!(within(&refusals(&mut other, drop, 2)), 2);
        },
    );
}

#[test]
fn one_address_has_one_rate_for_all_viewers() {
    during_a_sale(
        |config| {
            (config.messages_per_s, config.messages_burst) = (10, LIMIT);
            (config.messages_per_viewer_per_s, config.messages_per_viewer_burst) = (10, LIMIT);
            (config.messages_per_address_per_s, config.messages_per_address_burst) = (10, LIMIT);
        },
        |world, drop| {
            let mut clients = [from_elsewhere(world, "one"), from_elsewhere(world, "two")];
            let codes = refusals(&mut clients, drop, 50);
            assert_eq!(within(&codes), LIMIT as usize, "the hellos came before a ticket was seen");
            clients[0].buy(drop, "cup", 9, "k");
            assert_eq!(clients[0].refused().retry_after_ms, Some(100));
            let mut other = [world.join("modest"), world.join("modest")];
            assert_eq!(within(&refusals(&mut other, drop, 2)), 2, "another address");
        },
    );
}

fn from_elsewhere(world: &World, viewer: &str) -> Client {
    let raw = Raw::connect_from(ELSEWHERE.into(), world.address);
    let mut client = Client::over(Socket::Plain(raw.stream), "stampede.v1.json").unwrap();
    client.hello(&world.ticket(viewer));
    client.welcomed();
    client
}

#[test]
fn whoever_reads_nothing_is_closed() {
    during_a_sale(
        |config| {
            config.queue_bytes_max = 64 << 10;
            (config.messages_per_s, config.messages_burst) = (1_000_000, 1_000_000);
        },
        |world, _| {
            // In a stream of its own, so that it shows when the server has given up.
            let mut terms = plan(1);
            terms.stream = "elsewhere".parse().unwrap();
            let stream = terms.stream.clone();
            let drop = world.open(terms);
            let ticket = world.ticket_with("stuck", |ticket| ticket.stream = stream.clone());
            let mut stuck = Raw::hello(world.address, &ticket);
            let connected = || world.engine.viewers_connected(&stream, Mode::Live) > 0;
            wait_for("the hello", || connected().then_some(()));
            // Answers pile up in the kernel first, then in the queue. What is still on its way when the
            // server gives up has to be little, or the close frame would be lost.
            let mut sent = 0;
            while connected() {
                assert!(stuck.send(&buy(drop, "k").repeat(400)));
                sent += 400;
                let answered = || world.refused(drop, "units_out_of_range") == sent;
                wait_for("answers", || (answered() || !connected()).then_some(()));
            }
            assert_eq!(stuck.closed(), 4002);
        },
    );
}
