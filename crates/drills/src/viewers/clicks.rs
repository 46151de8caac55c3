//! Clicks at their planned moments, each with its answers.

use std::collections::BTreeMap;

use stampede_domain::{DropId, HoldId, IdempotencyKey};
use stampede_loadtest::{Latency, LatencySummary, Promise, Promised};
use stampede_wire::{ClientMessage, Held, Refused, Subprotocol};

/// Every buy asks for this many units.
pub(crate) const UNITS: u32 = 1;

/// A click that is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// When, by the viewers' clock.
    pub(crate) at_us: u64,
    /// By whom.
    pub(crate) number: u32,
    /// Whether they read; otherwise the click's latency tells nothing.
    pub(crate) reads: bool,
}

/// Clicks of one purpose; each has the name of the list with its place as its key.
#[derive(Debug)]
pub(crate) struct Clicks {
    /// Letters that no other list of the same server begins with.
    name: &'static str,
    made: Vec<Click>,
    answered: usize,
    held: Vec<HeldClick>,
    refused: BTreeMap<String, u64>,
    latency: Latency,
}

#[derive(Clone, Copy, Debug)]
struct Click {
    number: u32,
    planned_us: u64,
    reads: bool,
    answers: u32,
}

#[derive(Clone, Copy, Debug)]
struct HeldClick {
    place: usize,
    drop: DropId,
    hold: HoldId,
    at_ms: u64,
    expires_in_ms: u64,
    amount_minor: u64,
}

/// What became of clicks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answers {
    /// Clicks without an answer.
    pub(crate) unanswered: u64,
    /// Answers beyond the first of one click.
    pub(crate) repeated: u64,
    /// Clicks answered with units.
    pub(crate) held: u64,
    /// Clicks refused, by reason.
    pub(crate) refused: BTreeMap<String, u64>,
}

impl Clicks {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            made: Vec::new(),
            answered: 0,
            held: Vec::new(),
            refused: BTreeMap::new(),
            latency: Latency::new(),
        }
    }

    /// How many have been made.
    pub(crate) fn made(&self) -> usize {
        self.made.len()
    }

    /// Notes a click; the message that makes it.
    pub(crate) fn make(
        &mut self,
        moment: Moment,
        drop: DropId,
        sku: &str,
        subprotocol: Subprotocol,
    ) -> Vec<u8> {
        let key = format!("{}{}", self.name, self.made.len());
        let Moment { at_us, number, reads } = moment;
        self.made.push(Click { number, planned_us: at_us, reads, answers: 0 });
        let key = IdempotencyKey::new(&key).expect("letters with a number make a key");
        let units = UNITS.into();
        subprotocol.encode_client(&ClientMessage::Buy { drop, sku: sku.into(), units, key })
    }

    /// When the click at this place was planned.
    pub(crate) fn planned_us(&self, place: usize) -> Option<u64> {
        self.made.get(place).map(|click| click.planned_us)
    }

    /// Takes an answer if it is one to a click of this list.
    pub(crate) fn hear_held(&mut self, held: &Held, at_us: u64, at_ms: u64) {
        let Some(place) = held.key.as_ref().and_then(|key| self.find(key, at_us)) else {
            return;
        };
        let Held { drop, hold, expires_in_ms, amount_minor, .. } = *held;
        self.held.push(HeldClick { place, drop, hold, at_ms, expires_in_ms, amount_minor });
    }

    /// Takes a refusal if it is one of a click of this list.
    pub(crate) fn hear_refused(&mut self, refused: &Refused, at_us: u64) {
        if refused.key.as_ref().and_then(|key| self.find(key, at_us)).is_some() {
            *self.refused.entry(refused.code.to_string()).or_default() += 1;
        }
    }

    /// The place of the click that this key names, which has been answered with that.
    fn find(&mut self, key: &IdempotencyKey, at_us: u64) -> Option<usize> {
        let place: usize = key.as_str().strip_prefix(self.name)?.parse().ok()?;
        let click = self.made.get_mut(place)?;
        click.answers += 1;
        if click.answers == 1 {
            self.answered += 1;
            if click.reads {
                self.latency.record_us(at_us.saturating_sub(click.planned_us));
            }
        }
        Some(place)
    }

    /// Clicks that have an answer.
    pub(crate) const fn answered(&self) -> usize {
        self.answered
    }

    /// Clicks that have no answer yet.
    pub(crate) fn unanswered(&self) -> usize {
        self.made.len() - self.answered
    }

    /// From the planned moment of each click to its answer.
    pub(crate) fn latency(&self) -> LatencySummary {
        self.latency.summary()
    }

    /// What became of them.
    pub(crate) fn answers(&self) -> Answers {
        let repeated = |click: &Click| u64::from(click.answers.saturating_sub(1));
        Answers {
            unanswered: wide(self.unanswered()),
            repeated: self.made.iter().map(repeated).sum(),
            held: wide(self.held.len()),
            refused: self.refused.clone(),
        }
    }

    /// The holds that were received, in the order in which they came, without the first so many.
    pub(crate) fn holds_from(&self, first: usize) -> impl Iterator<Item = HoldId> + '_ {
        self.held.iter().skip(first).map(|held| held.hold)
    }

    /// The promises of one drop that were received, for the audit.
    pub(crate) fn promises<'a>(
        &'a self,
        drop: DropId,
        sku: &'a str,
    ) -> impl Iterator<Item = Promise> + 'a {
        self.held.iter().filter(move |held| held.drop == drop).map(move |held| Promise {
            at_ms: held.at_ms,
            asked_ms: None,
            viewer: super::viewer_name(self.made[held.place].number),
            hold: held.hold.to_string(),
            sku: sku.to_owned(),
            units: UNITS,
            what: Promised::Held {
                key: Some(format!("{}{}", self.name, held.place)),
                retry: false,
                expires_in_ms: held.expires_in_ms,
                amount_minor: held.amount_minor,
            },
        })
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use stampede_wire::Request;

    use super::*;

    const SKU: &str = "mug";

    fn drop_id() -> DropId {
        "d1".parse().unwrap()
    }

    fn clicks(moments: &[(u64, bool)]) -> Clicks {
        let mut clicks = Clicks::new("s");
        for (number, (at_us, reads)) in (0..).zip(moments) {
            let moment = Moment { at_us: *at_us, number, reads: *reads };
            clicks.make(moment, drop_id(), SKU, Subprotocol::Json);
        }
        clicks
    }

    fn held(key: &str) -> Held {
        Held {
            key: Some(key.parse().unwrap()),
            retry: false,
            hold: "00000011000000c000000a400000002a".parse().unwrap(),
            drop: drop_id(),
            sku: SKU.parse().unwrap(),
            units: UNITS,
            amount_minor: 499,
            currency: "EUR".parse().unwrap(),
            expires_in_ms: 1_000,
        }
    }

    fn refused(key: &str) -> Refused {
        Refused {
            request: Request::Buy,
            key: Some(key.parse().unwrap()),
            hold: None,
            code: "sold_out".into(),
            message: String::new(),
            temporary: true,
            retry_after_ms: None,
            limit: None,
            available: Some(0),
        }
    }

    #[test]
    fn each_click_counts_its_answers_from_its_planned_moment() {
        let mut clicks = clicks(&[(100, true), (200, true), (300, true)]);
        clicks.hear_held(&held("s0"), 1_100, 9);
        clicks.hear_refused(&refused("s1"), 2_200);
        clicks.hear_refused(&refused("s1"), 9_000);
        clicks.hear_refused(&refused("other7"), 9_000);
        let Answers { unanswered, repeated, held, refused } = clicks.answers();
        assert_eq!((unanswered, repeated, held), (1, 1, 1));
        assert_eq!(refused["sold_out"], 2);
        assert_eq!((clicks.latency().p50, clicks.latency().max), (1_000, 2_000));
    }

    #[test]
    fn who_does_not_read_has_an_answer_but_no_latency() {
        let mut clicks = clicks(&[(0, false)]);
        clicks.hear_held(&held("s0"), 5_000_000, 9);
        assert_eq!((clicks.unanswered(), clicks.latency.count()), (0, 0));
        let promises: Vec<_> = clicks.promises(drop_id(), SKU).collect();
        assert_eq!((promises.len(), promises[0].viewer.as_str()), (1, "v0"));
        assert_eq!(clicks.promises("d2".parse().unwrap(), SKU).count(), 0);
    }
}
