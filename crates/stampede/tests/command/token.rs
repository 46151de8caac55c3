//! Staff tokens: made, listed, taken back while the server runs.

use std::path::Path;

use stampede_loadtest::{ControlClient, ControlError};

use crate::running::{Running, stampede, stderr, stdout};

fn token(data: &Path, args: &[&str]) -> String {
    let (verb, rest) = args.split_first().unwrap();
    let mut command = stampede();
    command.args(["token", verb]).arg("--data").arg(data).args(rest);
    stdout(&command.assert().success())
}

/// The status that the server answers a holder of the token with.
fn status(server: &Running, token: &str) -> u16 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let control = ControlClient::new(&server.control, token);
    match runtime.block_on(control.state("d999")) {
        Err(ControlError::Refused { status, .. }) => status,
        other => panic!("drop d999 is {other:?}"),
    }
}

#[test]
fn a_token_works_until_it_is_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let server = Running::start(dir.path());
    let secret = token(dir.path(), &["add", "--name", "nina", "--role", "host"]);
    let secret = secret.trim();
    assert_eq!(status(&server, secret), 404, "signed in, the drop is not there");
    let listed = token(dir.path(), &["list"]);
    let line = listed.lines().find(|line| line.ends_with("nina")).unwrap();
    assert!(line.contains("host") && line.contains("every merchant"), "{listed}");
    assert!(!listed.contains(secret), "secrets are shown once");
    let id = line.split_whitespace().next().unwrap();
    token(dir.path(), &["revoke", "--id", id]);
    assert_eq!(status(&server, secret), 401);
    assert!(!token(dir.path(), &["list"]).contains("nina"));
}

#[test]
fn a_merchant_needs_a_merchant() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = stampede();
    command.args(["token", "add", "--name", "shop", "--role", "merchant", "--data"]);
    let refused = command.arg(dir.path()).assert().code(2);
    assert!(stderr(&refused).contains("add --merchant ID"), "{}", stderr(&refused));
    token(
        dir.path(),
        &["add", "--name", "shop", "--role", "merchant", "--merchant", "maison-nord"],
    );
    assert!(token(dir.path(), &["list"]).contains("maison-nord"));
}

#[test]
fn a_token_may_be_bound_to_streams() {
    let dir = tempfile::tempdir().unwrap();
    let add = ["add", "--name", "mia", "--role", "host", "--stream", "late-show"];
    token(dir.path(), &[&add[..], &["--stream", "friday-show"]].concat());
    let listed = token(dir.path(), &["list"]);
    assert!(listed.contains("friday-show late-show"), "{listed}");
    let mut command = stampede();
    command.args(["token", "add", "--name", "eve", "--role", "host", "--stream", "a b", "--data"]);
    let refused = command.arg(dir.path()).assert().code(2);
    assert!(stderr(&refused).contains("stream"), "{}", stderr(&refused));
}

#[test]
fn a_token_for_payments_is_bound_to_a_merchant_and_to_no_stream() {
    let dir = tempfile::tempdir().unwrap();
    let add = ["add", "--name", "till", "--role", "payments", "--merchant", "maison-nord"];
    token(dir.path(), &add);
    let listed = token(dir.path(), &["list"]);
    assert!(listed.contains("payments  maison-nord  every stream  till"), "{listed}");
    let mut command = stampede();
    command.args(["token"]).args(add).args(["--stream", "late-show", "--data"]);
    let refused = command.arg(dir.path()).assert().code(2);
    assert!(stderr(&refused).contains("cannot be bound to streams"), "{}", stderr(&refused));
}

#[test]
fn the_columns_of_the_list_stand_below_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let merchant = "a-merchant-whose-name-is-longer-than-any-column-would-be";
    token(dir.path(), &["add", "--name", "ops", "--role", "admin"]);
    token(dir.path(), &["add", "--name", "shop", "--role", "merchant", "--merchant", merchant]);
    let listed = token(dir.path(), &["list"]);
    let at = |value: &str| listed.lines().find_map(|line| line.find(value)).unwrap();
    assert_eq!(at("every merchant"), at(merchant), "{listed}");
    assert_eq!(at("ops"), at("shop"), "{listed}");
    assert!(!listed.contains(" \n"), "no line ends with blanks");
}

#[test]
fn a_token_made_before_the_first_start_is_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let secret = token(dir.path(), &["add", "--name", "ops", "--role", "admin"]);
    let server = Running::start(dir.path());
    assert_eq!(server.token, None, "there is one already");
    assert_eq!(status(&server, secret.trim()), 404);
}

#[test]
fn an_unknown_token_to_take_back_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = stampede();
    command.args(["token", "revoke", "--id", "nobody", "--data"]);
    let refused = command.arg(dir.path()).assert().code(2);
    assert!(stderr(&refused).contains("nobody"), "{}", stderr(&refused));
}
