//! Handshakes that are wrong, slow, or too many.

use std::net::IpAddr;

use stampede_domain::DurationMs;
use stampede_wire::Subprotocol;

use crate::{
    abuse_sale::during_a_sale,
    raw::{DROPPED, Raw, frame, request},
    world::{World, plan, wait_for},
};

#[test]
fn requests_that_are_none() {
    let headers = |count: usize| "X-Some: 1\r\n".repeat(count);
    let cases = [
        ("too many headers", request(&headers(200)), 431),
        ("many headers without end", format!("GET / HTTP/1.1\r\n{}", headers(1_000)), 431),
        ("a header that is too long", request(&format!("X: {}\r\n", "x".repeat(20_000))), 431),
        ("a path that is too long", format!("GET /{} HTTP/1.1\r\n", "x".repeat(20_000)), 431),
        ("another page's script", request("Origin: https://evil.example\r\n"), 403),
        ("two origins", request("Origin: https://shop.example\r\nOrigin: null\r\n"), 403),
        ("no WebSocket", "GET / HTTP/1.1\r\nHost: x\r\n\r\n".into(), 426),
        ("no host", request("").replace("Host: x\r\n", ""), 400),
        ("two hosts", request("Host: y\r\n"), 400),
        ("two keys", request("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"), 400),
        ("a body", request("Content-Length: 3\r\n"), 400),
        ("another method", request("").replacen("GET", "PUT", 1), 405),
        ("another version", request("").replacen("13", "8", 1), 426),
        ("a greeting of TLS", "\u{16}\u{3}\u{1}\u{2}\r\n\r\n".into(), 400),
        ("zeros", "\0".repeat(64), 400),
        ("empty lines without end", "\n".repeat(20_000), 431),
    ];
    during_a_sale(
        |config| config.origins = vec!["https://shop.example".into()],
        |world, _| {
            for (what, request, status) in &cases {
                let mut raw = Raw::connect(world.address);
                raw.send(request.as_bytes());
                assert_eq!(raw.status(), *status, "{what}");
            }
            let cookies = format!("Cookie: {}\r\n", "x".repeat(7_500));
            for header in ["Origin: https://shop.example\r\n", "Origin: http://x\r\n", &cookies] {
                let mut raw = Raw::connect(world.address);
                raw.send(request(header).as_bytes());
                assert_eq!(raw.status(), 101, "{header}");
            }
        },
    );
}

#[test]
fn whoever_dribbles_or_says_nothing_is_dropped_at_the_deadline() {
    during_a_sale(
        |config| config.handshake_timeout = DurationMs::new(500),
        |world, _| {
            let silent: Vec<_> = (0..100).map(|_| Raw::connect(world.address)).collect();
            let mut dribbling = Raw::connect(world.address);
            // Each byte is one more sign of life, which must not buy more time.
            let request = request("");
            let mut bytes = request.as_bytes().iter();
            wait_for("the server to hang up", || {
                std::thread::park_timeout(std::time::Duration::from_millis(10));
                let byte = bytes.next().expect("it hangs up before the request is whole");
                (!dribbling.send(&[*byte])).then_some(())
            });
            for raw in silent {
                assert_eq!(raw.closed(), DROPPED);
            }
        },
    );
}

#[test]
fn a_hello_that_does_not_come_is_closed() {
    let world = World::new();
    let drop = world.open(plan(9));
    let mut buyer = world.join("buyer");
    let mut quiet: Vec<_> = (0..20).map(|_| Raw::open(world.address)).collect();
    for raw in &mut quiet {
        // A core knows the session once it answers with a pong.
        raw.send(&frame(0x89, b"there?"));
        assert_eq!(raw.next(), Some((0xa, b"there?".to_vec())));
    }
    buyer.buy(drop, "mug", 1, "before");
    world.advance(10_000);
    for raw in quiet {
        assert_eq!(raw.closed(), 4004);
    }
    buyer.held();
    world.check_unharmed(drop);
}

#[test]
fn handshakes_that_hang_make_room_for_others() {
    during_a_sale(
        |config| {
            config.handshakes_max = 4;
            config.handshake_timeout = DurationMs::from_secs(3_600);
        },
        |world, _| {
            let mut hanging: Vec<_> = (0..32).map(|_| Raw::connect(world.address)).collect();
            for raw in &mut hanging {
                raw.send(b"GET / HTTP/1.1\r\n");
            }
            // The clock stands still, so nobody's grace ends by itself; the sale's viewers wait.
            wait_for("room", || {
                world.advance(500);
                let newcomer = Raw::connect(world.address);
                newcomer
                    .stream
                    .set_read_timeout(Some(std::time::Duration::from_millis(50)))
                    .unwrap();
                let mut newcomer = newcomer;
                newcomer.send(request("").as_bytes());
                let mut first = [0; 12];
                let came = std::io::Read::read_exact(&mut newcomer.stream, &mut first).is_ok();
                (came && first == *b"HTTP/1.1 101").then_some(())
            });
        },
    );
}

#[test]
fn an_address_that_opens_connections_too_fast_is_told_then_dropped() {
    during_a_sale(
        |config| {
            config.connects_per_address_per_s = 10;
            config.connects_per_address_burst = 5;
        },
        |world, _| {
            let open = || {
                let mut raw = Raw::connect(world.address);
                raw.send(request("").as_bytes());
                raw.head()
            };
            let status = |head: &str| head.get(9..12).unwrap_or_default().to_owned();
            let heads: Vec<_> = (0..12).map(|_| open()).collect();
            let statuses: Vec<_> = heads.iter().map(|head| status(head)).collect();
            assert_eq!(statuses[..5], ["101"; 5]);
            assert_eq!(statuses[5..10], ["429"; 5]);
            assert_eq!(statuses[10..], [""; 2], "dropped without a word");
            assert!(heads[5].contains("\r\nRetry-After: 1\r\n"), "{}", heads[5]);
            world.advance(100);
            assert_eq!(status(&open()), "101");
            let other = IpAddr::from([127, 0, 0, 67]);
            let mut other = Raw::connect_from(other, world.address);
            other.send(request("").as_bytes());
            assert_eq!(other.status(), 101, "others are not harmed");
        },
    );
}

#[test]
fn a_storm_of_connections_takes_nothing_from_the_sale() {
    during_a_sale(
        |config| {
            config.connections_per_address_max = 50;
            config.connects_per_address_burst = 100;
            config.connects_per_address_per_s = 1;
        },
        |world, _| {
            for wave in 0..20 {
                let mut wave: Vec<_> = (0..50)
                    .map(|number| {
                        let mut raw = Raw::connect(world.address);
                        if number % 2 == 0 {
                            raw.send(request("").as_bytes());
                        }
                        (raw, wave + number)
                    })
                    .collect();
                for (raw, number) in wave.drain(..) {
                    if number % 3 == 0 {
                        raw.reset();
                    }
                }
            }
            let mut late = world.dial(Subprotocol::Json);
            late.hello(&world.ticket("late"));
            late.welcomed();
        },
    );
}
