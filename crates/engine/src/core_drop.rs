//! One drop as one core takes from it.

use std::sync::Arc;

use stampede_domain::{ChannelId, DurationMs, HoldId, Phase, Refusal};
use stampede_ledger::Producer;
use stampede_stock::{DropStock, Lane, Take, TakeRequest};

use crate::{
    channel_counts::{ClickChannel, KnownChannels},
    growth::Growth,
    hold_channels::{ChannelNumber, Tag},
    metrics::ShedReason,
    sale::SaleDrop,
    shared::EngineState,
};

/// A drop with what one core needs to take from it.
pub(crate) struct CoreDrop {
    pub(crate) sale: Arc<SaleDrop>,
    lane: Lane,
    channels: KnownChannels,
    core: usize,
}

impl CoreDrop {
    pub(crate) fn new(sale: Arc<SaleDrop>, core: usize) -> Self {
        let lane = sale.stock().lane();
        let channels = KnownChannels::of(sale.tally(core).channels());
        Self { sale, lane, channels, core }
    }

    /// Where a click of a ticket with this channel counts.
    pub(crate) fn click_channel(&mut self, channel: Option<&ChannelId>) -> ClickChannel {
        self.channels.of_click(channel, self.sale.tally(self.core).channels())
    }

    /// Takes from the stock, unless takes are halted.
    pub(crate) fn take(
        &mut self,
        shared: &EngineState,
        (ring, growth): (&Producer<Tag>, &Growth),
        request: &TakeRequest,
        by: (Option<&ChannelId>, ClickChannel),
        is_halted: bool,
    ) -> CoreTake {
        let Self { sale, lane, channels, .. } = self;
        let (stock, config) = (sale.stock(), &shared.config);
        if is_halted {
            // A retry takes nothing: it gets the answer of the first request all the same.
            let take = stock.retry(request).unwrap_or(Take::NoRoom);
            let held_back = (ShedReason::Halted, config.halt_retry_after);
            return core_take((take, Tag::default()), sale, held_back, shared.busy());
        }
        let is_busy = shared.is_ledger_busy();
        let shed = if is_busy { ShedReason::LedgerBusy } else { ShedReason::RingFull };
        let mut held_back = (shed, config.busy_retry_after);
        // The rate is asked last: only what takes spends of it.
        let room = || {
            !is_busy
                && ring.room() > 0
                && shared
                    .brake
                    .admit_take(request.now)
                    .map_err(|wait| held_back = (ShedReason::Admission, wait))
                    .is_ok()
        };
        let ask = |channel: &ChannelId| sale.channel_number(channel);
        let taken = take_by(stock, lane, request, (channels, by), ask, room);
        if lane.take_growth_wish() {
            growth.ask(sale);
        }
        core_take(taken, sale, held_back, shared.busy())
    }
}

/// What came of a take.
pub(crate) enum CoreTake {
    /// Units were taken.
    Taken {
        hold: HoldId,
        /// The number of the channel.
        tag: Tag,
    },
    /// The same request took units before.
    Replay(HoldId),
    /// Nothing was taken, to protect the sale: why, and when to come again.
    HeldBack(ShedReason, DurationMs),
    /// Nothing was taken: the drop cannot, or may not, give it.
    Refused(Refusal),
}

/// What the stock's answer comes to; `held_back` counts if it found no room.
fn core_take(
    (take, tag): (Take, Tag),
    sale: &SaleDrop,
    (shed, retry_after): (ShedReason, DurationMs),
    busy: Refusal,
) -> CoreTake {
    CoreTake::Refused(match take {
        Take::Taken(hold) => return CoreTake::Taken { hold, tag },
        Take::Replay(hold) => return CoreTake::Replay(hold),
        Take::NoRoom => return CoreTake::HeldBack(shed, retry_after),
        Take::Shut => why_shut(sale.phase(), busy),
        Take::KeyReused => Refusal::KeyReused,
        Take::SoldOut => Refusal::SoldOut,
        Take::NotEnough { available } => Refusal::NotEnough { available },
        Take::OverViewerLimit { limit, for_good } => Refusal::OverViewerLimit { limit, for_good },
        Take::HoldsCapped { max } => Refusal::HoldsCapped { max },
    })
}

/// Why the open bit is off. The bit goes off before the phase changes, so an open phase means that
/// the change is under way.
fn why_shut(phase: Phase, busy: Refusal) -> Refusal {
    match phase {
        Phase::Scheduled | Phase::Countdown => Refusal::NotOpen,
        Phase::Open => busy,
        Phase::Paused => Refusal::Paused,
        Phase::Closed | Phase::Settled | Phase::Cancelled | Phase::Voiding | Phase::Voided => {
            Refusal::Closed
        }
    }
}

/// Takes by a channel. Its number is there before anything is taken: a core that takes by a channel for the
/// first time asks the drop under a lock. A click that cannot win asks nothing.
fn take_by(
    stock: &DropStock,
    lane: &mut Lane,
    request: &TakeRequest,
    (channels, by): (&mut KnownChannels, (Option<&ChannelId>, ClickChannel)),
    ask: impl FnOnce(&ChannelId) -> ChannelNumber,
    room: impl FnOnce() -> bool,
) -> (Take, Tag) {
    let mut tag = Tag::default();
    let taken = stock.take(lane, request, || {
        let has_room = room();
        if has_room {
            tag = channels.number(by, ask);
        }
        has_room
    });
    (taken, tag)
}

#[cfg(test)]
mod tests {
    use stampede_domain::{
        DropId, Incarnation, KeyFingerprint, PoolIndex, PoolMap, SkuIndex, Units, UnixMillis,
        ViewerNumber,
    };
    use stampede_stock::{SkuLimits, StockConfig};

    use super::*;
    use crate::{channel_counts::ChannelCounts, hold_channels::HoldChannels};

    fn available(stock: &DropStock) -> u32 {
        stock.pools().map(|pool| pool.available.get()).sum()
    }

    #[test]
    fn a_channel_has_its_number_before_units_are_taken() {
        let stock = DropStock::new(StockConfig {
            drop: DropId::new(1),
            incarnation: Incarnation::new(1).unwrap(),
            pools: PoolMap::new([SkuIndex::default()]).unwrap(),
            skus: vec![SkuLimits { limit_per_viewer: Units::MAX }],
            limit_per_viewer: Units::MAX,
            holds_per_viewer_max: 9,
        });
        stock.add_supply(PoolIndex::default(), Units::new(2).unwrap()).unwrap();
        stock.permit_takes();
        let counts = ChannelCounts::new();
        let (mut lane, mut known) = (stock.lane(), KnownChannels::of(&counts));
        let (mut of_drop, mut asked) = (HoldChannels::default(), Vec::new());
        let [ann, bob]: [ChannelId; 2] = ["ann", "bob"].map(|name| name.parse().unwrap());
        let mut take = |viewer: u64, channel: &ChannelId, has_room: bool| {
            let request = TakeRequest {
                viewer: ViewerNumber::new(viewer).unwrap(),
                key: KeyFingerprint::from_bits(viewer.into()),
                pool: PoolIndex::default(),
                units: Units::ONE,
                now: UnixMillis::new(1),
                deadline: UnixMillis::new(9),
            };
            let ask = |channel: &ChannelId| {
                asked.push((channel.clone(), available(&stock)));
                of_drop.number(channel)
            };
            let at = known.of_click(Some(channel), &counts);
            let by = (&mut known, (Some(channel), at));
            take_by(&stock, &mut lane, &request, by, ask, || has_room)
        };
        assert_eq!(take(1, &ann, false), (Take::NoRoom, Tag::default()));
        let (taken, by_ann) = take(1, &ann, true);
        assert!(matches!(taken, Take::Taken(_)) && by_ann != Tag::default());
        let (taken, again) = take(2, &ann, true);
        assert!(matches!(taken, Take::Taken(_)) && again == by_ann);
        assert_eq!(take(3, &bob, true), (Take::SoldOut, Tag::default()));
        assert_eq!(asked, [(ann, 2)], "asked once, with nothing taken");
    }
}
