//! What staff may ask for, with the answers they get.

/// One table of cases with their names gives the list of all names and the name of a case, so the list
/// cannot lack one: the table lacks no case, or it does not compile.
macro_rules! names {
    ($(#[$of_all:meta])* $all:ident; $(#[$of_one:meta])* $one:ident; $($case:pat => $name:literal,)*) => {
        $(#[$of_all])*
        pub const $all: &[&str] = &[$($name,)*];

        $(#[$of_one])*
        pub const fn $one(&self) -> &'static str {
            match self {
                $($case => $name,)*
            }
        }
    };
}

mod fingerprint;
mod refusal;

pub use refusal::CommandRefusal;

pub use fingerprint::personal;

use std::{fmt, sync::Arc};

use stampede_domain::{
    BanId, BanTarget, DropId, DropPlan, DurationMs, IdempotencyKey, KeyFingerprint, MerchantId,
    Rates, SkuId, StreamId, Units,
};

use stampede_ledger::RoomOwner;

use crate::{seen::SeenDrop, stream_scope::StreamScope};

/// What a member of staff is trusted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Everything, for everybody.
    Admin,
    /// Runs drops: countdown, pause, resume, close, restock, what is on air.
    Host,
    /// Plans drops as well as running them.
    Merchant,
    /// Keeps the system up: may pause or close, and works the brake; never plans or opens.
    Ops,
    /// The platform's own machine: reports streams offline or online, says whose they are.
    Platform,
    /// Owns streams: admits merchants to them, runs what they sell there.
    Creator,
    /// Reads along for the person on camera: no commands, no money.
    Stage,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 7] = [
        Self::Admin,
        Self::Host,
        Self::Merchant,
        Self::Ops,
        Self::Platform,
        Self::Creator,
        Self::Stage,
    ];

    /// The name on every interface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Host => "host",
            Self::Merchant => "merchant",
            Self::Ops => "ops",
            Self::Platform => "platform",
            Self::Creator => "creator",
            Self::Stage => "stage",
        }
    }

    /// The role with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Whether the role may give this command.
    pub const fn may(self, action: &Action) -> bool {
        match self {
            Self::Admin => true,
            Self::Merchant => {
                !action.is_brake() && !action.is_stream_report() && !action.gives_rooms()
            }
            Self::Host => {
                !action.is_brake()
                    && !action.is_stream_report()
                    && (!action.is_room() || matches!(action, Action::SetVideoDelay { .. }))
                    && !matches!(action, Action::Plan { .. } | Action::Edit { .. } | Action::Cancel)
            }
            Self::Creator => {
                action.is_room() && !action.gives_rooms()
                    || matches!(action, Action::Cancel | Action::CancelCountdown)
                    || matches!(action, Action::Open | Action::OpenAfter { .. })
                    || matches!(action, Action::Pause | Action::Resume | Action::Close)
                    || matches!(action, Action::Feature)
            }
            Self::Ops => {
                action.is_brake()
                    || action.is_stream_report()
                    || matches!(action, Action::Pause | Action::Close | Action::CancelCountdown)
            }
            Self::Platform => action.is_stream_report() || action.is_room(),
            Self::Stage => false,
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
    /// The same, with a countdown in place of the plan's.
    OpenAfter {
        /// How long it lasts.
        countdown: DurationMs,
    },
    /// Call off the countdown.
    CancelCountdown,
    /// Stop takes for now.
    Pause,
    /// Let takes go on.
    Resume,
    /// Put the drop on air in place of the one that is.
    Feature,
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
    /// Say whose a stream is that belongs to nobody.
    MakeRoom {
        /// Which.
        stream: StreamId,
        /// Whose it is.
        owner: RoomOwner,
    },
    /// Give a stream to another owner.
    MoveRoom {
        /// Which.
        stream: StreamId,
        /// Whose it is from now on.
        owner: RoomOwner,
    },
    /// Let a merchant plan drops in a stream.
    Admit {
        /// Which.
        stream: StreamId,
        /// Whom.
        merchant: MerchantId,
    },
    /// Let a merchant plan no more drops in a stream; what is planned stays.
    Dismiss {
        /// Which.
        stream: StreamId,
        /// Whom.
        merchant: MerchantId,
    },
    /// Say that a stream belongs to nobody.
    EndRoom {
        /// Which.
        stream: StreamId,
    },
    /// Say how much later a stream's viewers see and hear it.
    SetVideoDelay {
        /// Which.
        stream: StreamId,
        /// How much later; zero where they do not.
        delay: DurationMs,
    },
}

impl Action {
    names! {
        /// Every name that an action has.
        NAMES;
        /// The name on every interface.
        name;
        Self::Plan { .. } => "plan",
        Self::Edit { .. } => "edit",
        Self::Cancel => "cancel",
        Self::Open | Self::OpenAfter { .. } => "open",
        Self::CancelCountdown => "cancel_countdown",
        Self::Pause => "pause",
        Self::Resume => "resume",
        Self::Feature => "feature",
        Self::Close => "close",
        Self::Restock { .. } => "restock",
        Self::Stop { .. } => "stop",
        Self::Go => "go",
        Self::SetRates { .. } => "set_rates",
        Self::Ban { .. } => "ban",
        Self::Unban { .. } => "unban",
        Self::StreamOffline { .. } => "stream_offline",
        Self::StreamOnline { .. } => "stream_online",
        Self::MakeRoom { .. } => "make_room",
        Self::MoveRoom { .. } => "move_room",
        Self::Admit { .. } => "admit",
        Self::Dismiss { .. } => "dismiss",
        Self::EndRoom { .. } => "end_room",
        Self::SetVideoDelay { .. } => "set_video_delay",
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

    /// Whether it lets less happen: it is never refused for how many commands there were.
    pub const fn is_safety(&self) -> bool {
        matches!(
            self,
            Self::Cancel | Self::CancelCountdown | Self::Pause | Self::Close | Self::Stop { .. }
        )
    }

    /// Whether it holds only for the drop that its actor saw. What calls off or pauses is never too late.
    pub const fn depends_on_what_was_seen(&self) -> bool {
        matches!(
            self,
            Self::Open
                | Self::OpenAfter { .. }
                | Self::Resume
                | Self::Feature
                | Self::Close
                | Self::Restock { .. }
        )
    }

    /// Whether it is about a stream's room; it names no drop.
    pub const fn is_room(&self) -> bool {
        self.gives_rooms()
            || matches!(self, Self::Admit { .. } | Self::Dismiss { .. } | Self::EndRoom { .. })
            || matches!(self, Self::SetVideoDelay { .. })
    }

    /// Whether it says whose a stream is.
    pub const fn gives_rooms(&self) -> bool {
        matches!(self, Self::MakeRoom { .. } | Self::MoveRoom { .. })
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
    /// The streams that the token is bound to.
    pub streams: StreamScope,
    /// Names the request: a retry with the same key does nothing twice.
    pub key: IdempotencyKey,
    /// Why, in the actor's words.
    pub reason: Option<String>,
    /// The drop; `None` for [`Action::Plan`], for what works the brake, for streams and their rooms.
    pub drop: Option<DropId>,
    /// The drop as the actor saw it, if it has to be that still; no part of what the key names.
    pub seen: Option<SeenDrop>,
    /// What to do.
    pub action: Action,
}

impl StaffCommand {
    /// Fingerprint of the whole request, as it is recorded: everything but what is personal about it.
    pub fn request(&self) -> KeyFingerprint {
        self.action.fingerprint(self.drop)
    }
}

/// What an accepted command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// The drop, new or old; the house for what works the brake, for streams and their rooms.
    pub drop: DropId,
    /// The lot's number, for a restock.
    pub lot: Option<u32>,
    /// The ban, for a ban that was made or ended.
    pub ban: Option<BanId>,
    /// Whether this answers an earlier request with the same key.
    pub replayed: bool,
}

/// The answer to a command; it leaves only when its record is durable.
pub type CommandOutcome = Result<Done, CommandRefusal>;

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
