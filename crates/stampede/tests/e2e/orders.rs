//! Whoever answers customers: finds an order, cancels a unit of it, works off what needs somebody.

use serde_json::{Value, json};

use crate::harness::{Browser, Crowd, Drop, Look, Server};

const STREAM: &str = "friday-show";

/// An order as the list has it.
pub(crate) struct Sold {
    pub(crate) code: String,
    pub(crate) drop: String,
}

/// A drop of which three orders were bought; the first of them was paid for a second time, by the platform.
pub(crate) fn sell(server: &Server) -> Sold {
    let drop = server.plan(&Drop { countdown_ms: 0, limit: 2, ..Drop::new(STREAM, 1, "Mug", 20) });
    server.command(&format!("drops/{drop}/open"), &json!({}));
    let crowd = Crowd { units: 2, never_pay_share: 0.0, ..Crowd::new(STREAM, &drop, 3) };
    let crowd = crowd.come(server);
    server.until(&drop, "three orders", |state| state["skus"][0]["sold"] == 6);
    std::mem::drop(crowd);
    let list = server.until_told("/v1/orders", "three orders", |list| {
        list["orders"].as_array().is_some_and(|orders| orders.len() == 3)
    });
    let order = &list["orders"][0];
    let fact = json!({ "payment": "pay-2", "event": "paid", "holds": [order["order"]],
        "amount": { "minor": 3_000, "currency": "EUR" } });
    let payer = server.staff_of("payer", "payments", "potter");
    let told = server.command_as(&payer, "payments", &fact);
    assert_eq!(told["holds"][0]["outcome"], "refund_due", "{told}");
    Sold { code: order["code"].as_str().unwrap().to_owned(), drop }
}

fn matters(server: &Server, what: &str, is_so: impl Fn(&[Value]) -> bool) {
    let path = "/v1/attention?kind=refund";
    server.until_told(path, what, |told| told["matters"].as_array().is_some_and(|all| is_so(all)));
}

#[test]
fn an_order_is_found_and_a_unit_of_it_cancelled() {
    let server = Server::start();
    let Sold { code, drop } = sell(&server);
    let browser = Browser::start();
    let support = browser.visitor(Look::LAPTOP);
    let merchant = server.staff_of("mara", "merchant", "potter");
    let door = support.sign_in(&server.page("/sign-in?to=/orders"), &merchant);
    door.see(".orders", &code);
    door.close();
    let tab = support.open(&server.page("/orders"));
    // By its keys: the search, the code that was read out, mistyped first.
    tab.key("/");
    tab.until("in the field", "document.activeElement.id === 'find'");
    let digit = code.chars().last().and_then(|digit| digit.to_digit(10)).unwrap();
    let mistyped = format!("{}{}", &code[..code.len() - 1], (digit + 1) % 10);
    tab.put("#find", &mistyped);
    tab.key("Enter");
    tab.see("#find-error", "");
    tab.put("#find", &code);
    tab.key("Enter");
    tab.see("h1", &format!("Order {code}"));
    tab.see(".events", "with time to pay until");
    tab.see(".payments", "platform/pay-2");

    tab.press("[data-do=cancel]");
    tab.see("[data-s=cancel-what]", "2 units are cancelled; 0 stay with the buyer.");
    // A press that is not held does nothing but say so; nor does one without a reason.
    tab.press("[data-do=cancel-now]");
    tab.see("[data-el=cancel-refused]", "Hold");
    tab.hold_until(
        "[data-do=cancel-now]",
        "asking why",
        "document.querySelector('#cancel-reason').getAttribute('aria-invalid') === 'true'",
    );
    tab.put("#cancel-units", "1");
    tab.see("[data-s=cancel-money]", "€15.00 is to go back");
    tab.put("#cancel-reason", "Broken in the box");
    tab.press("[name=restock]");
    tab.see("[data-s=cancel-stock]", "1 unit goes on sale again at once.");
    let before = server.drop_state(&drop)["skus"][0]["available"].as_u64().unwrap();
    tab.hold_until(
        "[data-do=cancel-now]",
        "told of it",
        "document.querySelector('[data-s=done]').textContent.includes('Cancelled')",
    );
    tab.see(".events", "“\u{2068}Broken in the box\u{2069}”");
    tab.see(".events", "mara");
    server.until(&drop, "restocked", |state| state["skus"][0]["available"] == before + 1);
    // What is left is one unit; said once, the outcome is not said again.
    tab.go(&server.page(&format!("/orders/{code}")));
    tab.press("[data-do=cancel]");
    tab.see("[data-s=cancel-what]", "1 unit is cancelled; 0 stay with the buyer.");
    tab.key("Escape");
    tab.until("closed", "!document.querySelector('dialog[open]')");
    assert_eq!(tab.text("[data-s=done]"), "");
}

/// Lets every command come to the server, and keeps its answer until the page is told to go on; then the answer is lost.
const LOSE_ANSWERS: &str = "{ const ask = fetch; globalThis.answered = 0;
  const gate = new Promise((open) => { globalThis.lose = open; });
  globalThis.fetch = async (url, options) => { const answer = await ask(url, options);
    if (options?.method !== 'POST' || globalThis.isWell) return answer;
    globalThis.answered += 1; await gate; throw new TypeError('lost'); }; }";

#[test]
fn goodwill_whose_outcome_is_not_known_is_not_given_twice() {
    let server = Server::start();
    let Sold { code, .. } = sell(&server);
    let browser = Browser::start();
    let support = browser.visitor(Look::LAPTOP);
    let merchant = server.staff_of("mara", "merchant", "potter");
    let tab = support.sign_in(&server.page(&format!("/sign-in?to=/orders/{code}")), &merchant);
    tab.see("h1", &format!("Order {code}"));
    tab.value(LOSE_ANSWERS);
    tab.press("[data-do=cancel]");
    tab.put("#cancel-units", "0");
    tab.put("#cancel-amount", "5");
    tab.put("#cancel-reason", "Sorry");
    tab.hold_until("[data-do=cancel-now]", "sent", "globalThis.answered > 0");
    // Its outcome is waited for, whatever is pressed.
    let is_open = "document.querySelector('dialog[open]') !== null";
    for _ in 0..3 {
        tab.key("Escape");
    }
    tab.press("[data-do=keep-order]");
    assert_eq!(tab.value(is_open), true);
    tab.see("[data-s=cancel-label]", "Cancelling");
    tab.value("lose()");
    tab.see("[data-el=cancel-refused]", "it may have been done");
    // What was sent is what is asked for again, also after the dialog was closed.
    tab.press("[data-do=keep-order]");
    tab.until("closed", &format!("!({is_open})"));
    tab.press("[data-do=cancel]");
    let fixed = tab.value(
        "['units', 'amount', 'reason'].every((name) => document.querySelector(`#cancel-${name}`).readOnly)",
    );
    assert_eq!(fixed, true);
    assert_eq!(tab.value("document.querySelector('#cancel-reason').value"), "Sorry");
    tab.value("globalThis.isWell = true");
    tab.hold_until(
        "[data-do=cancel-now]",
        "told of it",
        "document.querySelector('[data-s=done]').textContent.includes('Cancelled')",
    );
    let told = server.ask("GET", &format!("/v1/orders/{code}"), &Value::Null).body;
    assert_eq!(told["cancellations"], 1, "{told}");
}

#[test]
fn what_needs_somebody_leads_to_the_order_and_is_gone_once_it_is_done() {
    let server = Server::start();
    let Sold { code, .. } = sell(&server);
    let browser = Browser::start();
    let support = browser.visitor(Look::LAPTOP);
    let door = support.sign_in(&server.page("/sign-in?to=/attention"), &server.token);
    door.see("#kind-refund", "To go back");
    door.see("main", "€30.00");
    door.press(&format!("a[href=\"/orders/{code}\"]"));
    door.see("h1", &format!("Order {code}"));
    door.see(".needs", "€30.00");
    let payer = server.staff_of("payer", "payments", "potter");
    let back = json!({ "payment": "pay-2", "event": "refunded",
        "amount": { "minor": 3_000, "currency": "EUR" } });
    server.command_as(&payer, "payments", &back);
    matters(&server, "empty", <[Value]>::is_empty);
    door.go(&server.page("/attention"));
    door.see("main", "Nothing needs you");
    door.go(&server.page(&format!("/orders/{code}")));
    door.see(".events", "€30.00 of payment \u{2068}pay-2\u{2069} has gone back in all.");
}
