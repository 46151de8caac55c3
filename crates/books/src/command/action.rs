//! The actions of staff: on plans, drops, the brake and streams.

use std::sync::Arc;

use stampede_domain::{
    BanId, BanTarget, DropId, DropPlan, DurationMs, HoldId, KeyFingerprint, MerchantId, NewEnd,
    PaymentId, Rates, SkuId, StreamId, Units,
};
use stampede_ledger::RoomOwner;

use crate::seen::SeenDrop;

/// What is asked for.
#[derive(Clone, Debug)]
pub enum Action {
    /// Add a drop.
    Plan {
        /// Its terms.
        plan: Arc<DropPlan>,
    },
    /// Do something to a drop.
    Drop {
        /// Which.
        drop: DropId,
        /// What.
        action: DropAction,
        /// The drop as the actor saw it, if it has to be that still; no part of what the key names.
        seen: Option<SeenDrop>,
    },
    /// Work the brake, which holds for every merchant.
    Brake(BrakeAction),
    /// Report a stream, or change its room.
    Stream {
        /// Which.
        stream: StreamId,
        /// What.
        action: StreamAction,
    },
    /// Say that money which nobody can match was seen to; why says how.
    CloseUnmatched {
        /// The payment.
        payment: PaymentId,
    },
}

/// What staff do to a drop.
#[derive(Clone, Debug)]
pub enum DropAction {
    /// Replace the terms of a scheduled drop.
    Edit {
        /// The new terms; stream, merchant and mode stay.
        plan: Arc<DropPlan>,
    },
    /// The same, where the actor named only what changes.
    Patch {
        /// The new terms: those that were seen, with the changes.
        plan: Arc<DropPlan>,
        /// Fingerprint of the changes. A retry is known by it, not by what the changes make of later terms.
        changes: KeyFingerprint,
    },
    /// Call off a scheduled drop for good.
    Cancel,
    /// Start the countdown, at whose end the drop opens; `open` on every interface.
    StartCountdown,
    /// The same, with a countdown in place of the plan's.
    StartCountdownFor {
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
    /// Give a scheduled drop another place in its stream's running order; nothing else of its terms.
    Move {
        /// The place.
        place: u16,
    },
    /// Sell on what comes back, for two hold times at most, then close.
    WindDown,
    /// End takes for good.
    Close,
    /// Call off a drop that was opened by mistake, as long as nothing of it is paid; plan a copy in its place.
    Undo,
    /// Add a lot of units; beyond the reserve a host asks for it.
    Restock {
        /// Which SKU.
        sku: SkuId,
        /// How many.
        units: Units,
    },
    /// Put the units on sale that somebody has asked for.
    GrantRequest {
        /// Which of the drop's requests.
        number: u32,
    },
    /// Leave the units where they are that somebody has asked for.
    DeclineRequest {
        /// Which of the drop's requests.
        number: u32,
    },
    /// Ask no more.
    WithdrawRequest {
        /// Which of the drop's requests.
        number: u32,
    },
    /// Take units off the sale that nobody has taken.
    TakeBack(TakeBack),
    /// Put terms of a drop right that is on sale.
    Amend(AmendTerms),
    /// Cancel units of an order, or give money back for it.
    CancelOrder(CancelOrder),
    /// Give every live hold more time: payments cannot go through.
    Extend {
        /// How much more.
        by: DurationMs,
    },
}

/// What is cancelled of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CancelOrder {
    /// The hold that became the order.
    pub order: HoldId,
    /// Units that nobody gets any more; none for money alone.
    pub units: u32,
    /// What goes back, in minor units; what the units cost if it is left open.
    pub amount: Option<u64>,
    /// Whether the units go back on sale.
    pub restock: bool,
    /// How many cancellations of the order its actor saw, if there may be no other since; no part of what the key
    /// names.
    pub seen: Option<u32>,
}

/// Units that are taken off the sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakeBack {
    /// Of which SKU.
    pub sku: SkuId,
    /// How many; all that nobody has taken if it is left open.
    pub units: Option<Units>,
    /// Whether they go into the reserve, from where they may be put on sale again; else they are gone.
    pub to_reserve: bool,
}

/// Other terms for a drop that is on sale. What is left open stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AmendTerms {
    /// Units over all SKUs that one viewer may have. A SKU whose limit is the drop's follows.
    pub limit_per_viewer: Option<Units>,
    /// Units of a SKU that one viewer may have.
    pub skus: Vec<(SkuId, Units)>,
    /// When the drop closes by itself.
    pub end: Option<NewEnd>,
}

/// What staff do to the brake.
#[derive(Clone, Debug)]
pub enum BrakeAction {
    /// Refuse every take of every drop; `stop` on every interface.
    Halt {
        /// After which time it ends by itself.
        expires_in: Option<DurationMs>,
    },
    /// Let takes go on after a halt.
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
}

/// What staff report of a stream, or change about its room.
#[derive(Clone, Debug)]
pub enum StreamAction {
    /// Report that the stream is offline.
    Offline,
    /// Report that the stream is back.
    Online,
    /// Say whose the stream is, which belongs to nobody.
    MakeRoom {
        /// Whose it is.
        owner: RoomOwner,
    },
    /// Give the stream to another owner.
    MoveRoom {
        /// Whose it is from now on.
        owner: RoomOwner,
    },
    /// Let a merchant plan drops in the stream.
    Admit {
        /// Whom.
        merchant: MerchantId,
    },
    /// Let a merchant plan no more drops in the stream; what is planned stays.
    Dismiss {
        /// Whom.
        merchant: MerchantId,
    },
    /// Let hosts plan drops of a merchant in the stream.
    AllowHosts {
        /// Whose drops.
        merchant: MerchantId,
    },
    /// Let hosts plan no more drops of a merchant in the stream; what is planned stays.
    ForbidHosts {
        /// Whose drops.
        merchant: MerchantId,
    },
    /// Say that the stream belongs to nobody.
    EndRoom,
    /// Say how much later the stream's viewers see and hear it.
    SetVideoDelay {
        /// How much later; zero where they do not.
        delay: DurationMs,
    },
    /// Begin a rehearsal of what is planned there, in copies of the drops.
    Rehearse {
        /// How large a crowd comes; the books have no part in it, but it is a part of what the key names.
        viewers: u32,
    },
    /// End the rehearsal: its drops are called off, or closed.
    EndRehearsal,
}

impl Action {
    const PLAN: &str = "plan";
    const CLOSE_UNMATCHED: &str = "close_unmatched";

    /// Every name that an action has.
    pub const NAMES: &[&str] = &joined::<NAME_COUNT>(&[
        &[Self::PLAN],
        DropAction::NAMES,
        BrakeAction::NAMES,
        StreamAction::NAMES,
        &[Self::CLOSE_UNMATCHED],
    ]);

    /// The name on every interface.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Plan { .. } => Self::PLAN,
            Self::Drop { action, .. } => action.name(),
            Self::Brake(action) => action.name(),
            Self::Stream { action, .. } => action.name(),
            Self::CloseUnmatched { .. } => Self::CLOSE_UNMATCHED,
        }
    }

    /// The drop that it is about. A plan is about none yet.
    pub const fn drop(&self) -> Option<DropId> {
        match self {
            Self::Drop { drop, .. } => Some(*drop),
            Self::Plan { .. }
            | Self::Brake(_)
            | Self::Stream { .. }
            | Self::CloseUnmatched { .. } => None,
        }
    }

    /// The order that it is about.
    pub const fn order(&self) -> Option<HoldId> {
        match self {
            Self::Drop { action: DropAction::CancelOrder(cancel), .. } => Some(cancel.order),
            Self::Drop { .. }
            | Self::Plan { .. }
            | Self::Brake(_)
            | Self::Stream { .. }
            | Self::CloseUnmatched { .. } => None,
        }
    }

    /// Whether staff have to say why.
    pub const fn needs_reason(&self) -> bool {
        matches!(
            self,
            Self::Drop { action: DropAction::CancelOrder(_) | DropAction::Extend { .. }, .. }
                | Self::CloseUnmatched { .. }
        )
    }

    /// Whether it lets less happen: it is never refused for how many commands there were.
    pub const fn is_safety(&self) -> bool {
        match self {
            Self::Drop { action, .. } => action.is_safety(),
            Self::Brake(action) => matches!(action, BrakeAction::Halt { .. }),
            Self::Stream { action, .. } => matches!(action, StreamAction::EndRehearsal),
            Self::Plan { .. } | Self::CloseUnmatched { .. } => false,
        }
    }
}

impl From<BrakeAction> for Action {
    fn from(action: BrakeAction) -> Self {
        Self::Brake(action)
    }
}

impl DropAction {
    /// What a command about an order is called.
    pub(crate) const CANCEL_ORDER: &str = "cancel_order";

    /// What a command is called that amends terms.
    pub(crate) const AMEND: &str = "amend";

    /// What a command is called by which a drop winds down.
    pub(crate) const WIND_DOWN: &str = "wind_down";

    /// What a command is called that takes units off the sale.
    pub(crate) const TAKE_BACK: &str = "take_back";

    names! {
        /// Every name that an action of this family has.
        NAMES;
        /// The name on every interface.
        name;
        Self::Edit { .. } | Self::Patch { .. } => "edit",
        Self::Cancel => "cancel",
        Self::StartCountdown | Self::StartCountdownFor { .. } => "open",
        Self::CancelCountdown => "cancel_countdown",
        Self::Pause => "pause",
        Self::Resume => "resume",
        Self::Feature => "feature",
        Self::Move { .. } => "move",
        Self::WindDown => "wind_down",
        Self::Close => "close",
        Self::Undo => "undo",
        Self::Restock { .. } => "restock",
        Self::GrantRequest { .. } => "grant_request",
        Self::DeclineRequest { .. } => "decline_request",
        Self::WithdrawRequest { .. } => "withdraw_request",
        Self::TakeBack(_) => "take_back",
        Self::Amend(_) => "amend",
        Self::CancelOrder(_) => "cancel_order",
        Self::Extend { .. } => "extend",
    }

    /// Does it to this drop, whatever has become of it.
    pub const fn on(self, drop: DropId) -> Action {
        self.on_seen(drop, None)
    }

    /// Does it to this drop, if it is still as its actor saw it.
    pub const fn on_seen(self, drop: DropId, seen: Option<SeenDrop>) -> Action {
        Action::Drop { drop, action: self, seen }
    }

    /// Which of the drop's requests it ends.
    pub const fn request(&self) -> Option<u32> {
        match self {
            Self::GrantRequest { number }
            | Self::DeclineRequest { number }
            | Self::WithdrawRequest { number } => Some(*number),
            _ => None,
        }
    }

    /// Whether it lets less happen.
    pub const fn is_safety(&self) -> bool {
        matches!(self, Self::Cancel | Self::CancelCountdown | Self::Pause | Self::Close)
    }

    /// Whether it counts towards the commands that a drop may have: those about orders are counted by order.
    pub(crate) const fn counts(&self) -> bool {
        !matches!(self, Self::CancelOrder(_))
    }

    /// Whether it changes the terms.
    pub(crate) const fn is_edit(&self) -> bool {
        matches!(self, Self::Edit { .. } | Self::Patch { .. })
    }

    /// Whether it is the planner's: it changes the terms of a planned drop, or calls it off.
    pub(crate) const fn is_plans(&self) -> bool {
        self.is_edit() || matches!(self, Self::Cancel)
    }

    /// Whether it is meant for a drop that stands like this, as far as its actor said what was seen. An edit is
    /// about the terms alone. What calls off or pauses is never too late; what is about an order or about time
    /// depends on nothing that is seen of the drop; a request ends once.
    pub(crate) fn is_meant_for(&self, stands: SeenDrop, seen: SeenDrop) -> bool {
        match self {
            Self::StartCountdown
            | Self::StartCountdownFor { .. }
            | Self::Resume
            | Self::Feature
            | Self::Move { .. }
            | Self::WindDown
            | Self::Close
            | Self::Undo
            | Self::Restock { .. }
            | Self::TakeBack(_)
            | Self::Amend(_) => stands.is_as(&seen),
            Self::Edit { .. } | Self::Patch { .. } => stands.revision == seen.revision,
            Self::Cancel
            | Self::CancelCountdown
            | Self::Pause
            | Self::GrantRequest { .. }
            | Self::DeclineRequest { .. }
            | Self::WithdrawRequest { .. }
            | Self::CancelOrder(_)
            | Self::Extend { .. } => true,
        }
    }
}

impl BrakeAction {
    names! {
        /// Every name that an action of this family has.
        NAMES;
        /// The name on every interface.
        name;
        Self::Halt { .. } => "stop",
        Self::Go => "go",
        Self::SetRates { .. } => "set_rates",
        Self::Ban { .. } => "ban",
        Self::Unban { .. } => "unban",
    }
}

impl StreamAction {
    names! {
        /// Every name that an action of this family has.
        NAMES;
        /// The name on every interface.
        name;
        Self::Offline => "stream_offline",
        Self::Online => "stream_online",
        Self::MakeRoom { .. } => "make_room",
        Self::MoveRoom { .. } => "move_room",
        Self::Admit { .. } => "admit",
        Self::Dismiss { .. } => "dismiss",
        Self::AllowHosts { .. } => "allow_hosts",
        Self::ForbidHosts { .. } => "forbid_hosts",
        Self::EndRoom => "end_room",
        Self::SetVideoDelay { .. } => "set_video_delay",
        Self::Rehearse { .. } => "rehearse",
        Self::EndRehearsal => "end_rehearsal",
    }

    /// Does it to this stream.
    pub const fn on(self, stream: StreamId) -> Action {
        Action::Stream { stream, action: self }
    }
}

const NAME_COUNT: usize =
    2 + DropAction::NAMES.len() + BrakeAction::NAMES.len() + StreamAction::NAMES.len();

/// The names of several lists, one list after the other.
const fn joined<const COUNT: usize>(lists: &[&[&'static str]]) -> [&'static str; COUNT] {
    let mut all = [""; COUNT];
    let (mut list, mut place) = (0, 0);
    while list < lists.len() {
        let mut name = 0;
        while name < lists[list].len() {
            all[place] = lists[list][name];
            (name, place) = (name + 1, place + 1);
        }
        list += 1;
    }
    assert!(place == COUNT, "a list lacks its place");
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lets_less_happen_is_safe() {
        use DropAction::{Cancel, CancelCountdown, Close, Feature, Pause, Resume, StartCountdown};

        let drop = DropId::new(1);
        for (action, is_safe) in [
            (Cancel, true),
            (CancelCountdown, true),
            (Pause, true),
            (Close, true),
            (StartCountdown, false),
            (Resume, false),
            (Feature, false),
        ] {
            assert_eq!(action.is_safety(), is_safe, "{}", action.name());
            assert_eq!(action.on(drop).is_safety(), is_safe);
        }
        assert!(Action::from(BrakeAction::Halt { expires_in: None }).is_safety());
        assert!(!Action::from(BrakeAction::Go).is_safety());
        assert!(!StreamAction::Offline.on("show".parse().unwrap()).is_safety());
    }

    #[test]
    fn the_names_of_all_families_are_one_list() {
        let families = [DropAction::NAMES, BrakeAction::NAMES, StreamAction::NAMES].concat();
        assert_eq!(Action::NAMES[0], "plan");
        assert_eq!(Action::NAMES[1..=families.len()], families);
        let names: std::collections::HashSet<_> = Action::NAMES.iter().collect();
        assert_eq!(names.len(), Action::NAMES.len(), "no two are alike");
        assert!(names.contains(&DropAction::CANCEL_ORDER));
        assert!(names.contains(&DropAction::TAKE_BACK));
        assert!(names.contains(&DropAction::AMEND));
        assert!(names.contains(&DropAction::WIND_DOWN));
    }
}
