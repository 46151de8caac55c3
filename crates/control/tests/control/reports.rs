//! Reports of drops and shows as staff read and download them.

use axum::http::StatusCode;
use rusqlite::Connection;
use serde_json::json;
use stampede_ledger::LEDGER_FILE;

use crate::{
    rig::{Ask, Rig, lamps, mugs},
    shares::share,
};

/// The kind, the name and the bytes of a workbook.
pub(crate) async fn workbook(ask: Ask) -> (String, String, Vec<u8>) {
    let answer = ask.expect(StatusCode::OK).await;
    let header = |name: &str| answer.header(name).unwrap().to_owned();
    (header("content-type"), header("content-disposition"), answer.bytes.clone())
}

/// A drop of five mugs, of which two were sold and one is held.
async fn sale(rig: &mut Rig) -> String {
    let drop = rig.open(mugs()).await;
    let paid = rig.buy(&drop, "ann", "mug", 2).await;
    rig.pay(paid).await;
    rig.buy(&drop, "ben", "mug", 1).await;
    drop
}

#[tokio::test]
async fn a_report_is_downloaded_as_tables_and_as_a_workbook() {
    let mut rig = Rig::new();
    let drop = sale(&mut rig).await;
    let path = format!("/v1/drops/{drop}/report");
    for table in ["sizes.csv", "channels.csv", "seconds.csv"] {
        let ask = rig.ask("acme", "GET", &format!("{path}/{table}"));
        let answer = ask.expect(StatusCode::OK).await;
        assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
        let name = format!("attachment; filename=\"{drop}-{table}\"");
        assert_eq!(answer.header("content-disposition"), Some(name.as_str()));
        assert!(
            answer.text.starts_with("\"drop\",\"") || answer.text.starts_with("drop,"),
            "{}",
            answer.text
        );
    }
    let (kind, name, bytes) =
        workbook(rig.ask("acme", "GET", &format!("{path}?format=xlsx"))).await;
    assert_eq!(kind, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
    assert_eq!(name, format!("attachment; filename=\"{drop}-report.xlsx\""));
    assert_eq!(&bytes[..2], b"PK");
    rig.ask("acme", "GET", &format!("{path}/orders.csv")).refused(400, "id_malformed").await;
    for path in [format!("{path}/sizes.csv"), format!("/v1/shows/{drop}/report")] {
        rig.ask_nobody("GET", &path).refused(401, "token_missing").await;
        rig.ask("zeta", "GET", &path).refused(404, "unknown_drop").await;
        rig.ask("platform", "GET", &path).refused(403, "forbidden").await;
        rig.ask("admin", "GET", &path.replace(&drop, "d99")).refused(404, "unknown_drop").await;
    }
}

#[tokio::test]
async fn a_report_comes_without_its_seconds_where_nobody_needs_them() {
    let mut rig = Rig::new();
    let drop = sale(&mut rig).await;
    let shared = share(&rig, "admin", json!({ "drop": drop })).await;
    let shared = format!("{}/report.json", shared["path"].as_str().unwrap());
    let staff = format!("/v1/drops/{drop}/report");
    let mut all = Vec::new();
    for query in ["", "?seconds=true", "?seconds=false"] {
        let own = rig.ask("acme", "GET", &format!("{staff}{query}")).expect(StatusCode::OK).await;
        let ask = rig.ask_nobody("GET", &format!("{shared}{query}")).from("192.0.2.7");
        let others = ask.expect(StatusCode::OK).await;
        assert_eq!(own.json, others.json["report"], "{query}");
        all.push(own.json);
    }
    let mut short = all.pop().unwrap();
    assert!(!all[0]["seconds"].as_array().unwrap().is_empty());
    assert_eq!(short["seconds"].take(), json!([]));
    for mut whole in all {
        whole["seconds"].take();
        assert_eq!(whole, short);
    }
    for path in [staff, shared] {
        let ask = rig.ask("acme", "GET", &format!("{path}?seconds=0")).from("192.0.2.7");
        ask.refused(400, "bad_query").await;
    }
}

#[tokio::test]
async fn the_report_of_a_show_is_found_by_any_of_its_drops() {
    let mut rig = Rig::new();
    let first = sale(&mut rig).await;
    rig.advance(1_000);
    let second = rig.open({
        let mut plan = mugs();
        plan["title"] = json!("More-mugs");
        plan
    });
    let second = second.await;
    let of = async |who: &str, drop: &str| {
        let ask = rig.ask(who, "GET", &format!("/v1/shows/{drop}/report"));
        ask.expect(StatusCode::OK).await.json
    };
    let report = of("acme", &second).await;
    assert_eq!(report, of("admin", &first).await);
    for (field, value) in [
        ("schema", json!("stampede.show-report.v1")),
        ("show", json!(first)),
        ("stream", json!("show")),
        ("running", json!(true)),
        ("supplied", json!(10)),
        ("sold", json!(2)),
        ("held", json!(1)),
    ] {
        assert_eq!(report[field], value, "{field} in {report}");
    }
    let listed = rig.ask("acme", "GET", "/v1/shows").expect(StatusCode::OK).await.json;
    assert_eq!(listed["shows"][0]["show"], report["show"]);
    assert_eq!(listed["shows"][0]["began_ms"], report["began_ms"]);
    let (_, name, bytes) =
        workbook(rig.ask("acme", "GET", &format!("/v1/shows/{second}/report?format=xlsx"))).await;
    assert_eq!(
        (name, &bytes[..2]),
        (format!("attachment; filename=\"{first}-show.xlsx\""), &b"PK"[..])
    );
    let path = format!("/v1/shows/{first}/report?format=text");
    rig.ask("acme", "GET", &path).refused(400, "bad_query").await;
}

#[tokio::test]
async fn staff_are_told_where_the_ledger_is_damaged() {
    let mut rig = Rig::new();
    let drop = sale(&mut rig).await;
    let sound = rig.open(lamps()).await;
    let ledger = Connection::open(rig.dir.path().join(LEDGER_FILE)).unwrap();
    let changed = ledger.execute(
        "UPDATE journal SET body = zeroblob(length(body)) WHERE drop_id = 1 AND seq = \
         (SELECT max(seq) FROM journal WHERE drop_id = 1)",
        [],
    );
    assert_eq!(changed.unwrap(), 1);
    let at = format!("/v1/drops/{drop}");
    for path in [
        format!("{at}/report"),
        format!("{at}/report/sizes.csv"),
        format!("{at}/report?format=xlsx"),
        format!("/v1/shows/{drop}/report"),
    ] {
        let told = rig.ask("admin", "GET", &path).refused(500, "ledger_damaged").await;
        assert!(told.detail().contains("d1 "), "{path}: {}", told.text);
        assert!(told.detail().contains("commit"), "{path}: {}", told.text);
    }
    let other = rig.ask("admin", "GET", &format!("/v1/drops/{sound}/report"));
    other.expect(StatusCode::OK).await;
}
