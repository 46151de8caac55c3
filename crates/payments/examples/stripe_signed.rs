//! Reads what Stripe's own libraries signed: `stripe_signed LINES…`, as `tests/oracle/sign.py` and `sign.mjs` print.
//!
//! What they signed is taken, and every event is read. The same with a bit of its body changed is refused. A header
//! that was tampered with is taken only if Stripe's library takes it too. Stops at the first line that differs.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "stops at the first surprise")]

use std::{collections::BTreeMap, env, fs};

use serde::Deserialize;
use stampede_domain::{PaymentAccount, UnixMillis};
use stampede_payments::stripe::{SignatureRules, event, signature::TOLERANCE_DEFAULT};

/// The first line.
#[derive(Deserialize)]
struct Setting {
    now_s: u64,
    secrets: BTreeMap<String, String>,
}

/// All others.
#[derive(Deserialize)]
struct Line {
    name: String,
    header: String,
    body: String,
    must: Option<Must>,
    /// Whether Stripe's library takes it.
    takes: bool,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Must {
    Take,
    Refuse,
}

#[derive(Default)]
struct Counts {
    taken: usize,
    refused: usize,
    tampered_bodies: usize,
    tampered_headers: usize,
    /// Headers that Stripe's library takes, and we do not.
    stricter: usize,
}

fn main() {
    let paths: Vec<String> = env::args().skip(1).collect();
    assert!(!paths.is_empty(), "no files are named");
    for path in paths {
        let text = fs::read_to_string(&path).expect("the file can be read");
        let counts = check(&text);
        println!(
            "{path}: {} taken, {} refused, {} tampered bodies refused, {} tampered headers of which {} are taken only \
             by Stripe's library",
            counts.taken,
            counts.refused,
            counts.tampered_bodies,
            counts.tampered_headers,
            counts.stricter
        );
        assert!(counts.taken > 0 && counts.refused > 0 && counts.tampered_headers > 0, "{path}");
    }
}

fn check(text: &str) -> Counts {
    let account: PaymentAccount = "stripe:oracle".parse().unwrap();
    let (setting, lines) = text.split_once('\n').expect("the first line says when");
    let setting: Setting = serde_json::from_str(setting).expect("the first line says when");
    let now = UnixMillis::new(setting.now_s * 1_000);
    let secrets = setting.secrets.iter().map(|(name, secret)| (name.as_str(), secret.as_str()));
    let rules = SignatureRules::new(secrets, TOLERANCE_DEFAULT).unwrap();
    let mut counts = Counts::default();
    for line in lines.lines() {
        let line: Line = serde_json::from_str(line).expect("a line is one of the scripts'");
        let takes = |body: &[u8]| rules.check(Some(line.header.as_bytes()), body, now).is_ok();
        let body = line.body.as_bytes();
        match line.must {
            Some(Must::Take) => {
                assert!(takes(body), "{} with {}", line.name, line.header);
                event::read(&account, body).unwrap_or_else(|e| panic!("{}: {e:?}", line.name));
                for place in 0..body.len() {
                    let mut wrong = body.to_vec();
                    wrong[place] ^= 1 << (place % 8);
                    assert!(!takes(&wrong), "{} with byte {place} changed", line.name);
                    counts.tampered_bodies += 1;
                }
                counts.taken += 1;
            }
            Some(Must::Refuse) => {
                assert!(!takes(body), "{} with {}", line.name, line.header);
                counts.refused += 1;
            }
            None => {
                let is_taken = takes(body);
                assert!(line.takes || !is_taken, "only we take {}", line.header);
                counts.stricter += usize::from(line.takes && !is_taken);
                counts.tampered_headers += 1;
            }
        }
    }
    counts
}
