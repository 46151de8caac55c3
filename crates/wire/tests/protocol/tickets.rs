//! Tickets: who signs, what is checked, in which order.

use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};
use stampede_domain::{DurationMs, Mode, UnixMillis};
use stampede_wire::{
    CloseCode,
    limits::TICKET_BYTES_MAX,
    ticket::{KeyError, KeySpec, Ticket, TicketError, TicketKeys, TicketMinter, TicketVerifier},
};

const NOW: UnixMillis = UnixMillis::new(1_790_000_000_000);
const NOW_S: u64 = 1_790_000_000;
const SECRET: [u8; 32] = [7; 32];

fn shared() -> KeySpec {
    KeySpec::hs256("shared-1", &SECRET)
}

/// The key of RFC 8037, appendix A.
fn edwards() -> KeySpec {
    serde_json::from_value(json!({
        "kid": "ed-1", "kty": "OKP", "alg": "EdDSA", "crv": "Ed25519", "use": "sig",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    }))
    .unwrap()
}

const P256_X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const P256_Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

/// The key of RFC 7515, appendix A.3.
fn p256() -> KeySpec {
    serde_json::from_value(json!({
        "kid": "p256-1", "kty": "EC", "alg": "ES256", "crv": "P-256", "x": P256_X, "y": P256_Y,
    }))
    .unwrap()
}

fn public(mut spec: KeySpec) -> KeySpec {
    spec.d = None;
    spec
}

fn verifier() -> TicketVerifier {
    TicketVerifier::new(TicketKeys::new(&[shared(), public(edwards()), p256()]).unwrap())
}

fn ticket() -> Ticket {
    Ticket {
        viewer: "v-1001".parse().unwrap(),
        stream: "friday-show".parse().unwrap(),
        channel: Some("creator-9".parse().unwrap()),
        mode: Mode::Live,
        expires_at: NOW.plus(DurationMs::from_secs(600)),
    }
}

fn claims() -> Value {
    json!({
        "aud": "stampede", "sub": "v-1001", "stream": "friday-show", "mode": "live",
        "exp": NOW_S + 600,
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn sign(claims: &Value) -> String {
    let header = Header { kid: Some("shared-1".into()), ..Header::default() };
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(&SECRET)).unwrap()
}

fn refused(token: &str) -> TicketError {
    verifier().verify(token, NOW).unwrap_err()
}

fn check(claims: &Value) -> Result<Ticket, TicketError> {
    verifier().verify(&sign(claims), NOW)
}

#[test]
fn a_minted_ticket_is_good_until_its_expiry_plus_leeway() {
    for spec in [shared(), edwards()] {
        let token = TicketMinter::new(&spec).unwrap().mint(&ticket(), NOW);
        let found = verifier().verify(&token, NOW).unwrap();
        let expires_at = ticket().expires_at.plus(DurationMs::new(5_000));
        assert_eq!(found, Ticket { expires_at, ..ticket() });
        assert!(found.same_bearer(&ticket()));
        let last = UnixMillis::new(expires_at.get() - 1);
        assert!(verifier().verify(&token, last).is_ok());
        assert_eq!(
            verifier().verify(&token, expires_at),
            Err(TicketError::Expired { late_ms: 5_000 })
        );
    }
}

#[test]
fn es256_is_checked() {
    // PKCS #8 around the private key of RFC 7515, appendix A.3.
    let private = "308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420\
        8e9b109e719098bf980487df1f5d77e9cb29606ebed2263b5f57c213df84f4b2a144034200\
        047fcdce2770f6c45d4183cbee6fdb4b7b580733357be9ef13bacf6e3c7bd15445\
        c7f144cd1bbd9b7e872cdfedb9eeb9f4b3695d6ea90b24ad8a4623288588e5ad";
    let der: Vec<u8> = (0..private.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&private[at..at + 2], 16).unwrap())
        .collect();
    let header =
        Header { kid: Some("p256-1".into()), ..Header::new(jsonwebtoken::Algorithm::ES256) };
    let token = jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_ec_der(&der)).unwrap();
    assert_eq!(verifier().verify(&token, NOW).unwrap().viewer.as_str(), "v-1001");
}

#[test]
fn claims_are_checked_after_the_signature() {
    assert!(check(&claims()).is_ok());
    assert!(check(&with("iss", json!("platform"))).is_ok(), "other claims are skipped");
    assert!(check(&with("aud", json!(["other", "stampede"]))).is_ok());
    assert_eq!(check(&with("aud", json!("other"))), Err(TicketError::WrongAudience));
    assert_eq!(check(&with("aud", json!([]))), Err(TicketError::WrongAudience));
    for (claims, why) in [
        (without("aud"), "missing field `aud`"),
        (without("sub"), "missing field `sub`"),
        (without("stream"), "missing field `stream`"),
        (without("mode"), "missing field `mode`"),
        (without("exp"), "missing field `exp`"),
        (with("sub", json!("a\nb")), "viewer id has U+000A as its character 2"),
        (with("sub", json!("s".repeat(129))), "viewer id has 129 bytes; 1 to 128 are allowed"),
        (with("stream", json!("")), "stream id has 0 bytes"),
        (with("channel", json!(7)), "invalid type: integer `7`"),
        (with("mode", json!("test")), "mode \"test\" is not live or rehearsal"),
        (with("exp", json!(-1)), "invalid value: integer `-1`"),
        (with("aud", json!(7)), "expected a text or a list of texts"),
        (json!("claims"), "invalid type: string"),
        (with("exp", json!(1.5)), "expected a whole number from 0"),
        (
            json!(["stampede", "v-1001", "friday-show", null, "live", NOW_S + 600, null]),
            "a list, expected an object with fields by name",
        ),
    ] {
        match check(&claims) {
            Err(TicketError::BadClaims { why: found }) => {
                assert!(found.contains(why), "{found}, not {why}");
            }
            other => panic!("{other:?}, not {why}"),
        }
    }
}

#[test]
fn a_time_may_be_written_as_any_whole_number() {
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are exact")]
    let exp = (NOW_S + 600) as f64;
    let claims = json!({
        "aud": "stampede", "sub": "v-1001", "stream": "friday-show", "mode": "live",
        "exp": exp, "nbf": 1e9,
    });
    assert!(claims.to_string().contains("1790000600.0"), "{claims}");
    assert_eq!(check(&claims).unwrap().expires_at, UnixMillis::new((NOW_S + 605) * 1_000));
}

#[test]
fn a_viewer_is_whoever_the_platform_says() {
    for sub in ["auth0|5f7c", "nina@example.org", "Nina Ä", "A\u{308}"] {
        assert_eq!(check(&with("sub", json!(sub))).unwrap().viewer.as_str(), sub);
    }
}

#[test]
fn an_empty_ticket_is_named_so() {
    let error = refused("").to_string();
    assert_eq!(error, "the ticket is empty; send the JWT that the platform has signed");
}

#[test]
fn times_are_checked_against_the_argument() {
    let late = check(&with("exp", json!(NOW_S - 6)));
    assert_eq!(late, Err(TicketError::Expired { late_ms: 6_000 }));
    assert!(check(&with("exp", json!(NOW_S - 4))).is_ok(), "within the leeway");
    let early = check(&with("nbf", json!(NOW_S + 6)));
    assert_eq!(early, Err(TicketError::NotYetValid { early_ms: 6_000 }));
    assert!(check(&with("nbf", json!(NOW_S + 5))).is_ok(), "within the leeway");
    let day_ms = 24 * 3_600_000;
    assert!(check(&with("exp", json!(NOW_S + 24 * 3_600))).is_ok());
    assert_eq!(
        check(&with("exp", json!(NOW_S + 24 * 3_600 + 1))),
        Err(TicketError::TooLongLived { lifetime_ms: day_ms + 6_000, max_ms: day_ms })
    );
    let far = check(&with("exp", json!(100_000_000_000_u64)));
    assert!(matches!(far, Err(TicketError::TooLongLived { .. })), "{far:?}");
    for exp in [(NOW_S + 600) * 1_000, u64::MAX] {
        let error = check(&with("exp", json!(exp))).unwrap_err().to_string();
        let why = "looks like milliseconds; it must be whole seconds since 1970";
        assert_eq!(error, format!("the ticket's exp {exp} {why}"));
    }
    let exact = verifier().with_limits(DurationMs::ZERO, DurationMs::from_secs(60));
    assert_eq!(
        exact.verify(&sign(&with("exp", json!(NOW_S))), NOW),
        Err(TicketError::Expired { late_ms: 0 })
    );
}

#[test]
fn the_algorithm_belongs_to_the_key() {
    // The public key of an asymmetric pair, used as if it were a shared secret.
    let confused = Header { kid: Some("ed-1".into()), ..Header::default() };
    let public = EncodingKey::from_secret(edwards().x.unwrap().as_bytes());
    let token = jsonwebtoken::encode(&confused, &claims(), &public).unwrap();
    let error = refused(&token).to_string();
    assert_eq!(error, "the ticket says HS256, but its key \"ed-1\" is for EdDSA");

    // "none" with an empty signature: header {"alg":"none","kid":"shared-1"}.
    let body = sign(&claims());
    let body = body.split('.').nth(1).unwrap();
    let unsigned = format!("eyJhbGciOiJub25lIiwia2lkIjoic2hhcmVkLTEifQ.{body}.");
    assert!(matches!(refused(&unsigned), TicketError::Malformed { .. }));
}

#[test]
fn keys_are_found_by_id() {
    let other = |kid: Option<&str>| {
        let header = Header { kid: kid.map(Into::into), ..Header::default() };
        jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_secret(&SECRET)).unwrap()
    };
    assert_eq!(refused(&other(None)), TicketError::NoKeyId);
    assert_eq!(
        refused(&other(Some("old"))),
        TicketError::UnknownKey { kid: "old".into() },
        "a key that was taken out of the set"
    );
}

#[test]
fn forged_and_broken_tickets_are_refused() {
    let good = sign(&claims());
    let foreign = TicketMinter::new(&KeySpec::hs256("shared-1", &[8; 32])).unwrap();
    let foreign = foreign.mint(&ticket(), NOW);
    assert_eq!(refused(&foreign), TicketError::BadSignature { kid: "shared-1".into() });

    // Claims of one ticket under the signature of another.
    let richer = sign(&with("sub", json!("v-2")));
    let swapped: Vec<&str> = good.split('.').collect();
    let swapped = [swapped[0], richer.split('.').nth(1).unwrap(), swapped[2]].join(".");
    assert_eq!(refused(&swapped), TicketError::BadSignature { kid: "shared-1".into() });

    for broken in
        ["", ".", "..", "a.b", "a.b.c.d", "\u{fc}.x.y", &good[1..], &good[..good.len() - 9]]
    {
        refused(broken);
    }
    let critical = Header {
        kid: Some("shared-1".into()),
        crit: Some(vec!["b64".into()]),
        ..Header::default()
    };
    let critical =
        jsonwebtoken::encode(&critical, &claims(), &EncodingKey::from_secret(&SECRET)).unwrap();
    assert!(matches!(refused(&critical), TicketError::Malformed { .. }));
    let long = "t".repeat(TICKET_BYTES_MAX + 1);
    assert_eq!(
        refused(&long),
        TicketError::TooLong { bytes: TICKET_BYTES_MAX + 1, max: TICKET_BYTES_MAX }
    );
}

#[test]
fn errors_have_close_codes() {
    assert_eq!(CloseCode::from(&TicketError::Expired { late_ms: 1 }), CloseCode::TicketExpired);
    assert_eq!(CloseCode::from(&TicketError::NoKeyId), CloseCode::BadTicket);
}

#[test]
fn faulty_keys_are_named() {
    let fault = |specs: &[KeySpec]| TicketKeys::new(specs).unwrap_err().to_string();
    let changed = |change: fn(&mut KeySpec)| {
        let mut spec = edwards();
        change(&mut spec);
        fault(&[spec])
    };
    assert_eq!(fault(&[]), "0 ticket keys; 1 to 32 are allowed");
    assert_eq!(fault(&[shared(), shared()]), "two ticket keys have the kid \"shared-1\"");
    assert_eq!(
        fault(&[KeySpec::hs256("weak", &[1; 31])]),
        "ticket key \"weak\": k has 31 bytes; at least 32 needed"
    );
    assert_eq!(changed(|k| k.x = None), "ticket key \"ed-1\" needs the member x");
    assert_eq!(
        changed(|k| k.x = Some("==".into())),
        "ticket key \"ed-1\": x is not base64url without padding"
    );
    assert_eq!(
        changed(|k| k.x = Some("AAAA".into())),
        "ticket key \"ed-1\": x has 3 bytes; exactly 32 needed"
    );
    assert!(changed(|k| k.alg = "HS256".into()).contains("use kty oct with alg HS256"));
    assert_eq!(changed(|k| k.kid.clear()), "a ticket key's kid has 0 bytes; 1 to 64 are allowed");
    assert_eq!(
        TicketMinter::new(&public(edwards())).unwrap_err(),
        KeyError::CannotSign { kid: "ed-1".into() }
    );
    assert_eq!(
        TicketMinter::new(&p256()).unwrap_err(),
        KeyError::CannotSign { kid: "p256-1".into() }
    );
}

#[test]
fn secrets_are_not_shown() {
    let shown = format!("{:?} {:?}", edwards(), TicketKeys::new(&[shared()]).unwrap());
    assert_eq!(shown, "KeySpec(\"ed-1\" EdDSA) {\"shared-1\": Hs256}");
}
