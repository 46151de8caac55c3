//! Faults of takes and holds.

use stampede_domain::{
    ChannelId, HoldId, Incarnation, KeyFingerprint, Money, PoolIndex, SkuIndex, SlotIndex, Units,
    UnixMillis, ViewerNumber,
};

use super::phases::Stage;

/// How a hold ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words of the journal")]
pub enum HoldEnd {
    Confirmed,
    Released,
    Expired,
}

impl std::fmt::Display for HoldEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Confirmed => "confirmed",
            Self::Released => "released",
            Self::Expired => "expired",
        })
    }
}

/// Takes or holds that contradict each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum HoldFault {
    /// More units held or sold than all lots supplied.
    #[error("pool {pool} oversold by {}: held {held} + sold {sold} of {supplied} supplied", held + sold - supplied)]
    Oversold { pool: PoolIndex, supplied: u64, held: u64, sold: u64 },
    /// Units withdrawn that were held or sold.
    #[error(
        "{units} units withdrawn from pool {pool}, {supplied} are left for {held} held + {sold} sold"
    )]
    WithdrawnNotFree { pool: PoolIndex, units: Units, supplied: u64, held: u64, sold: u64 },
    /// A take after limits had been amended that counts itself to those before.
    #[error(
        "hold {hold} was taken at {taken_at} ms under limits that were amended after takes had stopped at {shut_at} ms"
    )]
    OldLimits { hold: HoldId, taken_at: UnixMillis, shut_at: UnixMillis },
    /// A hold of another drop or start than its row.
    #[error("hold {hold} names incarnation {} of {}", hold.incarnation(), hold.drop_id())]
    ForeignHold { hold: HoldId },
    /// A pool that the plan does not have.
    #[error("hold {hold} names pool {}, the plan has {pools}", hold.pool())]
    UnknownPool { hold: HoldId, pools: usize },
    /// A take while the drop was not open.
    #[error("hold {hold} taken at {taken_at} ms while {stage} since {shut_at} ms")]
    TakenWhileShut { hold: HoldId, stage: Stage, taken_at: UnixMillis, shut_at: UnixMillis },
    /// A take that lies after its own commit.
    #[error("hold {hold} taken at {taken_at} ms, committed at {at} ms")]
    TakenLater { hold: HoldId, taken_at: UnixMillis, at: UnixMillis },
    /// A deadline that is not the plan's.
    #[error("hold {hold} ends at {deadline} ms, the plan gives it until {expected} ms")]
    Deadline { hold: HoldId, deadline: UnixMillis, expected: UnixMillis },
    /// No units, or more than one buy may ask for.
    #[error("hold {hold} of {units} units, one buy may ask for 1 to {max}")]
    Units { hold: HoldId, units: Units, max: Units },
    /// Two takes with one number.
    #[error("take {} of pool {} is recorded twice: holds {first} and {hold}", hold.take(), hold.pool())]
    NumberRepeated { hold: HoldId, first: HoldId },
    /// A number that a restart had already passed.
    #[error("hold {hold} has take {}, pool {} had reached {reached} at the restart", hold.take(), hold.pool())]
    NumberPassed { hold: HoldId, reached: u64 },
    /// A number that nothing accounts for.
    #[error("take {first} to {last} of pool {pool} are missing, and no restart lists them as lost")]
    NumbersMissing { pool: PoolIndex, first: u64, last: u64 },
    /// A number that a restart lists as lost although it is there, or that is none of its business.
    #[error("the restart lists take {number} of pool {pool} as lost, which it is not")]
    NotLost { pool: PoolIndex, number: u64 },
    /// A restart that misstates a pool's highest take.
    #[error("the restart says that pool {pool} stands at take {stated}, the journal at {found}")]
    LastTake { pool: PoolIndex, stated: u64, found: u64 },
    /// A restart that leaves pools out.
    #[error("the restart lists {stated} pools, the plan has {pools}")]
    RecoveredPools { stated: usize, pools: usize },
    /// A restart longer than the journal's own gap.
    #[error(
        "the restart states an outage of {stated_ms} ms, the journal stood still for {gap_ms} ms"
    )]
    Outage { stated_ms: u64, gap_ms: u64 },
    /// A record of a new start without the restart's record before it.
    #[error("incarnation {incarnation} goes on without a restart record")]
    NotRecovered { incarnation: Incarnation },
    /// A second restart record in one start, or one in the drop's first.
    #[error("incarnation {incarnation} has a restart record that nothing called for")]
    RecoveredAgain { incarnation: Incarnation },
    /// A slot that holds two live holds.
    #[error("hold {hold} uses slot {slot} of hold {other}, which never gave it back")]
    SlotBusy { hold: HoldId, slot: SlotIndex, other: HoldId },
    /// A key that took units twice.
    #[error("viewer {viewer:x} took twice with key {key}: holds {first} and {hold}", viewer = viewer.get())]
    KeyRepeated { hold: HoldId, first: HoldId, viewer: ViewerNumber, key: KeyFingerprint },
    /// More units than one viewer may have of a SKU.
    #[error("viewer {viewer:x} has {units} units of SKU {sku}, the limit is {limit}", viewer = viewer.get())]
    OverSkuLimit { viewer: ViewerNumber, sku: u8, units: u64, limit: Units },
    /// More units than one viewer may have of a drop.
    #[error("viewer {viewer:x} has {units} units of the drop, the limit is {limit}", viewer = viewer.get())]
    OverDropLimit { viewer: ViewerNumber, units: u64, limit: Units },
    /// More holds than one viewer may make.
    #[error("viewer {viewer:x} made {holds} holds, the limit is {max}", viewer = viewer.get())]
    HoldsCapped { viewer: ViewerNumber, holds: usize, max: u16 },
    /// The end of a hold that nobody took.
    #[error("hold {hold} {end}, but never taken")]
    NeverTaken { hold: HoldId, end: HoldEnd },
    /// A hold that ended twice.
    #[error("hold {hold} {end}, but had {first} before")]
    EndedTwice { hold: HoldId, first: HoldEnd, end: HoldEnd },
    /// A hold that ended in the commit that took it.
    #[error("hold {hold} {end} in the commit that took it, before it was durable")]
    EndedBeforeDurable { hold: HoldId, end: HoldEnd },
    /// An end that names other units than the take.
    #[error("hold {hold} took {taken} units, {end} with {units}")]
    UnitsDiffer { hold: HoldId, end: HoldEnd, taken: Units, units: Units },
    /// An order for somebody else than the taker.
    #[error("hold {hold} was taken by viewer {taker:x}, confirmed for {buyer:x}", taker = taker.get(), buyer = buyer.get())]
    OtherViewer { hold: HoldId, taker: ViewerNumber, buyer: ViewerNumber },
    /// An order with another channel than the take's.
    #[error(
        "hold {hold} was taken by channel {}, confirmed for {}",
        taken.as_ref().map_or("none", ChannelId::as_str),
        confirmed.as_ref().map_or("none", ChannelId::as_str)
    )]
    OtherChannel { hold: HoldId, taken: Option<ChannelId>, confirmed: Option<ChannelId> },
    /// An order at another price than the plan's.
    #[error("hold {hold} confirmed for {amount}, the plan's price is {}", expected.map_or_else(|| "out of range".to_owned(), |m| m.to_string()))]
    Amount { hold: HoldId, amount: Money, expected: Option<Money> },
    /// An expiry before the deadline with the plan's grace.
    #[error("hold {hold} expired at {at} ms, it ends by itself at {ends_at} ms")]
    ExpiredEarly { hold: HoldId, ends_at: UnixMillis, at: UnixMillis },
    /// A confirm or release well after the deadline with the plan's grace.
    #[error("hold {hold} {end} after {decided_after} ms, its time was over at {ends_at} ms")]
    EndedLate { hold: HoldId, end: HoldEnd, ends_at: UnixMillis, decided_after: UnixMillis },
    /// A drop that settled with holds alive.
    #[error("settled with {live} live holds")]
    SettledLive { live: u64 },
    /// A drop that was voided with holds alive.
    #[error("voided with {live} live holds")]
    VoidedLive { live: u64 },
    /// An opening that was undone although something was paid.
    #[error("the opening is undone, yet {sold} units are in orders")]
    UndoneAfterOrders { sold: u64 },
    /// More answers than the tallies have clicks.
    #[error("the tallies time {answers} answers to {clicks} clicks")]
    AnswersExceedClicks { answers: u64, clicks: u64 },
    /// More clicks of channels than clicks.
    #[error("the tallies have {of_channels} clicks of channels, {clicks} clicks")]
    ChannelsExceedClicks { of_channels: u64, clicks: u64 },
    /// More refusals for want by SKU than there were.
    #[error("the tallies have {of_skus} refusals for want of SKUs, {for_want} refusals for want")]
    SkusExceedRefusals { of_skus: u64, for_want: u64 },
    /// A SKU that the plan does not have.
    #[error("a tally names SKU {sku}, which the plan does not have")]
    TalliedSkuUnknown { sku: SkuIndex },
}

impl HoldFault {
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Oversold { .. } => "oversold",
            Self::WithdrawnNotFree { .. } => "withdrawn_not_free",
            Self::OldLimits { .. } => "old_limits",
            Self::ForeignHold { .. } => "foreign_hold",
            Self::UnknownPool { .. } => "unknown_pool",
            Self::TakenWhileShut { .. } => "taken_while_shut",
            Self::TakenLater { .. } => "taken_later",
            Self::Deadline { .. } => "deadline_differs",
            Self::Units { .. } => "units_out_of_range",
            Self::NumberRepeated { .. } => "take_repeated",
            Self::NumberPassed { .. } => "take_passed",
            Self::NumbersMissing { .. } => "take_missing",
            Self::NotLost { .. } => "take_not_lost",
            Self::LastTake { .. } => "last_take_differs",
            Self::RecoveredPools { .. } => "recovered_pools",
            Self::Outage { .. } => "outage_too_long",
            Self::NotRecovered { .. } => "not_recovered",
            Self::RecoveredAgain { .. } => "recovered_again",
            Self::SlotBusy { .. } => "slot_busy",
            Self::KeyRepeated { .. } => "key_repeated",
            Self::OverSkuLimit { .. } => "over_sku_limit",
            Self::OverDropLimit { .. } => "over_drop_limit",
            Self::HoldsCapped { .. } => "holds_capped",
            Self::NeverTaken { .. } => "never_taken",
            Self::EndedTwice { .. } => "ended_twice",
            Self::EndedBeforeDurable { .. } => "ended_before_durable",
            Self::UnitsDiffer { .. } => "units_differ",
            Self::OtherViewer { .. } => "other_viewer",
            Self::OtherChannel { .. } => "other_channel",
            Self::Amount { .. } => "amount_differs",
            Self::ExpiredEarly { .. } => "expired_early",
            Self::EndedLate { .. } => "ended_late",
            Self::SettledLive { .. } => "settled_live",
            Self::VoidedLive { .. } => "voided_live",
            Self::UndoneAfterOrders { .. } => "undone_after_orders",
            Self::AnswersExceedClicks { .. } => "answers_exceed_clicks",
            Self::ChannelsExceedClicks { .. } => "channels_exceed_clicks",
            Self::SkusExceedRefusals { .. } => "skus_exceed_refusals",
            Self::TalliedSkuUnknown { .. } => "tallied_sku_unknown",
        }
    }
}
