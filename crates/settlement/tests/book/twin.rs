//! The book beside a naive twin that counts money by rules of its own.

use std::collections::BTreeMap;

use proptest::prelude::*;
use stampede_domain::RefundReason;
use stampede_settlement::{HoldStands, PartOutcome, PaymentBook};

use crate::given::{Desk, Event, hold, words};

const OWED: u64 = 1_000;
const PAYMENTS: [&str; 3] = ["p1", "p2", "p3"];

/// One payment's money for one hold, as the twin has it.
#[derive(Clone, Debug, Default)]
struct Money {
    kept: Option<u64>,
    taken: Option<u64>,
    is_let_go: bool,
    back: u64,
    /// What of it belongs to the order, once there is one by it.
    order: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Order,
    Gone,
}

#[derive(Debug, Default)]
struct Twin {
    money: BTreeMap<(u32, &'static str), Money>,
    ends: BTreeMap<u32, End>,
    /// What made each order, and what stands behind it now.
    orders: BTreeMap<u32, (&'static str, &'static str)>,
}

impl Money {
    /// Whether nothing of it is left, or will be.
    fn is_gone(&self) -> bool {
        match self.taken {
            Some(taken) => taken <= self.back.max(Twin::due(self)),
            None => self.is_let_go || self.kept <= Some(self.back),
        }
    }
}

impl Twin {
    /// Whether the event is accepted; the money is noted if it is.
    fn hear(&mut self, number: u32, name: &'static str, event: Event) -> bool {
        let is_held = !self.ends.contains_key(&number);
        let order = self.orders.get(&number).copied();
        let is_gone = order.is_some_and(|(_, behind)| self.money[&(number, behind)].is_gone());
        let money = self.money.entry((number, name)).or_default();
        match event {
            Event::Authorized(cents) => {
                if money.taken.is_some() || money.is_let_go {
                    return true;
                }
                if let Some(kept) = money.kept {
                    return kept == cents;
                }
                money.kept = Some(cents);
                if cents == OWED && money.back == 0 && (is_held || is_gone) {
                    money.order = Some(cents);
                    self.ends.insert(number, End::Order);
                    self.orders.insert(number, (order.map_or(name, |(made_by, _)| made_by), name));
                }
            }
            Event::Paid(cents) => return self.paid(number, name, cents),
            Event::FailedFinally => {
                let came = money.taken.is_some() || money.kept.is_some() && !money.is_let_go;
                if is_held && !came {
                    self.ends.insert(number, End::Gone);
                }
            }
            Event::Voided => money.is_let_go |= money.taken.is_none(),
            Event::Refunded(cents) => {
                if money.taken.is_some_and(|taken| cents > taken) {
                    return false;
                }
                money.back = money.back.max(cents);
            }
            Event::Begun | Event::Failed => {}
        }
        true
    }

    /// The money was taken.
    fn paid(&mut self, number: u32, name: &'static str, cents: u64) -> bool {
        let is_held = !self.ends.contains_key(&number);
        let order = self.orders.get(&number).copied();
        let is_gone = order.is_some_and(|(_, behind)| self.money[&(number, behind)].is_gone());
        let money = self.money.entry((number, name)).or_default();
        if let Some(taken) = money.taken {
            return taken == cents;
        }
        if money.back > cents {
            return false;
        }
        money.taken = Some(cents);
        if is_held && cents == OWED && money.kept.is_none_or(|_| money.is_let_go) && money.back == 0
        {
            money.order = Some(cents);
            self.ends.insert(number, End::Order);
            self.orders.insert(number, (name, name));
        } else if let Some((made_by, behind)) = order {
            let is_own = if is_gone { made_by == name } else { behind == name };
            let is_whole = is_gone && cents == OWED && money.back == 0;
            money.order = match money.kept.filter(|_| !money.is_let_go) {
                Some(kept) if is_own => Some(cents.min(kept)),
                Some(_) => None,
                None => (is_own || is_whole).then_some(cents.min(OWED)),
            };
            if money.order.is_some() {
                self.orders.insert(number, (made_by, name));
            }
        }
        true
    }

    /// What of the money that was taken is not the order's.
    fn due(money: &Money) -> u64 {
        money.taken.unwrap_or(0) - money.order.filter(|_| money.taken.is_some()).unwrap_or(0)
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Hear(Event),
    Release,
}

fn step() -> impl Strategy<Value = (u32, usize, Step)> {
    let amount = prop_oneof![4 => Just(OWED), 1 => Just(700), 1 => Just(1_300)];
    let event = prop_oneof![
        Just(Event::Begun),
        amount.clone().prop_map(Event::Authorized),
        amount.prop_map(Event::Paid),
        Just(Event::Failed),
        Just(Event::FailedFinally),
        Just(Event::Voided),
        prop_oneof![Just(300), Just(700), Just(OWED), Just(1_300)].prop_map(Event::Refunded),
    ];
    let step = prop_oneof![12 => event.prop_map(Step::Hear), 1 => Just(Step::Release)];
    (1..4_u32, 0..PAYMENTS.len(), step)
}

fn check(desk: &Desk, twin: &Twin) -> Result<(), TestCaseError> {
    for ((number, name), money) in &twin.money {
        let Some(account) = desk.book.account(hold(*number)) else { continue };
        let found = account.parts.iter().find(|part| part.payment.reference.as_str() == *name);
        let Some(part) = found else {
            prop_assert!(money.taken.is_none() && money.back == 0, "{number} {name}: {money:?}");
            continue;
        };
        prop_assert_eq!(part.paid(), money.taken.unwrap_or(0));
        prop_assert_eq!(part.refunded, money.back);
        prop_assert!(money.taken.is_none_or(|taken| part.refunded <= taken));
        if money.taken.is_some() {
            let (due, owed_back) = (Twin::due(money), part.due.min(part.paid()));
            prop_assert_eq!(owed_back, due, "{} {}: {:?}", number, name, money);
            prop_assert_eq!(part.outstanding(), due.saturating_sub(money.back));
        }
    }
    for number in 1..4 {
        let stands = match twin.ends.get(&number) {
            None => HoldStands::Held,
            Some(End::Order) => HoldStands::Ordered,
            Some(End::Gone) => HoldStands::Ended,
        };
        prop_assert_eq!(desk.stands(hold(number)), stands);
        let account = desk.book.account(hold(number));
        let by = account.and_then(|account| account.order_part());
        let by = by.map(|part| part.payment.reference.as_str());
        let found = twin.orders.get(&number).map(|(made_by, behind)| {
            // Where the money of all is gone, the order is that of the first.
            if twin.money[&(number, *behind)].is_gone() { *made_by } else { *behind }
        });
        prop_assert_eq!(by, found);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_money_is_lost_whatever_is_said_in_whatever_order(
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let (mut desk, mut twin) = (Desk::default(), Twin::default());
        for (number, place, step) in steps {
            let (hold, name) = (hold(number), PAYMENTS[place]);
            let event = match step {
                Step::Release => {
                    if desk.stands(hold) == HoldStands::Held {
                        desk.release(hold);
                        twin.ends.insert(number, End::Gone);
                    }
                    continue;
                }
                Step::Hear(event) => event,
            };
            let refused = match event {
                Event::Authorized(cents) | Event::Paid(cents) => {
                    (cents != OWED).then_some(RefundReason::WrongAmount)
                }
                _ => None,
            };
            let outcome = desk.hear((name, hold), event, refused);
            let is_accepted = twin.hear(number, name, event);
            prop_assert_eq!(outcome.is_ok(), is_accepted, "{:?}: {}", event, words(&outcome));
            check(&desk, &twin)?;
            // Said twice.
            let (again, records) = desk.ask((name, hold), event, refused);
            prop_assert_eq!(records, []);
            prop_assert_eq!(again.is_ok(), is_accepted);
            let acts = matches!(again, Ok(PartOutcome::Ordered | PartOutcome::Ends));
            prop_assert!(!acts, "{:?} again: {}", event, words(&again));
        }
        let mut followed = PaymentBook::default();
        desk.records.iter().for_each(|record| followed.apply(record));
        prop_assert_eq!(followed.journaled(), desk.book.journaled());
    }
}
