//! Which channel each hold of a drop was bought by.

use std::collections::HashMap;

use stampede_domain::{ChannelId, HoldId};

/// A channel's number within a drop; the default stands for a take without one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ChannelNumber(u32);

/// Entries carry the number of a take's channel; everything else that the applier needs is in the record.
pub(crate) type Tag = ChannelNumber;

/// Channels by slot; a slot serves one hold at a time, so each new hold replaces what was there.
///
/// Names are kept once, a slot keeps 4 bytes. Takes without a channel need no memory. A name gets its
/// number from the core that takes first by it, right before the take, so that the ledger's thread looks
/// for no text. All of it goes with the drop, and has hardly more names than the drop has takes (another
/// core may take the last units in that moment): nobody's names are in the way of another drop's.
#[derive(Debug, Default)]
pub(crate) struct HoldChannels {
    names: Vec<ChannelId>,
    /// Place in `names`, from 1.
    numbers: HashMap<ChannelId, ChannelNumber, foldhash::fast::RandomState>,
    /// By pool, then slot.
    pools: Vec<Vec<ChannelNumber>>,
}

impl HoldChannels {
    /// Notes the channel of a take, before anybody can end its hold.
    pub(crate) fn set(&mut self, hold: HoldId, channel: ChannelNumber) {
        let (pool, slot) = place(hold);
        if channel == ChannelNumber::default() {
            if let Some(number) = self.pools.get_mut(pool).and_then(|slots| slots.get_mut(slot)) {
                *number = channel;
            }
            return;
        }
        if self.pools.len() <= pool {
            self.pools.resize_with(pool + 1, Vec::new);
        }
        let slots = &mut self.pools[pool];
        if slots.len() <= slot {
            slots.resize(slot + 1, ChannelNumber::default());
        }
        slots[slot] = channel;
    }

    /// The channel of a hold that has not ended.
    pub(crate) fn get(&self, hold: HoldId) -> Option<&ChannelId> {
        let (pool, slot) = place(hold);
        let ChannelNumber(number) = *self.pools.get(pool)?.get(slot)?;
        let place = usize::try_from(number).expect("a number counts names in memory");
        self.names.get(place.checked_sub(1)?)
    }

    /// The number of a channel, which it keeps.
    pub(crate) fn number(&mut self, channel: &ChannelId) -> ChannelNumber {
        if let Some(number) = self.numbers.get(channel) {
            return *number;
        }
        self.names.push(channel.clone());
        let number = u32::try_from(self.names.len()).expect("a drop has fewer than 2^32 takes");
        self.numbers.insert(channel.clone(), ChannelNumber(number));
        ChannelNumber(number)
    }
}

fn place(hold: HoldId) -> (usize, usize) {
    let slot = usize::try_from(hold.slot().get()).expect("a slot has 24 bits");
    (usize::from(hold.pool().get()), slot)
}

#[cfg(test)]
mod tests {
    use stampede_domain::{DropId, Incarnation, PoolIndex, SlotIndex, TakeNumber};

    use super::*;

    fn hold(pool: u8, slot: u32, take: u64) -> HoldId {
        let (drop, incarnation) = (DropId::new(1), Incarnation::new(1).unwrap());
        let (pool, slot) = (PoolIndex::new(pool).unwrap(), SlotIndex::new(slot).unwrap());
        HoldId::new(drop, incarnation, pool, slot, TakeNumber::new(take).unwrap())
    }

    #[test]
    fn a_slot_knows_the_channel_of_its_latest_hold() {
        let (ann, bob): (ChannelId, ChannelId) = ("ann".parse().unwrap(), "bob".parse().unwrap());
        let mut channels = HoldChannels::default();
        channels.set(hold(1, 9, 1), ChannelNumber::default());
        assert!(channels.pools.is_empty(), "a take without a channel needs no memory");
        let (by_ann, by_bob) = (channels.number(&ann), channels.number(&bob));
        assert_eq!(channels.number(&ann), by_ann);
        channels.set(hold(1, 2, 2), by_ann);
        channels.set(hold(0, 2, 1), by_bob);
        assert_eq!(channels.get(hold(1, 2, 2)), Some(&ann));
        assert_eq!(channels.get(hold(0, 2, 1)), Some(&bob));
        for other in [hold(1, 1, 1), hold(1, 3, 1), hold(2, 0, 1)] {
            assert_eq!(channels.get(other), None);
        }
        channels.set(hold(1, 2, 3), by_bob);
        assert_eq!(channels.get(hold(1, 2, 3)), Some(&bob));
        channels.set(hold(1, 2, 4), ChannelNumber::default());
        assert_eq!(channels.get(hold(1, 2, 4)), None);
        assert_eq!(channels.names, [ann, bob], "a name is kept once");
    }
}
