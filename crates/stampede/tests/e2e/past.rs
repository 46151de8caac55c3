//! Sales of the past, as strange as they may be, on the ledger of a server that starts later.

use std::collections::BTreeMap;

use stampede_domain::{
    DropPlan, DurationMs, Mode, Money, RefusalCode, SkuOption, SkuPlan, UnixMillis,
};
use stampede_ledger::{DeadlineRecord, PhaseRecord, Record, Tally};
use stampede_testkit::{PastDrop, PastHold, PastLedger, plan_of, sku, units};

use crate::harness::Server;

/// Thursday, 26 November 2026, 19:00 in Berlin.
const EVENING: UnixMillis = UnixMillis::new(1_795_716_000_000);
/// Long enough that the next drop belongs to another show.
const APART_MS: u64 = 8 * 3_600_000;
/// The most units that a buy may ask for.
const BUY_MAX: u32 = 1_000;
/// The most units that a SKU may have.
pub(crate) const UNITS_MAX: u32 = 16_777_215;

/// A text that a page, a spreadsheet or a terminal could stumble over.
pub(crate) const MARKUP: &str = "<script>alert(1)</script>\"'&amp; =HYPERLINK(\"http://x\")";
pub(crate) const FORMULA: &str = "=1+1";
pub(crate) const RIGHT_TO_LEFT: &str = "שמן זית כתית מעולה, 500 מ״ל";

/// A server with a past.
pub(crate) struct Past {
    pub(crate) server: Server,
    /// The drops by what is strange about them.
    drops: BTreeMap<&'static str, String>,
}

impl Past {
    /// Every strange sale.
    pub(crate) fn start() -> Self {
        let mut drops = BTreeMap::new();
        let server = Server::prepared(|folder| {
            let mut ledger = PastLedger::create(&folder.join("data"), EVENING);
            for (what, tell) in STORIES {
                drops.insert(*what, tell(&mut ledger).id.to_string());
                ledger.wait(APART_MS);
            }
            ledger.finish();
            Vec::new()
        });
        Self { server, drops }
    }

    /// The id of a drop.
    pub(crate) fn drop(&self, what: &str) -> &str {
        &self.drops[what]
    }

    /// What is strange about each, with its id.
    pub(crate) fn drops(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.drops.iter().map(|(what, drop)| (*what, drop.as_str()))
    }
}

type Story = fn(&mut PastLedger) -> PastDrop;

const STORIES: &[(&str, Story)] = &[
    ("one unit", one_unit),
    ("as many units as there may be", as_many_as_there_may_be),
    ("nothing sold", nothing_sold),
    ("cancelled", cancelled),
    ("cancelled in its countdown", cancelled_in_its_countdown),
    ("an outage in the middle", an_outage),
    ("two days", two_days),
    ("0.2 s", a_blink),
    ("64 sizes, 20,000 channels", as_wide_as_may_be),
    ("long names", long_names),
    ("yen", in_yen),
    ("a rehearsal", a_rehearsal),
];

fn titled(title: &str, skus: impl IntoIterator<Item = SkuPlan>) -> DropPlan {
    DropPlan {
        title: title.to_owned(),
        stream: "friday-show".parse().unwrap(),
        merchant: "potter".parse().unwrap(),
        limit_per_viewer: units(BUY_MAX),
        ..plan_of(skus)
    }
}

fn mug(supply: u32) -> SkuPlan {
    SkuPlan { limit_per_viewer: units(BUY_MAX), ..sku("mug", supply) }
}

/// Staff give what is held more time, so often.
fn changed(ledger: &mut PastLedger, drop: &PastDrop, times: u64) {
    for _ in 0..times {
        let (span, until) = (DurationMs::from_secs(60), ledger.now());
        ledger.push(drop.id, DeadlineRecord::Extended { span, until });
    }
}

/// So many viewers take so many units each of the first SKU.
fn take(
    ledger: &mut PastLedger,
    drop: &mut PastDrop,
    (from, to): (u64, u64),
    count: u32,
) -> Vec<PastHold> {
    (from..to).map(|who| drop.take(ledger, who, (0, count), None)).collect()
}

fn confirm(ledger: &mut PastLedger, drop: &PastDrop, holds: &[PastHold]) {
    for hold in holds {
        drop.confirm(ledger, hold);
    }
}

fn tally(held: usize, sold_out: u64, connected: u64) -> Tally {
    let refusals = [(RefusalCode::SoldOut, sold_out)].into_iter().collect();
    Tally { held: u64::try_from(held).unwrap(), refusals, connected, ..Tally::default() }
}

fn one_unit(ledger: &mut PastLedger) -> PastDrop {
    let mut drop = ledger.plan(titled("The only one", [mug(1)]));
    drop.open(ledger);
    ledger.wait(200);
    let holds = take(ledger, &mut drop, (1, 2), 1);
    drop.tally(ledger, tally(1, 41, 42));
    ledger.wait(3_000);
    confirm(ledger, &drop, &holds);
    ledger.wait(1_000);
    drop.settle(ledger);
    drop
}

fn as_many_as_there_may_be(ledger: &mut PastLedger) -> PastDrop {
    let mut drop = ledger.plan(titled("Everything", [mug(UNITS_MAX)]));
    drop.open(ledger);
    let mut left = UNITS_MAX;
    let mut who = 0;
    while left > 0 {
        let mut holds = Vec::new();
        for _ in 0..1_000 {
            if left > 0 {
                let count = left.min(BUY_MAX);
                (left, who) = (left - count, who + 1);
                holds.push(drop.take(ledger, who, (0, count), None));
            }
        }
        drop.tally(ledger, tally(holds.len(), 0, 13_000_000));
        ledger.wait(10_000);
        confirm(ledger, &drop, &holds);
    }
    ledger.wait(1_000);
    drop.settle(ledger);
    drop
}

fn nothing_sold(ledger: &mut PastLedger) -> PastDrop {
    let mut drop = ledger.plan(titled("Nobody came", [mug(50)]));
    drop.open(ledger);
    ledger.wait(600_000);
    drop.settle(ledger);
    drop
}

fn cancelled(ledger: &mut PastLedger) -> PastDrop {
    let mut drop = ledger.plan(titled("Called off", [mug(50)]));
    drop.phase(ledger, PhaseRecord::Cancelled);
    drop
}

fn cancelled_in_its_countdown(ledger: &mut PastLedger) -> PastDrop {
    let mut drop = ledger.plan(titled("Called off late", [mug(50)]));
    let opens_at = ledger.now().plus(DurationMs::from_secs(10));
    drop.phase(ledger, PhaseRecord::Countdown { opens_at });
    ledger.wait(4_000);
    drop.phase(ledger, PhaseRecord::CountdownCancelled);
    drop.phase(ledger, PhaseRecord::Cancelled);
    drop
}

/// The machine slept for a minute and a half; before that the host had paused for half a minute.
fn an_outage(ledger: &mut PastLedger) -> PastDrop {
    let mut drop = ledger.plan(titled("In two halves", [mug(200)]));
    drop.open(ledger);
    ledger.wait(5_000);
    let first = take(ledger, &mut drop, (1, 101), 1);
    drop.tally(ledger, tally(100, 0, 900));
    ledger.wait(10_000);
    confirm(ledger, &drop, &first);
    drop.phase(ledger, PhaseRecord::Paused);
    ledger.wait(30_000);
    drop.phase(ledger, PhaseRecord::Resumed);
    ledger.wait(90_000);
    let span = DurationMs::from_secs(90);
    let until = ledger.now();
    ledger.push(drop.id, Record::Suspended { span, until });
    ledger.wait(5_000);
    let second = take(ledger, &mut drop, (101, 161), 1);
    drop.tally(ledger, tally(60, 0, 700));
    ledger.wait(10_000);
    confirm(ledger, &drop, &second);
    ledger.wait(60_000);
    drop.settle(ledger);
    drop
}

fn two_days(ledger: &mut PastLedger) -> PastDrop {
    let mut drop = ledger.plan(titled("All weekend", [mug(5_000)]));
    drop.open(ledger);
    let mut who = 0;
    for hour in 0..48_u64 {
        ledger.wait(3_540_000);
        let buyers = 20 + hour * 13 % 61;
        let holds = take(ledger, &mut drop, (who, who + buyers), 1);
        who += buyers;
        drop.tally(ledger, tally(holds.len(), 0, 100 + buyers * 3));
        ledger.wait(30_000);
        let (paid, rest) = holds.split_at(holds.len() * 9 / 10);
        confirm(ledger, &drop, paid);
        ledger.wait(30_000);
        for hold in rest {
            drop.expire(ledger, hold);
        }
    }
    ledger.wait(1_000);
    drop.settle(ledger);
    drop
}

fn a_blink(ledger: &mut PastLedger) -> PastDrop {
    let mut drop = ledger.plan(titled("Gone in a blink", [mug(1_000)]));
    drop.open(ledger);
    changed(ledger, &drop, 9);
    let mut holds = Vec::new();
    for step in 0..20 {
        holds.extend(take(ledger, &mut drop, (step * 50, step * 50 + 50), 1));
        ledger.wait(10);
    }
    drop.tally(ledger, tally(1_000, 250_000, 60_000));
    for _ in 0..10 {
        ledger.wait(2_000);
        let rest = holds.split_off(holds.len().min(97));
        confirm(ledger, &drop, &std::mem::replace(&mut holds, rest));
    }
    confirm(ledger, &drop, &holds);
    ledger.wait(1_000);
    drop.settle(ledger);
    drop
}

fn as_wide_as_may_be(ledger: &mut PastLedger) -> PastDrop {
    let sizes = (0..64).map(|size| SkuPlan {
        options: vec![SkuOption { name: "Size".to_owned(), value: format!("EU {size}") }],
        merchant_sku: format!("{size:05}"),
        ..SkuPlan { limit_per_viewer: units(BUY_MAX), ..sku(&format!("size-{size}"), 400) }
    });
    let mut drop = ledger.plan(titled("Boots", sizes));
    drop.open(ledger);
    changed(ledger, &drop, 9);
    for part in 0..20_u64 {
        let first = part * 1_000;
        let holds: Vec<PastHold> = (first..first + 1_000)
            .map(|who| {
                let channel = format!("creator-{who:05}");
                let size = usize::try_from(who % 64).unwrap();
                drop.take(ledger, who, (size, 1), Some(&channel))
            })
            .collect();
        drop.tally(ledger, tally(1_000, 5, 20_000));
        ledger.wait(1_000);
        confirm(ledger, &drop, &holds);
    }
    ledger.wait(1_000);
    drop.settle(ledger);
    drop
}

fn long_names(ledger: &mut PastLedger) -> PastDrop {
    let named = |id: &str, title: &str, option: &str, code: &str| SkuPlan {
        title: title.to_owned(),
        options: vec![SkuOption { name: "Colour".to_owned(), value: option.to_owned() }],
        merchant_sku: code.to_owned(),
        limit_per_viewer: units(BUY_MAX),
        ..sku(id, 100)
    };
    let long = "Extraordinarily-long-name-without-a-space-".repeat(5);
    let long = &long[..200];
    let skus = [
        named("long", long, long, "0007"),
        named("rtl", RIGHT_TO_LEFT, RIGHT_TO_LEFT, "1-1-9"),
        named("markup", MARKUP, MARKUP, "+49 30 1"),
        named("formula", FORMULA, FORMULA, "-5"),
    ];
    let mut drop = ledger.plan(titled(long, skus));
    drop.open(ledger);
    let holds: Vec<PastHold> = (0..40)
        .map(|who| drop.take(ledger, who, (usize::try_from(who % 4).unwrap(), 2), Some("ben-tv")))
        .collect();
    drop.tally(ledger, tally(40, 0, 300));
    ledger.wait(20_000);
    confirm(ledger, &drop, &holds);
    ledger.wait(1_000);
    drop.settle(ledger);
    drop
}

fn in_yen(ledger: &mut PastLedger) -> PastDrop {
    let price = Money::new(1_980, "JPY".parse().unwrap()).unwrap();
    let mut drop = ledger.plan(titled("湯のみ", [SkuPlan { price, ..mug(30) }]));
    drop.open(ledger);
    ledger.wait(1_500);
    let holds = take(ledger, &mut drop, (1, 31), 1);
    ledger.wait(20_000);
    let (paid, back) = holds.split_at(20);
    confirm(ledger, &drop, paid);
    for hold in back {
        drop.release(ledger, hold);
    }
    ledger.wait(1_000);
    drop.settle(ledger);
    drop
}

fn a_rehearsal(ledger: &mut PastLedger) -> PastDrop {
    let plan = DropPlan { mode: Mode::Rehearsal, ..titled("Rehearsal", [mug(10)]) };
    let mut drop = ledger.plan(plan);
    drop.open(ledger);
    let holds = take(ledger, &mut drop, (1, 6), 1);
    ledger.wait(2_000);
    confirm(ledger, &drop, &holds);
    drop.settle(ledger);
    drop
}
