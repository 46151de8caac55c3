//! One drop as every thread sees it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
};

use crossbeam_utils::CachePadded;
use parking_lot::Mutex;
use stampede_books::{Counted, Totals};
use stampede_domain::{
    ChannelId, DropId, DropPlan, DurationMs, HoldId, Money, Phase, PoolIndex, SkuIndex, Units,
    UnixMillis, ViewerNumber,
};
use stampede_stock::{DropStock, HoldBody};

use crate::{
    asked::Asked,
    counts::Counts,
    extensions::Extensions,
    hold_channels::{ChannelNumber, HoldChannels},
    hold_ends::HoldEnds,
    moved_orders::MovedOrders,
    paying::Paying,
    reserves::Reserves,
    span::SaleSpan,
    stretches::Stretches,
    suspensions::Suspensions,
    tally::CoreTally,
    terms::Terms,
    video::VideoTimes,
    viewer::StreamPresence,
};

const PHASES: [Phase; 9] = [
    Phase::Scheduled,
    Phase::Countdown,
    Phase::Open,
    Phase::Paused,
    Phase::Closed,
    Phase::Settled,
    Phase::Cancelled,
    Phase::Voiding,
    Phase::Voided,
];

/// Changes of one revision that still leave its versions below those of the next.
const VERSION_BITS_PER_REVISION: u32 = 20;
const _: () = assert!(u32::BITS + VERSION_BITS_PER_REVISION <= 52, "a version is below 2^53");

/// A drop: its terms, its stock, where it stands.
///
/// The steward alone changes the phase; takes change the stock. An edited plan makes a new value
/// under the same id, which only happens before anything was supplied.
pub struct SaleDrop {
    id: DropId,
    plan: Arc<DropPlan>,
    terms: Terms,
    stock: DropStock,
    /// The phase's place in [`PHASES`] in the lowest 8 bits, the number of its changes above.
    phase: AtomicU64,
    /// Opening time of the countdown in milliseconds since 1970; 0 while there is none.
    opens_at: AtomicU64,
    /// Rises with each change that viewers are told.
    version: AtomicU64,
    featured: AtomicBool,
    hidden: AtomicBool,
    /// When the stream was reported offline, in milliseconds since 1970; 0 while it is online.
    stream_offline: AtomicU64,
    /// The planned start has had its chance: the host opens the drop.
    start_is_over: AtomicBool,
    /// The start that passed without an opening, in milliseconds since 1970; 0 if none did.
    start_missed: AtomicU64,
    presence: Arc<StreamPresence>,
    suspensions: Arc<Suspensions>,
    stretches: Stretches,
    moved_orders: MovedOrders,
    extensions: Extensions,
    /// Units that became orders, by pool.
    sold: Box<[AtomicU32]>,
    reserves: Reserves,
    asked: Asked,
    /// Written by the ledger's thread, read by the steward; cores number names.
    channels: Mutex<HoldChannels>,
    /// Counts go on when the plan is edited.
    counts: Counts,
    /// Written by the steward.
    hold_ends: HoldEnds,
    paying: Paying,
    /// Viewers who took here, by core; one may be listed more than once.
    winners: Box<[CachePadded<Mutex<Vec<ViewerNumber>>>]>,
    video: VideoTimes,
    span: SaleSpan,
    /// The steward knows that something was counted.
    counts_are_known: AtomicBool,
    /// The growth thread was asked and has not begun.
    growth_asked: AtomicBool,
}

impl SaleDrop {
    pub(crate) fn new(
        id: DropId,
        revision: u32,
        plan: Arc<DropPlan>,
        stock: DropStock,
        presence: Arc<StreamPresence>,
        suspensions: Arc<Suspensions>,
        counts: Counts,
    ) -> Self {
        let sold = stock.map().iter().map(|_| AtomicU32::new(0)).collect();
        let reserves = Reserves::of(&plan);
        Self {
            id,
            terms: Terms::new(&plan, revision),
            plan,
            stock,
            phase: AtomicU64::new(0),
            opens_at: AtomicU64::new(0),
            // An edit starts above every version that the plan before it can have reached.
            version: AtomicU64::new(Self::first_version(revision)),
            featured: AtomicBool::new(false),
            hidden: AtomicBool::new(false),
            stream_offline: AtomicU64::new(0),
            start_is_over: AtomicBool::new(false),
            start_missed: AtomicU64::new(0),
            presence,
            suspensions,
            stretches: Stretches::default(),
            moved_orders: MovedOrders::default(),
            extensions: Extensions::default(),
            sold,
            reserves,
            asked: Asked::default(),
            channels: Mutex::default(),
            winners: counts.cores.iter().map(|_| CachePadded::default()).collect(),
            counts,
            hold_ends: HoldEnds::default(),
            paying: Paying::default(),
            video: VideoTimes::default(),
            span: SaleSpan::default(),
            counts_are_known: AtomicBool::new(false),
            growth_asked: AtomicBool::new(false),
        }
    }

    /// The version that a plan starts with.
    pub(crate) fn first_version(revision: u32) -> u64 {
        u64::from(revision) << VERSION_BITS_PER_REVISION
    }

    /// The id within the ledger.
    pub fn id(&self) -> DropId {
        self.id
    }

    /// Counts the edits and amendments of the plan; the first plan is 1.
    pub fn revision(&self) -> u32 {
        self.terms.revision()
    }

    /// The terms as they were when this value was made. Limits of viewers and the end may be others since:
    /// [`SaleDrop::terms`] has those.
    pub fn plan(&self) -> &Arc<DropPlan> {
        &self.plan
    }

    /// The terms as they are.
    pub fn terms(&self) -> Arc<DropPlan> {
        self.terms.latest()
    }

    /// Steward only: other terms hold from now on. Limits change only while takes are shut.
    pub(crate) fn amend(&self, plan: &Arc<DropPlan>, revision: u32) {
        if let Some(limits) = self.terms.amend(plan, revision) {
            self.stock.set_limits(limits.of_drop, &limits.of_skus);
        }
        self.count_change();
    }

    /// Steward only: the drop closes by then.
    pub(crate) fn wind_down(&self, until: UnixMillis) {
        self.span.wind_down(Some(until));
        self.count_change();
    }

    /// Where the drop stands.
    pub fn phase(&self) -> Phase {
        self.counted_phase().0
    }

    /// When it first opened, by the sale's clock; also after a restart.
    pub fn opened_at(&self) -> Option<UnixMillis> {
        self.span.opened_at()
    }

    /// Since when it is settled, cancelled or voided, by the sale's clock.
    pub fn over_since(&self) -> Option<UnixMillis> {
        self.span.over_since()
    }

    /// The phase with the number of its changes since the drop was planned.
    pub(crate) fn counted_phase(&self) -> (Phase, u64) {
        // ORDERING: Acquire pairs with the Release in `set_phase`: who sees a phase also sees the
        // opening time that belongs to it.
        let found = self.phase.load(Ordering::Acquire);
        let [ordinal, ..] = found.to_le_bytes();
        (PHASES[usize::from(ordinal)], found >> 8)
    }

    /// When the countdown ends, during a countdown.
    pub fn opens_at(&self) -> Option<UnixMillis> {
        match self.opens_at.load(Ordering::Relaxed) {
            0 => None,
            millis => Some(UnixMillis::new(millis)),
        }
    }

    /// Whether the planned start has had its chance.
    pub(crate) fn start_is_over(&self) -> bool {
        self.start_is_over.load(Ordering::Relaxed)
    }

    /// The start that passed while nothing could open the drop, by the wall clock.
    pub(crate) fn missed_start(&self) -> Option<UnixMillis> {
        match self.start_missed.load(Ordering::Relaxed) {
            0 => None,
            millis => Some(UnixMillis::new(millis)),
        }
    }

    /// Rises with each edit and amendment, each change of phase, each change on air; below 2^53.
    pub fn version(&self) -> u64 {
        // ORDERING: Acquire pairs with the Release in `count_change`: a reader who sees a version also
        // sees what it was raised for.
        self.version.load(Ordering::Acquire)
    }

    /// Whether the drop is the one on air in its stream.
    pub fn is_featured(&self) -> bool {
        self.featured.load(Ordering::Relaxed)
    }

    /// Whether viewers hear nothing of the drop: its plan hides it, and no countdown of its has begun. Once they have
    /// heard of it that stays so.
    pub fn is_hidden(&self) -> bool {
        // ORDERING: Relaxed: cores are told to look again through their inboxes, whose locks order it.
        self.hidden.load(Ordering::Relaxed)
    }

    /// When the platform reported the drop's stream offline, by the sale's clock, moved by our own
    /// outages since; `None` while the stream is online.
    pub(crate) fn stream_offline_since(&self) -> Option<UnixMillis> {
        match self.stream_offline.load(Ordering::Relaxed) {
            0 => None,
            millis => Some(UnixMillis::new(millis)),
        }
    }

    pub(crate) fn span(&self) -> &SaleSpan {
        &self.span
    }

    pub(crate) fn video(&self) -> &VideoTimes {
        &self.video
    }

    /// Distinct viewers connected to the drop's stream with tickets of its mode.
    pub fn viewers_connected(&self) -> u64 {
        self.presence.viewers(self.plan().mode)
    }

    /// Units that became orders, by pool.
    pub(crate) fn sold(&self) -> impl Iterator<Item = Units> + '_ {
        let count = |sold: &AtomicU32| Units::new(sold.load(Ordering::Relaxed));
        self.sold.iter().map(move |sold| count(sold).unwrap_or(Units::MAX))
    }

    /// The SKU whose units a pool holds; `None` if the drop has no such pool.
    pub fn sku_of(&self, pool: PoolIndex) -> Option<SkuIndex> {
        self.stock.map().sku_of(pool)
    }

    /// The pool that every buy of a SKU of the plan takes from, that its lots go to.
    pub(crate) fn common_pool(&self, sku: SkuIndex) -> PoolIndex {
        self.stock.map().common(sku).expect("every SKU of a plan has its common pool")
    }

    /// What tallies are made of: the same with SKUs and channels.
    pub(crate) fn counted(&self) -> Counted {
        self.counts.counted()
    }

    /// What viewers asked for since the engine started.
    pub fn totals(&self) -> Totals {
        self.counts.totals()
    }

    /// The price of `units` from a pool; plans bound prices so that it always fits.
    pub fn amount(&self, pool: PoolIndex, units: Units) -> Option<Money> {
        self.plan.sku(self.sku_of(pool)?)?.price.checked_times(units)
    }

    /// When a hold ends by itself as decided, and by how much of that viewers may not know yet. It has moved by
    /// the times in which nobody was served, by extensions, by an attempt to pay.
    pub(crate) fn deadline(&self, hold: HoldId, body: &HoldBody) -> (UnixMillis, DurationMs) {
        let extended = self.extensions.moved(body.taken_at);
        let stretched = self.stretches.moved(hold);
        let served = body.deadline.plus(self.suspensions.shift(body.taken_at));
        let hidden = extended.hidden.get() + stretched.hidden.get();
        (served.plus(extended.decided).plus(stretched.decided), DurationMs::new(hidden))
    }

    /// The hold that an order was bought as. It is the order's own, unless its payment came when the hold had expired
    /// and took the units again.
    pub fn bought_as(&self, order: HoldId) -> HoldId {
        self.moved_orders.origin(order)
    }

    /// The hold whose order has what this one held, if its payment came when it had expired. The order may not be
    /// durable yet.
    pub fn retaken_by(&self, expired: HoldId) -> Option<HoldId> {
        self.moved_orders.order_of(expired)
    }

    pub(crate) fn moved_orders(&self) -> &MovedOrders {
        &self.moved_orders
    }

    /// What is not on sale.
    pub(crate) fn reserves(&self) -> &Reserves {
        &self.reserves
    }

    /// Requests for more units than are in reserve.
    pub fn asked(&self) -> &Asked {
        &self.asked
    }

    /// By how much attempts to pay have moved deadlines.
    pub(crate) fn stretches(&self) -> &Stretches {
        &self.stretches
    }

    /// By how much staff have moved deadlines.
    pub(crate) fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// The lock-free core of this drop.
    pub(crate) fn stock(&self) -> &DropStock {
        &self.stock
    }

    pub(crate) fn tally(&self, core: usize) -> &CoreTally {
        &self.counts.cores[core]
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }

    pub(crate) fn hold_ends(&self) -> &HoldEnds {
        &self.hold_ends
    }

    /// How it goes with paying.
    pub(crate) fn paying(&self) -> &Paying {
        &self.paying
    }

    pub(crate) fn suspensions(&self) -> &Suspensions {
        &self.suspensions
    }

    /// Whether the steward does not know yet that something was counted; the caller then says so.
    pub(crate) fn must_tell_count(&self) -> bool {
        // ORDERING: Relaxed here and below: a core that still sees the old value has counted shortly
        // before; the steward looks once more a while after it has cleared this.
        !self.counts_are_known.load(Ordering::Relaxed)
            && !self.counts_are_known.swap(true, Ordering::Relaxed)
    }

    /// Steward only: the next core that counts says so.
    pub(crate) fn expect_counts(&self) {
        self.counts_are_known.store(false, Ordering::Relaxed);
    }

    /// Notes the channel of a durable take, before its hold can end.
    pub(crate) fn set_channel(&self, hold: HoldId, channel: ChannelNumber) {
        self.channels.lock().set(hold, channel);
    }

    /// A viewer took here whom the drop may not have listed yet.
    pub(crate) fn add_winner(&self, core: usize, viewer: ViewerNumber) {
        self.winners[core].lock().push(viewer);
    }

    /// Steward only, once nobody can take any more.
    pub(crate) fn take_winners(&self) -> Vec<ViewerNumber> {
        self.winners.iter().flat_map(|winners| std::mem::take(&mut *winners.lock())).collect()
    }

    /// The number that a channel has in this drop, from its first take on.
    pub(crate) fn channel_number(&self, channel: &ChannelId) -> ChannelNumber {
        self.channels.lock().number(channel)
    }

    /// Start only: the channels that the journal names.
    pub(crate) fn restore_channels(&self, channels: HoldChannels) {
        *self.channels.lock() = channels;
    }

    /// The channel by which a hold was bought that has not ended.
    pub(crate) fn channel_of(&self, hold: HoldId) -> Option<ChannelId> {
        self.channels.lock().get(hold).cloned()
    }

    /// Whether a hold that has not ended was bought by this channel.
    pub(crate) fn is_by_channel(&self, hold: HoldId, channel: &ChannelId) -> bool {
        self.channels.lock().get(hold) == Some(channel)
    }

    /// Steward only, before anybody else knows the drop: what stands in the place of another plan goes
    /// on counting.
    pub(crate) fn count_phases_from(&self, changes: u64) {
        // ORDERING: Relaxed: whoever publishes the drop orders it.
        self.phase.store(changes << 8, Ordering::Relaxed);
    }

    /// Steward only: one thread decides the phase, counts its `changes`.
    pub(crate) fn set_phase(&self, phase: Phase, changes: u64, opens_at: Option<UnixMillis>) {
        let found = (0_u64..).zip(PHASES).find(|(_, other)| *other == phase);
        let (ordinal, _) = found.expect("every phase is listed");
        self.opens_at.store(opens_at.map_or(0, UnixMillis::get), Ordering::Relaxed);
        // ORDERING: Release pairs with the Acquire in `phase`.
        self.phase.store((changes << 8) | ordinal, Ordering::Release);
        self.count_change();
    }

    /// Steward only.
    pub(crate) fn set_stream_offline(&self, since: Option<UnixMillis>) {
        self.stream_offline.store(since.map_or(0, UnixMillis::get), Ordering::Relaxed);
    }

    /// Steward only: the planned start has had its chance; `missed` if it passed without an opening.
    pub(crate) fn end_start(&self, missed: Option<UnixMillis>) {
        self.start_missed.store(missed.map_or(0, UnixMillis::get), Ordering::Relaxed);
        self.start_is_over.store(true, Ordering::Relaxed);
        if missed.is_some() {
            self.count_change();
        }
    }

    /// Steward only: something that viewers or staff are told has changed.
    fn count_change(&self) {
        // ORDERING: Release pairs with the Acquire in `version`: it comes last.
        self.version.fetch_add(1, Ordering::Release);
    }

    /// Steward only, before anybody else knows the drop.
    pub(crate) fn set_hidden(&self, hidden: bool) {
        self.hidden.store(hidden, Ordering::Relaxed);
    }

    /// Steward only: viewers hear of the drop from now on, if they have not.
    pub(crate) fn reveal(&self) {
        if self.hidden.swap(false, Ordering::Relaxed) {
            self.count_change();
        }
    }

    pub(crate) fn set_featured(&self, featured: bool) {
        self.featured.store(featured, Ordering::Relaxed);
        self.count_change();
    }

    /// Steward only: counts units that became an order.
    pub(crate) fn add_sold(&self, pool: PoolIndex, units: Units) {
        self.sold[usize::from(pool.get())].fetch_add(units.get(), Ordering::Relaxed);
    }

    /// Whether nobody has asked for growth that has not begun; the caller then asks.
    pub(crate) fn may_ask_for_growth(&self) -> bool {
        // ORDERING: AcqRel pairs with the swap in `grow`: growth that this call leaves to an earlier
        // one begins later and sees the takes made so far.
        !self.growth_asked.swap(true, Ordering::AcqRel)
    }

    /// What was asked for does not happen.
    pub(crate) fn may_ask_again(&self) {
        self.growth_asked.store(false, Ordering::Release);
    }

    /// Growth thread only: makes places for further takes.
    pub(crate) fn grow(&self) {
        self.growth_asked.swap(false, Ordering::AcqRel);
        self.stock.grow_ahead();
    }
}

#[cfg(test)]
mod tests {
    use stampede_domain::{Incarnation, KeyFingerprint, PoolMap};
    use stampede_stock::{SkuLimits, StockConfig, Take, TakeRequest};
    use stampede_testkit::{plan_of, sku, units};

    use super::*;
    use crate::viewer::Directory;

    fn index(number: u8) -> SkuIndex {
        SkuIndex::new(number).unwrap()
    }

    fn pool(number: u8) -> PoolIndex {
        PoolIndex::new(number).unwrap()
    }

    /// A drop of a mug and a cup, its pools of these SKUs.
    fn sale(skus: [u8; 3]) -> SaleDrop {
        let (id, plan) = (DropId::new(1), plan_of([sku("mug", 5), sku("cup", 3)]));
        let limits = || SkuLimits { limit_per_viewer: Units::MAX };
        let stock = DropStock::new(StockConfig {
            drop: id,
            incarnation: Incarnation::new(1).unwrap(),
            pools: PoolMap::new(skus.map(index)).unwrap(),
            skus: vec![limits(), limits()],
            limit_per_viewer: Units::MAX,
            holds_per_viewer_max: 9,
        });
        let presence = Directory::new(1).presence(&plan.stream);
        let (suspensions, counts) = (Arc::default(), Counts::new(1));
        SaleDrop::new(id, 1, Arc::new(plan), stock, presence, suspensions, counts)
    }

    #[test]
    fn a_sku_has_the_figures_of_all_its_pools() {
        let sale = sale([0, 1, 0]);
        for (number, count) in [(0, 5), (1, 3), (2, 7)] {
            sale.stock().add_supply(pool(number), units(count)).unwrap();
        }
        sale.stock().permit_takes();
        let mut lane = sale.stock().lane();
        for (number, key, count) in [(0, 1, 2), (2, 2, 4), (2, 3, 1)] {
            let request = TakeRequest {
                viewer: ViewerNumber::new(1).unwrap(),
                key: KeyFingerprint::from_bits(key),
                pool: pool(number),
                units: units(count),
                now: UnixMillis::new(1),
                deadline: UnixMillis::new(9),
            };
            assert!(matches!(sale.stock().take(&mut lane, &request, || true), Take::Taken(_)));
        }
        sale.add_sold(pool(0), units(2));
        sale.add_sold(pool(2), units(1));
        let figures = sale.figures_in(Phase::Open);
        let figures: Vec<_> = figures
            .iter()
            .map(|sku| {
                let counts = [sku.supplied, sku.available, sku.held, sku.sold].map(Units::get);
                (sku.sku.get(), counts, sku.last_take)
            })
            .collect();
        assert_eq!(figures, [(0, [12, 5, 4, 3], Some(3)), (1, [3, 3, 0, 0], Some(0))]);
        let planned = sale.figures_in(Phase::Scheduled);
        assert_eq!(planned.iter().map(|sku| sku.supplied.get()).collect::<Vec<_>>(), [5, 3]);
    }

    #[test]
    fn a_pool_has_the_price_of_its_sku() {
        let sale = sale([1, 0, 1]);
        assert_eq!((sale.common_pool(index(0)), sale.common_pool(index(1))), (pool(1), pool(0)));
        assert_eq!(sale.sku_of(pool(2)), Some(index(1)));
        assert_eq!(sale.sku_of(pool(3)), None);
        assert_eq!(
            sale.amount(pool(2), units(2)),
            sale.plan().skus[1].price.checked_times(units(2))
        );
        assert_eq!(sale.amount(pool(3), units(1)), None);
    }
}
