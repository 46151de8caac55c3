//! The people of an audience: what they share, what they do when.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

use rand::{Rng, SeedableRng, rngs::StdRng};
use stampede_domain::{DropId, DurationMs, HoldId, IdempotencyKey, Mode};
use stampede_swarm::{Clock, TicketBook, Voice};
use stampede_wire::{ClientMessage, Subprotocol};

use super::{
    AudienceError, AudiencePlan, AudienceReport, Interest,
    goods::{Goods, News},
    logs::Logs,
    seat::{Pending, Seat},
};
use crate::{Checkout, recorder::TROUBLES_MAX};

/// The subprotocol that the server prefers.
pub(super) const SUBPROTOCOL: Subprotocol = Subprotocol::MsgPack;

/// A hand's shortest way to the button, in microseconds.
pub(super) const REACTION_US: u64 = 120_000;
/// Span over which people come who see that there are units again, in microseconds.
pub(super) const BACK_US: u64 = 2_500_000;
/// The first wait before dialling again, in microseconds; doubled with each failure.
const DIAL_AGAIN_US: u64 = 60_000;
/// Failures after which the wait grows no longer.
const FAILURES_MAX: u8 = 5;
/// How long tickets are good: as long as a server lets them be.
const TICKET_LIFETIME: DurationMs = DurationMs::from_secs(24 * 3_600);

/// Something that a person does at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Act {
    Dial,
    Click(DropId),
    Pay(HoldId),
    Release(HoldId),
}

/// People who click on a drop, because something happened to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wave {
    pub(super) drop: DropId,
    at_us: u64,
    span_us: u64,
    crowd: Crowd,
}

#[derive(Clone, Copy, Debug)]
enum Crowd {
    /// So many of a hundred who want something.
    Percent(u32),
    /// About so many.
    About(u32),
}

/// Everybody, with what they share.
#[derive(Debug)]
pub(super) struct People {
    pub(super) book: TicketBook,
    pub(super) clock: Clock,
    /// The sockets' clock at the last look.
    now_us: u64,
    pub(super) rng: StdRng,
    name_prefix: String,
    interest: BTreeMap<DropId, Interest>,
    usual_interest: Interest,
    pub(super) goods: Goods,
    /// By moment, then in the order in which it was decided.
    due: BinaryHeap<Reverse<(u64, u64, u32, Act)>>,
    sequence: u64,
    /// Everybody gets the same bytes, so only the first of a tick is read.
    pub(super) last_tick: Vec<u8>,
    pub(super) waves: Vec<Wave>,
    pub(super) logs: Logs,
    pub(super) report: AudienceReport,
    /// Those on their way to the platform's till.
    pub(super) checkouts: Vec<Checkout>,
    /// Connections that were asked for and not welcomed yet.
    pub(super) coming: usize,
}

impl People {
    pub(super) fn new(plan: &AudiencePlan) -> Result<Self, AudienceError> {
        let book = TicketBook::new(&plan.ticket_key, plan.stream.parse()?)?;
        let interest = plan.interest.iter().map(|(drop, interest)| Ok((drop.parse()?, *interest)));
        let mode = if plan.rehearsal { Mode::Rehearsal } else { Mode::Live };
        Ok(Self {
            book: book.lasting(TICKET_LIFETIME).of_mode(mode),
            clock: Clock::start(),
            now_us: 0,
            rng: StdRng::seed_from_u64(plan.seed),
            name_prefix: plan.name_prefix.clone(),
            interest: interest.collect::<Result<_, stampede_domain::IdError>>()?,
            usual_interest: plan.usual_interest,
            goods: Goods::default(),
            due: BinaryHeap::new(),
            sequence: 0,
            last_tick: Vec::new(),
            waves: Vec::new(),
            logs: Logs::new(plan.promise_logs.clone()),
            report: AudienceReport::default(),
            checkouts: Vec::new(),
            coming: 0,
        })
    }

    pub(super) fn name(&self, number: u32) -> String {
        format!("{}{number}", self.name_prefix)
    }

    /// The next thing that is due by now.
    pub(super) fn due_at(&mut self, now_us: u64) -> Option<(u32, Act)> {
        self.now_us = now_us;
        self.due.peek().filter(|Reverse((at_us, ..))| *at_us <= now_us)?;
        self.due.pop().map(|Reverse((_, _, number, act))| (number, act))
    }

    /// When the next thing is due.
    pub(super) fn next_us(&self) -> u64 {
        self.due.peek().map_or(u64::MAX, |Reverse((at_us, ..))| *at_us)
    }

    pub(super) fn later(&mut self, at_us: u64, number: u32, act: Act) {
        self.sequence += 1;
        self.due.push(Reverse((at_us, self.sequence, number, act)));
    }

    pub(super) fn between(&mut self, (from, to): (u64, u64)) -> u64 {
        self.rng.random_range(from..to)
    }

    /// Lets a wave reach those who want something of its drop.
    pub(super) fn roll<'a>(&mut self, wave: &Wave, seats: impl Iterator<Item = &'a Seat>) {
        let wanting = (0..).zip(seats).filter(|(_, seat)| seat.wants(wave.drop));
        let wanting: Vec<u32> = wanting.map(|(number, _)| number).collect();
        let all = u32::try_from(wanting.len()).unwrap_or(u32::MAX).max(1);
        let (part, whole) = match wave.crowd {
            Crowd::Percent(percent) => (percent.min(100), 100),
            Crowd::About(people) => (people.min(all), all),
        };
        for number in wanting {
            if self.rng.random_ratio(part, whole) {
                // The earlier of two moments: more come at the beginning.
                let span = (0, wave.span_us.max(1));
                let after_us = self.between(span).min(self.between(span));
                let at_us = wave.at_us + REACTION_US + after_us;
                self.later(at_us, number, Act::Click(wave.drop));
            }
        }
    }

    pub(super) fn news(&mut self, drop: DropId, news: News, at_us: u64) {
        let wave = match news {
            News::None => return,
            News::Opened => {
                let Interest { share_percent, rush_ms } =
                    self.interest.get(&drop).copied().unwrap_or(self.usual_interest);
                let span_us = rush_ms.saturating_mul(1_000);
                Wave { drop, at_us, span_us, crowd: Crowd::Percent(share_percent) }
            }
            News::Back { units } => {
                let people = units.saturating_add(units / 2).saturating_add(20);
                Wave { drop, at_us, span_us: BACK_US, crowd: Crowd::About(people) }
            }
        };
        self.waves.push(wave);
    }

    /// Does what was planned, if it still makes sense.
    pub(super) fn act(&mut self, seat: &mut Seat, act: Act, voice: &mut Voice<'_, '_>) {
        match act {
            Act::Click(drop) if seat.wants(drop) => self.click(seat, drop, voice),
            Act::Pay(hold) => {
                if let Some(known) = seat.known(hold) {
                    let (drop, hold) = (known.drop.to_string(), hold.to_string());
                    let amount_minor = known.amount_minor;
                    self.checkouts.push(Checkout { drop, hold, amount_minor });
                }
            }
            Act::Release(hold) if seat.has(hold) => say(voice, &ClientMessage::Release { hold }),
            Act::Dial | Act::Click(_) | Act::Release(_) => {}
        }
    }

    fn click(&mut self, seat: &mut Seat, drop: DropId, voice: &mut Voice<'_, '_>) {
        let Some((sku, units)) = self.goods.choose(drop, &mut self.rng) else { return };
        seat.clicked(drop);
        let key = format!("{}-{}", self.name(voice.number()), seat.clicks);
        let key = IdempotencyKey::new(&key).expect("a name with a number is a key");
        let pending = Pending { drop, sku, units, key };
        buy(voice, &pending);
        seat.pending.push(pending);
        self.report.clicks += 1;
    }

    /// A connection did not come about, or is gone: they dial again, later each time.
    pub(super) fn turned_away(
        &mut self,
        seat: &mut Seat,
        number: u32,
        why: &dyn std::error::Error,
    ) {
        if std::mem::take(&mut seat.here) {
            self.report.connected -= 1;
        } else {
            self.coming -= 1;
        }
        let longest_us = DIAL_AGAIN_US << seat.failures;
        seat.failures = (seat.failures + 1).min(FAILURES_MAX);
        let after_us = self.between((longest_us / 2, longest_us));
        self.later(self.now_us + after_us, number, Act::Dial);
        let name = self.name(number);
        self.trouble(|| format!("{name}: {why}"));
    }

    pub(super) fn trouble(&mut self, what: impl FnOnce() -> String) {
        if self.report.troubles.len() < TROUBLES_MAX {
            self.report.troubles.push(what());
        }
    }
}

pub(super) fn buy(voice: &mut Voice<'_, '_>, pending: &Pending) {
    let Pending { drop, sku, units, key } = pending;
    let (sku, units, key) = (sku.as_str().into(), u64::from(*units), key.clone());
    say(voice, &ClientMessage::Buy { drop: *drop, sku, units, key });
}

fn say(voice: &mut Voice<'_, '_>, message: &ClientMessage<'_>) {
    voice.binary(&SUBPROTOCOL.encode_client(message));
}

/// Somebody who leaves gives back everything at once.
pub(super) fn give_back(seat: &mut Seat, voice: &mut Voice<'_, '_>) {
    for known in &mut seat.holds {
        known.pays = false;
        say(voice, &ClientMessage::Release { hold: known.hold });
    }
}
