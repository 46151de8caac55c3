//! How what a fact says of a payment falls into parts, one for each of its holds.

use stampede_domain::{HoldId, Mode, Money, PaymentEvent, PaymentFact, RefundReason, ViewerNumber};
use stampede_settlement::{HoldStands, Part, PartState, PaymentRefusal, Split, split};

use crate::hold::HoldStatus;

/// A hold that a fact is about, as far as it can be told.
#[derive(Clone, Copy)]
pub(super) struct Named {
    pub(super) hold: HoldId,
    pub(super) stands: HoldStands,
    /// The hold while it is held.
    pub(super) held: Option<HoldStatus>,
    /// Whose it was, if it has ended and that is remembered.
    pub(super) viewer: Option<ViewerNumber>,
    /// What is owed for it; nothing is known of a hold that has ended.
    pub(super) owed: Option<Money>,
    pub(super) mode: Mode,
}

/// The parts of a payment of which some are known already: what was reported before stays as it was split, and holds
/// that are named only now get nothing of it.
pub(super) fn known_parts(
    fact: &PaymentFact,
    amount: Money,
    parts: &[Option<&Part>],
) -> Result<Vec<(Money, Option<RefundReason>)>, PaymentRefusal> {
    let zero = Money::new(0, amount.currency()).expect("nothing is within the limit");
    let covered: Vec<Money> = parts.iter().flatten().filter_map(|part| part.covers()).collect();
    let (first, rest) = covered.split_first().expect("the caller has found one");
    let recorded = rest.iter().try_fold(*first, |sum, part| sum.checked_add(*part));
    let recorded = recorded.unwrap_or(*first);
    let is_taken = parts.iter().flatten().any(|part| matches!(part.state, PartState::Paid(_)));
    let mut anew = match fact.event {
        // Another amount may be taken than was kept ready.
        PaymentEvent::Paid { .. } if !is_taken => split(amount, &covered).parts,
        // What was kept ready before is reported late.
        PaymentEvent::Authorized { .. } if is_taken => covered,
        _ if recorded == amount => covered,
        _ => return Err(PaymentRefusal::AmountDiffers { recorded, given: amount }),
    }
    .into_iter();
    let part_of = |part: Option<&Part>| {
        let is_known = part.is_some_and(|part| part.covers().is_some());
        match is_known.then(|| anew.next()).flatten() {
            Some(known) => (known, None),
            None => (zero, Some(RefundReason::WrongAmount)),
        }
    };
    Ok(parts.iter().copied().map(part_of).collect())
}

/// How money falls into parts that nobody has heard of before. Where nobody knows any more what was owed for a
/// hold that has ended, or whose drop is out of memory, it gets what the others leave.
pub(super) fn first_split(amount: Money, named: &[Named]) -> Split {
    let zero = Money::new(0, amount.currency()).expect("nothing is within the limit");
    let unknown = named.iter().position(|named| named.owed.is_none());
    let owed: Vec<Money> = named.iter().map(|named| named.owed.unwrap_or(zero)).collect();
    let found = split(amount, &owed);
    let Some(unknown) = unknown else { return found };
    let sum = owed.iter().try_fold(zero, |sum, part| sum.checked_add(*part));
    let Some(left) = sum.and_then(|sum| amount.minor().checked_sub(sum.minor())) else {
        return found;
    };
    let mut parts = owed;
    parts[unknown] = Money::new(left, amount.currency()).expect("no more than the payment");
    Split { parts, fits: true }
}

/// Moves money between parts so that each has what went back of it already, as far as there is enough.
pub(super) fn cover_refunds(parts: &mut [Money], back: &[u64]) {
    for short in 0..parts.len() {
        for other in 0..parts.len() {
            let need = back[short].saturating_sub(parts[short].minor());
            let spare = parts[other].minor().saturating_sub(back[other]);
            let more = need.min(spare);
            let moved = |part: Money, minor| Money::new(minor, part.currency()).unwrap_or(part);
            parts[short] = moved(parts[short], parts[short].minor() + more);
            parts[other] = moved(parts[other], parts[other].minor() - more);
        }
    }
}
