//! Somebody at a stream's control room.

use stampede_domain::MerchantId;
use stampede_engine::{DropAction, Role};

use crate::auth::Staff;

/// Somebody who can stop the sale, by the name that all of their browsers share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Person {
    pub(super) name: String,
    pub(super) role: &'static str,
    merchant: Option<MerchantId>,
}

impl Person {
    /// The member of staff, if its role may stop a sale: who looks on is nobody to turn to.
    pub(crate) fn of(staff: &Staff) -> Option<Self> {
        let (name, merchant) = (staff.name().to_owned(), staff.merchant().cloned());
        Self::new(name, staff.role(), merchant)
    }

    /// Somebody of this name, if the role may stop a sale.
    pub(super) fn new(name: String, role: Role, merchant: Option<MerchantId>) -> Option<Self> {
        role.may_run(&DropAction::Pause).then_some(Self { name, role: role.name(), merchant })
    }

    /// Whether the two know of each other: staff of two merchants do not.
    pub(super) fn knows(&self, other: &Self) -> bool {
        self.merchant.as_ref().zip(other.merchant.as_ref()).is_none_or(|(own, its)| own == its)
    }
}
