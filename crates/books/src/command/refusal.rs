//! Why a staff command is refused, and what each refusal is called on every interface.

use stampede_domain::{
    BanId, BanRangeError, HoldId, MerchantId, PaymentId, Phase, PlanError, RatesError, SkuId,
    StreamId, TextFault, Units,
};

use stampede_ledger::RoomOwner;
use stampede_settlement::CancelRefusal;

use super::{
    Action, AmendRefusal, RequestRefusal, Role, StockRefusal, WindDownRefusal, phase_words::stands,
};
use crate::{rehearsal::RehearsalRefusal, seen::SeenDrop, video::VideoRefusal};

/// Why a command was refused: an outcome, which is recorded too.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandRefusal {
    /// No such drop, or another merchant's.
    #[error(
        "no such drop that you may see: check the id, and which merchant and streams your token is bound to"
    )]
    UnknownDrop,
    /// The role is not trusted with it.
    #[error("role {role} may not {action}; {who} may")]
    Forbidden {
        /// The token's role.
        role: &'static str,
        /// The command.
        action: &'static str,
        /// The roles that may.
        who: String,
    },
    /// The plan, or the permission to plan, is for another merchant than the token's.
    #[error("this token is bound to {bound}; {named} is named")]
    OtherMerchant {
        /// Whose token it is.
        bound: MerchantId,
        /// Whose goods are named.
        named: MerchantId,
    },
    /// The plan or the room is in a stream to which the token is not bound.
    #[error("this token is bound to {bound} streams, and {stream} is none of them")]
    OtherStream {
        /// To how many streams it is bound.
        bound: usize,
        /// The stream that was named.
        stream: StreamId,
    },
    /// The command is about every stream's drops; the token is bound to some.
    #[error(
        "{action} holds for every stream's drops; this token is bound to {bound} streams: use one \
         that is not bound"
    )]
    BoundToStreams {
        /// The command.
        action: &'static str,
        /// To how many streams it is bound.
        bound: usize,
    },
    /// The same key was used for another request.
    #[error("this key was used for another command; make a new key for each command")]
    KeyReused,
    /// Not possible in this phase.
    #[error("{action} is not possible while the drop {}", stands(*phase))]
    WrongPhase {
        /// The command.
        action: &'static str,
        /// Where the drop stands.
        phase: Phase,
    },
    /// The drop is not what the actor saw.
    #[error(
        "the drop has changed since it was seen ({seen}); now it is {now}: read it, then decide again"
    )]
    Changed {
        /// What the actor saw.
        seen: SeenDrop,
        /// How it stands.
        now: SeenDrop,
    },
    /// The plan is not sound.
    #[error("the plan is not valid: {0}")]
    Plan(#[from] PlanError),
    /// An edit would move the drop to another stream, merchant or mode.
    #[error("an edit cannot change {field}; cancel this drop, then plan another")]
    Fixed {
        /// The field that is fixed.
        field: &'static str,
    },
    /// Units were put on sale already, so the terms are fixed.
    #[error("units of this drop were put on sale already; its terms are fixed")]
    AlreadySupplied,
    /// Something of the drop was paid, so its opening cannot be undone.
    #[error(
        "{orders} {} paid already, so the opening cannot be undone; pause the drop, or close it",
        if *orders == 1 { "order is" } else { "orders are" }
    )]
    AlreadyPaid {
        /// Holds that became orders, those that were cancelled since among them.
        orders: u64,
    },
    /// No such SKU in the drop.
    #[error("no SKU {sku} in this drop")]
    UnknownSku {
        /// What was asked for.
        sku: SkuId,
    },
    /// A lot of zero units, or one that would exceed what a pool can count.
    #[error(
        "a lot of {units} units on top of {supplied} is out of range; a pool holds at most {max}"
    )]
    LotOutOfRange {
        /// Units of the lot.
        units: Units,
        /// Units supplied so far.
        supplied: Units,
        /// The most that a pool can count.
        max: Units,
    },
    /// A lot with which the whole drop would sell for more than can be added up.
    #[error(
        "with a lot of {units} units of {sku} the drop could sell for more than 2^53 - 1 minor units in all; \
         put them into another drop"
    )]
    LotTooDear {
        /// What was to be supplied.
        sku: SkuId,
        /// Units of the lot.
        units: Units,
    },
    /// Units cannot be taken back so.
    #[error(transparent)]
    Stock(#[from] StockRefusal),
    /// Terms cannot be amended so.
    #[error(transparent)]
    Amend(#[from] AmendRefusal),
    /// The drop cannot wind down.
    #[error(transparent)]
    WindDown(#[from] WindDownRefusal),
    /// A request for more units is not made, or does not end so.
    #[error(transparent)]
    Request(#[from] RequestRefusal),
    /// The stream has as many live drops as it may.
    #[error("the stream has {max} drops that are not over; settle or cancel some first")]
    StreamFull {
        /// The limit.
        max: usize,
    },
    /// Live drops would come to need more memory than they may.
    #[error(
        "this drop would come to need {needed} bytes beside {used} of {of}, and {max} are allowed; \
         offer fewer units, or let drops settle"
    )]
    MemoryFull {
        /// Whose drops the limit is for.
        of: &'static str,
        /// What the drop would need in all.
        needed: u64,
        /// What the other drops may come to need.
        used: u64,
        /// The limit.
        max: u64,
    },
    /// A start or an end that lies in the past.
    #[error("{field} {at} is not after the server's time {now}; times are milliseconds since 1970")]
    InThePast {
        /// The field.
        field: &'static str,
        /// What was asked for, in milliseconds since 1970.
        at: u64,
        /// The server's time, in milliseconds since 1970.
        now: u64,
    },
    /// A start or an end that lies further ahead than anybody plans.
    #[error(
        "{field} {at} is more than {max_days} days after the server's time {now}; times are in \
         milliseconds since 1970"
    )]
    TooFarAhead {
        /// The field.
        field: &'static str,
        /// What was asked for, in milliseconds since 1970.
        at: u64,
        /// The server's time, in milliseconds since 1970.
        now: u64,
        /// The most days allowed.
        max_days: u64,
    },
    /// The drop would end before anybody can buy.
    #[error(
        "the drop would open at {opens_at} and ends_at_ms is {ends_at}; it has to be open for at least \
         {min_ms} ms: edit ends_at_ms, or shorten countdown_ms"
    )]
    EndsTooSoon {
        /// When it would open, in milliseconds since 1970.
        opens_at: u64,
        /// When it ends, in milliseconds since 1970.
        ends_at: u64,
        /// The shortest time open, in milliseconds.
        min_ms: u64,
    },
    /// A reason that is too long, or has characters that are not seen.
    #[error("the reason {0}")]
    Reason(TextFault),
    /// The command is about every merchant's drops; the token is bound to one merchant.
    #[error(
        "{action} holds for every merchant's drops; this token is bound to {bound}: use one that is \
         not bound"
    )]
    BoundToken {
        /// The command.
        action: &'static str,
        /// Whose token it is.
        bound: MerchantId,
    },
    /// A rate outside its range.
    #[error(transparent)]
    Rates(#[from] RatesError),
    /// A ban of too many addresses.
    #[error(transparent)]
    BanRange(#[from] BanRangeError),
    /// A time to live outside its range.
    #[error("expires_in_ms is {value}; {min} to {max} are allowed, or leave it out")]
    Expiry {
        /// What was asked for, in milliseconds.
        value: u64,
        /// The shortest allowed.
        min: u64,
        /// The longest allowed.
        max: u64,
    },
    /// Nothing is stopped, or no limits are set.
    #[error("there is nothing to end: {what}")]
    NotInForce {
        /// What is not in force.
        what: &'static str,
    },
    /// No such ban, or it has ended.
    #[error("no ban {ban} is in force")]
    UnknownBan {
        /// What was asked for.
        ban: BanId,
    },
    /// As many bans as there may be.
    #[error("{max} bans are in force, which is the most; end some, or ban a range or a channel")]
    BansFull {
        /// The limit.
        max: usize,
    },
    /// A report about a stream in which nothing is planned or going on.
    #[error(
        "stream {stream} has no drop that is planned or going on; there is nothing to report to"
    )]
    UnknownStream {
        /// What was reported.
        stream: StreamId,
    },
    /// The stream is another's room, to which the merchant is not admitted.
    #[error(
        "stream {stream} belongs to {owner}, and {merchant} is not admitted to it; ask {owner} or an \
         admin to admit {merchant}, or use a stream of your own"
    )]
    StreamNotYours {
        /// The stream.
        stream: StreamId,
        /// Whose it is.
        owner: RoomOwner,
        /// Who is not admitted.
        merchant: MerchantId,
    },
    /// The stream is another's room.
    #[error("stream {stream} belongs to {owner}; its owner, the platform or an admin may {action}")]
    RoomNotYours {
        /// The command.
        action: &'static str,
        /// The stream.
        stream: StreamId,
        /// Whose it is.
        owner: RoomOwner,
    },
    /// A host plans where the merchant does not let hosts plan.
    #[error(
        "{merchant} does not let hosts plan in stream {stream}; {merchant}'s staff or an admin may {action} there, \
         and may let hosts"
    )]
    HostsNotAllowed {
        /// The command.
        action: &'static str,
        /// The stream.
        stream: StreamId,
        /// Whose drop it is.
        merchant: MerchantId,
    },
    /// Another merchant's drop in one's own room.
    #[error(
        "the drop is {merchant}'s; the owner of its stream may cancel it while it is scheduled, or \
         feature it, but not {action} it"
    )]
    ForeignDrop {
        /// The command.
        action: &'static str,
        /// Whose drop it is.
        merchant: MerchantId,
    },
    /// Merchants who do not own the stream have as many live drops there as they may.
    #[error(
        "{of} may have {max} drops in stream {stream} that are not over, and have them; settle or \
         cancel some first, or use a stream of your own"
    )]
    ShareFull {
        /// The stream.
        stream: StreamId,
        /// Whom the limit is for.
        of: String,
        /// The limit.
        max: usize,
    },
    /// The stream belongs to nobody.
    #[error(
        "stream {stream} belongs to nobody; a plan makes it its merchant's, make_room anybody's"
    )]
    UnknownRoom {
        /// The stream.
        stream: StreamId,
    },
    /// The stream belongs to somebody already.
    #[error("stream {stream} belongs to {owner} already; move_room gives it to another owner")]
    RoomExists {
        /// The stream.
        stream: StreamId,
        /// Whose it is.
        owner: RoomOwner,
    },
    /// The command would change nothing.
    #[error("nothing changes in stream {stream}: {what}")]
    RoomUnchanged {
        /// The stream.
        stream: StreamId,
        /// How it stands.
        what: String,
    },
    /// Drops of the stream are not over.
    #[error("{live} drops of stream {stream} are not over; settle or cancel them first")]
    RoomInUse {
        /// The stream.
        stream: StreamId,
        /// How many drops are not over.
        live: usize,
    },
    /// As many streams belong to somebody as may.
    #[error(
        "{of} may have {max} streams, has them, and none of a merchant's is without a planned drop: \
         use one of them, let drops settle, or end one by end_room"
    )]
    RoomsFull {
        /// Whom the limit is for.
        of: String,
        /// The limit.
        max: usize,
    },
    /// As many merchants are admitted to a stream as may be.
    #[error(
        "{max} merchants are admitted to stream {stream}, which is the most; dismiss some first"
    )]
    RoomFull {
        /// The stream.
        stream: StreamId,
        /// The limit.
        max: usize,
    },
    /// The name of an account that cannot be one.
    #[error("owner.name: the account's name {0}")]
    Account(TextFault),
    /// As many accepted commands as a drop may have.
    #[error(
        "the drop has had {max} commands, which is the most; it may still be paused, closed or \
         cancelled: plan another drop"
    )]
    CommandsFull {
        /// The limit.
        max: usize,
    },
    /// It does not fit how much later viewers see and hear the stream.
    #[error(transparent)]
    Video(#[from] VideoRefusal),
    /// A rehearsal does not begin or end as the stream stands.
    #[error(transparent)]
    Rehearsal(#[from] RehearsalRefusal),
    /// No such order in the drop.
    #[error(
        "no order {order} in this drop: orders are named by the hold that was paid for. Of a drop that has left \
         memory only those are known that a payment was reported for"
    )]
    UnknownOrder {
        /// What was asked for.
        order: HoldId,
    },
    /// So much of an order cannot be cancelled.
    #[error(transparent)]
    Cancel(#[from] CancelRefusal),
    /// Takes are over, so nobody could buy what goes back on sale.
    #[error(
        "units cannot go back on sale while the drop {}; cancel them without restock",
        stands(*phase)
    )]
    NoRestock {
        /// Where the drop stands.
        phase: Phase,
    },
    /// An extension outside its range.
    #[error("holds can be extended by {min} to {max} ms at once, not by {by}")]
    ExtensionOutOfRange {
        /// What was asked for, in milliseconds.
        by: u64,
        /// The shortest allowed.
        min: u64,
        /// The longest allowed.
        max: u64,
    },
    /// The holds of the drop were extended for long enough.
    #[error(
        "holds of this drop were extended by {extended} ms so far; with {by} more it would be more than {max} \
         in all"
    )]
    ExtensionsFull {
        /// What was asked for, in milliseconds.
        by: u64,
        /// By how much they were extended, in milliseconds.
        extended: u64,
        /// The most allowed.
        max: u64,
    },
    /// Nothing is to be done about this payment.
    #[error(
        "{payment} is not among the payments that nobody can match: it may count for a hold since, have gone back, or \
         have been closed"
    )]
    NotUnmatched {
        /// What was asked for.
        payment: PaymentId,
    },
    /// The drop has left memory, and nobody has read its money. Nothing is recorded: whoever gives the command
    /// reads it, then gives it again.
    #[error("the money of this drop has to be read from the ledger first; send the command again")]
    MoneyNotLoaded,
}

impl CommandRefusal {
    /// The role is not trusted with the command.
    pub fn forbidden(role: Role, action: &Action) -> Self {
        let who: Vec<_> =
            Role::ALL.iter().filter(|role| role.may(action)).map(|r| r.name()).collect();
        let who = match who.as_slice() {
            [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
            few => few.concat(),
        };
        Self::Forbidden { role: role.name(), action: action.name(), who }
    }

    names! {
        /// Every code that a refusal can have.
        CODES;
        /// The stable code on every interface.
        code;
        Self::UnknownDrop => "unknown_drop",
        Self::Forbidden { .. }
        | Self::OtherMerchant { .. }
        | Self::OtherStream { .. }
        | Self::BoundToStreams { .. }
        | Self::BoundToken { .. }
        | Self::ForeignDrop { .. } => "forbidden",
        Self::HostsNotAllowed { .. } => "hosts_not_allowed",
        Self::StreamNotYours { .. } | Self::RoomNotYours { .. } => "stream_not_yours",
        Self::ShareFull { .. } => "share_full",
        Self::UnknownRoom { .. } => "unknown_room",
        Self::RoomExists { .. } => "room_exists",
        Self::RoomUnchanged { .. } => "room_unchanged",
        Self::RoomInUse { .. } => "room_in_use",
        Self::RoomsFull { .. } => "rooms_full",
        Self::RoomFull { .. } => "room_full",
        Self::Account(_) => "invalid_account",
        Self::KeyReused => "key_reused",
        Self::WrongPhase { .. }
        | Self::NoRestock { .. }
        | Self::Stock(StockRefusal::NotOnSale { .. })
        | Self::WindDown(_)
        | Self::Amend(AmendRefusal::NotOnSale { .. } | AmendRefusal::NotPaused) => "wrong_phase",
        Self::Changed { .. } => "drop_changed",
        Self::Plan(_) => "invalid_plan",
        Self::Fixed { .. } => "fixed_field",
        Self::AlreadySupplied => "already_supplied",
        Self::AlreadyPaid { .. } => "already_paid",
        Self::UnknownSku { .. } => "unknown_sku",
        Self::LotOutOfRange { .. }
        | Self::LotTooDear { .. }
        | Self::Stock(StockRefusal::NoUnits) => "lot_out_of_range",
        Self::Stock(StockRefusal::NotFree { .. } | StockRefusal::NoneFree { .. }) => "not_free",
        Self::Request(RequestRefusal::Full { .. }) => "requests_full",
        Self::Request(RequestRefusal::Unknown { .. }) => "unknown_request",
        Self::Request(
            RequestRefusal::Ended { .. }
            | RequestRefusal::Forgotten { .. }
            | RequestRefusal::DropOver { .. },
        ) => "request_over",
        Self::StreamFull { .. } => "stream_full",
        Self::MemoryFull { .. } => "memory_full",
        Self::InThePast { .. } => "in_the_past",
        Self::TooFarAhead { .. } => "too_far_ahead",
        Self::EndsTooSoon { .. } | Self::Amend(AmendRefusal::EndsTooSoon { .. }) => "ends_too_soon",
        Self::Amend(AmendRefusal::Nothing | AmendRefusal::SkuTwice { .. }) => "invalid_amendment",
        Self::Reason(_) => "invalid_reason",
        Self::Rates(_) => "rate_out_of_range",
        Self::BanRange(_) => "range_too_wide",
        Self::Expiry { .. } => "expiry_out_of_range",
        Self::NotInForce { .. } => "not_in_force",
        Self::UnknownBan { .. } => "unknown_ban",
        Self::BansFull { .. } => "bans_full",
        Self::UnknownStream { .. } => "unknown_stream",
        Self::CommandsFull { .. } | Self::Cancel(CancelRefusal::TooMany { .. }) => "commands_full",
        Self::UnknownOrder { .. } => "unknown_order",
        Self::Cancel(CancelRefusal::Changed { .. }) => "order_changed",
        Self::Cancel(CancelRefusal::Nothing) => "nothing_to_cancel",
        Self::Cancel(CancelRefusal::MoreThanOrdered { .. }) => "more_than_ordered",
        Self::Cancel(CancelRefusal::MoreThanPaid { .. }) => "more_than_paid",
        Self::ExtensionOutOfRange { .. } => "extension_out_of_range",
        Self::ExtensionsFull { .. } => "extensions_full",
        Self::NotUnmatched { .. } => "unknown_payment",
        Self::MoneyNotLoaded => "money_not_loaded",
        Self::Video(VideoRefusal::DelayOutOfRange { .. }) => "video_delay_out_of_range",
        Self::Video(VideoRefusal::CountdownTooShort { .. }) => "countdown_too_short",
        Self::Video(VideoRefusal::CountdownRuns { .. }) => "countdown_runs",
        Self::Rehearsal(RehearsalRefusal::LiveOnAir { .. }) => "live_on_air",
        Self::Rehearsal(RehearsalRefusal::Runs { .. }) => "rehearsal_runs",
        Self::Rehearsal(RehearsalRefusal::OnAir { .. }) => "rehearsal_on_air",
        Self::Rehearsal(RehearsalRefusal::NothingPlanned { .. }) => "nothing_planned",
        Self::Rehearsal(RehearsalRefusal::NoneRuns { .. }) => "no_rehearsal",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{BrakeAction, DropAction};

    #[test]
    fn who_cannot_undo_is_told_how_much_is_paid() {
        let told = |orders| CommandRefusal::AlreadyPaid { orders }.to_string();
        assert!(told(1).starts_with("1 order is paid already"), "{}", told(1));
        assert!(told(7).starts_with("7 orders are paid already"), "{}", told(7));
    }

    #[test]
    fn who_may_not_is_told_who_may() {
        let who = |action: &Action| match CommandRefusal::forbidden(Role::Stage, action) {
            CommandRefusal::Forbidden { role: "stage", who, .. } => who,
            other => panic!("{other}"),
        };
        assert_eq!(who(&BrakeAction::Go.into()), "admin and ops");
        let pause = DropAction::Pause.on(stampede_domain::DropId::new(1));
        assert_eq!(who(&pause), "admin, host, merchant, ops and creator");
    }
}
