//! One person of an audience.

use stampede_domain::{DropId, HoldId, IdempotencyKey, SkuId};

/// Clicks that a person makes on one drop before they have had enough.
const CLICKS_MAX: u8 = 6;

/// What a person knows.
#[derive(Debug, Default)]
pub(super) struct Seat {
    /// Whether the server has welcomed them on this connection.
    pub(super) here: bool,
    /// Attempts to connect that failed in a row.
    pub(super) failures: u8,
    /// Clicks on all drops: each has a key of its own.
    pub(super) clicks: u32,
    wishes: Vec<Wish>,
    pub(super) pending: Vec<Pending>,
    pub(super) holds: Vec<KnownHold>,
    pub(super) orders: Vec<HoldId>,
}

/// A hold that has not ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct KnownHold {
    pub(super) drop: DropId,
    pub(super) hold: HoldId,
    pub(super) amount_minor: u64,
    /// Whether they mean to pay.
    pub(super) pays: bool,
}

/// A buy without an answer.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) drop: DropId,
    pub(super) sku: SkuId,
    pub(super) units: u32,
    pub(super) key: IdempotencyKey,
}

/// How a person and a drop stand.
#[derive(Clone, Copy, Debug)]
struct Wish {
    drop: DropId,
    clicks: u8,
    /// Got units, or does not want any more.
    over: bool,
}

impl Seat {
    /// Whether they would click on the drop.
    pub(super) fn wants(&self, drop: DropId) -> bool {
        let wish = self.wishes.iter().find(|wish| wish.drop == drop);
        let asked = self.pending.iter().any(|pending| pending.drop == drop);
        self.here && !asked && wish.is_none_or(|wish| !wish.over)
    }

    /// Notes a click; whether there may be another one after it.
    pub(super) fn clicked(&mut self, drop: DropId) -> bool {
        self.clicks += 1;
        let wish = self.wish(drop);
        wish.clicks = wish.clicks.saturating_add(1);
        wish.clicks < CLICKS_MAX
    }

    /// Whether they try once more by themselves.
    pub(super) fn tries_again(&mut self, drop: DropId) -> bool {
        self.wish(drop).clicks < CLICKS_MAX
    }

    /// They want nothing more of the drop.
    pub(super) fn content(&mut self, drop: DropId) {
        self.wish(drop).over = true;
    }

    /// The buy that a key names; it is answered now.
    pub(super) fn answered(&mut self, key: Option<&IdempotencyKey>) -> Option<Pending> {
        let place = self.pending.iter().position(|pending| Some(&pending.key) == key)?;
        Some(self.pending.swap_remove(place))
    }

    /// They want something of the drop again.
    pub(super) fn want(&mut self, drop: DropId) {
        self.wish(drop).over = false;
    }

    /// Takes the hold away; what it was, if they had it.
    pub(super) fn forget(&mut self, hold: HoldId) -> Option<KnownHold> {
        let place = self.holds.iter().position(|known| known.hold == hold)?;
        Some(self.holds.swap_remove(place))
    }

    pub(super) fn has(&self, hold: HoldId) -> bool {
        self.known(hold).is_some()
    }

    /// The hold, if they have it.
    pub(super) fn known(&self, hold: HoldId) -> Option<&KnownHold> {
        self.holds.iter().find(|known| known.hold == hold)
    }

    fn wish(&mut self, drop: DropId) -> &mut Wish {
        let place = self.wishes.iter().position(|wish| wish.drop == drop);
        let place = place.unwrap_or_else(|| {
            self.wishes.push(Wish { drop, clicks: 0, over: false });
            self.wishes.len() - 1
        });
        &mut self.wishes[place]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_units_or_has_asked_does_not_click() {
        let (one, two): (DropId, DropId) = ("d1".parse().unwrap(), "d2".parse().unwrap());
        let mut seat = Seat { here: true, ..Seat::default() };
        assert!(seat.wants(one));
        let key: IdempotencyKey = "k".parse().unwrap();
        let pending =
            Pending { drop: one, sku: "mug".parse().unwrap(), units: 1, key: key.clone() };
        seat.pending.push(pending);
        assert!(!seat.wants(one) && seat.wants(two));
        assert_eq!(seat.answered(Some(&key)).unwrap().drop, one);
        assert!(seat.answered(None).is_none());
        seat.content(one);
        assert!(!seat.wants(one) && seat.wants(two));
        seat.want(one);
        assert!(seat.wants(one), "the time ran out before the payment came through");
        seat.content(one);
        seat.here = false;
        assert!(!seat.wants(two));
    }

    #[test]
    fn nobody_clicks_for_ever() {
        let drop = "d1".parse().unwrap();
        let mut seat = Seat::default();
        assert!((1..CLICKS_MAX).all(|_| seat.clicked(drop)));
        assert!(!seat.clicked(drop) && !seat.tries_again(drop));
        assert_eq!(seat.clicks, u32::from(CLICKS_MAX));
    }
}
