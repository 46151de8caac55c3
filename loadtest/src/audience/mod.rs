//! An audience: people who stay for a whole show, whatever its host does.
//!
//! A crowd plays one drop by a script that was drawn ahead. An audience watches a stream: its people click
//! when a drop opens, come back when units do, pay at their platform after some seconds or let a hold lapse, and return
//! when the server was gone. When they click depends on what they see, never on how fast they are answered.

mod goods;
mod logs;
mod messages;
mod people;
mod process;
mod rehearsal;
mod seat;

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use stampede_domain::DropId;
use stampede_swarm::{PoolError, SocketPool, Web, WebSeat};
use stampede_wire::ticket::{KeyError, KeySpec};

use self::{
    people::{Act, People, SUBPROTOCOL, give_back},
    seat::Seat,
};
pub use self::{
    process::{Audience, audience_process},
    rehearsal::{RehearsalAudience, RehearsalPlan},
};
use crate::{Checkout, PromiseLogError};

/// People on their way in at once.
const JOINING_MAX: usize = 512;
/// Longest wait for something to happen on the sockets.
const TURN: Duration = Duration::from_millis(10);
/// Longest time that people who leave have to give back what they hold, in microseconds.
const LEAVE_US: u64 = 1_000_000;
/// Time between two reports, in microseconds.
const REPORT_US: u64 = 200_000;

/// Who watches what.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AudiencePlan {
    /// Seed of everything that happens by chance.
    pub seed: u64,
    /// Where the server listens for viewers.
    pub target: SocketAddr,
    /// Addresses that they come from in turn, so that ports suffice; empty leaves it to the system.
    pub sources: Vec<Ipv4Addr>,
    /// The stream that they watch.
    pub stream: String,
    /// Signs their tickets.
    pub ticket_key: KeySpec,
    /// How many they are.
    pub viewers: u32,
    /// What the name of each begins with; a number follows.
    pub name_prefix: String,
    /// Whether they have tickets for rehearsals, and give back what they hold when they leave.
    pub rehearsal: bool,
    /// How each drop draws them, by its id.
    pub interest: BTreeMap<String, Interest>,
    /// How a drop draws them that has no entry.
    pub usual_interest: Interest,
    /// The folder of the promise logs, one file for each drop; nothing is written down without one.
    pub promise_logs: Option<PathBuf>,
}

/// How a drop draws people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interest {
    /// How many in a hundred click when it opens.
    pub share_percent: u32,
    /// Span over which they do, in milliseconds; more at its beginning.
    pub rush_ms: u64,
}

/// How an audience stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudienceReport {
    /// Viewers that are welcome and connected.
    pub connected: u64,
    /// Promises received: each hold, each order, each end of a hold, once.
    pub promises: u64,
    /// Clicks made.
    pub clicks: u64,
    /// Holds received.
    pub holds: u64,
    /// Orders received.
    pub orders: u64,
    /// The first things that went wrong, in words.
    pub troubles: Vec<String>,
}

/// Why an audience cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum AudienceError {
    /// An id is none.
    #[error(transparent)]
    Id(#[from] stampede_domain::IdError),
    /// The key cannot sign.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The sockets cannot be served.
    #[error(transparent)]
    Sockets(#[from] PoolError),
    /// The promises cannot be written down.
    #[error(transparent)]
    Log(#[from] PromiseLogError),
    /// Nobody can be told.
    #[error("cannot report: {0}")]
    Report(#[from] io::Error),
    /// The plan lets nobody come.
    #[error("the audience has no viewers")]
    Empty,
}

/// What an audience says while it watches.
enum Word<'a> {
    /// How it stands.
    Report(&'a AudienceReport),
    /// Somebody goes to pay at the platform.
    Checkout(&'a Checkout),
}

/// Watches until `stopped`, and clicks on the drops that draw anybody. `say` hears at once who pays, and gets a report
/// now and then, at once when nobody is connected any more. Every promise that a report counts is in the logs.
fn watch(
    plan: &AudiencePlan,
    draws: impl Fn(DropId) -> bool,
    mut say: impl FnMut(Word<'_>) -> io::Result<()>,
    stopped: &AtomicBool,
) -> Result<(), AudienceError> {
    if plan.viewers == 0 {
        return Err(AudienceError::Empty);
    }
    let mut audience = AudienceSockets {
        sockets: SocketPool::new(plan.target, plan.sources.clone())?,
        web: Web::new(People::new(plan)?, plan.target, Some(SUBPROTOCOL.name())),
        arrivals: (0..plan.viewers).collect(),
    };
    let (mut report_us, mut connected) = (0, 0);
    while !stopped.load(Ordering::Relaxed) {
        let next_us = audience.turn(&draws)?;
        let now_us = audience.sockets.now_us();
        let people = &mut audience.web.talker;
        for checkout in people.checkouts.drain(..) {
            say(Word::Checkout(&checkout))?;
        }
        let left = people.report.connected == 0 && connected > 0;
        connected = people.report.connected;
        if left || now_us >= report_us {
            people.logs.flush()?;
            say(Word::Report(&people.report))?;
            report_us = now_us + REPORT_US;
        }
        let wait = Duration::from_micros(next_us.min(report_us).saturating_sub(now_us)).min(TURN);
        audience.sockets.turn(&mut audience.web, wait)?;
    }
    if plan.rehearsal {
        audience.give_back(plan.viewers)?;
    }
    let people = &mut audience.web.talker;
    people.logs.flush()?;
    say(Word::Report(&people.report))?;
    Ok(())
}

/// Everybody with their sockets.
struct AudienceSockets {
    sockets: SocketPool<WebSeat<Seat>>,
    web: Web<People>,
    /// Numbers of those who wait to dial.
    arrivals: VecDeque<u32>,
}

impl AudienceSockets {
    /// Lets happen what is due; when the next thing is.
    fn turn(&mut self, draws: impl Fn(DropId) -> bool) -> Result<u64, AudienceError> {
        let now_us = self.sockets.now_us();
        while let Some(wave) = self.web.talker.waves.pop() {
            if !draws(wave.drop) {
                continue;
            }
            let seats = self.sockets.seats().map(|seat| &seat.own);
            self.web.talker.roll(&wave, seats);
        }
        while let Some((number, act)) = self.web.talker.due_at(now_us) {
            match act {
                Act::Dial => self.arrivals.push_back(number),
                act => {
                    // A viewer who is away leaves it; what still matters is taken up at the next welcome.
                    let _away = self.sockets.act(&mut self.web, number, |web, seat, line| {
                        web.speak(seat, line, |people, seat, voice| people.act(seat, act, voice));
                    });
                }
            }
        }
        while self.web.talker.coming < JOINING_MAX
            && let Some(number) = self.arrivals.pop_front()
        {
            self.dial(number)?;
        }
        Ok(self.web.talker.next_us())
    }

    /// Everybody gives back what they hold, as far as the server takes it in time.
    fn give_back(&mut self, viewers: u32) -> Result<(), AudienceError> {
        for number in 0..viewers {
            if self.sockets.seat_mut(number).is_none() {
                break;
            }
            // Whoever is away leaves it to the deadline.
            let _away = self.sockets.act(&mut self.web, number, |web, seat, line| {
                web.speak(seat, line, |_, seat, voice| give_back(seat, voice));
            });
        }
        let until_us = self.sockets.now_us() + LEAVE_US;
        while self.sockets.seats().any(|seat| seat.own.here && !seat.own.holds.is_empty())
            && self.sockets.now_us() < until_us
        {
            self.sockets.turn(&mut self.web, TURN)?;
        }
        Ok(())
    }

    /// Seats are made in the order of their numbers, each at its first dialling.
    fn dial(&mut self, number: u32) -> Result<(), AudienceError> {
        self.web.talker.coming += 1;
        let dialled = if self.sockets.seat_mut(number).is_some() {
            self.sockets.dial_again(number)
        } else {
            self.sockets.dial(WebSeat::new(Seat::default())).map(|_| ())
        };
        match dialled {
            Ok(()) => Ok(()),
            // Nobody listens there this moment: on loopback the system says so at once.
            Err(why @ PoolError::System { .. }) => {
                let seat = self.sockets.seat_mut(number).expect("it has dialled");
                self.web.talker.turned_away(&mut seat.own, number, &why);
                Ok(())
            }
            Err(why) => Err(why.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::{goods::News, *};

    #[test]
    fn nobody_clicks_on_a_drop_that_draws_nobody() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let target = listener.local_addr().unwrap();
        let plan = AudiencePlan {
            seed: 7,
            target,
            sources: Vec::new(),
            stream: "show".to_owned(),
            ticket_key: KeySpec::hs256("key", &[7; 32]),
            viewers: 1,
            name_prefix: "v".to_owned(),
            rehearsal: true,
            interest: BTreeMap::new(),
            usual_interest: Interest { share_percent: 100, rush_ms: 1 },
            promise_logs: None,
        };
        let mut audience = AudienceSockets {
            sockets: SocketPool::new(target, Vec::new()).unwrap(),
            web: Web::new(People::new(&plan).unwrap(), target, Some(SUBPROTOCOL.name())),
            arrivals: VecDeque::new(),
        };
        audience.dial(0).unwrap();
        audience.sockets.seat_mut(0).unwrap().own.here = true;
        let copy: DropId = "d2".parse().unwrap();
        for drop in ["d1".parse().unwrap(), copy] {
            audience.web.talker.news(drop, News::Opened, 0);
            let due_us = audience.turn(|drop| drop == copy).unwrap();
            assert_eq!(due_us < u64::MAX, drop == copy, "{drop}");
        }
    }
}
