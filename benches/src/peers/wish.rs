//! The buys of the sell rows: who, which drop, which key.

use stampede_domain::{DropId, IdempotencyKey};
use stampede_wire::{ClientMessage, Subprotocol};

/// The most holds that one viewer may make in a drop.
pub(crate) const HOLDS_PER_DROP: u32 = 64;
/// The SKU on sale.
pub(crate) const SKU: &str = "nuit-50";
/// Digits at the end of a key.
const KEY_DIGITS: usize = 12;
/// A key as clients make them: of a UUID's form.
const KEY: &str = "00000000-0000-4000-8000-000000000000";
/// Buys per second that the supply is laid out for: more than any server here.
const BUYS_PER_S_MAX: u64 = 400_000;
/// Drops that a stream may have at once.
const DROPS_MAX: u64 = 64;

/// Where a viewer is in the course of its buys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The drop, from 0.
    pub(crate) drop: u32,
    /// Its next buy in that drop, from 0.
    pub(crate) buy: u32,
    /// The seat's viewers so far.
    pub(crate) round: u32,
}

/// How many drops with how many units the rows need.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Course {
    pub(crate) drops: u32,
    pub(crate) supply: u32,
}

impl Course {
    /// Everybody goes through the drops in the same order, so mostly one is on sale at a time.
    pub(crate) fn new(connections: u32, seconds: u64) -> Self {
        let buys = BUYS_PER_S_MAX * seconds.max(1);
        let per_drop = u64::from(connections) * u64::from(HOLDS_PER_DROP);
        let drops = buys.div_ceil(per_drop).clamp(1, DROPS_MAX);
        let rounds = buys.div_ceil(per_drop * drops) + 1;
        let supply = u32::try_from(per_drop * rounds).unwrap_or(u32::MAX).min((1 << 24) - 1);
        Self { drops: u32::try_from(drops).unwrap_or(1), supply }
    }

    /// The place after `place`; the round rises where a new viewer has to take the seat.
    pub(crate) fn next(self, place: Place) -> Place {
        let Place { drop, buy, round } = place;
        if buy + 1 < HOLDS_PER_DROP {
            Place { drop, buy: buy + 1, round }
        } else if drop + 1 < self.drops {
            Place { drop: drop + 1, buy: 0, round }
        } else {
            Place { drop: 0, buy: 0, round: round + 1 }
        }
    }
}

/// The viewer who has a seat in a round.
pub(crate) fn viewer(seat: u32, place: Place) -> String {
    format!("v{seat:06}-{:03}", place.round)
}

/// The number in the key of a buy: new for each buy of a viewer.
pub(crate) fn key_number(place: Place) -> u64 {
    u64::from(place.drop) * u64::from(HOLDS_PER_DROP) + u64::from(place.buy)
}

/// The key with this number.
pub(crate) fn key(number: u64) -> String {
    let mut key = KEY.as_bytes().to_vec();
    put_key_number(&mut key, number);
    String::from_utf8(key).expect("digits are ASCII")
}

/// Writes the number into the last digits of what ends with a key.
pub(crate) fn put_key_number(ends_with_key: &mut [u8], number: u64) {
    let mut rest = number;
    for digit in ends_with_key.iter_mut().rev().take(KEY_DIGITS) {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
    }
}

/// The message that buys one unit of `drop`; it ends with the key.
pub(crate) fn buy(drop: DropId) -> Vec<u8> {
    let key = IdempotencyKey::new(KEY).expect("a UUID is a key");
    let buy = ClientMessage::Buy { drop, sku: SKU.into(), units: 1, key };
    Subprotocol::MsgPack.encode_client(&buy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_course_goes_through_all_drops_before_a_new_viewer_comes() {
        let course = Course { drops: 2, supply: 1 };
        let mut place = Place::default();
        let mut numbers = std::collections::HashSet::new();
        for _ in 0..2 * HOLDS_PER_DROP {
            assert!(numbers.insert(key_number(place)), "each key is new");
            place = course.next(place);
        }
        assert_eq!(place, Place { drop: 0, buy: 0, round: 1 });
    }

    #[test]
    fn the_supply_outlasts_the_fastest_server() {
        for connections in [1, 200, 2_000, 15_000] {
            let Course { drops, supply } = Course::new(connections, 5);
            let units = u64::from(drops) * u64::from(supply);
            assert!(units >= BUYS_PER_S_MAX * 5, "{units} units for {connections} connections");
            let holds = u64::from(connections) * u64::from(HOLDS_PER_DROP);
            assert!(u64::from(supply) > holds, "no drop sells out in its first round");
            assert!(drops <= 64 && supply < 1 << 24);
        }
    }

    #[test]
    fn a_buy_ends_with_its_key() {
        let mut message = buy("d17".parse().unwrap());
        put_key_number(&mut message, 4_095);
        assert!(message.ends_with(key(4_095).as_bytes()));
        let decoded = Subprotocol::MsgPack.decode_client(&message).unwrap();
        let ClientMessage::Buy { key: found, .. } = decoded else { panic!("a buy") };
        assert_eq!(found.as_str(), key(4_095));
    }
}
