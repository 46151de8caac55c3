//! The viewers of a drill on one generator.

mod clicks;
mod talker;
mod ticks;

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use rand::{Rng, rngs::StdRng};
use stampede_domain::DropId;
use stampede_swarm::{End, Line, Player, SocketPool, TicketBook, Web, WebSeat};
use stampede_wire::Subprotocol;

use self::talker::Again;
pub(crate) use self::{
    clicks::{Answers, Clicks, Moment},
    talker::{Seat, Viewers},
    ticks::Ticks,
};
use crate::{
    error::DrillError,
    waiting::{out_of_patience, patience_us},
};

/// The subprotocol that the server prefers.
const SUBPROTOCOL: Subprotocol = Subprotocol::MsgPack;
/// Viewers on their way in at once.
const JOINING_MAX: usize = 512;
/// Longest wait for something to happen on the sockets.
const TURN: Duration = Duration::from_millis(10);
/// Time between two looks at connections that are only counted.
pub(crate) const COUNT_EVERY: Duration = Duration::from_millis(10);
/// Fewer events than these are left for the next look.
pub(crate) const FEW_EVENTS: usize = 256;

/// What is bought.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    /// One after the other: a viewer may have only so many holds in one drop.
    drops: Vec<DropId>,
    clicks_per_drop: usize,
    sku: &'static str,
}

impl Wish {
    /// A unit of one drop.
    pub(crate) fn of(drop: DropId, sku: &'static str) -> Self {
        Self { drops: vec![drop], clicks_per_drop: usize::MAX, sku }
    }

    /// Units of the first drop, after so many clicks of a viewer those of the next one.
    ///
    /// # Panics
    /// If there is no drop, or no click for each.
    pub(crate) fn of_each(drops: Vec<DropId>, clicks_per_drop: usize, sku: &'static str) -> Self {
        assert!(!drops.is_empty() && clicks_per_drop > 0, "a wish is for something");
        Self { drops, clicks_per_drop, sku }
    }

    /// Clicks of one viewer that the drops have a hold for.
    pub(crate) const fn clicks_max(&self) -> usize {
        self.drops.len().saturating_mul(self.clicks_per_drop)
    }

    fn drop_of(&self, click: usize) -> DropId {
        let last = self.drops.len() - 1;
        self.drops[(click / self.clicks_per_drop).min(last)]
    }
}

/// Viewers, numbered from 0.
pub(crate) struct ViewerSockets {
    sockets: SocketPool<WebSeat<Seat>>,
    web: Web<Viewers>,
}

/// The name of the viewer with this number.
pub(crate) fn viewer_name(number: u32) -> String {
    format!("v{number}")
}

/// Clicks at a steady rate, by one viewer after the other.
pub(crate) fn steady(from_us: u64, for_us: u64, per_s: u64, viewers: u32) -> Vec<Moment> {
    let count = (for_us * per_s).div_ceil(1_000_000);
    let mut numbers = (0..viewers).cycle();
    let mut number = || numbers.next().unwrap_or_default();
    let moment = |place| from_us + place * 1_000_000 / per_s;
    (0..count).map(|place| Moment { at_us: moment(place), number: number(), reads: true }).collect()
}

impl ViewerSockets {
    /// Viewers for the server at `target`. They come from several addresses, so that ports suffice.
    pub(crate) fn new(target: SocketAddr) -> Result<Self, DrillError> {
        let sources = (2..6).map(|last| Ipv4Addr::new(127, 0, 0, last)).collect();
        let sockets = SocketPool::new(target, sources)?;
        let web = Web::new(Viewers::new(SUBPROTOCOL), target, Some(SUBPROTOCOL.name()));
        Ok(Self { sockets, web })
    }

    /// What the viewers know.
    pub(crate) fn viewers(&mut self) -> &mut Viewers {
        &mut self.web.talker
    }

    /// Microseconds by the viewers' clock.
    pub(crate) fn now_us(&self) -> u64 {
        self.sockets.now_us()
    }

    /// Lets everybody in as fast as the server takes them; microseconds from the first request for
    /// a connection to the last welcome.
    pub(crate) fn join(&mut self, count: u32, tickets: &TicketBook) -> Result<u64, DrillError> {
        let now = self.sockets.unix_now();
        let hello = |number| tickets.hello(&viewer_name(number), SUBPROTOCOL, now);
        // Signed ahead: the storm shall not wait for the generator.
        let hellos: Vec<Vec<u8>> = (0..count).map(hello).collect::<Result<_, _>>()?;
        let everybody = hellos.len();
        let from_us = self.now_us();
        let mut hellos = hellos.into_iter();
        while self.web.talker.joined < everybody {
            if self.web.talker.lost > 0 {
                return Err(self.broken());
            }
            let asked = everybody - hellos.len();
            for hello in hellos.by_ref().take(JOINING_MAX - (asked - self.web.talker.joined)) {
                let dialled_us = self.sockets.now_us();
                let seat = Seat { hello, dialled_us, ..Seat::default() };
                self.sockets.dial(WebSeat::new(seat))?;
            }
            self.sockets.turn(&mut self.web, TURN)?;
            if self.now_us() > from_us + patience_us() {
                return Err(out_of_patience("the last welcome"));
            }
        }
        Ok(self.now_us() - from_us)
    }

    fn broken(&self) -> DrillError {
        let why = self.web.talker.troubles.join("; ");
        DrillError::Refused { joined: self.web.talker.joined, why }
    }

    /// Reads, answers pings, does nothing else.
    pub(crate) fn idle(&mut self, time: Duration) -> Result<(), DrillError> {
        let until_us = self.now_us() + micros(time);
        while self.now_us() < until_us {
            self.sockets.turn(&mut self.web, TURN)?;
        }
        Ok(())
    }

    /// Reads until `done`.
    pub(crate) fn wait(
        &mut self,
        what: &'static str,
        done: impl Fn(&Viewers) -> bool,
    ) -> Result<(), DrillError> {
        let until_us = self.now_us() + patience_us();
        while !done(&self.web.talker) {
            if self.now_us() > until_us {
                return Err(out_of_patience(what));
            }
            self.sockets.turn(&mut self.web, TURN)?;
        }
        Ok(())
    }

    /// Makes each click at its moment, whatever the answers; reads meanwhile and on until `until_us`,
    /// with a pause of `rest` after each look. A reader that never rests is woken by each message, and
    /// it is the sender that pays for that on one machine.
    pub(crate) fn play(
        &mut self,
        wish: &Wish,
        moments: &[Moment],
        until_us: u64,
        rest: Duration,
    ) -> Result<(), DrillError> {
        let mut moments = moments.iter().peekable();
        loop {
            let now_us = self.now_us();
            while let Some(moment) = moments.next_if(|moment| moment.at_us <= now_us) {
                self.click(wish, *moment);
            }
            let next_us = moments.peek().map_or(until_us, |moment| moment.at_us);
            let Some(wait_us) = next_us.checked_sub(now_us).filter(|us| *us > 0) else {
                return Ok(());
            };
            let wait = Duration::from_micros(wait_us);
            if rest.is_zero() {
                self.sockets.turn(&mut self.web, wait.min(TURN))?;
            } else {
                while self.sockets.turn(&mut self.web, Duration::ZERO)? > FEW_EVENTS {}
                std::thread::sleep(rest.min(wait));
            }
        }
    }

    /// The same, but what reaches hushed viewers is only counted, some milliseconds late; gives the
    /// bytes. A generator that reads each message at once would cost the server wake-ups that are
    /// the machine's and not its own.
    pub(crate) fn play_hushed(
        &mut self,
        wish: &Wish,
        moments: &[Moment],
        until_us: u64,
    ) -> Result<u64, DrillError> {
        let (mut bytes, mut look_us) = (0, self.now_us());
        let mut moments = moments.iter().peekable();
        while self.now_us() < until_us {
            let now_us = self.now_us();
            while let Some(moment) = moments.next_if(|moment| moment.at_us <= now_us) {
                self.click(wish, *moment);
            }
            if now_us >= look_us {
                let mut counter = Counter { web: &mut self.web, bytes: &mut bytes };
                // Under a full server there is always a little more.
                while self.sockets.turn(&mut counter, Duration::ZERO)? > FEW_EVENTS {}
                look_us = now_us + micros(COUNT_EVERY);
            }
            let next_us = moments.peek().map_or(look_us, |moment| moment.at_us.min(look_us));
            let wait_us = next_us.saturating_sub(self.now_us());
            std::thread::sleep(Duration::from_micros(wait_us));
        }
        Ok(bytes)
    }

    /// Only counts from now on what reaches the viewers from this number on.
    pub(crate) fn hush_from(&mut self, number: u32) {
        let mut numbers = number..;
        while let Some(seat) = numbers.next().and_then(|number| self.sockets.seat_mut(number)) {
            seat.own.hushed = true;
        }
    }

    /// Viewers who stop reading, or start again.
    pub(crate) fn set_deaf(&mut self, numbers: &[u32], deaf: bool) {
        for number in numbers {
            self.sockets.act(&mut self.web, *number, |_, _, line| line.set_deaf(deaf));
        }
    }

    /// Each viewer clicks now, and again with each answer, from now on until [`ViewerSockets::settle`]; none
    /// clicks more than `clicks_max` times in all.
    pub(crate) fn play_closed(&mut self, wish: &Wish, clicks_max: usize) {
        self.web.talker.again = Some(Again { wish: wish.clone(), clicks_max });
        let seats = u32::try_from(self.sockets.seats().len()).expect("seats have numbers");
        for number in 0..seats {
            let moment = Moment { at_us: self.now_us(), number, reads: true };
            self.click(wish, moment);
        }
    }

    /// Lets the time pass, or stops as soon as a viewer has no click left.
    pub(crate) fn idle_while_clicking(&mut self, time: Duration) -> Result<(), DrillError> {
        let until_us = self.now_us() + micros(time);
        while self.now_us() < until_us && self.web.talker.again.is_some() {
            self.sockets.turn(&mut self.web, TURN)?;
        }
        Ok(())
    }

    /// Clicks that the viewer with the most has made on the present wish's drops.
    pub(crate) fn clicks_of_one_max(&self) -> usize {
        self.sockets.seats().map(|seat| seat.own.clicks).max().unwrap_or_default()
    }

    /// Lets the clicks that are under way come to their end.
    pub(crate) fn settle(&mut self) {
        self.web.talker.again = None;
        // What does not come shows in the count, so running out of patience is an answer too.
        let _late = self.wait("the last answer", |viewers| viewers.clicks.unanswered() == 0);
    }

    fn click(&mut self, wish: &Wish, moment: Moment) {
        // A viewer whose connection is gone leaves the click without an answer, which is counted.
        let _gone = self.sockets.act(&mut self.web, moment.number, |web, seat, line| {
            web.speak(seat, line, |viewers, seat, voice| viewers.click(seat, wish, moment, voice));
        });
    }
}

/// Counts what reaches hushed viewers; the others go on as before.
struct Counter<'a> {
    web: &'a mut Web<Viewers>,
    bytes: &'a mut u64,
}

impl Player for Counter<'_> {
    type Seat = WebSeat<Seat>;

    fn connected(&mut self, seat: &mut Self::Seat, line: &mut Line<'_>) {
        self.web.connected(seat, line);
    }

    fn received(&mut self, seat: &mut Self::Seat, bytes: &[u8], line: &mut Line<'_>) -> usize {
        if !seat.own.hushed {
            return self.web.received(seat, bytes, line);
        }
        *self.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        bytes.len()
    }

    fn ended(&mut self, seat: &mut Self::Seat, number: u32, end: End) {
        self.web.ended(seat, number, end);
    }
}

/// Numbers below `count`, some of them, each once.
pub(crate) fn some_of(count: u32, some: usize, rng: &mut StdRng) -> Vec<u32> {
    let mut numbers: Vec<u32> = (0..count).collect();
    for place in 0..some.min(numbers.len()) {
        let other = rng.random_range(place..numbers.len());
        numbers.swap(place, other);
    }
    numbers.truncate(some);
    numbers
}

pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_viewer_who_may_have_no_more_of_a_drop_goes_on_to_the_next() {
        let drops: Vec<DropId> = ["d1", "d2"].map(|drop| drop.parse().unwrap()).into();
        let wish = Wish::of_each(drops.clone(), 2, "mug");
        let wished: Vec<DropId> = (0..5).map(|click| wish.drop_of(click)).collect();
        assert_eq!(wished, [drops[0], drops[0], drops[1], drops[1], drops[1]]);
        assert_eq!(Wish::of(drops[1], "mug").drop_of(1_000), drops[1]);
    }

    #[test]
    fn steady_clicks_take_turns() {
        let moments = steady(7_000, 1_000_000, 4, 3);
        let told: Vec<_> = moments.iter().map(|moment| (moment.at_us, moment.number)).collect();
        assert_eq!(told, [(7_000, 0), (257_000, 1), (507_000, 2), (757_000, 0)]);
    }

    #[test]
    fn some_are_different_ones() {
        let mut some = some_of(50, 20, &mut StdRng::seed_from_u64(1));
        some.sort_unstable();
        some.dedup();
        assert_eq!(some.len(), 20);
        assert!(some.iter().all(|number| *number < 50));
        assert_eq!(some_of(3, 9, &mut StdRng::seed_from_u64(1)).len(), 3, "there are no more");
    }
}
