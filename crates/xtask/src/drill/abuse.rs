//! Hostile clients of every kind while a sale goes on, played by the drills.

use serde_json::{Value, json};

use super::{
    Binaries, DrillOutcome, check,
    server::{Place, Server, verify},
};
use crate::failure::Failure;

/// The defaults, except for deadlines that a short drill can wait for, a number of connections that it
/// can open, an address for the sale that the hostile ones do not share.
const SETTINGS: &str = r#"
[viewers]
origins = ["https://shop.example"]
unlimited_addresses = ["127.0.0.1/32"]
connections_per_address_max = 100
connects_per_address_per_s = 60
connects_per_address_burst = 150
handshake_timeout_ms = 1000
hello_timeout_ms = 1000
heartbeat_ms = 1000
"#;

pub(super) fn run(binaries: &Binaries, seconds: u32) -> Result<DrillOutcome, Failure> {
    let place = Place::new()?;
    place.configure(SETTINGS)?;
    println!("a sale for {seconds} s alone, then for {seconds} s beside every kind of abuse");
    let server = Server::start(binaries, &place, &[])?;
    let mut json = server.abuse(binaries, &place, seconds)?;
    let status = server.stop()?;
    let verify = verify(binaries, &place)?;
    let kinds = json["abuses"].as_array().cloned().unwrap_or_default();
    table(&kinds);

    let mut wrong = Vec::new();
    check(&mut wrong, json["buys"] != 0, || "nobody bought".to_owned());
    for field in ["answers_lost", "refused"] {
        check(&mut wrong, json[field] == 0, || format!("{field} is {}", json[field]));
    }
    check(&mut wrong, !kinds.is_empty(), || "nobody was hostile".to_owned());
    for kind in &kinds {
        check(&mut wrong, ended_as_expected(kind), || {
            format!("{}: {}; expected {}", kind["kind"], kind["counts"], kind["expected"])
        });
    }
    check(&mut wrong, status.success(), || format!("the server ended with {status}"));
    check(&mut wrong, verify == "ok", || format!("the verifier says {verify}"));

    let words = format!(
        "{} buys, {} answers lost; p50 {} µs before, {} µs during; p99 {} µs before, {} µs during",
        json["buys"],
        json["answers_lost"],
        json["p50_us_before"],
        json["p50_us_during"],
        json["p99_us_before"],
        json["p99_us_during"],
    );
    json["drill"] = "abuse".into();
    json["ok"] = wrong.is_empty().into();
    json["verify"] = verify.into();
    json["wrong"] = json!(wrong);
    Ok(DrillOutcome { drill: "abuse", json, words, wrong })
}

/// Every attempt ended in a way that the kind may end in.
fn ended_as_expected(kind: &Value) -> bool {
    let (Some(counts), Some(expected)) = (kind["counts"].as_object(), kind["expected"].as_array())
    else {
        return false;
    };
    !counts.is_empty() && counts.keys().all(|end| expected.iter().any(|one| one == end.as_str()))
}

fn table(kinds: &[Value]) {
    println!("{:36} {:>8}  ended with", "kind", "attempts");
    for kind in kinds {
        let text = |field: &str| kind[field].as_str().unwrap_or_default().to_owned();
        let attempts = kind["attempts"].to_string();
        println!("{:36} {attempts:>8}  {}", text("kind"), text("ended_with"));
    }
}
