//! The sandbox with cards that force its outcome, into a real engine on a ledger in memory.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::sync::Arc;

use stampede_domain::{DropId, DropPlan, DurationMs, HoldId, Mode, Phase, TestCard};
use stampede_engine::{
    Action, Buy, BuyRequest, CoreEvent, CorePort, DropAction, Engine, EngineConfig, HoldAccount,
    HoldLook, MatterKind, PartState, Role, StaffCommand, StreamScope, Viewer, ViewerEvent, Wake,
};
use stampede_ledger::fake::FakeLedger;
use stampede_payments::{Payments, Provider, SandboxConfig};
use stampede_testkit::{HandClock, euros, plan, wait_for};

/// What one mug costs, in cents.
const PRICE: u64 = 1_990;

struct World {
    ledger: FakeLedger,
    clock: Arc<HandClock>,
    engine: Arc<Engine>,
    payments: Arc<Payments>,
    port: CorePort,
}

/// Without a card every attempt fails for good.
fn failing(delay_ms: u64) -> Provider {
    let delay = DurationMs::new(delay_ms);
    Provider::Sandbox(SandboxConfig { delay, failure_rate: 0.0, final_failure_rate: 1.0 })
}

impl World {
    fn new(provider: Provider) -> Self {
        let clock = Arc::new(HandClock::at(1_700_000_000_000));
        Self::on(FakeLedger::new("n1".parse().unwrap()), clock, provider)
    }

    fn on(ledger: FakeLedger, clock: Arc<HandClock>, provider: Provider) -> Self {
        let viewers_pay_at = provider.viewers_pay_at();
        let config = EngineConfig { cores: 1, viewers_pay_at, ..EngineConfig::default() };
        let wakes = vec![Arc::new(|| {}) as Wake];
        let (engine, mut ports) =
            stampede_engine::start(config, ledger.open(), Arc::clone(&clock) as _, wakes).unwrap();
        let payments = Payments::start(&engine, provider).unwrap();
        let port = ports.pop().unwrap();
        Self { ledger, clock, engine, payments, port }
    }

    /// The process dies and another one starts, with this provider.
    fn restart(self, provider: Provider) -> Self {
        self.payments.shutdown();
        let (ledger, clock) = (self.ledger.clone(), Arc::clone(&self.clock));
        // The old threads go on with a fenced store; to wait for their end could take for ever.
        std::mem::forget(self);
        Self::on(ledger, clock, provider)
    }

    fn give(&self, key: &str, action: impl Into<Action>) -> DropId {
        let command = StaffCommand {
            actor: "nina".into(),
            role: Role::Admin,
            merchant: None,
            streams: StreamScope::All,
            key: key.parse().unwrap(),
            reason: None,
            action: action.into(),
        };
        self.engine.command(command).unwrap().blocking_recv().unwrap().unwrap().drop
    }

    fn open(&self, plan: DropPlan) -> DropId {
        let drop = self.give("plan", Action::Plan { plan: Arc::new(plan) });
        self.give("open", DropAction::StartCountdown.on(drop));
        wait_for("the sale", || (self.engine.sale(drop)?.phase() == Phase::Open).then_some(()));
        drop
    }

    fn join(&mut self, viewer: &str) -> Arc<Viewer> {
        self.port.join(&viewer.parse().unwrap(), (&"show".parse().unwrap(), Mode::Live), 1)
    }

    /// A hold of one mug.
    fn hold(&mut self, viewer: &Viewer, drop: DropId, key: &str) -> HoldId {
        let (stream, key) = ("show".parse().unwrap(), key.parse().unwrap());
        let request = BuyRequest { drop, sku: "mug", units: 1, key: &key, channel: None };
        let bought = self.port.buy(viewer, &stream, Mode::Live, request);
        self.port.flush();
        let Buy::Pending { hold, position } = bought else { panic!("{bought:?}") };
        wait_for("durability", || (self.port.durable() >= position).then_some(()));
        hold
    }

    /// Asks to pay, then waits until that is on record.
    fn pay(&mut self, viewer: &Viewer, hold: HoldId, card: Option<TestCard>) {
        let before = self.account(hold).map_or(0, |account| account.parts.len());
        self.port.pay(viewer, (hold, card), 1).unwrap();
        wait_for("the attempt", || (self.account(hold)?.parts.len() > before).then_some(()));
    }

    fn account(&self, hold: HoldId) -> Option<HoldAccount> {
        self.engine.money_of(hold).unwrap().blocking_recv().unwrap().account
    }

    fn matters(&self, hold: HoldId) -> Vec<MatterKind> {
        let money = self.engine.money_of(hold).unwrap().blocking_recv().unwrap();
        money.matters.iter().map(|matter| matter.kind).collect()
    }

    fn is_order(&self, hold: HoldId) -> bool {
        matches!(self.engine.hold(hold), HoldLook::Known(status) if status.confirmed)
    }

    fn is_held(&self, hold: HoldId) -> bool {
        matches!(self.engine.hold(hold), HoldLook::Known(status) if !status.confirmed)
    }

    fn has_ended(&self, hold: HoldId) -> bool {
        self.engine.hold(hold) == HoldLook::Ended
    }

    /// Lets time pass until something is so.
    fn until(
        &self,
        what: &str,
        step_ms: u64,
        mut is_so: impl FnMut(&HoldAccount) -> bool,
        hold: HoldId,
    ) {
        wait_for(what, || {
            self.clock.advance(step_ms);
            is_so(&self.account(hold)?).then_some(())
        });
    }

    /// Waits until the viewer was told that a payment came to nothing.
    fn wait_told_of_failure(&mut self, hold: HoldId) {
        let failed = ViewerEvent::PaymentFailed(hold);
        let mut told = Vec::new();
        wait_for("the word of the failure", || {
            self.port.drain(&mut told);
            let is_word = |event: &CoreEvent| matches!(event, CoreEvent::Viewer { event, .. } if *event == failed);
            told.iter().any(is_word).then_some(())
        });
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.payments.shutdown();
    }
}

/// What became of the first payment of a hold: where it stands, what went back of it.
fn first(account: &HoldAccount) -> (&PartState, u64) {
    (&account.parts[0].state, account.parts[0].refunded)
}

fn is_paid(account: &HoldAccount, minor: u64) -> bool {
    matches!(first(account).0, PartState::Paid(paid) if paid.minor() == minor)
}

fn failed_with(account: &HoldAccount, reason: &str) -> bool {
    matches!(first(account).0, PartState::Failed(why) if why.as_str() == reason)
}

/// A viewer who has begun to pay with this card.
fn begun(world: &mut World, card: TestCard) -> (Arc<Viewer>, HoldId) {
    let drop = world.open(plan(2));
    let ann = world.join("ann");
    let hold = world.hold(&ann, drop, "a1");
    world.pay(&ann, hold, Some(card));
    let name = world.account(hold).unwrap().parts[0].payment.to_string();
    assert_eq!(name, format!("sandbox/{hold}-1-{card}"));
    (ann, hold)
}

/// Fails unless the card's outcome comes. Time passes slowly, so that no hold ends before its time.
fn ends_as_its_card_says(world: &mut World, card: TestCard, (ann, hold): (&Viewer, HoldId)) {
    match card {
        TestCard::Approved | TestCard::Challenge | TestCard::Slow => {
            world.until("the order", 1, |account| is_paid(account, PRICE), hold);
            assert!(world.is_order(hold));
        }
        TestCard::Declined | TestCard::InsufficientFunds => {
            let reason = if card == TestCard::Declined { "card_declined" } else { card.name() };
            world.until("the failure", 1, |account| failed_with(account, reason), hold);
            assert!(world.is_held(hold), "the viewer may try again");
            world.wait_told_of_failure(hold);
        }
        TestCard::DeclinedForGood => {
            world.until("the failure", 1, |account| failed_with(account, "stolen_card"), hold);
            wait_for("the end", || world.has_ended(hold).then_some(()));
        }
        TestCard::Late => {
            world.until("the payment", 1_000, |account| account.retaken.is_some(), hold);
            let new = world.account(hold).unwrap().retaken.unwrap();
            assert!(world.is_order(new) && world.has_ended(hold), "the units were taken again");
        }
        TestCard::Expires => {
            let voided = |account: &HoldAccount| *first(account).0 == PartState::Voided;
            world.until("the end of the attempt", 1_000, voided, hold);
            assert!(world.has_ended(hold) && world.matters(hold).is_empty());
            world.wait_told_of_failure(hold);
        }
        TestCard::WrongAmount => {
            let is_back = |account: &HoldAccount| first(account).1 == PRICE + 1;
            world.until("the refund", 1, is_back, hold);
            let account = world.account(hold).unwrap();
            assert!(is_paid(&account, PRICE + 1) && world.is_held(hold));
            world.wait_told_of_failure(hold);
            world.pay(ann, hold, Some(TestCard::Approved));
            wait_for("the order", || {
                world.clock.advance(1);
                world.is_order(hold).then_some(())
            });
        }
        TestCard::Duplicate => {
            let is_back = |account: &HoldAccount| {
                account.parts.get(1).is_some_and(|second| second.refunded == PRICE)
            };
            world.until("the refund of the second payment", 1, is_back, hold);
            let account = world.account(hold).unwrap();
            assert_eq!(
                (account.parts.len(), account.paid(), account.refunded()),
                (2, 2 * PRICE, PRICE)
            );
            assert!(is_paid(&account, PRICE) && world.is_order(hold));
            assert!(world.matters(hold).is_empty());
        }
        TestCard::Refunded => {
            world.until("the refund", 1, |account| first(account).1 == PRICE, hold);
            assert!(world.is_order(hold), "the order stays");
            assert_eq!(world.matters(hold), [MatterKind::Unpaid { amount: euros(PRICE) }]);
        }
    }
}

fn comes_true(card: TestCard) {
    let mut world = World::new(failing(4));
    let (ann, hold) = begun(&mut world, card);
    ends_as_its_card_says(&mut world, card, (&ann, hold));
}

/// The attempt begins with a process whose sandbox answers after an hour, and ends with another one.
fn comes_true_after_a_restart(card: TestCard) {
    let mut world = World::new(failing(3_600_000));
    let (_, hold) = begun(&mut world, card);
    let mut world = world.restart(failing(4));
    let ann = world.join("ann");
    ends_as_its_card_says(&mut world, card, (&ann, hold));
}

macro_rules! each_card {
    ($($name:ident: $card:ident),* $(,)?) => {
        $(mod $name {
            use super::*;

            #[test]
            fn forces_its_outcome() {
                comes_true(TestCard::$card);
            }

            #[test]
            fn outlives_a_restart() {
                comes_true_after_a_restart(TestCard::$card);
            }
        })*

        #[test]
        fn every_card_is_tried() {
            assert_eq!([$(TestCard::$card),*], TestCard::ALL);
        }
    };
}

each_card! {
    approved: Approved,
    declined: Declined,
    insufficient_funds: InsufficientFunds,
    declined_for_good: DeclinedForGood,
    challenge: Challenge,
    slow: Slow,
    late: Late,
    expires: Expires,
    wrong_amount: WrongAmount,
    duplicate: Duplicate,
    refunded: Refunded,
}

#[test]
fn without_a_card_it_is_drawn() {
    let mut world = World::new(failing(4));
    let drop = world.open(plan(2));
    let ann = world.join("ann");
    let hold = world.hold(&ann, drop, "a1");
    world.pay(&ann, hold, None);
    world.until("the failure", 1, |account| failed_with(account, "card_declined"), hold);
    wait_for("the end", || world.has_ended(hold).then_some(()));
}
