//! The commands of staff, with the answers that they get.

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

mod action;
mod amend_refusal;
mod fingerprint;
mod phase_words;
mod refusal;
mod request_refusal;
mod role;
mod stock_refusal;
mod wind_down_refusal;

pub use action::{
    Action, AmendTerms, BrakeAction, CancelOrder, DropAction, StreamAction, TakeBack,
};
pub use amend_refusal::AmendRefusal;
pub use fingerprint::{patch_request, personal};
pub use refusal::CommandRefusal;
pub use request_refusal::RequestRefusal;
pub use role::Role;
pub use stock_refusal::StockRefusal;
pub use wind_down_refusal::WindDownRefusal;

use stampede_domain::{
    BanId, DropId, IdempotencyKey, KeyFingerprint, MerchantId, RequestId, Units,
};
use stampede_ledger::PlannedCopy;

use crate::stream_scope::StreamScope;

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
    /// What to do.
    pub action: Action,
}

impl StaffCommand {
    /// Whether the house gives it, which may plan in everybody's stream.
    pub(crate) fn is_of_house(&self) -> bool {
        self.role == Role::Admin && self.merchant.is_none()
    }

    /// Fingerprint of the whole request, as it is recorded: everything but what is personal about it.
    pub fn request(&self) -> KeyFingerprint {
        self.action.fingerprint()
    }
}

/// What an accepted command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// The drop, new or old; the house for what works the brake, for streams and their rooms.
    pub drop: DropId,
    /// The lot's number, where units were put on sale.
    pub lot: Option<u32>,
    /// How many units were taken off the sale.
    pub units: Option<Units>,
    /// The ban, for a ban that was made or ended.
    pub ban: Option<BanId>,
    /// What became of the copy, where an opening was undone.
    pub copy: Option<PlannedCopy>,
    /// The request that was made, where a restock went beyond the reserve.
    pub asked: Option<AskedFor>,
    /// Whether this answers an earlier request with the same key.
    pub replayed: bool,
}

impl Done {
    /// Something about a drop.
    pub(crate) const fn about(drop: DropId) -> Self {
        Self { drop, lot: None, units: None, ban: None, copy: None, asked: None, replayed: false }
    }
}

/// A request for more units that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskedFor {
    /// Which.
    pub request: RequestId,
    /// Units of the SKU that were in reserve.
    pub reserve: Units,
}

/// The answer to a command; it leaves only when its record is durable.
pub type CommandOutcome = Result<Done, CommandRefusal>;
