//! What the control room says of a show.

use stampede_engine::{DropAction, Role};

use super::{get, pages};

#[tokio::test]
async fn the_control_room_says_how_paying_goes() {
    let router = pages(Some("host"));
    let open = get(&router, "/live/open", &[]).await.text;
    let tile = |text: &str| {
        text.split_once("data-tile=\"paying\"")
            .unwrap()
            .1
            .split("</div>")
            .next()
            .unwrap()
            .to_owned()
    };
    for part in [">86<", ">%<", "1,081 came back"] {
        assert!(tile(&open).contains(part), "{part} in {}", tile(&open));
    }
    assert!(!open.contains("Payments fail"));
    let failing = get(&router, "/live/failing", &[]).await.text;
    assert!(tile(&failing).contains("28 failed in 5 min"));
    assert!(
        failing.contains("Payments fail: 28 failed in the last 5 minutes, 12 orders were made.")
    );
    // A few that fail are nobody's alarm, and where nothing has ended there is no share.
    let few = get(&router, "/live/one", &[]).await.text;
    assert!(tile(&few).contains("9 failed in 5 min") && tile(&few).contains(">–<"));
    assert!(!few.contains("Payments fail"));
}

#[tokio::test]
async fn nothing_is_sold_out_while_some_is_in_reserve() {
    let router = pages(Some("host"));
    for (stream, parts) in [
        ("reserved-taken", &["All taken for now", ">1,000 in reserve<", ">4,568<"][..]),
        ("reserved-unheld", &["All taken for now", ">nothing held<", ">in reserve<"]),
        ("reserved-closed", &[">Closed<", ">1,000 in reserve<"]),
    ] {
        let page = get(&router, &format!("/live/{stream}"), &[]).await.text;
        for part in parts {
            assert!(page.contains(part), "{part} of {stream}");
        }
        // Those that are settled are.
        let air = page.split("data-el=\"air\"").nth(1).unwrap().split("class=\"side\"").next();
        assert!(!air.unwrap().contains("Sold out"), "{stream}");
    }
    let page = get(&router, "/live/reserved", &[]).await.text;
    let alarm = " is all taken; 212 are held, 1,000 are in reserve.";
    assert!(page.contains(alarm), "the alarm line");
    let page = get(&router, "/live/reserved-out", &[]).await.text;
    assert!(page.contains(" is all taken; 1,000 are in reserve."), "the alarm line");
}

#[tokio::test]
async fn a_drop_that_viewers_have_not_heard_of_is_marked() {
    let router = pages(Some("host"));
    let page = get(&router, "/live/reserved", &[]).await.text;
    let [next, rows] = ["data-el=\"next-hidden\"", "data-t=\"hidden\""].map(|part| {
        let marks = page.match_indices(part).map(|(at, _)| &page[at..at + 120]);
        marks.map(|mark| mark.split('<').next().unwrap()).collect::<Vec<_>>()
    });
    assert!(!next[0].contains(" hidden>"), "{next:?}");
    // One is NEXT, one comes later; the last is the row that the browser copies.
    let marked = rows.iter().filter(|row| row.ends_with(">Hidden")).count();
    assert_eq!((marked, rows.len()), (2, 7), "{rows:?}");
    let page = get(&router, "/live/open", &[]).await.text;
    let next = page.split("data-el=\"next-hidden\"").nth(1).unwrap();
    assert!(next.split('>').next().unwrap().ends_with(" hidden"), "{}", &next[..120]);
}

/// A part of a page, from a mark to the end of what encloses it.
fn part(text: &str, mark: &str, end: &str) -> String {
    let (_, behind) = text.split_once(mark).unwrap_or_else(|| panic!("no {mark}"));
    behind.split(end).next().unwrap().to_owned()
}

#[tokio::test]
async fn a_drop_says_when_it_ends_whatever_ends_it() {
    let router = pages(Some("host"));
    let by_utc = [("cookie", "stampede_ahead_min=0")];
    for (stream, fact, extend) in [
        ("reserved", ">ends 20:50<", "Ends 20:50."),
        ("ends-after", ">ends 20:41<", "Ends 20:41."),
        ("ends-planned", ">ends 15\u{a0}min after it opens<", "once it is open"),
        ("winds-down", ">ends 20:37<", "it winds down"),
    ] {
        let page = get(&router, &format!("/live/{stream}"), &by_utc).await.text;
        let facts = part(&page, "data-list=\"facts\"", "</p>");
        assert!(facts.contains(fact), "{stream}: {facts}");
        let button = part(&page, "data-command=\"extend\"", "</button>");
        assert!(button.contains(extend), "{stream}: {button}");
        assert_eq!(button.contains("aria-disabled"), !extend.starts_with("Ends"), "{stream}");
    }
    let page = get(&router, "/live/open", &by_utc).await.text;
    assert!(!part(&page, "data-list=\"facts\"", "</p>").contains("ends "));
    assert!(part(&page, "data-command=\"extend\"", "</button>").contains("it has no end"));
}

#[tokio::test]
async fn a_drop_that_winds_down_says_so_and_does_not_twice() {
    let router = pages(Some("host"));
    let by_utc = [("cookie", "stampede_ahead_min=0")];
    let state = "data-s=\"state\"";
    for (stream, said, wind_down) in [
        ("winds-down", "Winds down until 20:37", Some("it winds down")),
        ("winds-down-taken", "Winds down until 20:37", Some("it winds down")),
        ("winds-down-paused", "Paused", Some("it winds down")),
        ("paused", "Paused", Some("resume it first")),
        ("closed", "Closed", Some("the sale is over")),
        ("open", "Open", None),
    ] {
        let page = get(&router, &format!("/live/{stream}"), &by_utc).await.text;
        assert_eq!(part(&page, state, "</span>"), format!(">{said}"), "{stream}");
        let button = part(&page, "data-command=\"wind_down\"", "</button>");
        assert_eq!(button.contains("aria-disabled"), wind_down.is_some(), "{stream}");
        assert!(button.contains(wind_down.unwrap_or("then closes")), "{stream}: {button}");
    }
    // Without a clock of the reader's there is no time to tell.
    let page = get(&router, "/live/winds-down", &[]).await.text;
    assert_eq!(part(&page, state, "</span>"), ">Winds down");
    // The show waits for the next drop.
    assert!(page.contains("class=\"btn command next go\""));
    let page = get(&router, "/live/winds-down-off-air", &[]).await.text;
    assert!(page.contains(">winds down, 1,871 left<"));
    assert!(page.contains("class=\"btn command next plain\""));
}

#[tokio::test]
async fn what_becomes_of_units_left_is_chosen_beside_the_next_drop() {
    for (role, stream, is_there) in [
        ("host", "open", true),
        ("host", "taken", true),
        ("host", "paused", true),
        ("creator", "open", true),
        // Nothing is left or held, something winds down already, nothing is on air, the role may start none.
        ("host", "sold-out", false),
        ("host", "reserved-unheld", false),
        ("host", "winds-down", false),
        ("host", "countdown", false),
        ("host", "before", false),
        ("creator", "paused", false),
        ("ops", "open", false),
    ] {
        let page = get(&pages(Some(role)), &format!("/live/{stream}"), &[]).await.text;
        let row = part(&page, "data-el=\"left-over\"", ">");
        assert_eq!(row.is_empty(), is_there, "{role} {stream}: {row}");
        // Whoever chooses nothing has nothing to press: the first one stands there.
        let choice = part(&page, "<select id=\"left-over\"", "</select>");
        assert!(!choice.contains("selected"), "{choice}");
        assert!(choice.find("value=\"keep\"") < choice.find("value=\"wind-down\""), "{choice}");
        let said = page.contains("What becomes of the units left of \u{2068}Scented candle");
        assert_eq!(said, is_there, "{role} {stream}");
    }
}

#[tokio::test]
async fn a_drop_whose_countdown_was_cancelled_is_next_again() {
    let page = get(&pages(Some("host")), "/live/cancelled", &[]).await;
    assert!(page.text.contains("Nothing is on air"));
    assert!(page.text.contains("data-act=\"open\" data-drop=\"d3\""), "{}", page.text);
}

#[tokio::test]
async fn what_stays_unsold_of_a_closed_drop_is_told_with_who_can_plan_it() {
    // Hosts may plan in the first show alone; nothing is closed there.
    for (role, offers) in [("merchant", true), ("admin", true), ("host", false), ("ops", false)] {
        let page = get(&pages(Some(role)), "/live/closed", &[]).await.text;
        let line = part(&page, "class=\"alarm\"", "<main");
        assert!(line.contains("unsold"), "{role}: {line}");
        assert_eq!(line.contains("data-kind=\"plan-rest\""), offers, "{role}: {line}");
        assert_eq!(line.contains("can plan the rest"), !offers, "{role}: {line}");
    }
}

#[tokio::test]
async fn whoever_may_move_a_planned_drop_can_make_it_the_next_one() {
    for name in super::ROLES {
        let page = get(&pages(Some(name)), "/live/open", &[]).await.text;
        let order = part(&page, "data-list=\"order\"", "</ol>");
        let offers = order.split("data-do=\"make-next\"").skip(1);
        let shown: Vec<bool> =
            offers.map(|offer| !offer.split('>').next().unwrap().contains(" hidden")).collect();
        let may = Role::from_name(name).unwrap().may_run(&DropAction::Move { place: 1 });
        // What has begun and what is next are none of them.
        assert_eq!(shown, [false, false, false, false, may, may], "{name}");
    }
}
