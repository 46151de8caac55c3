//! A whole evening: a planner makes a show of five drops from a table, rehearses it, a host runs it; eight mistakes are made
//! on the way, and each is mended.

use serde_json::{Value, json};

use crate::{
    harness::{Browser, Crowd, Look, Playing, Server, Tab},
    plan::{STREAM, edit, in_order, planner, set},
    show::{VALID_MS, command, join, resume},
};

/// With the planner's mistakes: a candle for 249.00 that should be 24.90, a gift set for 5.90 that should be 59.00, 5,000
/// candles that should be 500.
const TABLE: &str = "Title\tCode\tPrice, EUR\tStock\tReserve\n\
    Travel spray\tTS-10\t14.90\t12\t20\n\
    Eau de parfum\tEDP-50\t49.90\t300\t\n\
    Candle\tC-1\t249.00\t5,000\t\n\
    Gift set\tGS-3\t5.90\t200\t\n\
    Hand cream\tHC-75\t14.90\t300\t";

const REHEARSAL: &str = "/v1/streams/friday-show/rehearsal";

/// A show, its planner at the page of its drops, its host in the control room.
struct Evening {
    server: Server,
    planner: Tab,
    host: Tab,
}

impl Evening {
    /// The drop that comes next, once it has this title.
    fn next(&self, title: &str) -> String {
        self.host.see("[data-s=next-title]", title);
        let next = self.host.until(
            "the next drop",
            "document.querySelector('[data-command=next][data-act=open]').dataset.drop",
        );
        let next = next.as_str().unwrap().to_owned();
        assert_eq!(self.server.drop_state(&next)["plan"]["title"], title);
        next
    }

    /// Starts the drop that comes next, and waits until it is open.
    fn open(&self, title: &str) -> String {
        let drop = self.next(title);
        command(&self.host, "next", "Start next drop");
        self.server.until(&drop, "open", |state| state["phase"] == "open");
        self.host.see("[data-s=title]", title);
        self.host.see("[data-s=state]", "Open");
        drop
    }

    /// Opens the form of a planned drop and changes one field of it.
    fn replan(&self, drop: &str, title: &str, field: &str, value: &str) {
        self.planner.go(&self.server.page(&format!("/plan/{STREAM}/{drop}")));
        self.planner.see("h1", "Edit a drop");
        set(&self.planner, field, value);
        self.planner.press("[data-do=plan]");
        self.planner.see("[data-s=line]", &format!("Changed {title}."));
        self.look_anew();
    }

    /// The host's page knows of the planner's changes: what is pressed on older terms is refused.
    fn look_anew(&self) {
        self.host.go(&self.server.page(&format!("/live/{STREAM}")));
        self.host.see("[data-s=age]", "old");
    }

    /// Viewers who want one each of the drop's goods.
    fn crowd(&self, drop: &str, viewers: u32, never_pay_share: f64) -> Playing {
        self.come(drop, Crowd { never_pay_share, ..Crowd::new(STREAM, drop, viewers) })
    }

    /// Lets a crowd come that wants the drop's goods: people who were there for no other drop.
    fn come(&self, drop: &str, crowd: Crowd) -> Playing {
        let sku = self.server.drop_state(drop)["plan"]["skus"][0]["id"].clone();
        let from = drop[1..].parse::<u32>().unwrap() * 100;
        Crowd { sku: sku.as_str().unwrap().to_owned(), from, ..crowd }.come(&self.server)
    }

    /// Ends the drop on air, so that the next one comes to an empty stage.
    fn close(&self, drop: &str) {
        self.host.see("[data-command=more]:not([aria-disabled])", "More");
        self.host.key("m");
        self.host.hold_until(
            "[data-command=close]",
            "closed",
            "/Closed|Sold out|Settled/.test(document.querySelector('[data-s=state]').textContent)",
        );
        self.server.until(drop, "closed", |state| {
            state["phase"] == "closed" || state["phase"] == "settled"
        });
    }

    fn rehearsed(&self) -> Value {
        self.server.ask("GET", REHEARSAL, &Value::Null).body
    }

    /// Types an amount into a dialog, digit by digit.
    fn amount(&self, digits: &str) {
        for digit in digits.chars() {
            self.host.key(&digit.to_string());
        }
    }
}

/// Has a drop open a second after its start: nobody here speaks to viewers before.
fn quicken(server: &Server, drop: &str) {
    let mut plan = server.drop_state(drop)["plan"].clone();
    plan["countdown_ms"] = 1_000.into();
    edit(server, drop, &plan);
}

fn units(server: &Server, drop: &str) -> [u64; 3] {
    let state = server.drop_state(drop);
    ["supplied", "available", "reserve"].map(|of| state["skus"][0][of].as_u64().unwrap())
}

#[test]
fn eight_mistakes_of_an_evening_are_made_and_mended() {
    let server = Server::start();
    let browser = Browser::start();
    let planner = planner(&browser.visitor(Look::LAPTOP), &server, "paste");
    planner.put("#table", TABLE);
    planner.see("[data-s=found]", "5 rows, 5 drops");
    planner.press("[data-do=plan]");
    planner.see("[data-s=line]", "5 drops are planned.");
    in_order(&planner, "Travel spray,Eau de parfum,Candle,Gift set,Hand cream");
    for drop in ["d1", "d2", "d3", "d4", "d5"] {
        quicken(&server, drop);
    }
    let host = browser.visitor(Look::LAPTOP).tab();
    join(&host, &server, &server.invite("nina", "host", &[STREAM], VALID_MS));
    let evening = Evening { server, planner, host };
    rehearse(&evening);
    wrong_drop_in_its_countdown(&evening);
    wrong_drop_opened(&evening);
    price_typed_wrong_before_the_opening(&evening);
    too_much_stock(&evening);
    price_typed_wrong_and_open(&evening);
    too_little_stock(&evening);
    limit_too_tight_and_end_too_early(&evening);
    report(&evening);
}

fn rehearse(evening: &Evening) {
    let Evening { server, host, .. } = evening;
    host.press("[data-do=rehearse]");
    host.see("[data-s=result]", "200 viewers come in");
    let copies = evening.rehearsed()["drops"].clone();
    assert_eq!(copies.as_array().unwrap().len(), 5);
    server.until_told(REHEARSAL, "everybody is in", |state| state["connected"] == 200);
    let spray = evening.open("Travel spray");
    assert_eq!(copies[0]["drop"], json!(spray));
    server.until(&spray, "sold", |state| state["skus"][0]["sold"].as_u64() > Some(0));
    host.press("[data-do=end-rehearsal]");
    host.see("[data-s=result]", "The rehearsal is over");
    assert_eq!(evening.next("Travel spray"), "d1", "the real one is next");
}

/// The host starts the countdown of the spray; the perfume was meant to come first.
fn wrong_drop_in_its_countdown(evening: &Evening) {
    let Evening { server, planner, host } = evening;
    evening.replan("d1", "Travel spray", "countdown", "600");
    evening.next("Travel spray");
    command(host, "next", "Start next drop");
    host.see("[data-s=title]", "Travel spray");
    host.see("[data-command=stop][data-act=cancel-countdown]", "Cancel");
    host.key("Escape");
    host.see("[data-s=result]", "Countdown cancelled");
    assert_eq!(server.drop_state("d1")["phase"], "scheduled");
    evening.replan("d1", "Travel spray", "countdown", "1");
    planner.go(&server.page(&format!("/plan/{STREAM}")));
    planner.press("[data-key=d1] [data-do=down]");
    in_order(planner, "Eau de parfum,Travel spray,Candle,Gift set,Hand cream");
    evening.next("Eau de parfum");
}

/// The perfume is opened before the host speaks of it.
fn wrong_drop_opened(evening: &Evening) {
    let Evening { server, host, .. } = evening;
    let early = evening.open("Eau de parfum");
    let crowd = evening.crowd(&early, 20, 1.0);
    host.see("[data-s=bar-held]", "20");
    host.key("u");
    host.see("[data-s=undo-held]", "20 held units go back.");
    host.press("[data-do=undo]");
    host.see("[data-s=result]", "Opening undone; the drop is planned again");
    server.until(&early, "voided", |state| state["phase"] == "voided");
    crowd.go();
    // It stands where it stood, and is opened when its time has come.
    let perfume = evening.open("Eau de parfum");
    assert_ne!(perfume, early);
    let crowd = evening.crowd(&perfume, 10, 0.0);
    host.see("[data-s=bar-paid]", "10");
    crowd.go();
    evening.close(&perfume);
}

fn price_typed_wrong_before_the_opening(evening: &Evening) {
    evening.replan("d3", "Candle", "goods.C-1.price", "24.90");
    let candle = evening.server.drop_state("d3");
    assert_eq!(candle["plan"]["skus"][0]["price"]["minor"], 2_490);
}

/// 5,000 candles were typed for 500; some of them are taken by then.
fn too_much_stock(evening: &Evening) {
    let Evening { server, planner, host } = evening;
    planner.go(&server.page(&format!("/plan/{STREAM}")));
    planner.press("[data-key=d1] [data-do=down]");
    planner.see("[data-s=line]", "Moved. Travel spray");
    let candle = evening.open("Candle");
    let crowd = evening.crowd(&candle, 20, 0.0);
    host.see("[data-s=bar-paid]", "20");
    host.key("m");
    host.key("1");
    host.until("asked", "document.querySelector('[data-el=back-dialog]').open");
    evening.amount("4500");
    host.press("[data-form=back] [name=reserve]");
    host.see("[data-s=back-then]", "4,500 are gone for good, 480 stay on sale.");
    host.key("Enter");
    host.see("[data-s=result]", "are off sale");
    assert_eq!(units(server, &candle), [500, 480, 0]);
    crowd.go();
    evening.close(&candle);
}

/// A gift set for 5.90 is open before anybody sees it: it is called off, its copy is changed and opened.
fn price_typed_wrong_and_open(evening: &Evening) {
    let Evening { server, planner, host } = evening;
    planner.go(&server.page(&format!("/plan/{STREAM}")));
    planner.press("[data-key=d1] [data-do=down]");
    planner.see("[data-s=line]", "Moved. Travel spray");
    let cheap = evening.open("Gift set");
    let crowd = evening.crowd(&cheap, 5, 1.0);
    host.see("[data-s=bar-held]", "5");
    host.press("[data-command=undo]");
    host.press("[data-do=undo]");
    host.see("[data-s=result]", "Opening undone");
    server.until(&cheap, "voided", |state| state["phase"] == "voided");
    crowd.go();
    let copy = evening.next("Gift set");
    evening.replan(&copy, "Gift set", "goods.GS-3.price", "59.00");
    assert_eq!(evening.open("Gift set"), copy);
    assert_eq!(server.drop_state(&copy)["plan"]["skus"][0]["price"]["minor"], 5_900);
    let crowd = evening.crowd(&copy, 5, 0.0);
    host.see("[data-s=bar-paid]", "5");
    crowd.go();
    evening.close(&copy);
}

/// The sprays are gone at once; there are more in reserve.
fn too_little_stock(evening: &Evening) {
    let Evening { server, host, .. } = evening;
    let spray = evening.open("Travel spray");
    let crowd = evening.crowd(&spray, 20, 0.0);
    host.see("[data-s=hero]", "All taken for now");
    host.see("[data-s=under-left]", "20 in reserve");
    host.key("r");
    host.see("[data-list=restock-skus]", "0 left, 20 in reserve");
    evening.amount("20");
    host.see("[data-s=restock-then]", "20 from the reserve; 0 stay there.");
    host.key("Enter");
    host.see("[data-s=result]", "by 20");
    // Everybody has one, and some are left.
    host.see("[data-s=bar-paid]", "20");
    assert_eq!(units(server, &spray), [32, 12, 0]);
    crowd.go();
    evening.close(&spray);
}

/// Of the hand cream each viewer may have two where four were meant, and it ends before the show does.
fn limit_too_tight_and_end_too_early(evening: &Evening) {
    let Evening { server, host, .. } = evening;
    let cream = evening.next("Hand cream");
    evening.planner.go(&server.page(&format!("/plan/{STREAM}/{cream}")));
    evening.planner.press("[name=end][value=after]");
    set(&evening.planner, "endAfter", "10:00");
    evening.planner.press("[data-do=plan]");
    evening.planner.see("[data-s=line]", "Changed Hand cream.");
    evening.look_anew();
    assert_eq!(evening.open("Hand cream"), cream);
    host.see("[data-list=facts]", "at most 2 each");
    host.key("p");
    host.see("[data-s=state]", "Paused");
    host.see("[data-s=result]", "Paused");
    host.key("m");
    host.see("[data-command=limits]:not([aria-disabled])", "At most 2 each");
    host.key("l");
    host.put("[data-form=limits] [name=limit]", "4");
    host.key("Enter");
    host.see("[data-s=result]", "At most 4 each from now on");
    host.see("[data-list=facts]", "at most 4 each");
    resume(host);
    server.until(&cream, "open", |state| state["phase"] == "open");
    host.see("[data-command=more]:not([aria-disabled])", "More");
    host.see("[data-s=state]", "Open");
    host.key("m");
    host.see("[data-command=extend]:not([aria-disabled])", "Extend");
    host.key("2");
    host.see("[data-s=extend-lead]", "It ends at ");
    host.press("[data-do=extend][value='900000']");
    host.see("[data-s=result]", "ends at ");
    let left = server.drop_state(&cream)["closes_in_ms"].as_u64().unwrap();
    assert!(left > 15 * 60_000, "{left}");
    let crowd = Crowd { units: 3, never_pay_share: 0.0, ..Crowd::new(STREAM, &cream, 4) };
    let crowd = evening.come(&cream, crowd);
    host.see("[data-s=bar-paid]", "12");
    crowd.go();
    evening.close(&cream);
}

/// What was paid is all there, and nothing of what was called off.
fn report(evening: &Evening) {
    let Evening { server, .. } = evening;
    let told = server.ask("GET", "/v1/orders?limit=1000", &Value::Null).body;
    let orders = told["orders"].as_array().unwrap();
    assert_eq!(orders.len(), 10 + 20 + 5 + 20 + 4, "{told}");
}
