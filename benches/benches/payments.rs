//! Payments reported per second: each turns a hold into an order.
//!
//! Through the engine into SQLite, a fixed number of facts waits for its answers at any time; an answer comes when
//! payment and order are durable. The time runs from the first fact until the last answer. Each fact is told twice to
//! show what a retry costs. The book of payments alone, without threads, records or a ledger, decides the same facts
//! and follows what it decided: what the rest costs is the difference.

#![allow(clippy::unwrap_used, reason = "a bench that meets the unexpected should stop there")]
#![allow(clippy::disallowed_methods, reason = "a bench measures time")]
#![allow(clippy::cast_precision_loss, reason = "figures are printed with three digits")]

use std::{
    collections::VecDeque,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use stampede_domain::{
    DropId, DropPlan, DurationMs, HoldId, IdempotencyKey, Incarnation, Mode, PaymentEvent,
    PaymentFact, PaymentId, PaymentTerms, Phase, SkuPlan, StreamId, Units, UnixMillis,
    ViewerNumber,
};
use stampede_engine::{
    Action, Buy, BuyRequest, Clock, CorePort, DropAction, Engine, EngineConfig, FactRefusal,
    HoldOutcome, PartOutcome, PaymentOutcome, Role, StaffCommand, Wake,
};
use stampede_ledger::{DataDir, HoldRecord, Record, SqliteLedger};
use stampede_settlement::{HoldStands, PartAsk, PaymentBook};
use stampede_testkit::{euros, hold, plan_of, sku};
use tokio::sync::oneshot::Receiver;

const HOLDS: usize = 200_000;
const IN_FLIGHT: [usize; 3] = [1, 200, 4_000];
const ROUNDS: usize = 3;
/// What each hold costs, in cents.
const PRICE: u64 = 1_990;

struct WallClock(Instant);

impl Clock for WallClock {
    fn now(&self) -> UnixMillis {
        let elapsed = u64::try_from(self.0.elapsed().as_millis()).unwrap();
        UnixMillis::new(1_700_000_000_000 + elapsed)
    }
}

/// How a run of facts went.
struct Measured {
    per_s: f64,
    answer_us_p50: u64,
    answer_us_p99: u64,
}

fn main() {
    println!("payments reported, each makes an order; synchronous=FULL, one file on disk");
    println!(
        "{:>9} {:>9} {:>12} {:>14} {:>14} {:>12}",
        "in flight", "facts", "orders/s", "answer p50 us", "answer p99 us", "retries/s"
    );
    for in_flight in IN_FLIGHT {
        // Few in flight means many commits: fewer facts keep the run short.
        let facts = if in_flight == 1 { HOLDS / 100 } else { HOLDS };
        for _ in 0..ROUNDS {
            let (orders, retries) = measure(in_flight, facts);
            println!(
                "{in_flight:>9} {facts:>9} {:>12.0} {:>14} {:>14} {:>12.0}",
                orders.per_s, orders.answer_us_p50, orders.answer_us_p99, retries.per_s
            );
        }
    }
    println!("the book of payments alone, in memory");
    println!("{:>9} {:>12} {:>12}", "facts", "orders/s", "retries/s");
    for _ in 0..ROUNDS {
        let (orders_per_s, retries_per_s) = measure_book();
        println!("{HOLDS:>9} {orders_per_s:>12.0} {retries_per_s:>12.0}");
    }
}

/// Facts that make orders, then the same again, per second.
fn measure_book() -> (f64, f64) {
    let drop = DropId::new(1);
    let incarnation = Incarnation::new(1).unwrap();
    let named = (0_u32..).take(HOLDS).map(|number| {
        let hold = hold(drop, incarnation, number);
        (PaymentId::new("platform", &hold.to_string()).unwrap(), hold)
    });
    let payments: Vec<(PaymentId, HoldId)> = named.collect();
    let mut book = PaymentBook::default();
    let orders_per_s = decide_all(&mut book, &payments, HoldStands::Held);
    let retries_per_s = decide_all(&mut book, &payments, HoldStands::Ordered);
    (orders_per_s, retries_per_s)
}

fn decide_all(book: &mut PaymentBook, payments: &[(PaymentId, HoldId)], stands: HoldStands) -> f64 {
    let (amount, viewer) = (euros(PRICE), ViewerNumber::new(7).unwrap());
    let mut out = Vec::new();
    let started = Instant::now();
    for (payment, hold) in payments {
        let ask = PartAsk { payment, hold: *hold, stands };
        let outcome = book.paid(ask, (amount, None), &mut out).unwrap();
        for record in out.drain(..) {
            book.apply(&Record::Payment(Box::new(record)));
        }
        match stands {
            HoldStands::Held => {
                assert_eq!(outcome, PartOutcome::Ordered);
                let (hold, units) = (*hold, Units::ONE);
                let order = HoldRecord::Confirmed { hold, viewer, units, amount, channel: None };
                book.apply(&Record::Hold(order));
            }
            HoldStands::Ordered | HoldStands::Ended => {
                assert_eq!(outcome, PartOutcome::AlreadyOrdered);
            }
        }
    }
    payments.len() as f64 / started.elapsed().as_secs_f64()
}

fn measure(in_flight: usize, facts: usize) -> (Measured, Measured) {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::lock(dir.path()).unwrap();
    let ledger = SqliteLedger::open(&data, &"bench".parse().unwrap()).unwrap();
    let config = EngineConfig { cores: 1, ..EngineConfig::default() };
    let taker = thread::current();
    let wake: Wake = Arc::new(move || taker.unpark());
    let clock = Arc::new(WallClock(Instant::now()));
    let (engine, mut ports) = stampede_engine::start(config, ledger, clock, vec![wake]).unwrap();
    let mut port = ports.pop().unwrap();
    let drop = open(&engine, facts);
    let holds = take_all(&mut port, drop, facts);
    let ordered = report_all(&engine, &holds, in_flight, PartOutcome::Ordered);
    let known = report_all(&engine, &holds, in_flight, PartOutcome::AlreadyOrdered);
    engine.shutdown();
    (ordered, known)
}

fn take_all(port: &mut CorePort, drop: DropId, takes: usize) -> Vec<HoldId> {
    let key: IdempotencyKey = "first-click".parse().unwrap();
    let stream: StreamId = "show".parse().unwrap();
    let mut holds = Vec::with_capacity(takes);
    let mut last = port.durable();
    for (number, token) in (0..takes).zip(0_u64..) {
        let viewer = port.join(
            &format!("viewer-{number:07}").parse().unwrap(),
            (&stream, Mode::Live),
            token,
        );
        let request = BuyRequest { drop, sku: "unit", units: 1, key: &key, channel: None };
        while last.get() - port.durable().get() >= 16_384 {
            port.flush();
            thread::park_timeout(Duration::from_millis(10));
        }
        match port.buy(&viewer, &stream, Mode::Live, request) {
            Buy::Pending { hold, position } => {
                holds.push(hold);
                last = position;
            }
            other => panic!("expected a hold, got {other:?}"),
        }
    }
    port.flush();
    while port.durable() < last {
        thread::park_timeout(Duration::from_millis(10));
    }
    holds
}

type Answer = Receiver<Result<PaymentOutcome, FactRefusal>>;

fn report_all(
    engine: &Engine,
    holds: &[HoldId],
    in_flight: usize,
    wanted: PartOutcome,
) -> Measured {
    let mut waiting: VecDeque<(Instant, Answer)> = VecDeque::with_capacity(in_flight);
    let mut answer_us = Histogram::<u64>::new(3).unwrap();
    let mut hear = |(told, answer): (Instant, Answer)| {
        let outcome = answer.blocking_recv().unwrap().unwrap();
        let us = u64::try_from(told.elapsed().as_micros()).unwrap();
        answer_us.record(us.max(1)).unwrap();
        assert_eq!(outcome.holds[0].1, HoldOutcome::Part(wanted));
    };
    let started = Instant::now();
    for hold in holds {
        if waiting.len() == in_flight {
            hear(waiting.pop_front().unwrap());
        }
        waiting.push_back((Instant::now(), engine.payment(fact(*hold)).unwrap()));
    }
    waiting.into_iter().for_each(&mut hear);
    let elapsed = started.elapsed();
    Measured {
        per_s: holds.len() as f64 / elapsed.as_secs_f64(),
        answer_us_p50: answer_us.value_at_quantile(0.5),
        answer_us_p99: answer_us.value_at_quantile(0.99),
    }
}

fn fact(hold: HoldId) -> PaymentFact {
    let payment = PaymentId::new("platform", &hold.to_string()).unwrap();
    let event = PaymentEvent::Paid { amount: euros(PRICE) };
    PaymentFact { payment, event, holds: vec![hold], mode: None, order_reference: None }
}

fn open(engine: &Engine, units: usize) -> DropId {
    let units = Units::new(u32::try_from(units).unwrap()).unwrap();
    let give = |key: &str, action| {
        let command = StaffCommand {
            actor: "bench".into(),
            role: Role::Admin,
            merchant: None,
            streams: stampede_engine::StreamScope::All,
            key: key.parse().unwrap(),
            reason: None,
            action,
        };
        engine.command(command).unwrap().blocking_recv().unwrap().unwrap().drop
    };
    let drop = give("plan", Action::Plan { plan: Arc::new(plan(units)) });
    give("open", DropAction::StartCountdown.on(drop));
    while engine.sale(drop).unwrap().phase() != Phase::Open {
        thread::yield_now();
    }
    drop
}

fn plan(supply: Units) -> DropPlan {
    let unit = SkuPlan { limit_per_viewer: Units::ONE, ..sku("unit", supply.get()) };
    let (grace, stretch) = (DurationMs::from_secs(3), DurationMs::from_secs(60));
    DropPlan {
        limit_per_viewer: Units::ONE,
        hold_ttl: DurationMs::from_secs(3_600),
        payment_terms: Some(PaymentTerms { grace, stretch }),
        ..plan_of([unit])
    }
}
