//! Signatures that another implementation made.
//!
//! The vectors come from Python's standard library:
//! ```text
//! python3 -c 'import hmac, hashlib; print(hmac.new(b"whsec_first", b"1796000000.{\"id\":\"evt_1\"}", hashlib.sha256).hexdigest())'
//! ```

use proptest::prelude::*;
use stampede_domain::{DurationMs, UnixMillis};
use stampede_payments::stripe::{
    SignatureError, SignatureRules, SignatureRulesError,
    signature::{HEADER_BYTES_MAX, TOLERANCE_DEFAULT, TOLERANCE_MAX, TOLERANCE_MIN},
};

const BODY: &[u8] = br#"{"id":"evt_1"}"#;
/// When the vectors were signed, in seconds.
const SIGNED_S: u64 = 1_796_000_000;
/// With `whsec_first`.
const FIRST: &str = "bffa2cf187d5efecab0851610096d65738fd766fbcb5348ebb411872d36581aa";
/// With `whsec_second`.
const SECOND: &str = "e7e8738bd058456459b6d972f4da405c595ea1584521c24894ae15ddcc1a0b1e";
/// With `whsec_first`, of bytes that are no text: `b"1796000000.\xff\x00 not text"`.
const FIRST_OF_BYTES: &str = "5e0ae9f62d4a236d8da160d0a16610e9de8532dd25c682c5c0f43b65b6c6fcd1";
const OF_NOBODY: &str = "00000000000000000000000000000000000000000000000000000000000000ff";

fn rules(secrets: &[(&str, &str)]) -> SignatureRules {
    SignatureRules::new(secrets.iter().copied(), TOLERANCE_DEFAULT).unwrap()
}

fn first() -> SignatureRules {
    rules(&[("first", "whsec_first")])
}

fn at(seconds: u64) -> UnixMillis {
    UnixMillis::new(seconds * 1_000)
}

/// The name of the secret that matches at the time of signing.
fn check<'a>(rules: &'a SignatureRules, header: &str) -> Result<&'a str, SignatureError> {
    let signed = rules.check(Some(header.as_bytes()), BODY, at(SIGNED_S))?;
    assert_eq!(signed.at, at(SIGNED_S));
    Ok(signed.secret)
}

#[test]
fn what_was_signed_with_a_secret_passes() {
    let header = format!("t={SIGNED_S},v1={FIRST}");
    assert_eq!(check(&first(), &header), Ok("first"));
    let bytes = b"\xff\x00 not text";
    let header = format!("t={SIGNED_S},v1={FIRST_OF_BYTES}");
    assert!(first().check(Some(header.as_bytes()), bytes, at(SIGNED_S)).is_ok());
}

#[test]
fn the_order_of_a_header_does_not_matter_and_other_schemes_do_not_count() {
    let header = format!("v0={OF_NOBODY},v1={FIRST},t={SIGNED_S},x=a=b");
    assert_eq!(check(&first(), &header), Ok("first"));
    for scheme in ["v0", "v2", "V1", " v1", "v1 "] {
        let header = format!("t={SIGNED_S},{scheme}={FIRST}");
        assert_eq!(check(&first(), &header), Err(SignatureError::SchemeMissing), "{scheme}");
    }
}

#[test]
fn one_of_several_signatures_is_enough() {
    for signatures in [[FIRST, OF_NOBODY, SECOND], [OF_NOBODY, SECOND, FIRST]] {
        let [a, b, c] = signatures;
        let header = format!("t={SIGNED_S},v1={a},v1={b},v1={c},v1=short,v1=");
        assert_eq!(check(&first(), &header), Ok("first"));
    }
    let header = format!("t={SIGNED_S},v1={OF_NOBODY},v1={}", FIRST.to_uppercase());
    assert_eq!(check(&first(), &header), Err(SignatureError::NoSecretMatches));
}

#[test]
fn one_of_several_secrets_is_enough() {
    let four = rules(&[
        ("a", "whsec_a"),
        ("first", "whsec_first"),
        ("b", "whsec_b"),
        ("second", "whsec_second"),
    ]);
    let of = |signature: &str| check(&four, &format!("t={SIGNED_S},v1={signature}"));
    assert_eq!(of(FIRST), Ok("first"));
    assert_eq!(of(SECOND), Ok("second"));
    assert_eq!(of(OF_NOBODY), Err(SignatureError::NoSecretMatches));
    // Both sign while a secret is rolled.
    assert_eq!(check(&four, &format!("t={SIGNED_S},v1={SECOND},v1={FIRST}")), Ok("first"));
}

#[test]
fn another_secret_does_not_match() {
    let others = rules(&[("second", "whsec_second"), ("other", "whsec_First")]);
    let header = format!("t={SIGNED_S},v1={FIRST}");
    assert_eq!(check(&others, &header), Err(SignatureError::NoSecretMatches));
}

#[test]
fn a_header_that_is_none_is_refused() {
    let given = |header: Option<&[u8]>| first().check(header, BODY, at(SIGNED_S)).unwrap_err();
    assert_eq!(given(None), SignatureError::HeaderMissing);
    let long = format!("t={SIGNED_S},v1={FIRST},x={}", "x".repeat(HEADER_BYTES_MAX));
    for header in [
        String::new(),
        "t".to_owned(),
        format!("v1={FIRST}"),
        format!("t=,v1={FIRST}"),
        format!("t=+{SIGNED_S},v1={FIRST}"),
        format!("t= {SIGNED_S},v1={FIRST}"),
        format!("t={SIGNED_S}.0,v1={FIRST}"),
        format!("t=-1,v1={FIRST}"),
        format!("t=1{SIGNED_S}000,v1={FIRST}"),
        format!("t={SIGNED_S},t={SIGNED_S},v1={FIRST}"),
        format!("t={SIGNED_S},v1"),
        format!("t={SIGNED_S},v1={FIRST},"),
        long,
    ] {
        assert_eq!(given(Some(header.as_bytes())), SignatureError::HeaderMalformed, "{header}");
    }
    assert_eq!(given(Some(b"t=1,v1=\xff")), SignatureError::HeaderMalformed);
    assert_eq!(given(Some(b"t=1")), SignatureError::SchemeMissing);
    // The time is signed as it is written.
    let header = format!("t=0{SIGNED_S},v1={FIRST}");
    assert_eq!(given(Some(header.as_bytes())), SignatureError::NoSecretMatches);
}

#[test]
fn the_tolerance_holds_in_both_directions() {
    let header = format!("t={SIGNED_S},v1={FIRST}");
    let signed_ms = SIGNED_S * 1_000;
    let tolerance = TOLERANCE_DEFAULT;
    let rules = first();
    let at_ms = |ms| rules.check(Some(header.as_bytes()), BODY, UnixMillis::new(ms)).map(|s| s.at);
    for ms in [signed_ms - 300_000, signed_ms - 1, signed_ms, signed_ms + 999, signed_ms + 300_000]
    {
        assert_eq!(at_ms(ms), Ok(at(SIGNED_S)), "{ms}");
    }
    let age_ms = 300_001;
    assert_eq!(at_ms(signed_ms + age_ms), Err(SignatureError::TooOld { age_ms, tolerance }));
    let ahead_ms = 300_001;
    assert_eq!(at_ms(signed_ms - ahead_ms), Err(SignatureError::TooNew { ahead_ms, tolerance }));
    assert_eq!(
        at_ms(signed_ms + 412_000).unwrap_err().to_string(),
        "signed 412000 ms ago; at most 300000 ms are allowed"
    );
    assert!(matches!(at_ms(0), Err(SignatureError::TooNew { .. })));
    assert!(matches!(at_ms(u64::MAX), Err(SignatureError::TooOld { .. })));
}

#[test]
fn a_tolerance_of_ones_own_replaces_the_default() {
    let header = format!("t={SIGNED_S},v1={FIRST}");
    let rules = SignatureRules::new([("first", "whsec_first")], DurationMs::from_secs(10)).unwrap();
    assert!(rules.check(Some(header.as_bytes()), BODY, at(SIGNED_S + 10)).is_ok());
    assert!(rules.check(Some(header.as_bytes()), BODY, at(SIGNED_S + 11)).is_err());
}

/// Whoever cannot sign does not learn how far our clock is off.
#[test]
fn the_time_of_what_nobody_signed_is_not_judged() {
    let header = format!("t={SIGNED_S},v1={OF_NOBODY}");
    let rules = first();
    let late = rules.check(Some(header.as_bytes()), BODY, at(SIGNED_S * 2));
    assert_eq!(late, Err(SignatureError::NoSecretMatches));
}

#[test]
fn secrets_and_tolerances_have_bounds() {
    let refused = |secrets: &[(&str, &str)]| {
        SignatureRules::new(secrets.iter().copied(), TOLERANCE_DEFAULT).unwrap_err()
    };
    assert_eq!(refused(&[]), SignatureRulesError::SecretCount { count: 0 });
    let five = ["a", "b", "c", "d", "e"].map(|name| (name, "whsec_x"));
    assert_eq!(refused(&five), SignatureRulesError::SecretCount { count: 5 });
    assert!(SignatureRules::new(five[..4].iter().copied(), TOLERANCE_DEFAULT).is_ok());
    let twice = [("a", "whsec_x"), ("a", "whsec_y")];
    assert_eq!(refused(&twice), SignatureRulesError::NameTwice { name: "a".into() });
    let long = format!("whsec_{}", "x".repeat(251));
    for secret in ["", "whsec_", "sk_live_x", "whsec_x\n", "whsec_x y", " whsec_x", long.as_str()] {
        let error = refused(&[("a", secret)]);
        assert_eq!(error, SignatureRulesError::NoSecret { name: "a".into() }, "{secret:?}");
        assert!(!error.to_string().contains("_x"), "an error holds no secret");
    }
    let with = |tolerance| SignatureRules::new([("a", "whsec_x")], tolerance);
    assert!(with(TOLERANCE_MIN).is_ok() && with(TOLERANCE_MAX).is_ok());
    for ms in [0, 999, 3_600_001] {
        let tolerance = DurationMs::new(ms);
        assert_eq!(with(tolerance).unwrap_err(), SignatureRulesError::Tolerance { tolerance });
    }
}

#[test]
fn secrets_are_never_printed() {
    let printed = format!("{:?}", first());
    assert!(printed.contains("Secret(first)") && !printed.contains("whsec"), "{printed}");
}

fn flipped(bytes: &[u8], place: usize, bits: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[place] ^= bits;
    bytes
}

proptest! {
    /// Every byte counts: of the header's, because it has nothing but a time with one signature.
    #[test]
    fn a_byte_that_was_changed_is_seen(place: prop::sample::Index, bits in 1_u8..) {
        let header = format!("t={SIGNED_S},v1={FIRST}");
        let (rules, now) = (first(), at(SIGNED_S));
        let wrong = flipped(header.as_bytes(), place.index(header.len()), bits);
        prop_assert!(rules.check(Some(&wrong), BODY, now).is_err());
        let wrong = flipped(BODY, place.index(BODY.len()), bits);
        prop_assert_eq!(
            rules.check(Some(header.as_bytes()), &wrong, now),
            Err(SignatureError::NoSecretMatches)
        );
    }

    #[test]
    fn a_body_that_was_cut_or_continued_is_seen(cut in 0..BODY.len(), more in prop::collection::vec(any::<u8>(), 1..9)) {
        let header = format!("t={SIGNED_S},v1={FIRST}");
        let check = |body: &[u8]| first().check(Some(header.as_bytes()), body, at(SIGNED_S)).is_ok();
        prop_assert!(!check(&BODY[..cut]));
        prop_assert!(!check(&[BODY, &more].concat()));
    }

    #[test]
    fn no_bytes_make_it_panic(header: Vec<u8>, body: Vec<u8>, now: u64) {
        prop_assert!(first().check(Some(&header), &body, UnixMillis::new(now)).is_err());
    }

    #[test]
    fn nothing_that_looks_like_a_header_makes_it_panic(header in "(t=[0-9]{0,20}|v1=[0-9a-f]{0,70}|[a-z,=]{0,9}|,){0,9}", now: u64) {
        prop_assert!(first().check(Some(header.as_bytes()), BODY, UnixMillis::new(now)).is_err());
    }
}

/// The same, of every byte by every bit.
#[test]
fn each_bit_of_header_and_body_counts() {
    let header = format!("t={SIGNED_S},v1={FIRST}");
    let (rules, now) = (first(), at(SIGNED_S));
    for bit in 0..8 {
        for place in 0..header.len() {
            let wrong = flipped(header.as_bytes(), place, 1 << bit);
            assert!(rules.check(Some(&wrong), BODY, now).is_err(), "bit {bit} of byte {place}");
        }
        for place in 0..BODY.len() {
            let wrong = flipped(BODY, place, 1 << bit);
            assert!(rules.check(Some(header.as_bytes()), &wrong, now).is_err());
        }
    }
}
