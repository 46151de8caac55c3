//! Orders by the channel that gets the credit.

use std::collections::HashMap;

use stampede_domain::{ChannelId, Money};

use super::money::{MoneyFold, OrderMoney};

/// Channels that a report lists, those with the most units.
pub const CHANNELS_LISTED_MAX: usize = 100;

/// What one channel sold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelReport {
    /// The channel; `None` for buyers whose ticket named none.
    pub channel: Option<ChannelId>,
    /// Its orders.
    pub orders: u64,
    /// Units of them.
    pub units: u64,
    /// Price of them.
    pub gross: Money,
    /// What was charged, taken and given back for them.
    pub money: OrderMoney,
}

/// Sums by channel.
#[derive(Clone, Debug, Default)]
pub(super) struct ChannelSums(HashMap<Option<ChannelId>, Sums>);

#[derive(Clone, Copy, Debug)]
struct Sums {
    orders: u64,
    units: u64,
    gross: Money,
}

impl ChannelSums {
    /// Adds an order; `None` if its currency is another one or the sum leaves its range.
    #[must_use]
    pub(super) fn add(
        &mut self,
        channel: Option<&ChannelId>,
        units: u64,
        amount: Money,
    ) -> Option<()> {
        if let Some(sums) = self.0.get_mut(&channel.cloned()) {
            sums.orders += 1;
            sums.units += units;
            sums.gross = sums.gross.checked_add(amount)?;
        } else {
            self.0.insert(channel.cloned(), Sums { orders: 1, units, gross: amount });
        }
        Some(())
    }

    /// The channels with the most units first, and how many more there are. Empty if no order names
    /// a channel.
    pub(super) fn listed(&self, money: &MoneyFold) -> (Vec<ChannelReport>, u64) {
        if self.0.keys().all(Option::is_none) {
            return (Vec::new(), 0);
        }
        let report = |(channel, sums): (&Option<ChannelId>, &Sums)| ChannelReport {
            channel: channel.clone(),
            orders: sums.orders,
            units: sums.units,
            gross: sums.gross,
            money: money.of_channel(channel.as_ref()).money(sums.gross.currency()),
        };
        let mut all: Vec<ChannelReport> = self.0.iter().map(report).collect();
        all.sort_unstable_by(|a, b| (b.units, &a.channel).cmp(&(a.units, &b.channel)));
        let left_out = all.len().saturating_sub(CHANNELS_LISTED_MAX);
        all.truncate(CHANNELS_LISTED_MAX);
        (all, u64::try_from(left_out).expect("a map in memory fits 64 bits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_channels_are_listed_and_the_rest_counted() {
        let price = Money::new(100, "EUR".parse().expect("a currency")).expect("an amount");
        let mut sums = ChannelSums::default();
        sums.add(None, 9_999, price).expect("fits");
        let money = MoneyFold::default();
        assert_eq!(sums.listed(&money), (vec![], 0), "nobody named a channel");
        for number in 0..150_u64 {
            let channel: ChannelId = format!("c{number}").parse().expect("an id");
            sums.add(Some(&channel), number, price).expect("fits");
        }
        let (listed, left_out) = sums.listed(&money);
        assert_eq!((listed.len(), left_out), (CHANNELS_LISTED_MAX, 51));
        assert_eq!((listed[0].channel.as_ref(), listed[0].units), (None, 9_999));
        assert_eq!((listed[1].units, listed[99].units), (149, 51));
    }
}
