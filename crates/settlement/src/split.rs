//! How one payment for several holds falls into parts.

use stampede_domain::Money;

use crate::{
    facts::PaymentRefusal,
    part::{Part, PartState},
};

/// A payment's parts, one for each of its holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// In the order of the holds; they add up to the payment.
    pub parts: Vec<Money>,
    /// Whether the payment is exactly what is owed for all holds together.
    pub fits: bool,
}

/// Splits a payment among holds of which these amounts are owed.
///
/// Each hold gets what is owed for it, the last one the rest, until the money is used up. A payment in another
/// currency goes to the first hold as a whole, as does one whose sum nobody can write.
///
/// # Panics
/// If there are no holds.
pub fn split(amount: Money, owed: &[Money]) -> Split {
    let (first, rest) = owed.split_first().expect("a payment for no hold has no parts");
    let sum = rest.iter().try_fold(*first, |sum, part| sum.checked_add(*part));
    let zero = Money::new(0, amount.currency()).expect("nothing is within the limit");
    if sum == Some(amount) {
        return Split { parts: owed.to_vec(), fits: true };
    }
    let mut left = amount.minor();
    let mut parts = vec![zero; owed.len()];
    let same_currency = owed.iter().all(|part| part.currency() == amount.currency());
    if same_currency {
        for (part, owed) in parts.iter_mut().zip(owed) {
            let minor = left.min(owed.minor());
            *part = Money::new(minor, amount.currency()).expect("no more than the payment");
            left -= minor;
        }
    }
    let last = if same_currency { parts.len() - 1 } else { 0 };
    let minor = parts[last].minor() + left;
    parts[last] = Money::new(minor, amount.currency()).expect("no more than the payment");
    Split { parts, fits: false }
}

/// What went back of each part, if `total` went back of their payment so far.
///
/// What is due goes back first, then anything else that was taken, in the order of the parts. A refund that is
/// reported before its payment is the first hold's.
///
/// # Errors
/// [`PaymentRefusal::RefundAbovePayment`] if less was taken.
///
/// # Panics
/// If there are no parts.
pub fn allocate(total: Money, parts: &[Option<&Part>]) -> Result<Vec<Money>, PaymentRefusal> {
    let before: u64 = parts.iter().flatten().map(|part| part.refunded).sum();
    let mut left = total.minor().saturating_sub(before);
    let mut totals: Vec<u64> =
        parts.iter().map(|part| part.map_or(0, |part| part.refunded)).collect();
    let rooms: [fn(&Part) -> u64; 2] =
        [|part| part.outstanding(), |part| part.paid().saturating_sub(part.refunded)];
    for room in rooms {
        for (total, part) in totals.iter_mut().zip(parts) {
            let Some(part) = part else { continue };
            let more = left.min(room(part).saturating_sub(*total - part.refunded));
            *total += more;
            left -= more;
        }
    }
    if let Some(paid) = taken(parts).filter(|_| left > 0) {
        return Err(PaymentRefusal::RefundAbovePayment { paid, given: total });
    }
    let first = totals.first_mut().expect("a payment for no hold has no parts");
    *first += left;
    let money = |minor| Money::new(minor, total.currency()).expect("no more than the total");
    Ok(totals.into_iter().map(money).collect())
}

/// What was taken of all parts together, which have one currency; nothing before any money came.
fn taken(parts: &[Option<&Part>]) -> Option<Money> {
    let paid = |part: &&Part| match part.state {
        PartState::Paid(paid) => Some(paid),
        _ => None,
    };
    let all = parts.iter().flatten().filter_map(paid);
    all.reduce(|sum, paid| sum.checked_add(paid).unwrap_or(sum))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stampede_testkit::euros;

    use super::*;

    fn minors(split: &Split) -> Vec<u64> {
        split.parts.iter().map(|part| part.minor()).collect()
    }

    #[test]
    fn what_is_owed_falls_into_what_is_owed() {
        let owed = [euros(1_990), euros(500)];
        assert_eq!(split(euros(2_490), &owed), Split { parts: owed.to_vec(), fits: true });
        let less = split(euros(2_000), &owed);
        assert_eq!((minors(&less), less.fits), (vec![1_990, 10], false));
        let more = split(euros(3_000), &owed);
        assert_eq!((minors(&more), more.fits), (vec![1_990, 1_010], false));
        let yen = Money::new(2_490, "JPY".parse().unwrap()).unwrap();
        let other = split(yen, &owed);
        assert_eq!((minors(&other), other.fits), (vec![2_490, 0], false));
        assert_eq!(other.parts[1].currency(), yen.currency());
    }

    proptest! {
        #[test]
        fn parts_add_up_to_the_payment(
            amount in 0..10_000_u64,
            owed in proptest::collection::vec(0..5_000_u64, 1..9),
        ) {
            let parts: Vec<_> = owed.iter().copied().map(euros).collect();
            let found = split(euros(amount), &parts);
            prop_assert_eq!(minors(&found).iter().sum::<u64>(), amount);
            prop_assert_eq!(found.fits, owed.iter().sum::<u64>() == amount);
        }
    }
}
