//! Payments as a platform reports them.

use stampede_domain::{HoldId, PaymentEvent, PaymentFact, PaymentId};
use stampede_engine::{Engine, HoldLook};

use crate::euros;

/// A platform says that a hold was paid for, with what its goods cost; of one that has ended, a mug's price. The
/// payment is named by the hold, so the same call says the same again.
///
/// # Panics
/// Never: the id of a hold is a reference.
pub fn paid(engine: &Engine, hold: HoldId) -> PaymentFact {
    let amount = match engine.hold(hold) {
        HoldLook::Known(status) => status.amount,
        HoldLook::Pending | HoldLook::Ended | HoldLook::Unknown => euros(1990),
    };
    let payment = PaymentId::new("platform", &hold.to_string()).expect("an id is a reference");
    let event = PaymentEvent::Paid { amount };
    PaymentFact { payment, event, holds: vec![hold], mode: None, order_reference: None }
}
