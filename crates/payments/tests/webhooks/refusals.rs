//! Whoever is not Stripe learns nothing.

use stampede_payments::stripe::{SignatureRules, signature::TOLERANCE_DEFAULT};
use stampede_testkit::plan;

use crate::world::{SECRET, World, signed, succeeded};

#[test]
fn nobody_can_tell_an_unknown_account_from_a_wrong_signature() {
    let mut world = World::new();
    let drop = world.open_drop(plan(3));
    let hold = world.hold("ann", drop);
    let body = succeeded("pi_1", 1_990, &[hold]).to_string();
    let (now, body) = (world.now_s(), body.as_bytes());
    let sent = |account: &str, header: Option<&str>| world.post(account, header, body).finish();
    let right = signed(SECRET, now, body);
    let refused = sent("main", None);
    assert_eq!((refused.status, refused.body.as_str()), (400, "no account here has signed this\n"));
    let wrong = [
        ("main", signed("whsec_guessed", now, body), "forged"),
        ("main", signed(SECRET, now, b"{}"), "of another body"),
        ("main", signed(SECRET, now - 301, body), "stale"),
        ("main", signed(SECRET, now + 301, body), "from the future"),
        ("main", "t=1,v1".to_owned(), "malformed"),
        ("main", right.replace("v1=", "v0="), "of another scheme"),
        ("zeta", right.clone(), "of another account"),
        ("nobody", right.clone(), "of an account that is not set"),
        ("%ff", right.clone(), "of an account that has no name"),
    ];
    for (account, header, what) in wrong {
        assert_eq!(sent(account, Some(&header)), refused, "{what}");
    }
    assert!(world.payment_records().is_empty() && world.unmatched().is_empty());
    assert_eq!(sent("main", Some(&right)).status, 200);
    assert_eq!(world.sold(drop), 1);
    // Replayed: in time it changes nothing, later it is not even looked at.
    assert_eq!(sent("main", Some(&right)).status, 200);
    world.clock.advance(301_000);
    assert_eq!(sent("main", Some(&right)), refused);
    assert_eq!(world.sold(drop), 1);
}

#[test]
fn signatures_go_by_the_wall_clock() {
    let world = World::new();
    let body = succeeded("pi_1", 5, &[]).to_string();
    let body = body.as_bytes();
    world.clock.set_wall(3_600_000);
    let stale = signed(SECRET, world.now_s() - 3_600, body);
    assert_eq!(world.post("main", Some(&stale), body).finish().status, 400);
    let fresh = signed(SECRET, world.now_s(), body);
    assert_eq!(world.post("main", Some(&fresh), body).finish().status, 200);
}

#[test]
fn secrets_can_be_changed_while_the_listener_runs() {
    let world = World::new();
    let body = succeeded("pi_1", 5, &[]).to_string();
    let (now, body) = (world.now_s(), body.as_bytes());
    let status =
        |secret| world.post("main", Some(&signed(secret, now, body)), body).finish().status;
    assert_eq!((status(SECRET), status("whsec_newer")), (200, 400));
    let both = [("1", SECRET), ("2", "whsec_newer")];
    world.accounts.set_rules("main", SignatureRules::new(both, TOLERANCE_DEFAULT).unwrap());
    assert_eq!((status(SECRET), status("whsec_newer")), (200, 200));
    let newer = [("2", "whsec_newer")];
    world.accounts.set_rules("main", SignatureRules::new(newer, TOLERANCE_DEFAULT).unwrap());
    assert_eq!((status(SECRET), status("whsec_newer")), (400, 200));
    let shown = format!("{:?}", world.accounts);
    assert!(!shown.contains("whsec"), "{shown}");
}

#[test]
fn there_is_nothing_else() {
    let world = World::new();
    let status = |line: &str| {
        let request = format!("{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        world.raw(request.as_bytes()).finish().status
    };
    assert_eq!(status("GET /v1/payments/stripe/main"), 405);
    assert_eq!(status("GET /metrics"), 404);
    assert_eq!(status("POST /v1/payments/stripe"), 404);
    assert_eq!(status("POST /v1/payments/stripe/main/more"), 404);
}
