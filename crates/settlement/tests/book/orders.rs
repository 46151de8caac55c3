//! Facts of one payment in every order.

use stampede_settlement::{HoldStands, PartState};

use crate::given::{Desk, Event, hold};

/// Every order of the events that the bits of `set` choose.
fn permutations(set: u32, all: &[Event]) -> Vec<Vec<Event>> {
    let chosen: Vec<_> = all.iter().enumerate().filter(|(bit, _)| set >> bit & 1 == 1).collect();
    let mut orders: Vec<Vec<Event>> = vec![Vec::new()];
    for (_, event) in chosen {
        orders = orders
            .iter()
            .flat_map(|order| {
                (0..=order.len()).map(move |place| {
                    let mut longer = order.clone();
                    longer.insert(place, *event);
                    longer
                })
            })
            .collect();
    }
    orders
}

#[test]
fn the_same_facts_in_any_order_lead_to_the_same_money() {
    let all = [
        Event::Begun,
        Event::Authorized(1_000),
        Event::Paid(1_000),
        Event::Failed,
        Event::FailedFinally,
        Event::Voided,
        Event::Refunded(400),
    ];
    for set in 1..1_u32 << all.len() {
        let has = |event| all.iter().position(|other| *other == event).unwrap();
        let has = |event| set >> has(event) & 1 == 1;
        let is_paid = has(Event::Paid(1_000));
        let back = if has(Event::Refunded(400)) { 400 } else { 0 };
        for order in permutations(set, &all) {
            let mut desk = Desk::default();
            for event in &order {
                desk.tell("p1", hold(1), *event);
            }
            let Some(account) = desk.book.account(hold(1)) else { continue };
            let part = desk.part("p1", hold(1));
            assert_eq!(part.paid(), if is_paid { 1_000 } else { 0 }, "{order:?}");
            assert_eq!(part.refunded, back, "{order:?}");
            assert_eq!(matches!(part.state, PartState::Paid(_)), is_paid, "{order:?}");
            // Money that came is an order's, or all of it is due.
            let is_orders = account.order_part().is_some();
            if is_paid {
                assert_eq!(part.due, if is_orders { 0 } else { 1_000 }, "{order:?}");
            }
            if has(Event::Voided) && !is_paid {
                assert_eq!(part.state, PartState::Voided, "{order:?}");
            }
            assert_eq!(desk.stands(hold(1)) == HoldStands::Ordered, is_orders, "{order:?}");
        }
    }
}
