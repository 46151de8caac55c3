//! Planning many drops at once: from a table of a spreadsheet, and as copies.

use serde_json::{Value, json};

use crate::{
    harness::{Browser, Drop, Look, Server},
    plan::{STREAM, edit, in_order, planner, set, titles},
};

/// A table of five drops, as a spreadsheet copies it.
pub(crate) const TABLE: &str = "Title\tSize\tCode\tPrice, EUR\tStock\tReserve\n\
    Travel spray\t\tTS-10\t14.90\t1,200\t\n\
    Eau de parfum\t30 ml\tEDP-30\t29.90\t4,000\t\n\
    \t50 ml\tEDP-50\t49.90\t9,000\t1,000\n\
    Candle\tCedar\tC-1\t24.90\t4,000\t\n\
    Candle\tFig\tC-2\t24.90\t5,000\t\n\
    Gift set\t\tGS\t59.00\t1,200\t\n\
    Hand cream\t\tHC\t14.90\t3,000\t";

#[test]
fn a_show_of_five_drops_comes_from_a_pasted_table() {
    let server = Server::start();
    let browser = Browser::start();
    let merchant = server.staff_of("mara", "merchant", "potter");
    let tab = browser.visitor(Look::LAPTOP).sign_in(&server.page("/sign-in?to=/shows"), &merchant);
    // From an empty server: the list of shows leads to planning, which asks for a name.
    tab.press(".nothing a[href=\"/plan\"]");
    tab.put("#stream", "friday show");
    tab.key("Enter");
    tab.see("#stream-error", "is no name for a show");
    tab.put("#stream", STREAM);
    tab.key("Enter");
    tab.see(".plan-show", "Nothing is planned yet");
    tab.press(&format!("a[href=\"/plan/{STREAM}/paste\"]"));
    tab.see("h1", "Paste a table");
    tab.put("#table", "Name\tWeight\nMug\t3");
    tab.see("#table-error", "The header row has no column Price, Supply.");
    tab.put("#table", &TABLE.replace("59.00", "59,00"));
    tab.see("[data-s=found]", "7 rows, 5 drops");
    tab.see("[data-list=wrong]", "Row 7 Price: 59,00 has a comma. Type 59.00");
    tab.see("[data-s=plan]", "Plan 4 drops");
    tab.put("#table", TABLE);
    tab.see("[data-el=right]", "Every row is right.");
    assert_eq!(titles(&server), [""; 0], "nothing is planned before it is pressed");
    tab.press("[data-do=plan]");
    tab.see("[data-s=line]", "5 drops are planned.");
    in_order(&tab, "Travel spray,Eau de parfum,Candle,Gift set,Hand cream");
    assert_eq!(titles(&server).len(), 5);
    let perfume = server.drop_state("d2");
    let sku = &perfume["plan"]["skus"][1];
    assert_eq!(sku["price"], json!({ "minor": 4_990, "currency": "EUR" }));
    assert_eq!((&sku["supply"], &sku["reserve"]), (&json!(9_000), &json!(1_000)));
    assert_eq!(
        (&sku["merchant_sku"], &sku["options"][0]["value"]),
        (&json!("EDP-50"), &json!("50 ml"))
    );
    assert_eq!(
        (&perfume["hidden"], &perfume["plan"]["merchant"]),
        (&json!(true), &json!("potter"))
    );
    tab.see("[data-list=order]", "hidden");
}

#[test]
fn an_admin_names_the_merchant_of_a_table() {
    let server = Server::start();
    let browser = Browser::start();
    let door = server.page(&format!("/sign-in?to=/plan/{STREAM}/paste"));
    let tab = browser.visitor(Look::LAPTOP).sign_in(&door, &server.token);
    tab.put("#table", "Title\tHost\tPrice, RSD\tStock\tMerchant\nMug\tnina\t1250.50\t10\tweaver\nCup\tnina\t900\t5\t");
    tab.see("[data-list=wrong]", "Row 3 Merchant is missing");
    tab.put("#paste-merchant", "potter");
    tab.see("[data-el=right]", "Every row is right.");
    tab.see("[data-list=rows] tr:last-child [data-t=merchant]", "potter");
    tab.see("[data-list=rows] tr:last-child [data-t=currency]", "RSD");
    tab.press("[data-do=plan]");
    tab.see("[data-s=line]", "2 drops are planned.");
    let [mug, cup] = ["d1", "d2"].map(|drop| server.drop_state(drop)["plan"].clone());
    assert_eq!((&mug["merchant"], &cup["merchant"]), (&json!("weaver"), &json!("potter")));
    // As the server counts dinars, not as the browser does.
    assert_eq!(mug["skus"][0]["price"], json!({ "minor": 125_050, "currency": "RSD" }));
}

#[test]
fn a_table_whose_planning_broke_off_is_planned_to_its_end_once() {
    let mut server = Server::start();
    let browser = Browser::start();
    let tab = planner(&browser.visitor(Look::LAPTOP), &server, "paste");
    tab.put("#table", TABLE);
    tab.see("[data-s=plan]", "Plan 5 drops");
    // The answer to the third is lost, and so is the server.
    tab.call(
        "Page.addScriptToEvaluateOnNewDocument",
        &json!({ "source": "{ const ask = fetch; globalThis.posted = 0; globalThis.fetch = async (url, options) => {
          const answer = await ask(url, options); if (options?.method !== 'POST') return answer;
          globalThis.posted += 1; if (globalThis.posted >= 3) throw new TypeError('lost'); return answer; }; }" }),
    );
    tab.press("[data-do=plan]");
    tab.until("stuck at the third", "globalThis.posted >= 3");
    server.kill();
    tab.press("[data-do=plan-all]");
    tab.see("[data-s=plan-all]", "Go on planning, 3 left");
    server.restart();
    assert_eq!(titles(&server).len(), 3);
    // Another page of the same browser goes on.
    tab.go(&server.page(&format!("/plan/{STREAM}")));
    tab.value("globalThis.posted = -100");
    tab.press("[data-do=plan-all]");
    tab.see("[data-s=line]", "3 drops are planned.");
    in_order(&tab, "Travel spray,Eau de parfum,Candle,Gift set,Hand cream");
    assert_eq!(
        titles(&server),
        ["Travel spray", "Eau de parfum", "Candle", "Gift set", "Hand cream"]
    );
}

#[test]
fn five_hundred_rows_with_three_bad_ones_are_told_row_by_row() {
    let server = Server::start();
    let browser = Browser::start();
    let tab = planner(&browser.visitor(Look::LAPTOP), &server, "paste");
    let rows = (0..500).map(|at| {
        let price = match at {
            123 => "-1",
            250 => "9,90",
            _ => "9.90",
        };
        let supply = if at == 499 { "lots" } else { "10" };
        format!("Drop {}\tSize {}\tC-{at}\t{price}\t{supply}", at / 10 + 1, at % 10 + 1)
    });
    let table: Vec<_> =
        std::iter::once("标题\t规格\t编码\t价格\t库存".to_owned()).chain(rows).collect();
    tab.put("#table", &table.join("\n"));
    tab.see("[data-s=found]", "500 rows, 50 drops");
    for said in [
        "Row 125 Price: -1 is below 0",
        "Row 252 Price: 9,90 has a comma",
        "Row 501 Supply: lots is no number",
    ] {
        tab.see("[data-list=wrong]", said);
    }
    assert_eq!(tab.value("document.querySelectorAll('[data-list=rows] tr').length"), 500);
    assert_eq!(tab.value("document.querySelectorAll('[data-list=rows] .bad').length"), 3);
    assert_eq!(titles(&server), [""; 0]);
    tab.press("[data-do=plan]");
    tab.see("[data-s=line]", "47 drops are planned.");
    assert_eq!(titles(&server).len(), 47);
    // What was not right is still there to be mended.
    tab.press(&format!("a[href=\"/plan/{STREAM}/paste\"]"));
    tab.see("[data-s=found]", "30 rows, 3 drops");
    tab.see("[data-list=wrong]", "Row 5 Price: -1 is below 0");
}

#[test]
fn a_drop_and_a_show_are_copied_without_their_times() {
    let server = Server::start();
    let first = server.plan(&Drop::new(STREAM, 1, "Grey mug", 5));
    server.plan(&Drop::new(STREAM, 2, "Blue mug", 5));
    let at = server.drop_state(&first)["server_time_ms"].as_u64().unwrap() + 3_600_000;
    let mut timed = server.drop_state(&first)["plan"].clone();
    timed["starts_at_ms"] = at.into();
    edit(&server, &first, &timed);
    let browser = Browser::start();
    let tab = planner(&browser.visitor(Look::LAPTOP), &server, "");
    tab.until("ready", "!document.querySelector('[data-do=copy-show]').hidden");
    tab.press("[data-key=d1] [data-do=copy]");
    tab.until("a draft", "document.querySelector('#f-title')?.value === 'Grey mug'");
    tab.until("by hand", "document.querySelector('[name=start][value=hand]').checked");
    set(&tab, "title", "Green mug");
    tab.press("[data-do=plan]");
    tab.see("[data-s=line]", "Planned Green mug.");
    assert_eq!(server.drop_state("d3")["plan"]["starts_at_ms"], Value::Null);
    tab.press("[data-do=copy-show]");
    tab.see("[data-s=copy-go]", "Copy 3 drops");
    tab.put("#copy-stream", STREAM);
    tab.key("Enter");
    tab.see("#copy-error", "That is this show.");
    // What was wrong is not wrong any more when it is opened again.
    tab.key("Escape");
    tab.press("[data-do=copy-show]");
    tab.until("anew", "document.querySelector('#copy-error').hidden");
    tab.put("#copy-stream", "monday-show");
    tab.key("Enter");
    tab.see("[data-s=line]", "3 drafts are here, without times.");
    assert_eq!(titles(&server).len(), 3);
    tab.press("[data-do=plan-all]");
    tab.see("[data-s=line]", "3 drops are planned.");
    in_order(&tab, "Grey mug,Blue mug,Green mug");
    let copy = server.drop_state("d4")["plan"].clone();
    assert_eq!((&copy["stream"], &copy["starts_at_ms"]), (&json!("monday-show"), &Value::Null));
}

#[test]
fn nothing_of_planning_scrolls_sideways() {
    let server = Server::start();
    server.plan(&Drop::new(STREAM, 1, &"Wide mug ".repeat(20), 5));
    let browser = Browser::start();
    let visitor = browser.visitor(Look::LAPTOP);
    let tab = planner(&visitor, &server, "paste");
    tab.put("#table", &TABLE.replace("59.00", "59,00"));
    tab.see("[data-s=found]", "5 drops");
    for language in ["en", "zh-CN"] {
        for width in [390, 834, 1280] {
            tab.look(Look { size: (width, 900), language, ..Look::LAPTOP });
            for page in ["", "/new", "/paste", "/d1"] {
                tab.go(&server.page(&format!("/plan/{STREAM}{page}")));
                if page == "/new" {
                    tab.press("[data-do=plan]");
                    tab.see("#f-title-error", "");
                }
                let wide = "document.documentElement.scrollWidth <= innerWidth";
                assert_eq!(tab.value(wide), true, "{page} at {width} in {language}");
            }
        }
    }
}
