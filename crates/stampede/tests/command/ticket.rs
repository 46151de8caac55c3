//! Tickets that the command signs open the viewers' door.

use std::path::Path;

use stampede_client::{ClientError, ConnectOptions, Connection, Subprotocol, Welcome};
use stampede_domain::ChannelId;

use crate::running::{Running, stampede, stderr, stdout};

fn mint(data: &Path, args: &[&str]) -> String {
    let mut command = stampede();
    command.args(["ticket", "mint"]).arg("--data").arg(data).args(args);
    stdout(&command.assert().success()).trim().to_owned()
}

fn join(server: &Running, ticket: &str) -> Result<Welcome, ClientError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let options = ConnectOptions::new(&server.viewers, Subprotocol::Json);
    runtime.block_on(Connection::open(&options, ticket)).map(|(_, welcome)| welcome)
}

#[test]
fn the_server_welcomes_the_bearer_of_a_minted_ticket() {
    let dir = tempfile::tempdir().unwrap();
    let server = Running::start(dir.path());
    let args = ["--stream", "friday", "--viewer", "v1", "--channel", "nina", "--lifetime-s", "60"];
    let welcome = join(&server, &mint(dir.path(), &args)).unwrap();
    assert_eq!((welcome.viewer.as_str(), welcome.stream.as_str()), ("v1", "friday"));
    assert_eq!(welcome.channel.as_ref().map(ChannelId::as_str), Some("nina"));
    // 60 s, with 5 s on top for clocks that differ.
    assert!((1..=65_000).contains(&welcome.ticket_expires_in_ms), "{welcome:?}");
}

#[test]
fn a_ticket_of_another_servers_key_is_refused() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Running::start(here.path());
    drop(Running::start(there.path()));
    let ticket = mint(there.path(), &["--stream", "friday", "--viewer", "v1"]);
    match join(&server, &ticket) {
        Err(ClientError::Closed { code: Some(code), .. }) => {
            assert!((4_100..4_200).contains(&code), "{code}");
        }
        other => panic!("a foreign ticket led to {other:?}"),
    }
}

#[test]
fn without_a_key_there_is_no_ticket() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = stampede();
    command.args(["ticket", "mint", "--stream", "s", "--viewer", "v", "--data"]);
    let refused = command.arg(dir.path()).assert().code(2);
    assert!(stderr(&refused).contains("ticket-keys.json"), "{}", stderr(&refused));
}
