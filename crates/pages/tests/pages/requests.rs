//! Requests for more units than are in reserve: who answers them, who sees them wait.

use super::{get, pages};

#[tokio::test]
async fn a_request_is_answered_where_it_is_read_and_withdrawn_by_hosts() {
    let live = async |role| get(&pages(Some(role)), "/live/asked", &[]).await.text;
    for role in ["merchant", "admin"] {
        let text = live(role).await;
        assert!(text.contains("asks for 1,500 more \u{2068}Cedar\u{2069}"), "{role}");
        let act = |act: &str, kind: &str| {
            format!("data-do=\"{act}\" data-kind=\"{kind}\" data-sku=\"q3-2\"")
        };
        assert!(text.contains(&act("alarm", "grant")), "{role}");
        assert!(text.contains(&act("alarm-also", "decline")), "{role}");
    }
    let host = live("host").await;
    // Goods that are out come first: something can be done about them.
    assert!(host.contains("data-do=\"alarm\" data-kind=\"restock\""), "{host}");
    assert!(!host.contains("data-kind=\"grant\""));
    for role in ["merchant", "admin", "host"] {
        assert!(
            live(role).await.contains("1,500 asked for"),
            "{role} sees that they are asked for"
        );
    }
    assert!(!live("creator").await.contains("data-kind=\"withdraw\""));

    let shows = async |role| get(&pages(Some(role)), "/shows", &[]).await.text;
    let merchant = shows("merchant").await;
    assert!(merchant.contains("asks for 500 more \u{2068}Cedar\u{2069}"), "{merchant}");
    assert!(merchant.contains("they all want it") && merchant.contains("data-request=\"q3-2\""));
    assert!(!merchant.contains("q3-1"), "somebody has answered it");
    let host = shows("host").await;
    assert!(host.contains("asked-tag\">1 request for more"), "{host}");
    assert!(!host.contains("data-request"));
    assert!(!shows("ops").await.contains("asked-tag"));
}
