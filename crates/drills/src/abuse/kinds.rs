//! The kinds of abuse, each with how it may end.

use std::{io, net::Ipv4Addr, thread, time::Duration};

use super::{
    SKU, Target,
    hostile::{Hostile, frame, request},
};

/// One kind of abuse.
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// How an attempt may end.
    pub(super) expected: &'static [&'static str],
    /// Time between two attempts.
    pub(super) pause: Duration,
    pub(super) play: fn(&Attempt<'_>) -> io::Result<String>,
}

/// One attempt of a kind.
pub(super) struct Attempt<'a> {
    pub(super) target: &'a Target,
    pub(super) kind: &'static Kind,
    pub(super) from: Ipv4Addr,
    pub(super) number: u64,
}

/// At most fifty attempts a second: below the rate at which one address may open connections.
const PAUSE: Duration = Duration::from_millis(20);
/// The same for attempts that open several connections.
const PAUSE_OF_SEVERAL: Duration = Duration::from_millis(250);
const DRIBBLE: Duration = Duration::from_millis(20);
/// Connections that the drill's server lets one address have.
pub(super) const PER_ADDRESS_MAX: usize = 100;
/// Connections that are kept for long say something this often: less than the two heartbeats after
/// which the drill's server takes a silent one for dead.
const SIGN_OF_LIFE_US: u64 = 500_000;
/// Connections that a server lets one viewer have.
const PER_VIEWER_MAX: usize = 5;
const TEXT: u8 = 0x81;
const PING: u8 = 0x89;

const fn kind(
    name: &'static str,
    expected: &'static [&'static str],
    play: fn(&Attempt<'_>) -> io::Result<String>,
) -> Kind {
    Kind { name, expected, pause: PAUSE, play }
}

#[rustfmt::skip]
pub(super) static KINDS: [Kind; 23] = [
    kind("dribbled handshake", &["dropped"], dribble),
    kind("silent handshake", &["dropped"], |one| Ok(one.connect()?.ended())),
    kind("no hello", &["4004"], |one| Ok(one.open()?.ended())),
    kind("too many headers", &["HTTP 431"], |one| one.request(&request(&"X-Some: 1\r\n".repeat(200)))),
    kind("too long a header", &["HTTP 431"], |one| one.request(&request(&format!("X: {}\r\n", "x".repeat(20_000))))),
    kind("wrong origin", &["HTTP 403"], |one| one.request(&request("Origin: https://evil.example\r\n"))),
    kind("bad ticket", &["4100"], |one| one.say(&["hello"], "rubbish")),
    kind("unmasked frame", &["1002"], |one| one.after_hello(&[TEXT, 1, b' '])),
    kind("reserved bits", &["1002"], |one| one.after_hello(&frame(TEXT | 0x40, b" "))),
    kind("reserved opcode", &["1002"], |one| one.after_hello(&frame(0x83, b" "))),
    kind("oversized control frame", &["1002"], |one| one.after_hello(&frame(PING, &[0; 126]))),
    kind("fragmented control frame", &["1002"], |one| one.after_hello(&frame(PING & 0x0f, b"x"))),
    kind("huge declared length", &["1009"], |one| one.after_hello(&[TEXT, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0])),
    kind("endless fragments", &["4105"], |one| one.after_hello(&[frame(0x01, b" "), frame(0, b"").repeat(500)].concat())),
    kind("ping flood", &["4105"], |one| one.after_hello(&frame(PING, b"").repeat(500))),
    kind("message flood", &["4105"], |one| one.after_hello(&frame(TEXT, br#"{"type":"ping"}"#).repeat(500))),
    kind("wrong kind of frame", &["1003"], |one| one.after_hello(&frame(0x82, b"{}"))),
    kind("text that is not UTF-8", &["1007"], |one| one.after_hello(&frame(TEXT, &[0xff]))),
    kind("reader that reads nothing", &["4003"], read_nothing),
    Kind { name: "many connections of a viewer", expected: &["4200"], pause: PAUSE_OF_SEVERAL, play: crowd_of_a_viewer },
    Kind { name: "buy with reset", expected: &["held"], pause: PAUSE_OF_SEVERAL, play: buy_and_reset },
    Kind { name: "many connections of an address", expected: &["4006"], pause: Duration::from_secs(2), play: crowd_of_an_address },
    Kind { name: "storm of connections", expected: &["HTTP 101", "HTTP 429", "dropped"], pause: Duration::from_millis(1), play: |one| one.request(&request("")) },
];

impl Attempt<'_> {
    fn connect(&self) -> io::Result<Hostile> {
        Hostile::connect(self.from, self.target.viewers)
    }

    fn request(&self, request: &str) -> io::Result<String> {
        let mut hostile = self.connect()?;
        hostile.send(request.as_bytes());
        Ok(hostile.status())
    }

    /// A connection past its handshake.
    fn open(&self) -> io::Result<Hostile> {
        let mut hostile = self.connect()?;
        hostile.send(request("").as_bytes());
        match hostile.status() {
            status if status == "HTTP 101" => Ok(hostile),
            other => Err(io::Error::other(format!("the handshake ended with {other}"))),
        }
    }

    fn viewer(&self) -> String {
        format!("{}-{}", self.kind.name.replace(' ', "-"), self.number)
    }

    /// A viewer who was welcomed, with the welcome.
    fn hello(&self, viewer: &str) -> io::Result<(Hostile, String)> {
        let mut hostile = self.open()?;
        let ticket = self.target.ticket(viewer);
        hostile.send(&frame(TEXT, format!(r#"{{"type":"hello","ticket":"{ticket}"}}"#).as_bytes()));
        let (_, welcome) = hostile.next()?;
        Ok((hostile, String::from_utf8_lossy(&welcome).into_owned()))
    }

    fn say(&self, types: &[&str], ticket: &str) -> io::Result<String> {
        let mut hostile = self.open()?;
        for one in types {
            let message = format!(r#"{{"type":"{one}","ticket":"{ticket}"}}"#);
            hostile.send(&frame(TEXT, message.as_bytes()));
        }
        Ok(hostile.ended())
    }

    fn after_hello(&self, bytes: &[u8]) -> io::Result<String> {
        let (mut hostile, _) = self.hello(&self.viewer())?;
        hostile.send(bytes);
        Ok(hostile.ended())
    }
}

fn dribble(one: &Attempt<'_>) -> io::Result<String> {
    let mut hostile = one.connect()?;
    for byte in request("").as_bytes() {
        if !hostile.send(&[*byte]) {
            return Ok("dropped".to_owned());
        }
        thread::sleep(DRIBBLE);
    }
    Ok(hostile.status())
}

/// Pongs are not sent either, so the server takes it for dead.
fn read_nothing(one: &Attempt<'_>) -> io::Result<String> {
    let (hostile, _) = one.hello(&one.viewer())?;
    thread::sleep(Duration::from_secs(3));
    Ok(hostile.ended())
}

fn crowd_of_a_viewer(one: &Attempt<'_>) -> io::Result<String> {
    let viewer = one.viewer();
    let (oldest, _) = one.hello(&viewer)?;
    let others: Vec<_> =
        (0..PER_VIEWER_MAX).map(|_| one.hello(&viewer)).collect::<io::Result<_>>()?;
    let ended = oldest.ended();
    drop(others);
    Ok(ended)
}

/// Viewers who stay alive, so that all of them are there at the end however long the last one took.
fn crowd_of_an_address(one: &Attempt<'_>) -> io::Result<String> {
    let clock = &one.target.clock;
    let mut within = Vec::with_capacity(PER_ADDRESS_MAX);
    let mut signed_us = clock.us();
    for number in 0..PER_ADDRESS_MAX {
        let (hostile, welcome) = one.hello(&format!("{}-{number}", one.viewer()))?;
        if !welcome.contains(r#""welcome""#) {
            break;
        }
        within.push(hostile);
        if clock.us() > signed_us + SIGN_OF_LIFE_US {
            signed_us = clock.us();
            for hostile in &mut within {
                hostile.send(&frame(PING, b""));
            }
        }
    }
    one.open().map(Hostile::ended)
}

/// What it bought is there when it comes back.
fn buy_and_reset(one: &Attempt<'_>) -> io::Result<String> {
    let viewer = one.viewer();
    let (mut hostile, _) = one.hello(&viewer)?;
    let drop = one.target.drop;
    let buy = format!(r#"{{"type":"buy","drop":"{drop}","sku":"{SKU}","units":1,"key":"once"}}"#);
    hostile.send(&frame(TEXT, buy.as_bytes()));
    hostile.reset()?;
    for _ in 0..50 {
        let (_, welcome) = one.hello(&viewer)?;
        if welcome.contains(r#""units":1"#) && welcome.contains(r#""holds":[{"#) {
            return Ok("held".to_owned());
        }
        thread::sleep(DRIBBLE);
    }
    Ok("lost".to_owned())
}
