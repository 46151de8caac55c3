//! What the control room says of a show.

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

#[tokio::test]
async fn a_drop_whose_countdown_was_cancelled_is_next_again() {
    let page = get(&pages(Some("host")), "/live/cancelled", &[]).await;
    assert!(page.text.contains("Nothing is on air"));
    assert!(page.text.contains("data-act=\"open\" data-drop=\"d3\""), "{}", page.text);
}
