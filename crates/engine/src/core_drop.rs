//! One drop as one core takes from it.

use std::{collections::HashMap, sync::Arc};

use stampede_domain::{ChannelId, DurationMs};
use stampede_ledger::Producer;
use stampede_stock::{Lane, Take, TakeRequest};

use crate::{
    applier::Tag, growth::Growth, hold_channels::ChannelNumber, metrics::Shed, sale::SaleDrop,
    shared::Shared,
};

/// Channels that a core remembers of a drop. When full: it forgets all, and asks the drop again.
const CHANNELS_MAX: usize = 1_024;

/// A drop with what one core needs to take from it.
pub(crate) struct CoreDrop {
    pub(crate) sale: Arc<SaleDrop>,
    lane: Lane,
    pub(crate) channels: KnownChannels,
}

/// Numbers of channels that one core has seen in one drop.
#[derive(Default)]
pub(crate) struct KnownChannels(HashMap<ChannelId, ChannelNumber, foldhash::fast::RandomState>);

impl KnownChannels {
    /// The number by which the ledger's thread knows the channel of a take.
    pub(crate) fn number(&mut self, sale: &SaleDrop, channel: Option<&ChannelId>) -> ChannelNumber {
        let Some(channel) = channel else { return ChannelNumber::default() };
        if let Some(number) = self.0.get(channel) {
            return *number;
        }
        if self.0.len() >= CHANNELS_MAX {
            self.0.clear();
        }
        let number = sale.channel_number(channel);
        self.0.insert(channel.clone(), number);
        number
    }
}

impl CoreDrop {
    pub(crate) fn new(sale: Arc<SaleDrop>) -> Self {
        let lane = sale.stock().lane();
        Self { sale, lane, channels: KnownChannels::default() }
    }

    /// Takes from the stock, with what holds the take back and for how long if it finds no room.
    pub(crate) fn take(
        &mut self,
        shared: &Shared,
        (ring, growth): (&Producer<Tag>, &Growth),
        request: &TakeRequest,
        is_halted: bool,
    ) -> (Take, (Shed, DurationMs)) {
        let (stock, config) = (self.sale.stock(), &shared.config);
        if is_halted {
            // A retry takes nothing: it gets the answer of the first request all the same.
            let retried = stock.retry(request).unwrap_or(Take::NoRoom);
            return (retried, (Shed::Halted, config.halt_retry_after));
        }
        let is_busy = shared.is_ledger_busy();
        let shed = if is_busy { Shed::LedgerBusy } else { Shed::RingFull };
        let mut held_back = (shed, config.busy_retry_after);
        // The rate is asked last: only what takes spends of it.
        let room = || {
            !is_busy
                && ring.room() > 0
                && shared
                    .brake
                    .admit_take(request.now)
                    .map_err(|wait| held_back = (Shed::Admission, wait))
                    .is_ok()
        };
        let taken = stock.take(&mut self.lane, request, room);
        if self.lane.take_growth_wish() {
            growth.ask(&self.sale);
        }
        (taken, held_back)
    }
}
