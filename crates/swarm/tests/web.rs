//! A pool against servers on real sockets.

use std::{
    io::Write,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    thread,
    time::{Duration, Instant},
};

use stampede_swarm::{
    Busy, End, Message, Opcode, SocketPool, Talker, Voice, Web, WebSeat, append_server,
};
use tokio_tungstenite::tungstenite::{self, protocol::CloseFrame};

const TURN: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks again until it has had enough answers.
#[derive(Default)]
struct Echoes {
    wanted: u32,
    heard: u32,
    ends: Vec<String>,
}

impl Talker for Echoes {
    type Seat = u32;

    fn opened(&mut self, _: &mut u32, voice: &mut Voice<'_, '_>) {
        voice.binary(b"0");
    }

    fn message(&mut self, seat: &mut u32, message: Message<'_>, voice: &mut Voice<'_, '_>) {
        assert_eq!(message.bytes(), seat.to_string().as_bytes(), "answers come in order");
        *seat += 1;
        self.heard += 1;
        if *seat < self.wanted {
            voice.binary(seat.to_string().as_bytes());
        } else {
            voice.hang_up();
        }
    }

    fn ended(&mut self, _: &mut u32, number: u32, end: End) {
        self.ends.push(format!("{number}: {end}"));
    }
}

/// A server with one thread for each connection, each served by `serve`.
fn server(
    serve: impl Fn(tungstenite::WebSocket<std::net::TcpStream>) + Clone + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("some port is free");
    let address = listener.local_addr().expect("it is bound");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let serve = serve.clone();
            thread::spawn(move || {
                let stream = stream.expect("the listener lives");
                serve(tungstenite::accept(stream).expect("the pool asks rightly"));
            });
        }
    });
    address
}

fn echo(mut socket: tungstenite::WebSocket<std::net::TcpStream>) {
    while let Ok(message) = socket.read() {
        if message.is_binary() {
            socket.send(message).expect("the pool waits for it");
        }
    }
}

/// Turns the pool until `done`.
fn until<T: Talker>(
    sockets: &mut SocketPool<WebSeat<T::Seat>>,
    web: &mut Web<T>,
    done: impl Fn(&SocketPool<WebSeat<T::Seat>>, &T) -> bool,
) {
    let started = now();
    while !done(sockets, &web.talker) {
        assert!(started.elapsed() < PATIENCE, "it does not come about");
        sockets.turn(web, TURN).expect("the system has sockets");
    }
}

#[allow(clippy::disallowed_methods, reason = "a test that gives up after a while reads the clock")]
fn now() -> Instant {
    Instant::now()
}

#[test]
fn a_closed_loop_over_many_connections_from_several_addresses() {
    let address = server(echo);
    let sources = (2..5).map(|last| Ipv4Addr::new(127, 0, 0, last)).collect();
    let mut sockets = SocketPool::new(address, sources).unwrap();
    let mut web = Web::new(Echoes { wanted: 20, ..Echoes::default() }, address, None);
    let busy = Busy::start();
    for _ in 0..30 {
        sockets.dial(WebSeat::new(0)).unwrap();
    }
    assert_eq!(sockets.dialling(), 30);
    until(&mut sockets, &mut web, |sockets, _| sockets.open() + sockets.dialling() == 0);
    assert_eq!(web.talker.heard, 30 * 20);
    assert!(sockets.seats().all(|seat| seat.own == 20 && !seat.is_open()));
    assert!(web.talker.ends.iter().all(|end| end.ends_with("this side hung up")));
    assert!((0.0..=1.0).contains(&busy.share()));
}

#[test]
fn a_seat_dials_again_after_its_end() {
    let address = server(echo);
    let mut sockets = SocketPool::new(address, Vec::new()).unwrap();
    let mut web = Web::new(Echoes { wanted: 1, ..Echoes::default() }, address, None);
    let number = sockets.dial(WebSeat::new(0)).unwrap();
    for round in 1..4 {
        until(&mut sockets, &mut web, |_, echoes| echoes.heard == round);
        *sockets.seat_mut(number).unwrap() = WebSeat::new(0);
        sockets.dial_again(number).unwrap();
    }
}

#[test]
fn an_address_without_a_server_ends_the_attempt() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut sockets = SocketPool::new(address, Vec::new()).unwrap();
    let mut web = Web::new(Echoes::default(), address, None);
    sockets.dial(WebSeat::new(0)).unwrap();
    until(&mut sockets, &mut web, |sockets, _| sockets.dialling() == 0);
    assert!(web.talker.ends[0].contains("refused"), "{:?}", web.talker.ends);
}

#[test]
fn the_servers_close_code_is_told() {
    let address = server(|mut socket| {
        let frame = CloseFrame { code: 4001.into(), reason: "full".into() };
        socket.close(Some(frame)).unwrap();
        while socket.read().is_ok() {}
    });
    let mut sockets = SocketPool::new(address, Vec::new()).unwrap();
    let mut web = Web::new(Echoes { wanted: 9, ..Echoes::default() }, address, None);
    sockets.dial(WebSeat::new(0)).unwrap();
    until(&mut sockets, &mut web, |_, echoes| !echoes.ends.is_empty());
    assert!(web.talker.ends[0].contains("Some(4001)"), "{:?}", web.talker.ends);
}

/// Counts what it hears.
#[derive(Default)]
struct Listener(usize);

impl Talker for Listener {
    type Seat = ();

    fn opened(&mut self, (): &mut (), voice: &mut Voice<'_, '_>) {
        voice.set_deaf(true);
        voice.binary(b"go");
    }

    fn message(&mut self, (): &mut (), message: Message<'_>, _: &mut Voice<'_, '_>) {
        self.0 += message.bytes().len();
    }

    fn ended(&mut self, (): &mut (), _: u32, end: End) {
        assert!(matches!(end, End::There), "{end}");
    }
}

#[test]
fn a_deaf_connection_reads_nothing_until_it_hears_again() {
    const MESSAGES: usize = 40;
    const BYTES: usize = 70_000;
    let (sent, told) = std::sync::mpsc::sync_channel(1);
    let address = server(move |mut socket| {
        assert_eq!(socket.read().unwrap().into_data(), &b"go"[..]);
        let mut frames = Vec::new();
        append_server(&mut frames, Opcode::Binary, &vec![1; BYTES]);
        for _ in 0..MESSAGES {
            socket.get_mut().write_all(&frames).unwrap();
            let _told_before = sent.try_send(());
        }
    });
    let mut sockets = SocketPool::new(address, Vec::new()).unwrap();
    let mut web = Web::new(Listener::default(), address, None);
    let number = sockets.dial(WebSeat::new(())).unwrap();
    until(&mut sockets, &mut web, |_, _| told.try_recv().is_ok());
    for _ in 0..10 {
        sockets.turn(&mut web, TURN).unwrap();
    }
    assert_eq!(web.talker.0, 0);
    assert!(sockets.act(&mut web, number, |_, _, line| line.set_deaf(false)));
    until(&mut sockets, &mut web, |_, heard| heard.0 == MESSAGES * BYTES);
}
