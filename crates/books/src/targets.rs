//! Who stands behind what the chain names by number.

use stampede_domain::{AddressRange, BanId, ViewerId, ViewerNumber};

/// Who stands behind what the chain names by number; the links beside it say so.
pub trait Targets {
    /// The platform's id of a viewer; `None` if it was erased.
    fn viewer(&self, number: ViewerNumber) -> Option<ViewerId>;
    /// The addresses of a ban; `None` if they were erased.
    fn range(&self, ban: BanId) -> Option<AddressRange>;
}

/// For records that name nobody.
#[derive(Clone, Copy, Debug)]
pub struct NoTargets;

impl Targets for NoTargets {
    fn viewer(&self, _number: ViewerNumber) -> Option<ViewerId> {
        None
    }

    fn range(&self, _ban: BanId) -> Option<AddressRange> {
        None
    }
}
