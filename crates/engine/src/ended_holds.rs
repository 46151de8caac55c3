//! Holds that ended without an order, for payments that come too late.

use std::collections::{HashMap, VecDeque};

use stampede_domain::{ChannelId, HoldId, Units, ViewerNumber};

/// Ended holds that are remembered of a drop. When full: the one that ended first is forgotten, and a payment for
/// it is due back.
const ENDED_MAX: usize = 65_536;

/// A hold as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EndedHold {
    pub(crate) viewer: ViewerNumber,
    pub(crate) units: Units,
    pub(crate) channel: Option<ChannelId>,
    /// Whether its time was over; any other was given back on purpose.
    pub(crate) is_expired: bool,
    /// Whether it ended since the engine started, so that its units count as returned.
    pub(crate) counts_returned: bool,
}

/// The latest of one drop.
#[derive(Debug, Default)]
pub(crate) struct EndedHolds {
    by_hold: HashMap<HoldId, EndedHold, foldhash::fast::RandomState>,
    order: VecDeque<HoldId>,
}

impl EndedHolds {
    pub(crate) fn add(&mut self, hold: HoldId, ended: EndedHold) {
        if self.order.len() == ENDED_MAX
            && let Some(first) = self.order.pop_front()
        {
            self.by_hold.remove(&first);
        }
        self.order.push_back(hold);
        self.by_hold.insert(hold, ended);
    }

    pub(crate) fn find(&self, hold: HoldId) -> Option<&EndedHold> {
        self.by_hold.get(&hold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_remembered() {
        let hold = |number: usize| {
            let mut bytes = [0; 16];
            bytes[8..].copy_from_slice(&u64::try_from(number).unwrap().to_be_bytes());
            HoldId::from_bytes(bytes)
        };
        let viewer = ViewerNumber::new(7).unwrap();
        let mut ended = EndedHolds::default();
        for number in 0..=ENDED_MAX {
            let units = Units::ONE;
            let hold_then =
                EndedHold { viewer, units, channel: None, is_expired: true, counts_returned: true };
            ended.add(hold(number), hold_then);
        }
        assert_eq!(ended.find(hold(0)), None);
        assert!(ended.find(hold(1)).is_some() && ended.find(hold(ENDED_MAX)).is_some());
        assert_eq!(ended.by_hold.len(), ENDED_MAX);
    }
}
