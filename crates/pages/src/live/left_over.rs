//! What becomes of the units of the drop on air once the next one opens.

use serde::Serialize;

use super::{Cast, Reader, buttons::may, standing::Sum};
use crate::answers::Phase;

/// The choice beside the next drop; it stands at selling on off air until somebody chooses otherwise.
#[derive(Debug, Serialize)]
pub(crate) struct LeftOver {
    /// The drop whose units they are.
    pub(crate) drop: String,
    /// What is chosen, in a sentence.
    pub(crate) hint: String,
    /// Whether the drop can wind down.
    pub(crate) wind_down: bool,
    /// Whether the reader may put what is left back into the reserve.
    pub(crate) back: bool,
}

impl LeftOver {
    /// The choice; `None` where there is none: nothing is left and nothing is held, the drop winds down already, nothing
    /// comes next, or the reader may not.
    pub(crate) fn of(cast: &Cast<'_>, reader: Reader<'_>) -> Option<Self> {
        let (air, next) = (cast.air?, cast.next?);
        let sells = matches!(air.phase, Phase::Open | Phase::Paused) && !air.winds_down();
        let sum = Sum::of(&air.skus);
        let wind_down = air.phase == Phase::Open && may(reader.role, "wind-down");
        let back = may(reader.role, "take-back");
        let chooses = may(reader.role, "open") && (wind_down || back);
        (sells && chooses && sum.left + sum.held > 0).then(|| Self {
            drop: air.drop.clone(),
            hint: reader.language.left_over_hint(&air.plan.title, &next.plan.title),
            wind_down,
            back,
        })
    }
}
