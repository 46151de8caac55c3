//! Orders as support looks for them.

use axum::{
    extract::Request,
    http::{StatusCode, header},
    middleware::{self, Next},
    response::IntoResponse as _,
};

use crate::{
    fake::{interface, sold},
    get, pages,
};

const ZONE: (&str, &str) = ("cookie", "stampede_ahead_min=60");

/// A text as it stands in a query.
fn encoded(text: &str) -> String {
    text.bytes().flat_map(|byte| format!("%{byte:02X}").into_bytes()).map(char::from).collect()
}

#[tokio::test]
async fn orders_are_for_whoever_may_read_them() {
    for (role, status) in [
        ("admin", StatusCode::OK),
        ("ops", StatusCode::OK),
        ("merchant", StatusCode::OK),
        ("platform", StatusCode::FORBIDDEN),
        ("stage", StatusCode::FORBIDDEN),
        ("creator", StatusCode::FORBIDDEN),
    ] {
        let router = pages(Some(role));
        for path in ["/orders", "/orders?text=3-37-1", "/orders?text=R-1001", "/orders/3-37-0"] {
            let page = get(&router, path, &[]).await;
            let is_ok = page.status == StatusCode::OK || page.status == StatusCode::SEE_OTHER;
            assert_eq!(is_ok, status == StatusCode::OK, "{role} {path}: {}", page.status);
        }
        if role != "stage" {
            let shows = get(&router, "/shows", &[]).await;
            let is_led = shows.text.contains("href=\"/orders\"");
            assert_eq!(is_led, status == StatusCode::OK, "{role}");
        }
    }
    let page = get(&pages(None), "/orders/3-37-0", &[]).await;
    assert_eq!(page.headers[header::LOCATION], "/sign-in?to=/orders/3-37-0");
}

#[tokio::test]
async fn the_newest_orders_are_listed_a_page_at_a_time() {
    let router = pages(Some("merchant"));
    let page = get(&router, "/orders", &[ZONE]).await;
    for part in [
        "href=\"/orders/3-37-0\"",
        "€44.70",
        "€14.90 to go back",
        "¥1,200",
        "Money kept ready",
        "Partly refunded",
        "27 November 2026, 21:32:12",
        "href=\"/v1/orders?format=csv\"",
        "href=\"/orders?after=50\"",
    ] {
        assert!(page.text.contains(part), "{part} in {}", page.text);
    }
    assert_eq!(page.text.matches("<tr><th scope=\"row\">").count(), 50);
    // What was sold in a rehearsal looks like it, what has no money behind it needs somebody.
    assert_eq!(page.text.matches("<span class=\"tag off\">Test</span>").count(), 1);
    assert!(page.text.contains("quiet needs\"><svg class=\"icon\" aria-hidden=\"true\" focusable=\"false\"><use href=\"#i-triangle\"></use></svg>Money gone"));
    let last = get(&router, "/orders?after=100", &[ZONE]).await;
    assert!(!last.text.contains("rel=\"next\"") && last.text.contains(">Newest orders</a>"));
    // A browser that has not told its clock is told UTC.
    assert!(get(&router, "/orders", &[]).await.text.contains("20:32:12 UTC"));
}

#[tokio::test]
async fn an_order_is_found_by_whatever_it_is_called() {
    let router = pages(Some("merchant"));
    for (text, to) in [
        ("3-37-0", "/orders/3-37-0"),
        ("%203-37-0%20", "/orders/3-37-0"),
        ("R-1001", "/orders/3-37-0"),
        ("pay-10", "/orders/3-37-0"),
        (sold::LONG, "/orders/3-37-0"),
        ("pay-11", &format!("/orders/{}", sold::HOLD)),
    ] {
        let page = get(&router, &format!("/orders?text={text}"), &[]).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{text}: {}", page.text);
        assert_eq!(page.headers[header::LOCATION], to, "{text}");
    }
    let page = get(&router, "/orders?text=same", &[]).await;
    for part in
        ["/orders/3-37-0\"", "/orders/3-38-1\"", sold::HOLD, "Look in older drops", "after=0000"]
    {
        assert!(page.text.contains(part), "{part} in {}", page.text);
    }
}

#[tokio::test]
async fn what_is_not_found_says_what_to_do() {
    let router = pages(Some("merchant"));
    let page = get(&router, "/orders?text=nothing", &[]).await;
    assert!(page.text.contains("Nothing goes by \u{2068}nothing\u{2069}"), "{}", page.text);
    assert!(page.text.contains("value=\"nothing\""));
    let page = get(&router, "/orders?text=old", &[]).await;
    assert!(page.text.contains("There are older ones") && page.text.contains("rel=\"next\""));
    // A platform may call an order like a code of ours.
    let page = get(&router, "/orders?text=9-9-4", &[]).await;
    assert!(page.text.contains("href=\"/orders?text=9-9-4&#38;as=reference\""), "{}", page.text);
    // As long as an order may be called, and a character longer.
    let (whole, long) = ("\u{56e0}".repeat(128), "\u{56e0}".repeat(129));
    let page = get(&router, &format!("/orders?text={}", encoded(&whole)), &[]).await;
    assert!(page.text.contains("Nothing goes by") && !page.text.contains("aria-invalid"));
    let page = get(&router, &format!("/orders?text={}", encoded(&long)), &[]).await;
    assert!(page.text.contains("The text is too long. Type 128 characters or fewer."));
    let long = "x".repeat(300);
    for text in ["a%20b", "%3Cscript%3E", &long, "%00"] {
        let page = get(&router, &format!("/orders?text={text}"), &[]).await;
        assert_eq!(page.status, StatusCode::OK, "{text}");
        assert!(!page.text.contains("<script>"), "{text}");
    }
}

#[tokio::test]
async fn a_wrong_check_digit_is_said_before_anything_is_looked_for() {
    let router = pages(Some("merchant"));
    let page = get(&router, "/orders?text=3-37-1", &[]).await;
    for part in [
        "aria-invalid=\"true\"",
        "aria-describedby=\"find-hint find-error\"",
        "value=\"3-37-1\"",
        "\u{2068}3-37-1\u{2069} is no order code: its check digit does not fit.",
        "href=\"/orders?text=3-37-1&#38;as=reference\"",
    ] {
        assert!(page.text.contains(part), "{part} in {}", page.text);
    }
    let page = get(&router, "/orders?text=3-37-1&as=reference", &[]).await;
    assert!(!page.text.contains("aria-invalid") && page.text.contains("Nothing goes by"));
    let page = get(&router, "/orders?text=3-37-1", &[("accept-language", "zh-CN")]).await;
    assert!(page.text.contains("校验位不符"), "{}", page.text);
}

#[tokio::test]
async fn nothing_is_read_for_a_text_that_cannot_be_looked_for() {
    let no_orders = async |request: Request, next: Next| match request.uri().path() {
        path if path.starts_with("/v1/orders") => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        _ => next.run(request).await,
    };
    let long = "x".repeat(129);
    for (role, status) in [("merchant", StatusCode::OK), ("host", StatusCode::FORBIDDEN)] {
        let interface = interface(Some(role)).layer(middleware::from_fn(no_orders));
        let router = stampede_pages::router(interface);
        for text in ["3-37-1", &long] {
            let page = get(&router, &format!("/orders?text={text}"), &[]).await;
            assert_eq!(page.status, status, "{role} {text}");
        }
    }
}

#[tokio::test]
async fn an_order_tells_what_happened_to_it() {
    let router = pages(Some("merchant"));
    let page = get(&router, "/orders/3-37-0", &[ZONE]).await;
    for part in [
        "<h1>Order 3-37-0</h1>",
        "Scented candle, 200 g, Cedar",
        "2 units at €24.90",
        "€54.70",
        "Still to go back",
        "€14.90",
        "No. 37 of 80",
        "2, of these 1 cancelled",
        "R-1001",
        "nina-tv",
        sold::LONG,
        "platform/pay-8</bdi> <span>Went back</span>",
        "platform/pay-9</bdi> <span>Failed</span>",
        "platform/pay-10</bdi> <span>Paid</span>",
        "<h3>27 November 2026</h3>",
        "<h3>28 November 2026</h3>",
        "<time>21:23:12</time>",
        "\u{2068}v-4711\u{2069} took 2 units, with time to pay until 21:25:12.",
        "A payment was under way: 1\u{a0}min\u{a0}0\u{a0}s more to pay, until 21:26:12.",
        "Payment \u{2068}pay-9\u{2069} failed: \u{2068}card_declined\u{2069}.",
        "Payment \u{2068}pay-10\u{2069} paid €54.70.",
        "Beyond the goods: shipping €4.90, tax €0.00, fees €0.00.",
        "€10.00 of payment \u{2068}pay-10\u{2069} has gone back in all.",
        "It became order 3-37-0: 2 units for €49.80.",
        "\u{2068}Mara\u{2069} cancelled 1 unit; 1 of 2 cancelled by now. €24.90 to go back; the units are on sale again. Reason: “\u{2068}broken in the box\u{2069}”",
        "€24.90 of payment \u{2068}pay-10\u{2069} has to go back: staff decided so.",
        "Something happened that this page has no words for: brought_by_stork.",
    ] {
        assert!(page.text.contains(part), "{part} in {}", page.text);
    }
    assert!(!page.text.contains("class=\"tag off\""));
    let page = get(&router, "/orders/3-38-1", &[ZONE]).await;
    for part in [
        "class=\"tag off\">Test<",
        "This is from a rehearsal",
        "A viewer whose name was erased took 1 unit",
    ] {
        assert!(page.text.contains(part), "{part} in {}", page.text);
    }
    let page = get(&router, &format!("/orders/{}", sold::HOLD), &[ZONE]).await;
    for part in [
        "Hold, no order",
        "Ended",
        "2 units came back on sale",
        "its units could not be taken again",
    ] {
        assert!(page.text.contains(part), "{part} in {}", page.text);
    }
    let page = get(&router, "/orders/3-37-0", &[ZONE, ("accept-language", "zh-CN")]).await;
    for part in ["订单 3-37-0", "2026年11月28日", "由工作人员决定"] {
        assert!(page.text.contains(part), "{part} in {}", page.text);
    }
    let none = get(&router, "/orders/9-9-4", &[]).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    assert!(none.text.contains("No such order"), "{}", none.text);
    assert_eq!(get(&router, "/orders/a%2Fb", &[]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_screen_that_is_on_camera_shows_no_amounts() {
    let router = pages(Some("merchant"));
    for path in ["/orders", "/orders/3-37-0"] {
        let page = get(&router, path, &[("cookie", "stampede_money=hidden")]).await;
        assert!(page.text.contains("hidden") && !page.text.contains('€'), "{path}: {}", page.text);
        assert!(!page.text.contains("cancel-dialog"), "{path}");
    }
}

#[tokio::test]
async fn what_needs_somebody_stands_by_urgency() {
    let router = pages(Some("merchant"));
    let page = get(&router, "/attention", &[ZONE]).await;
    let mut at = 0;
    for part in [
        "id=\"kind-unmatched\"",
        "€49.90",
        "It names “\u{2068}&#60;script&#62;",
        "stripe:main/pi_3MtwBw",
        "data-form=\"closing\" data-account=\"stripe:main\" data-payment=\"pi_3MtwBw\"",
        "for 1\u{a0}d\u{a0}0\u{a0}h",
        "id=\"kind-unpaid\"",
        "€49.80",
        "The order lacks this",
        "href=\"/orders/3-38-1\"",
        "id=\"kind-wrong_amount\"",
        "€49.00",
        "it is not the amount that was owed",
        "id=\"kind-refund\"",
        "€14.90",
        "The provider refused: “\u{2068}no balance\u{2069}”.",
        "The server has asked the provider for it.",
        ">Test<",
        "href=\"/attention?kind=refund\">Show more",
        "id=\"kind-void\"",
        &format!("href=\"/orders/{}\"", sold::HOLD),
        "for 1\u{a0}h\u{a0}30\u{a0}min",
        "id=\"kind-unnamed\"",
        "When there is time",
        "It names nothing of a sale.",
        "stripe:main/pi_shop",
        "data-form=\"closing\" data-account=\"stripe:main\" data-payment=\"pi_shop\"",
    ] {
        let found = page.text[at..].find(part);
        assert!(found.is_some(), "{part} behind {at} in {}", page.text);
        at += found.unwrap();
    }
    // What there is nothing of has no heading.
    assert!(!page.text.contains("id=\"kind-capture\""));
    let one = get(&router, "/attention?kind=refund", &[ZONE]).await;
    assert!(one.text.contains("id=\"kind-refund\"") && !one.text.contains("id=\"kind-void\""));
    assert!(one.text.contains("href=\"/attention?kind=refund&#38;after=0000"), "{}", one.text);
    let none = get(&router, "/attention?kind=capture", &[ZONE]).await;
    assert!(none.text.contains("Nothing of this kind waits for anybody."), "{}", none.text);
    // A page may stop before it has found anything, wherever it looks.
    for kind in ["unmatched", "capture"] {
        let page = get(&router, &format!("/attention?kind={kind}&after=far"), &[ZONE]).await;
        assert!(page.text.contains("not everything was looked through yet"), "{}", page.text);
        assert!(page.text.contains("rel=\"next\"") && !page.text.contains("drops."));
    }
    let calm = get(&pages(Some("ops")), "/attention", &[ZONE]).await;
    assert!(calm.text.contains("Nothing needs you"), "{}", calm.text);
    let hidden = get(&router, "/attention", &[("cookie", "stampede_money=hidden")]).await;
    assert!(!hidden.text.contains('€'), "{}", hidden.text);
    for role in ["platform", "stage", "creator"] {
        let page = get(&pages(Some(role)), "/attention", &[]).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{role}");
    }
}

#[tokio::test]
async fn only_whoever_may_cancel_an_order_is_asked_how() {
    for (role, may) in [("admin", true), ("merchant", true), ("ops", false)] {
        let page = get(&pages(Some(role)), "/orders/3-37-0", &[]).await;
        for part in ["data-do=\"cancel\"", "data-el=\"cancel-dialog\""] {
            assert_eq!(page.text.contains(part), may, "{role} {part}");
        }
    }
    let page = get(&pages(Some("merchant")), "/orders/3-37-0", &[]).await;
    for part in [
        &format!("data-order=\"{}\"", sold::LONG),
        "data-drop=\"d3\"",
        "data-units=\"1\" data-price=\"2490\" data-charges=\"490\" data-left=\"2980\" data-ahead=\"0\" data-seen=\"1\" data-currency=\"EUR\"",
        "At most €29.80",
    ] {
        assert!(page.text.contains(part), "{part} in {}", page.text);
    }
    // A hold that is no order has nothing to cancel.
    let hold = get(&pages(Some("merchant")), &format!("/orders/{}", sold::HOLD), &[]).await;
    assert!(!hold.text.contains("data-do=\"cancel\""));
    let two =
        get(&pages(Some("merchant")), "/orders/3-37-0", &[("cookie", "stampede_presses=two")])
            .await;
    assert!(two.text.contains("data-presses=\"two\""));
}
