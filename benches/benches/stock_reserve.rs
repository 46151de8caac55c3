//! Decisions per second of the stock core: takes by winners, sold-out refusals of strangers.
//!
//! A round is [`VIEWERS`] decisions by distinct viewers with distinct keys on a stock of its own;
//! building the stock is not measured. Its memory is grown before, as the growth thread does in a
//! sale; in `take_growing` nobody does, so that takers make every place themselves. Threads start together, and a round lasts until the last of
//! them is done. Besides criterion's figures, each case prints its median with its best round.

use std::{
    cell::RefCell,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use stampede_domain::{
    DropId, Incarnation, KeyFingerprint, PoolIndex, PoolMap, SkuIndex, Units, UnixMillis,
    ViewerNumber,
};
use stampede_stock::{DropStock, Lane, SkuLimits, StockConfig, Take, TakeRequest};

/// Distinct viewers of a round.
const VIEWERS: u64 = 1_000_000;
/// Where the strangers' numbers begin, so that none of them is a winner.
const STRANGERS_FROM: u64 = 1 << 40;

#[allow(clippy::disallowed_methods, reason = "a bench measures by the clock")]
fn now() -> Instant {
    Instant::now()
}

/// Finalizer of the splitmix64 generator: distinct inputs give distinct numbers that look random.
fn scramble(index: u64) -> u64 {
    let mut bits = index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

fn request(index: u64) -> TakeRequest {
    let number = scramble(index);
    TakeRequest {
        viewer: ViewerNumber::new(number).expect("all 64 bits are a number"),
        key: KeyFingerprint::from_bits(u128::from(number) << 64 | u128::from(index)),
        pool: PoolIndex::default(),
        units: Units::ONE,
        now: UnixMillis::new(1_700_000_000_000),
        deadline: UnixMillis::new(1_700_000_180_000),
    }
}

fn stock() -> DropStock {
    let stock = DropStock::new(StockConfig {
        drop: DropId::new(1),
        incarnation: Incarnation::new(1).expect("1 is small"),
        pools: PoolMap::new([SkuIndex::default()]).expect("one pool is allowed"),
        skus: vec![SkuLimits { limit_per_viewer: Units::ONE }],
        limit_per_viewer: Units::ONE,
        holds_per_viewer_max: 16,
    });
    stock.add_supply(PoolIndex::default(), million()).expect("the pool is empty");
    stock.permit_takes();
    stock
}

fn grown() -> DropStock {
    let stock = stock();
    stock.grow_for(PoolIndex::default(), million());
    stock
}

fn million() -> Units {
    u32::try_from(VIEWERS).ok().and_then(Units::new).expect("a million fits")
}

fn sold_out() -> DropStock {
    let stock = grown();
    takes(&stock, &mut stock.lane(), 0, VIEWERS);
    stock
}

fn takes(stock: &DropStock, lane: &mut Lane, from: u64, to: u64) {
    for index in from..to {
        let take = stock.take(lane, &request(index), || true);
        assert!(matches!(take, Take::Taken(_)));
    }
}

fn refusals(stock: &DropStock, lane: &mut Lane, from: u64, to: u64) {
    for index in from..to {
        let take = stock.take(lane, &request(STRANGERS_FROM + index), || true);
        assert!(matches!(take, Take::SoldOut));
    }
}

/// The time that `threads` threads need to share [`VIEWERS`] decisions.
fn round(
    stock: &DropStock,
    lanes: &mut [Lane],
    threads: u64,
    decide: fn(&DropStock, &mut Lane, u64, u64),
) -> Duration {
    let share = VIEWERS / threads;
    let start = Barrier::new(usize::try_from(threads).expect("a few threads"));
    let spans: Vec<(Instant, Instant)> = thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .zip(lanes)
            .map(|(thread, lane)| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    let began = now();
                    decide(stock, lane, thread * share, (thread + 1) * share);
                    (began, now())
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().expect("no decision panics")).collect()
    });
    let began = spans.iter().map(|span| span.0).min().expect("at least one thread");
    let done = spans.iter().map(|span| span.1).max().expect("at least one thread");
    done - began
}

/// Measures one case, then prints its decisions per second.
fn case(criterion: &mut Criterion, name: &str, threads: u64, mut one: impl FnMut(u64) -> Duration) {
    let rounds = RefCell::new(Vec::new());
    let mut group = criterion.benchmark_group("stock_reserve");
    group
        .sampling_mode(SamplingMode::Flat)
        .sample_size(20)
        .throughput(Throughput::Elements(VIEWERS));
    group.bench_function(format!("{name}/{threads}"), |bencher| {
        bencher.iter_custom(|iterations| {
            (0..iterations)
                .map(|_| {
                    let span = one(threads);
                    rounds.borrow_mut().push(span);
                    span
                })
                .sum()
        });
    });
    group.finish();
    let mut rounds = rounds.into_inner();
    rounds.sort_unstable();
    let (Some(best), Some(median)) = (rounds.first(), rounds.get(rounds.len() / 2)) else { return };
    println!(
        "{name}, threads {threads}: {} decisions/s median, {} best of {} rounds",
        per_second(*median),
        per_second(*best),
        rounds.len()
    );
}

fn per_second(span: Duration) -> u128 {
    u128::from(VIEWERS) * 1_000_000_000 / span.as_nanos().max(1)
}

fn stock_reserve(criterion: &mut Criterion) {
    for threads in [1, 2] {
        for (name, make) in [("take", grown as fn() -> DropStock), ("take_growing", stock)] {
            case(criterion, name, threads, |threads| {
                let stock = make();
                let mut lanes = [stock.lane(), stock.lane()];
                round(&stock, &mut lanes, threads, takes)
            });
        }
    }
    let full = sold_out();
    let mut lanes = [full.lane(), full.lane()];
    for threads in [1, 2] {
        case(criterion, "refuse_stranger", threads, |threads| {
            round(&full, &mut lanes, threads, refusals)
        });
    }
}

criterion_group!(benches, stock_reserve);
criterion_main!(benches);
