//! What each channel brought: clicks, takes, orders.

use std::collections::HashMap;

use stampede_domain::{ChannelId, Currency, HoldId, Money};

use super::{
    adjustments::Adjustments,
    sums::{self, OrderMoney, OrderSums},
};

/// What one channel brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelReport {
    /// The channel; `None` for viewers whose ticket named none.
    pub channel: Option<ChannelId>,
    /// What it brought.
    pub figures: ChannelFigures,
    /// What came of its orders after the chain had ended, with the records that changed it; `None` if nothing did.
    pub adjustments: Option<Adjustments>,
}

/// Figures of one channel, or of several together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelFigures {
    /// Buys decided; `None` where the tallies do not tell them by channel.
    pub clicks: Option<u64>,
    /// Holds ever taken.
    pub holds: u64,
    /// Units ever taken.
    pub taken: u64,
    /// Units of them that were released or expired.
    pub came_back: u64,
    /// Units of them in holds now.
    pub held: u64,
    /// Orders.
    pub orders: u64,
    /// Units of them.
    pub units: u64,
    /// Price of them.
    pub gross: Money,
    /// What was charged, taken and given back for them.
    pub money: OrderMoney,
}

impl ChannelFigures {
    /// Nothing at all.
    pub fn zero(currency: Currency) -> Self {
        let money = OrderSums::default().money(currency);
        let gross = money.paid;
        let (clicks, holds, orders) = (Some(0), 0, 0);
        Self { clicks, holds, taken: 0, came_back: 0, held: 0, orders, units: 0, gross, money }
    }

    /// Both together, in the currency of the first. Clicks are unknown where those of either are.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let clicks = self.clicks.zip(other.clicks);
        Self {
            clicks: clicks.map(|(one, other)| one.saturating_add(other)),
            holds: self.holds.saturating_add(other.holds),
            taken: self.taken.saturating_add(other.taken),
            came_back: self.came_back.saturating_add(other.came_back),
            held: self.held.saturating_add(other.held),
            orders: self.orders.saturating_add(other.orders),
            units: self.units.saturating_add(other.units),
            gross: sums::sum(self.gross, other.gross),
            money: self.money.plus(other.money),
        }
    }
}

/// A channel's place among those of its drop: a few bytes in the place of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChannelPlace(u32);

impl ChannelPlace {
    pub(super) fn get(self) -> usize {
        usize::try_from(self.0).expect("a place in memory fits")
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    clicks: u64,
    holds: u64,
    taken: u64,
    came_back: u64,
    orders: u64,
    units: u64,
    gross: Option<Money>,
}

/// Sums by channel. Records that end a hold name no channel, so live holds keep theirs.
#[derive(Clone, Debug, Default)]
pub(super) struct Channels {
    places: HashMap<Option<ChannelId>, ChannelPlace, foldhash::fast::RandomState>,
    /// By place.
    sums: Vec<Sums>,
    live: HashMap<HoldId, ChannelPlace, foldhash::fast::RandomState>,
}

impl Channels {
    /// The place of a channel, a new one if it was not heard of before.
    pub(super) fn place(&mut self, channel: Option<&ChannelId>) -> ChannelPlace {
        // A name is a short text, cheap beside the record that it came by.
        let channel = channel.cloned();
        let next = self.sums.len();
        *self.places.entry(channel).or_insert_with(|| {
            self.sums.push(Sums::default());
            ChannelPlace(u32::try_from(next).expect("a drop has fewer holds than that"))
        })
    }

    /// A tally counted clicks of a channel.
    pub(super) fn click(&mut self, channel: &ChannelId, clicks: u64) {
        let place = self.place(Some(channel));
        let sum = &mut self.sums[place.get()].clicks;
        *sum = sum.saturating_add(clicks);
    }

    /// A hold was taken.
    pub(super) fn take(&mut self, hold: HoldId, channel: Option<&ChannelId>, units: u64) {
        let place = self.place(channel);
        let sums = &mut self.sums[place.get()];
        sums.holds += 1;
        sums.taken += units;
        self.live.insert(hold, place);
    }

    /// A hold was released or expired.
    pub(super) fn give(&mut self, hold: HoldId, units: u64) {
        if let Some(place) = self.live.remove(&hold) {
            self.sums[place.get()].came_back += units;
        }
    }

    /// A hold became an order; `None` if its currency is another one or the sum leaves its range.
    #[must_use]
    pub(super) fn order(
        &mut self,
        hold: HoldId,
        place: ChannelPlace,
        units: u64,
        amount: Money,
    ) -> Option<()> {
        self.live.remove(&hold);
        let sums = &mut self.sums[place.get()];
        sums.orders += 1;
        sums.units += units;
        sums.gross = Some(match sums.gross {
            Some(gross) => gross.checked_add(amount)?,
            None => amount,
        });
        Some(())
    }

    fn named_clicks(&self) -> u64 {
        self.sums.iter().fold(0, |sum, of| sum.saturating_add(of.clicks))
    }

    /// How many channels there are.
    pub(super) fn count(&self) -> usize {
        self.sums.len()
    }

    /// Live holds.
    pub(super) fn live(&self) -> usize {
        self.live.len()
    }

    /// Every channel: most units in orders first, then most taken, then most clicks, then by name. Empty if nobody's
    /// ticket names one. `clicks` of all of these channels together, of tickets without one too, if the tallies tell
    /// clicks by channel.
    pub(super) fn reports(
        &self,
        currency: Currency,
        clicks: Option<u64>,
        of_orders: impl Fn(ChannelPlace) -> (OrderMoney, Option<Adjustments>),
    ) -> Vec<ChannelReport> {
        if self.places.keys().all(Option::is_none) {
            return Vec::new();
        }
        let none = Money::new(0, currency).expect("nothing is an amount");
        // What no named channel brought came without one.
        let without = clicks.map(|all| all.saturating_sub(self.named_clicks()));
        let report = |(channel, place): (&Option<ChannelId>, &ChannelPlace)| {
            let Sums { holds, taken, came_back, orders, units, gross, .. } = self.sums[place.get()];
            let (money, adjustments) = of_orders(*place);
            let of_name = clicks.map(|_| self.sums[place.get()].clicks);
            let figures = ChannelFigures {
                clicks: if channel.is_some() { of_name } else { without },
                holds,
                taken,
                came_back,
                held: taken.saturating_sub(came_back).saturating_sub(units),
                orders,
                units,
                gross: gross.unwrap_or(none),
                money,
            };
            ChannelReport { channel: channel.clone(), figures, adjustments }
        };
        let mut all: Vec<ChannelReport> = self.places.iter().map(report).collect();
        if without.is_some_and(|clicks| clicks > 0) && !self.places.contains_key(&None) {
            let figures = ChannelFigures { clicks: without, ..ChannelFigures::zero(currency) };
            all.push(ChannelReport { channel: None, figures, adjustments: None });
        }
        sort(&mut all, |report| (report.channel.as_ref(), report.figures));
        all
    }
}

/// Most units in orders first, then most taken, then most clicks, then by name.
pub(crate) fn sort<T>(channels: &mut [T], of: fn(&T) -> (Option<&ChannelId>, ChannelFigures)) {
    channels.sort_by_cached_key(|channel| {
        let (name, ChannelFigures { units, taken, clicks, .. }) = of(channel);
        (std::cmp::Reverse((units, taken, clicks)), name.cloned())
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency() -> Currency {
        "EUR".parse().unwrap()
    }

    fn report(name: Option<&str>, units: u64, taken: u64, clicks: Option<u64>) -> ChannelReport {
        let figures = ChannelFigures { clicks, taken, units, ..ChannelFigures::zero(currency()) };
        let channel = name.map(|name| name.parse().unwrap());
        ChannelReport { channel, figures, adjustments: None }
    }

    #[test]
    fn the_best_channels_come_first() {
        let expected = [
            report(Some("z"), 9, 9, Some(1)),
            report(None, 5, 8, Some(0)),
            report(Some("b"), 5, 7, Some(3)),
            report(None, 5, 7, Some(2)),
            report(Some("a"), 5, 7, Some(2)),
            report(Some("c"), 5, 7, None),
        ];
        let mut sorted = expected.to_vec();
        sorted.reverse();
        sort(&mut sorted, |report| (report.channel.as_ref(), report.figures));
        assert_eq!(sorted, expected);
    }

    #[test]
    fn without_a_name_there_are_no_channels() {
        let mut channels = Channels::default();
        let none = |_| (ChannelFigures::zero(currency()).money, None);
        channels.place(None);
        assert_eq!(channels.reports(currency(), Some(9), none), []);
        let name = "nina".parse().unwrap();
        assert_ne!(channels.place(Some(&name)), channels.place(None));
        assert_eq!(channels.reports(currency(), None, none).len(), 2);
    }

    #[test]
    fn clicks_that_no_channel_brought_came_without_one() {
        let [nina, ben] = ["nina", "ben"].map(|name| name.parse::<ChannelId>().unwrap());
        let mut channels = Channels::default();
        for (channel, clicks) in [(&nina, 3), (&ben, 4), (&nina, 5)] {
            channels.click(channel, clicks);
        }
        let clicks = |channels: &Channels, of_all| -> Vec<(Option<String>, Option<u64>)> {
            let none = |_| (ChannelFigures::zero(currency()).money, None);
            let reports = channels.reports(currency(), of_all, none);
            let name = |of: &ChannelReport| of.channel.as_ref().map(ToString::to_string);
            reports.iter().map(|of| (name(of), of.figures.clicks)).collect()
        };
        let (nina, ben) = (Some("nina".to_owned()), Some("ben".to_owned()));
        let named = [(nina.clone(), Some(8)), (ben.clone(), Some(4))];
        assert_eq!(clicks(&channels, Some(12)), named);
        let [first, second] = named;
        let all = [first, second, (None, Some(2))];
        assert_eq!(clicks(&channels, Some(14)), all);
        channels.place(None);
        assert_eq!(clicks(&channels, Some(14)), all);
        assert_eq!(clicks(&channels, None), [(None, None), (ben, None), (nina, None)]);
    }

    #[test]
    fn sums_of_channels_know_clicks_only_if_each_does() {
        let [known, unknown] = [Some(3), None].map(|clicks| report(None, 2, 4, clicks).figures);
        let both = known.plus(known);
        assert_eq!((both.units, both.taken, both.clicks), (4, 8, Some(6)));
        assert_eq!(known.plus(unknown).clicks, None);
    }
}
