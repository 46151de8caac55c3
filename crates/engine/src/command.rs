//! What staff may ask for, with the answers they get.

use std::{fmt, sync::Arc};

use stampede_domain::{
    BanId, BanTarget, DropId, DropPlan, DurationMs, IdempotencyKey, MerchantId, Phase, PlanError,
    Rates, RatesError, SkuId, StreamId, Units,
};

/// What a member of staff is trusted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Everything, for everybody.
    Admin,
    /// Runs drops: countdown, pause, resume, close, restock.
    Host,
    /// Plans drops as well as running them.
    Merchant,
    /// Keeps the system up: may pause or close, and works the brake; never plans or opens.
    Ops,
    /// The machine that runs the streams: reports them offline or online, nothing else.
    Platform,
}

impl Role {
    /// The name on every interface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Host => "host",
            Self::Merchant => "merchant",
            Self::Ops => "ops",
            Self::Platform => "platform",
        }
    }

    /// The role with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Admin, Self::Host, Self::Merchant, Self::Ops, Self::Platform];
        all.into_iter().find(|role| role.name() == name)
    }

    /// Whether the role may give this command.
    pub const fn may(self, action: &Action) -> bool {
        match self {
            Self::Admin => true,
            Self::Merchant => !action.is_brake() && !action.is_stream_report(),
            Self::Host => {
                !action.is_brake()
                    && !action.is_stream_report()
                    && !matches!(action, Action::Plan { .. } | Action::Edit { .. } | Action::Cancel)
            }
            Self::Ops => {
                action.is_brake()
                    || action.is_stream_report()
                    || matches!(action, Action::Pause | Action::Close | Action::CancelCountdown)
            }
            Self::Platform => action.is_stream_report(),
        }
    }
}

/// What is asked for.
#[derive(Clone, Debug)]
pub enum Action {
    /// Add a drop.
    Plan {
        /// Its terms.
        plan: Arc<DropPlan>,
    },
    /// Replace the terms of a scheduled drop.
    Edit {
        /// The new terms; stream, merchant and mode stay.
        plan: Arc<DropPlan>,
    },
    /// Call off a scheduled drop for good.
    Cancel,
    /// Start the countdown to opening.
    Open,
    /// Call off the countdown.
    CancelCountdown,
    /// Stop takes for now.
    Pause,
    /// Let takes go on.
    Resume,
    /// End takes for good.
    Close,
    /// Add a lot of units.
    Restock {
        /// Which SKU.
        sku: SkuId,
        /// How many.
        units: Units,
    },
    /// Refuse every take of every drop.
    Stop {
        /// After which time it ends by itself.
        expires_in: Option<DurationMs>,
    },
    /// Let takes go on after a stop.
    Go,
    /// Set limits in place of the configured ones; [`Rates::NONE`] ends those set before.
    SetRates {
        /// The limits.
        rates: Rates,
        /// After which time they end by themselves.
        expires_in: Option<DurationMs>,
    },
    /// Keep somebody out.
    Ban {
        /// Whom.
        target: BanTarget,
        /// Whether the live holds of those kept out are released.
        release_holds: bool,
        /// After which time it ends by itself.
        expires_in: Option<DurationMs>,
    },
    /// End a ban.
    Unban {
        /// Which.
        ban: BanId,
    },
    /// Report that a stream is offline.
    StreamOffline {
        /// Which.
        stream: StreamId,
    },
    /// Report that a stream is back.
    StreamOnline {
        /// Which.
        stream: StreamId,
    },
}

impl Action {
    /// The name on every interface.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Plan { .. } => "plan",
            Self::Edit { .. } => "edit",
            Self::Cancel => "cancel",
            Self::Open => "open",
            Self::CancelCountdown => "cancel_countdown",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Close => "close",
            Self::Restock { .. } => "restock",
            Self::Stop { .. } => "stop",
            Self::Go => "go",
            Self::SetRates { .. } => "set_rates",
            Self::Ban { .. } => "ban",
            Self::Unban { .. } => "unban",
            Self::StreamOffline { .. } => "stream_offline",
            Self::StreamOnline { .. } => "stream_online",
        }
    }

    /// Whether it works the brake, which holds for every merchant and names no drop.
    pub const fn is_brake(&self) -> bool {
        matches!(
            self,
            Self::Stop { .. }
                | Self::Go
                | Self::SetRates { .. }
                | Self::Ban { .. }
                | Self::Unban { .. }
        )
    }

    /// Whether it reports a stream, which is about every merchant's drops there and names none.
    pub const fn is_stream_report(&self) -> bool {
        matches!(self, Self::StreamOffline { .. } | Self::StreamOnline { .. })
    }
}

/// One command of a member of staff.
#[derive(Clone, Debug)]
pub struct StaffCommand {
    /// Who gives it, by the token's name.
    pub actor: String,
    /// What the token is trusted with.
    pub role: Role,
    /// The merchant that the token is bound to; `None` sees every merchant's drops.
    pub merchant: Option<MerchantId>,
    /// Names the request: a retry with the same key does nothing twice.
    pub key: IdempotencyKey,
    /// Why, in the actor's words.
    pub reason: Option<String>,
    /// The drop; `None` for [`Action::Plan`], for what works the brake, for reports about streams.
    pub drop: Option<DropId>,
    /// What to do.
    pub action: Action,
}

/// What an accepted command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// The drop, new or old; the house for what works the brake, for a report about a stream.
    pub drop: DropId,
    /// The lot's number, for a restock.
    pub lot: Option<u32>,
    /// The ban, for a ban that was made or ended.
    pub ban: Option<BanId>,
    /// Whether this answers an earlier request with the same key.
    pub replayed: bool,
}

/// Why a command was refused: an outcome, which is recorded too.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandRefusal {
    /// No such drop, or another merchant's.
    #[error("no such drop")]
    UnknownDrop,
    /// The role is not trusted with it.
    #[error("role {role} may not {action}")]
    Forbidden {
        /// The token's role.
        role: &'static str,
        /// The command.
        action: &'static str,
    },
    /// The plan is for another merchant than the token's.
    #[error("this token is bound to {bound}; the plan names {named}")]
    OtherMerchant {
        /// Whose token it is.
        bound: MerchantId,
        /// Whose goods the plan names.
        named: MerchantId,
    },
    /// The same key was used for another request.
    #[error("this key was used for another command; make a new key for each command")]
    KeyReused,
    /// Not possible in this phase.
    #[error("{action} is not possible while the drop is {phase}")]
    WrongPhase {
        /// The command.
        action: &'static str,
        /// Where the drop stands.
        phase: Phase,
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
    /// The stream has as many live drops as it may.
    #[error("the stream has {max} drops that are not over; settle or cancel some first")]
    StreamFull {
        /// The limit.
        max: usize,
    },
    /// A start or an end that lies in the past.
    #[error("{field} {at} is not after the server's time {now}")]
    InThePast {
        /// The field.
        field: &'static str,
        /// What was asked for, in milliseconds since 1970.
        at: u64,
        /// The server's time, in milliseconds since 1970.
        now: u64,
    },
    /// A reason that is too long or has control characters.
    #[error("a reason must have at most {max} bytes and no control characters")]
    Reason {
        /// Most bytes allowed.
        max: usize,
    },
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
    /// A refusal that was recorded before a restart, in the words recorded then.
    #[error("{text}")]
    Recorded {
        /// The code recorded.
        code: String,
        /// The sentence recorded.
        text: String,
    },
}

impl CommandRefusal {
    /// The stable code on every interface.
    pub fn code(&self) -> &str {
        match self {
            Self::UnknownDrop => "unknown_drop",
            Self::Forbidden { .. } | Self::OtherMerchant { .. } | Self::BoundToken { .. } => {
                "forbidden"
            }
            Self::KeyReused => "key_reused",
            Self::WrongPhase { .. } => "wrong_phase",
            Self::Plan(_) => "invalid_plan",
            Self::Fixed { .. } => "fixed_field",
            Self::AlreadySupplied => "already_supplied",
            Self::UnknownSku { .. } => "unknown_sku",
            Self::LotOutOfRange { .. } => "lot_out_of_range",
            Self::StreamFull { .. } => "stream_full",
            Self::InThePast { .. } => "in_the_past",
            Self::Reason { .. } => "invalid_reason",
            Self::Rates(_) => "rate_out_of_range",
            Self::Expiry { .. } => "expiry_out_of_range",
            Self::NotInForce { .. } => "not_in_force",
            Self::UnknownBan { .. } => "unknown_ban",
            Self::BansFull { .. } => "bans_full",
            Self::UnknownStream { .. } => "unknown_stream",
            Self::Recorded { code, .. } => code,
        }
    }
}

/// The answer to a command; it leaves only when its record is durable.
pub type CommandOutcome = Result<Done, CommandRefusal>;

/// The steward cannot take the request right now, or never will again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// Too many requests wait.
    #[error("{waiting} requests wait already; try again in a moment")]
    Busy {
        /// The limit that was reached.
        waiting: usize,
    },
    /// The ledger failed: nothing is decided until a restart.
    #[error("the ledger failed; the engine decides nothing until it is restarted")]
    Poisoned,
    /// The engine is stopping.
    #[error("the engine is stopping")]
    Stopping,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
