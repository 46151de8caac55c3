//! Redis with a script that does the same work.

use std::{net::SocketAddr, path::Path};

use stampede_swarm::{End, Line, Player};

use crate::{
    error::PeersError,
    meter::{Meter, Metered},
    resp::{Answer, Redis, put_command, text},
    server::{Server, free_address, pinned},
    wish::{self, Course, HOLDS_PER_DROP, Place, SKU},
};

const NAME: &str = "redis-server";
const SCRIPT: &str = include_str!("../../peers/buy.lua");
const HOLD_TTL_MS: &str = "3600000";
/// Takes that a check reads at once.
const TAKES_PER_READ: usize = 10_000;

/// A running server with stock in it.
#[derive(Debug)]
pub(crate) struct RedisServer {
    server: Server,
    pub(crate) address: SocketAddr,
    script: String,
}

/// A promise as it came: who was told which hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    seat: u32,
    place: Place,
    hold: u32,
}

impl RedisServer {
    /// Starts the server on an empty folder; each write is synced before it is answered. The log is
    /// never rewritten, which spares Redis a second process on its core.
    pub(crate) fn start(binary: &Path, folder: &Path, course: Course) -> Result<Self, PeersError> {
        let address = free_address()?;
        let mut command = pinned(binary);
        // The generator comes from many addresses of the loopback, which Redis takes for strangers.
        command.args(["--bind", "127.0.0.1", "--protected-mode", "no"]);
        command.args(["--port", &address.port().to_string()]);
        command.args(["--appendonly", "yes", "--appendfsync", "always", "--save", ""]);
        command.args(["--auto-aof-rewrite-percentage", "0", "--daemonize", "no"]);
        command.args(["--loglevel", "warning", "--dir"]).arg(folder);
        let mut server = Server::start(NAME, command, &folder.join("redis.log"))?;
        server.wait_listening(address)?;
        let mut redis = Redis::connect(address)?;
        let Answer::Text(script) = redis.call(&["SCRIPT", "LOAD", SCRIPT])? else {
            let why = "it loads no script".to_owned();
            return Err(PeersError::NoStart { server: NAME, why });
        };
        for drop in 0..course.drops {
            redis.call(&["HSET", &format!("{drop}:stock"), SKU, &course.supply.to_string()])?;
        }
        Ok(Self { server, address, script })
    }

    pub(crate) fn process(&self) -> &Server {
        &self.server
    }

    /// Looks for every promise in the log of takes.
    pub(crate) fn audit(&self, told: &[Told], course: Course) -> Result<u64, PeersError> {
        let mut redis = Redis::connect(self.address)?;
        let (mut promises, mut lost, mut first) = (0, 0, String::new());
        for drop in 0..course.drops {
            let takes = takes(&mut redis, drop)?;
            for one in told.iter().filter(|one| one.place.drop == drop) {
                promises += 1;
                let (viewer, key) = (viewer(one.seat, one.place), key(one.place));
                let promised = format!("{viewer} {SKU} 1 {key} ");
                let place = usize::try_from(one.hold).ok().and_then(|hold| hold.checked_sub(1));
                let take = place.and_then(|place| takes.get(place));
                if !take.is_some_and(|take| take.starts_with(&promised)) {
                    lost += 1;
                    first = format!("hold {} of drop {drop} for {promised}", one.hold);
                }
            }
        }
        if lost > 0 {
            return Err(PeersError::PromisesLost { lost, promises, first });
        }
        Ok(promises)
    }
}

/// The log of one drop.
fn takes(redis: &mut Redis, drop: u32) -> Result<Vec<String>, PeersError> {
    let mut takes = Vec::new();
    loop {
        let (from, to) = (takes.len().to_string(), (takes.len() + TAKES_PER_READ - 1).to_string());
        let Answer::List(more) = redis.call(&["LRANGE", &format!("{drop}:takes"), &from, &to])?
        else {
            return Ok(takes);
        };
        if more.is_empty() {
            return Ok(takes);
        }
        takes.extend(more.into_iter().map(|take| match take {
            Answer::Text(take) => take,
            other => format!("{other:?}"),
        }));
    }
}

fn viewer(seat: u32, place: Place) -> String {
    wish::viewer(seat, place)
}

fn key(place: Place) -> String {
    wish::key(wish::key_number(place))
}

/// Buys by the script, each connection one request at a time.
#[derive(Debug)]
pub(crate) struct Buyers {
    pub(crate) meter: Meter,
    pub(crate) told: Vec<Told>,
    /// Whether everything is sold already.
    sold_out: bool,
    course: Course,
    script: String,
}

/// A connection's viewer, with its command ready but for drop and key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buyer {
    place: Place,
    sent_us: u64,
    /// The command for the drop of `place`, with where its key begins.
    command: Vec<u8>,
    key_end: usize,
}

impl Buyers {
    pub(crate) fn new(server: &RedisServer, course: Course, sold_out: bool) -> Self {
        let script = server.script.clone();
        Self { meter: Meter::default(), told: Vec::new(), sold_out, course, script }
    }

    /// Writes the command anew, for another drop or viewer.
    fn prepare(&self, seat: &mut Buyer, number: u32) {
        let (drop, viewer) = (seat.place.drop, viewer(number, seat.place));
        let cap = HOLDS_PER_DROP.to_string();
        let (stock, mine) = (format!("{drop}:stock"), format!("{drop}:{viewer}"));
        let (takes, deadlines) = (format!("{drop}:takes"), format!("{drop}:deadlines"));
        let key = key(seat.place);
        let words = [
            "EVALSHA",
            &self.script,
            "4",
            &stock,
            &mine,
            &takes,
            &deadlines,
            &viewer,
            SKU,
            "1",
            &key,
            &cap,
            &cap,
            HOLD_TTL_MS,
        ];
        seat.command.clear();
        put_command(&mut seat.command, &words[..11]);
        // Behind the key stands its end of line.
        seat.key_end = seat.command.len() - 2;
        seat.command.clear();
        put_command(&mut seat.command, &words);
    }

    fn ask(&mut self, seat: &mut Buyer, line: &mut Line<'_>) {
        if self.meter.stopping {
            return;
        }
        seat.sent_us = line.now_us();
        self.meter.sent();
        wish::put_key_number(&mut seat.command[..seat.key_end], wish::key_number(seat.place));
        line.out().extend_from_slice(&seat.command);
    }

    fn answered(&mut self, seat: &mut Buyer, answer: &[u8], line: &mut Line<'_>) {
        let hold = answer.strip_prefix(b"held ").and_then(|hold| std::str::from_utf8(hold).ok());
        let hold = hold.and_then(|hold| hold.parse().ok());
        let before = seat.place;
        match (hold, self.sold_out) {
            (Some(hold), false) => {
                self.told.push(Told { seat: line.number(), place: before, hold });
                seat.place = self.course.next(before);
            }
            (None, true) if answer == b"sold_out" => seat.place.buy += 1,
            _ => self.meter.trouble(|| String::from_utf8_lossy(answer).into_owned()),
        }
        self.meter.answered(seat.sent_us, line.now_us());
        if (before.drop, before.round) != (seat.place.drop, seat.place.round) {
            self.prepare(seat, line.number());
        }
        self.ask(seat, line);
    }
}

impl Player for Buyers {
    type Seat = Buyer;

    fn connected(&mut self, seat: &mut Buyer, line: &mut Line<'_>) {
        self.meter.ready += 1;
        self.prepare(seat, line.number());
        self.ask(seat, line);
    }

    fn received(&mut self, seat: &mut Buyer, bytes: &[u8], line: &mut Line<'_>) -> usize {
        let mut done = 0;
        while let Some((answer, length)) = text(&bytes[done..]) {
            done += length;
            self.answered(seat, answer, line);
        }
        done
    }

    fn ended(&mut self, _: &mut Buyer, number: u32, end: End) {
        self.meter.trouble(|| format!("connection {number}: {end}"));
    }
}

impl Metered for Buyers {
    fn meter(&mut self) -> &mut Meter {
        &mut self.meter
    }
}
