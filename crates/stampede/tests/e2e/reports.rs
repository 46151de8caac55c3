//! A merchant reads reports: last night's show from the list to the file, and every strange sale there may be.

use std::{fs, process::Command};

use serde_json::{Value, json};

use crate::{
    harness::{Browser, Crowd, Drop, Goods, Look, Server, Tab},
    past::{FORMULA, MARKUP, Past, RIGHT_TO_LEFT},
};

const STREAM: &str = "friday-show";
/// The parts of a report from top to bottom, with where they stand.
const OUTLINE: &str = "[...document.querySelector('[data-el=report]').children].map((one) => {
  const box = one.getBoundingClientRect();
  return `${one.tagName} ${one.className} ${one.querySelector('h2')?.textContent ?? ''} ${box.top} ${box.height}`; })";
/// Movement that tools show as 0.00.
const SHIFT_MAX: f64 = 0.002;
/// Movement while a page stays open for a whole sale: figures grow wider in their lines. Drawings that came in late
/// would move the page by more.
const LIVE_SHIFT_MAX: f64 = 0.02;
/// What the first load of a report may cost, in bytes on the wire.
const LOAD_BYTES_MAX: u64 = 120 << 10;
/// Widths of a phone, a tablet, a laptop.
const WIDTHS: [u32; 3] = [390, 834, 1_280];

/// Counts again, by another language and other rules.
const RECOUNT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/recount.py");

/// What a reader sees on the page of a drop, for the counting.
const SEEN: &str = "(() => {
  const text = (node) => node.textContent.trim();
  const table = (css) => { const one = document.querySelector(css); if (!one) return [];
    const heads = [...one.querySelectorAll('thead th')].map(text);
    return [...one.querySelectorAll('tbody tr:not(.total):not(.rest)')].map((row) => Object.fromEntries(
      [['name', (row.querySelector('th bdi') ?? row.querySelector('th')).textContent.trim()],
       ...[...row.children].map((cell, place) => [heads[place], text(cell)])
         .filter((_, place) => !row.children[place].classList.contains('bar-cell'))])); };
  return { figures: [...document.querySelectorAll('.key-figures > div')].map((one) => ({
      label: text(one.querySelector('dt')), value: text(one.querySelector('.value')) })),
    tables: { sizes: table('.sizes'), channels: table('.channels') } }; })()";

/// A drop of three colours that sells out before a crowd; its id.
pub(crate) fn sell_out(server: &Server, place: u16, title: &str, supply: u32) -> String {
    let goods = ["Cedar", "Fig", "Sea salt"].map(|option| Goods {
        id: option.to_lowercase().replace(' ', "-"),
        option: option.to_owned(),
        supply,
        reserve: 0,
        price: 2_490,
    });
    let planned =
        Drop { goods: goods.into(), countdown_ms: 0, ..Drop::new(STREAM, place, title, 1) };
    let drop = server.plan(&planned);
    let crowds = [("cedar", 1), ("fig", 2), ("sea-salt", 3)].map(|(sku, part)| {
        let crowd = Crowd { never_pay_share: 0.0, ..Crowd::new(STREAM, &drop, supply + 10 * part) };
        Crowd { sku: sku.to_owned(), from: 1_000 * part, ..crowd }.come(server)
    });
    server.command(&format!("drops/{drop}/open"), &json!({}));
    server.until(&drop, "sold out", |state| {
        let skus = state["skus"].as_array().unwrap();
        skus.iter().all(|sku| sku["sold"] == sku["supplied"])
    });
    for crowd in crowds {
        crowd.go();
    }
    server.command(&format!("drops/{drop}/close"), &json!({}));
    server.until(&drop, "settled", |state| state["phase"] == "settled");
    drop
}

/// Waits until the report is on the page.
fn is_there(tab: &Tab) {
    tab.see("h1.story", "");
    tab.until("read to its end", "document.readyState === 'complete'");
}

#[test]
fn a_merchant_reads_last_nights_show_and_every_figure_is_right() {
    let server = Server::start();
    let drop = sell_out(&server, 1, "Scented candle, 200 g", 40);
    let merchant = server.staff_of("mara", "merchant", "potter");
    let browser = Browser::start();
    let reader = browser.visitor(Look::LAPTOP);
    let tab = reader.sign_in(&server.page("/sign-in?to=/reports"), &merchant);
    tab.see(".report-list", STREAM);
    // By its keys: looked for, found, opened.
    tab.put("#find", "scented CANDLE");
    tab.key("Enter");
    // The list before the search has the drop too: its link would go with its page.
    tab.until("the list of what was found", "location.search.includes('q=scented')");
    tab.until("read to its end", "document.readyState === 'complete'");
    tab.see(".report-list", "Scented candle, 200 g");
    tab.press(&format!("a[href=\"/reports/{drop}\"]"));
    is_there(&tab);
    tab.see("h1.story", "All 120 taken in");
    tab.see(".pill", "final");

    let folder = tempfile::tempdir().unwrap();
    let keep = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    let report = format!("/v1/drops/{drop}/report");
    // What the page offers is what the interface gives.
    for (name, path, is_offered) in [
        ("report.json", format!("{report}?format=json"), true),
        ("report.xlsx", format!("{report}?format=xlsx"), true),
        ("sizes.csv", format!("{report}/sizes.csv"), true),
        ("channels.csv", format!("{report}/channels.csv"), true),
        ("seconds.csv", format!("{report}/seconds.csv"), true),
        ("orders.csv", format!("/v1/orders?drop={drop}&format=csv"), true),
        ("audit.ndjson", format!("/v1/drops/{drop}/audit"), false),
    ] {
        keep(name, &server.download(&merchant, &path));
        if is_offered {
            tab.see(&format!("a[download][href=\"{path}\"]"), "");
        }
    }
    let mut seen = tab.value(SEEN);
    seen["names"] = json!({ "cedar": "Cedar", "fig": "Fig", "sea-salt": "Sea salt" });
    seen["no_channel"] = "No channel named".into();
    keep("page.json", seen.to_string().as_bytes());
    let counted = Command::new("python3").arg(RECOUNT).arg(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&counted.stdout);
    assert!(counted.status.success(), "{said}{}", String::from_utf8_lossy(&counted.stderr));
    println!("{said}");

    // A figure that is changed is found: the counting can fail.
    let told = fs::read_to_string(folder.path().join("report.json")).unwrap();
    let mut told: Value = serde_json::from_str(&told).unwrap();
    told["skus"][1]["taken"] = (told["skus"][1]["taken"].as_u64().unwrap() + 1).into();
    keep("report.json", told.to_string().as_bytes());
    let counted = Command::new("python3").arg(RECOUNT).arg(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&counted.stdout);
    assert!(!counted.status.success() && said.contains("fig.taken"), "{said}");
}

#[test]
fn the_first_load_is_small_and_nothing_moves() {
    let server = Server::start();
    let drop = sell_out(&server, 1, "Scented candle, 200 g", 20);
    let merchant = server.staff_of("mara", "merchant", "potter");
    let browser = Browser::start();
    let reader = browser.visitor(Look::LAPTOP);
    let tab = reader.sign_in(&server.page("/sign-in?to=/reports"), &merchant);
    tab.call("Network.enable", &json!({}));
    for width in WIDTHS {
        tab.look(Look { size: (width, 900), ..Look::LAPTOP });
        tab.call("Network.clearBrowserCache", &json!({}));
        tab.go(&server.page(&format!("/reports/{drop}")));
        is_there(&tab);
        let bytes = tab.value(
            "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
              .reduce((sum, one) => sum + one.transferSize, 0)",
        );
        let bytes = bytes.as_u64().unwrap();
        assert!((10_000..=LOAD_BYTES_MAX).contains(&bytes), "{bytes} bytes at {width} pixels");
        let (shift, what) = tab.layout_shift();
        assert!(shift <= SHIFT_MAX, "{shift} at {width} pixels: {what}");
        println!("{width} pixels: {bytes} bytes, layout shift {shift}");
    }
}

#[test]
fn a_running_drop_has_the_same_page_and_its_figures_move() {
    let server = Server::start();
    let drop = server.plan(&Drop { countdown_ms: 0, ..Drop::new(STREAM, 1, "Grey mug", 30) });
    let browser = Browser::start();
    let tab = browser
        .visitor(Look::LAPTOP)
        .sign_in(&server.page(&format!("/sign-in?to=/reports/{drop}")), &server.token);
    tab.see("h1.story", "It has not opened yet.");
    let first = tab.value(OUTLINE);
    server.command(&format!("drops/{drop}/open"), &json!({}));
    tab.see("h1.story", "Nothing is paid yet");
    tab.value("globalThis.isSame = true");
    let crowd = Crowd { never_pay_share: 0.0, ..Crowd::new(STREAM, &drop, 40) }.come(&server);
    tab.see("h1.story", "All 30 taken in");
    tab.see("h1.story", "All paid after");
    tab.see(".sizes", "€450.00");
    assert_eq!(tab.value("globalThis.isSame"), true, "it is patched, not loaded again");
    let (shift, what) = tab.layout_shift();
    let last = tab.value(OUTLINE);
    assert!(shift <= LIVE_SHIFT_MAX, "{shift}: {what}\nfirst {first}\nlast {last}");
    println!("layout shift {shift} while it went from nothing to sold out");
    crowd.go();
    server.command(&format!("drops/{drop}/close"), &json!({}));
    tab.see(".pill", "final");
}

#[test]
fn no_strange_sale_breaks_a_page() {
    let past = Past::start();
    let server = &past.server;
    let browser = Browser::start();
    let tab =
        browser.visitor(Look::LAPTOP).sign_in(&server.page("/sign-in?to=/reports"), &server.token);
    tab.see(".report-list", STREAM);
    for (what, drop) in past.drops() {
        for page in ["", "/print"] {
            tab.go(&server.page(&format!("/reports/{drop}{page}")));
            tab.see("h1", "");
            for width in WIDTHS {
                tab.look(Look { size: (width, 900), ..Look::LAPTOP });
                let wide = tab.value("document.documentElement.scrollWidth").as_u64().unwrap();
                let fits = page == "/print" || wide <= u64::from(width);
                assert!(fits, "{what}: {wide} wide at {width} pixels{page}");
            }
            let (shift, moved) = tab.layout_shift();
            assert!(shift <= SHIFT_MAX, "{what}{page}: {shift}: {moved}");
            let outside = tab.value(OUTSIDE).to_string();
            assert_eq!(outside, "[]", "{what}{page}: a label stands outside its chart");
        }
    }
    let story = |what: &str| {
        tab.go(&server.page(&format!("/reports/{}", past.drop(what))));
        is_there(&tab);
        tab.text("h1.story").replace('\u{a0}', " ")
    };
    for (what, said) in [
        ("one unit", "The only one was taken in 0.20 s. It was paid after 3.20 s."),
        ("as many units as there may be", "All 16,777,215 taken in"),
        ("nothing sold", "Nothing was paid in 10 min. All 50 are left."),
        ("cancelled", "Called off before it opened."),
        ("cancelled in its countdown", "Called off before it opened."),
        ("an outage in the middle", "160 of 200 paid in"),
        ("two days", "paid in 2 d"),
        ("0.2 s", "All 1,000 taken in 0.19 s."),
        ("64 sizes, 20,000 channels", "20,000 of 25,600 paid in"),
        ("yen", "All 30 taken in 1.50 s. 20 of 30 paid. 10 are left."),
    ] {
        let told = story(what);
        assert!(told.contains(said), "{what}: {told}");
    }
    story("an outage in the middle");
    tab.see("[data-chart] svg", "aused");
    tab.see("[data-chart] svg", "way");
    story("yen");
    tab.see(".key-figures", "¥39,600");
    story("64 sizes, 20,000 channels");
    let rows = tab.value("document.querySelectorAll('.channels tbody tr').length").as_u64();
    assert!((20..=110).contains(&rows.unwrap()), "{rows:?} rows of channels");
    tab.see(".channels .rest, .channels", "19,980 more channels");
    story("long names");
    for name in [MARKUP, RIGHT_TO_LEFT, FORMULA] {
        tab.see(".sizes", name);
    }
    story("a rehearsal");
    tab.see(".tag", "Rehearsal");
}

/// Words of a chart that are outside of their drawing, with where they are.
const OUTSIDE: &str = "[...document.querySelectorAll('.plot svg')].filter((svg) => svg.checkVisibility())
  .flatMap((svg) => { const frame = svg.getBoundingClientRect();
    return [...svg.querySelectorAll('text')].filter((text) => { const box = text.getBoundingClientRect();
      return box.width > 0 && (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1
        || box.bottom > frame.bottom + 1); }).map((text) => text.textContent); })";

/// What of a sheet reaches into its foot, where it would be cut or stand under words.
const UNDER_THE_FOOT: &str = "[...document.querySelectorAll('.sheet')].flatMap((sheet) => {
  const foot = sheet.querySelector('.sheet-foot');
  return [...sheet.children].filter((part) => part !== foot
    && part.getBoundingClientRect().bottom > foot.getBoundingClientRect().top).map((part) => part.className); })";

#[test]
fn every_report_prints_on_two_sheets() {
    let past = Past::start();
    let server = &past.server;
    let browser = Browser::start();
    let tab =
        browser.visitor(Look::LAPTOP).sign_in(&server.page("/sign-in?to=/reports"), &server.token);
    tab.see(".report-list", STREAM);
    for (what, drop) in past.drops() {
        for path in [format!("/reports/{drop}/print"), format!("/reports/shows/{drop}/print")] {
            tab.go(&server.page(&path));
            tab.see("h1", "");
            assert_eq!(tab.value(UNDER_THE_FOOT), json!([]), "{what}: {path}");
            let pdf = tab.printed();
            assert!(pdf.starts_with(b"%PDF"), "{what}: {path}");
            assert_eq!(sheets(&pdf), 2, "{what}: {path}");
        }
    }
}

/// Pages of a PDF that Chromium wrote: each has an object of its own.
fn sheets(pdf: &[u8]) -> usize {
    let is_page = |at: &&[u8]| at.starts_with(b"/Type /Page\n") || at.starts_with(b"/Type /Page ");
    pdf.windows(12).filter(is_page).count()
}

#[test]
fn a_damaged_ledger_is_told_and_no_figure_is_shown() {
    let mut past = Past::start();
    let drop = past.drop("0.2 s").to_owned();
    past.server.kill();
    damage(&past.server, &drop);
    past.server.restart();
    let server = &past.server;
    let browser = Browser::start();
    let tab =
        browser.visitor(Look::LAPTOP).sign_in(&server.page("/sign-in?to=/reports"), &server.token);
    tab.see(".report-list", STREAM);
    tab.go(&server.page(&format!("/reports/{drop}")));
    tab.see("h1", "The ledger is damaged");
    tab.see("main", &drop);
    assert_eq!(tab.value("document.querySelector('.key-figures')"), Value::Null);
    // Another drop's report is as it was.
    tab.go(&server.page(&format!("/reports/{}", past.drop("one unit"))));
    tab.see("h1.story", "The only one was taken");
}

/// Makes a record of a drop one that nobody can read.
fn damage(server: &Server, drop: &str) {
    let number: i64 = drop.trim_start_matches('d').parse().unwrap();
    let ledger = rusqlite::Connection::open(server.data().join("ledger.db")).unwrap();
    let changed = ledger.execute(
        "UPDATE journal SET body = x'01ff' WHERE rowid = (SELECT rowid FROM journal WHERE drop_id = ?1 \
         ORDER BY incarnation, seq LIMIT 1 OFFSET 2)",
        [number],
    );
    assert_eq!(changed.unwrap(), 1);
}
