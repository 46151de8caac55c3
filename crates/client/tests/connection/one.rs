//! One connection: requests, messages, every way that it ends.

use std::time::Duration;

use futures_util::future::join;
use stampede_client::{
    ClientError, ClientMessage, CloseCode, Connection, Reconnect, ServerMessage, Stock, Subprotocol,
};
use stampede_wire::{ErrorNotice, Pong};
use tokio_tungstenite::tungstenite::{Message, http::StatusCode};

use crate::server::{Peer, Server, buy, drop_id, held, hold, key, welcome};

async fn connect(server: &Server, subprotocol: Subprotocol) -> (Connection, Peer) {
    let options = server.options(subprotocol);
    let (opened, peer) = join(Connection::open(&options, "a ticket"), server.welcome()).await;
    let (connection, found) = opened.unwrap();
    assert_eq!(found, welcome());
    (connection, peer)
}

async fn refused_to_open(server: &Server) -> ClientError {
    let options = server.options(Subprotocol::Json);
    Connection::open(&options, "a ticket").await.map(|_| ()).unwrap_err()
}

fn stock() -> ServerMessage {
    ServerMessage::Stock(Stock { drop: drop_id(), version: 1, skus: Vec::new() })
}

#[tokio::test]
async fn every_request_reaches_the_server_in_both_subprotocols() {
    for subprotocol in Subprotocol::ALL {
        let server = Server::start().await;
        let (mut viewer, mut peer) = connect(&server, subprotocol).await;
        viewer.buy(drop_id(), "mug", 1, &key("k1")).await.unwrap();
        peer.expect(&buy("k1")).await;
        viewer.pay(hold()).await.unwrap();
        peer.expect(&ClientMessage::Pay { hold: hold(), card: None }).await;
        viewer.release(hold()).await.unwrap();
        peer.expect(&ClientMessage::Release { hold: hold() }).await;
        viewer.refresh("t2").await.unwrap();
        peer.expect(&ClientMessage::Refresh { ticket: "t2".into() }).await;
        viewer.send(&ClientMessage::Ping).await.unwrap();
        peer.expect(&ClientMessage::Ping).await;
        peer.send(&ServerMessage::Held(held().answer(key("k1"), false))).await;
        let answer = viewer.next().await.unwrap();
        assert_eq!(answer, ServerMessage::Held(held().answer(key("k1"), false)));
    }
}

#[tokio::test]
async fn pings_are_answered_and_unknown_messages_are_skipped() {
    let server = Server::start().await;
    let (mut viewer, mut peer) = connect(&server, Subprotocol::Json).await;
    peer.send_frame(Message::Ping("beat".into())).await;
    peer.send_bytes(br#"{"type":"confetti","colours":["red"]}"#.to_vec()).await;
    let pong = ServerMessage::Pong(Pong { server_time_ms: 7 });
    peer.send(&pong).await;
    assert_eq!(viewer.next().await.unwrap(), pong);
    let (_pending, answered) = tokio::select! {
        message = viewer.next() => panic!("{message:?}"),
        frame = peer.next() => ((), frame),
    };
    assert_eq!(answered, Some(Message::Pong("beat".into())));
}

#[tokio::test]
async fn ticks_can_be_dropped_unread() {
    for subprotocol in Subprotocol::ALL {
        let server = Server::start().await;
        let mut options = server.options(subprotocol);
        options.skip_stock_ticks = true;
        let (opened, mut peer) =
            join(Connection::open(&options, "a ticket"), server.welcome()).await;
        let mut viewer = opened.unwrap().0;
        peer.send(&stock()).await;
        peer.send(&stock()).await;
        peer.send(&ServerMessage::Held(held())).await;
        assert_eq!(viewer.next().await.unwrap(), ServerMessage::Held(held()));
        assert_eq!(viewer.stock_ticks_skipped(), 2);
    }
}

#[tokio::test]
async fn a_close_tells_its_code_with_the_notice_before_it() {
    let server = Server::start().await;
    let (mut viewer, mut peer) = connect(&server, Subprotocol::MsgPack).await;
    let notice = ErrorNotice::new(CloseCode::Replaced, "a newer connection took its place");
    peer.send(&ServerMessage::Error(notice.clone())).await;
    peer.close(CloseCode::Replaced, "a newer connection took its place").await;
    let error = viewer.next().await.unwrap_err();
    assert_eq!(error.reconnect(), Reconnect::Never);
    match error {
        ClientError::Closed { code, reason, notice: found } => {
            assert_eq!(code, Some(4200));
            assert_eq!(reason, "a newer connection took its place");
            assert_eq!(found, Some(notice));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_vanished_server_is_a_broken_connection() {
    let server = Server::start().await;
    let (mut viewer, peer) = connect(&server, Subprotocol::MsgPack).await;
    drop(peer);
    let error = viewer.next().await.unwrap_err();
    assert!(matches!(error, ClientError::Broken { .. }), "{error:?}");
    assert_eq!(error.reconnect(), Reconnect::WithBackoff);
}

#[tokio::test]
async fn bad_frames_from_the_server_are_told() {
    let server = Server::start().await;
    let (mut viewer, mut peer) = connect(&server, Subprotocol::Json).await;
    peer.send_bytes(b"{\"type\":\"pong\"}".to_vec()).await;
    let error = viewer.next().await.unwrap_err();
    assert!(matches!(error, ClientError::Decode { .. }), "{error:?}");
    peer.send_frame(Message::binary(vec![0x80])).await;
    let error = viewer.next().await.unwrap_err();
    assert!(matches!(error, ClientError::WrongFrame { .. }), "{error:?}");
    assert_eq!(error.reconnect(), Reconnect::AfterFix);
}

#[tokio::test]
async fn halves_work_apart() {
    let server = Server::start().await;
    let (viewer, mut peer) = connect(&server, Subprotocol::MsgPack).await;
    let (mut sender, mut receiver) = viewer.split();
    let reading = tokio::spawn(async move { (receiver.next().await, receiver) });
    sender.buy(drop_id(), "mug", 1, &key("k1")).await.unwrap();
    peer.expect(&buy("k1")).await;
    peer.send(&ServerMessage::Held(held())).await;
    let (message, receiver) = reading.await.unwrap();
    assert_eq!(message.unwrap(), ServerMessage::Held(held()));
    sender.pay(hold()).await.unwrap();
    sender.drop_connection(receiver).await;
    peer.expect(&ClientMessage::Pay { hold: hold(), card: None }).await;
    assert_eq!(peer.next().await, None, "no close frame, just the end");
}

#[tokio::test]
async fn an_abandoned_connection_loses_the_answer_but_not_the_request() {
    let server = Server::start().await;
    let (mut viewer, mut peer) = connect(&server, Subprotocol::MsgPack).await;
    // Unread bytes at the client make its system answer with a reset; the request still arrives.
    peer.send(&stock()).await;
    viewer.buy(drop_id(), "mug", 1, &key("k1")).await.unwrap();
    viewer.drop_connection().await;
    peer.expect(&buy("k1")).await;
    assert_eq!(peer.next().await, None, "no close frame, just the end");
}

#[tokio::test]
async fn who_hangs_up_knows_that_the_request_was_read() {
    let server = Server::start().await;
    let (mut viewer, mut peer) = connect(&server, Subprotocol::MsgPack).await;
    viewer.buy(drop_id(), "mug", 1, &key("k1")).await.unwrap();
    let hears = async {
        peer.expect(&buy("k1")).await;
        peer.send(&ServerMessage::Held(held())).await;
        let end = peer.next().await;
        drop(peer);
        end
    };
    let ((), end) = join(viewer.hang_up(), hears).await;
    assert_eq!(end, None, "no close frame, just the end");
}

#[tokio::test]
async fn a_goodbye_is_a_close_frame() {
    let server = Server::start().await;
    let (viewer, mut peer) = connect(&server, Subprotocol::MsgPack).await;
    let (closed, frame) = join(viewer.close(), peer.next()).await;
    closed.unwrap();
    assert!(matches!(frame, Some(Message::Close(_))), "{frame:?}");
}

#[tokio::test]
async fn a_local_address_can_be_chosen() {
    let server = Server::start().await;
    let mut options = server.options(Subprotocol::MsgPack);
    options.local = Some("127.0.0.3:0".parse().unwrap());
    let (opened, peer) = join(Connection::open(&options, "a ticket"), server.welcome()).await;
    opened.unwrap();
    assert_eq!(peer.from.ip().to_string(), "127.0.0.3");
}

#[tokio::test]
async fn a_refused_handshake_tells_status_and_text() {
    let server = Server::start().await;
    let refuse = server.refuse(StatusCode::BAD_REQUEST, "offer stampede.v1.json");
    let (error, ()) = join(refused_to_open(&server), refuse).await;
    let text = error.to_string();
    assert_eq!(
        text,
        "the server answered the handshake with HTTP status 400: offer stampede.v1.json"
    );
}

#[tokio::test]
async fn a_name_that_no_server_takes_is_told_before_connecting() {
    let server = Server::start().await;
    let mut options = server.options(Subprotocol::Json);
    options.client = Some("n".repeat(65));
    drop(server);
    let error = Connection::open(&options, "t").await.map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "the client's name has 65 bytes; 64 are allowed: shorten it");
    assert_eq!(error.reconnect(), Reconnect::AfterFix);
}

#[tokio::test]
async fn another_first_message_is_no_welcome() {
    let server = Server::start().await;
    let serve = async {
        let mut peer = server.hello().await;
        peer.send(&stock()).await;
        peer
    };
    let (error, _peer) = join(refused_to_open(&server), serve).await;
    assert!(matches!(error, ClientError::NoWelcome), "{error:?}");
}

#[tokio::test]
async fn addresses_are_checked() {
    for (url, expected) in [
        ("http://127.0.0.1/", "its scheme is another one"),
        ("ftp://127.0.0.1/", "its scheme is another one"),
        ("127.0.0.1 7700", "it does not parse"),
    ] {
        let options = stampede_client::ConnectOptions::new(url, Subprotocol::Json);
        let error = Connection::open(&options, "t").await.map(|_| ()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.reconnect(), Reconnect::AfterFix);
    }
}

#[tokio::test]
async fn a_mute_server_does_not_hold_a_client_for_ever() {
    let server = Server::start().await;
    let mut options = server.options(Subprotocol::Json);
    options.connect_timeout = Duration::from_millis(20);
    let (opened, _mute) = join(Connection::open(&options, "t"), server.accept_mute()).await;
    let error = opened.map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "no welcome within 20 ms");
}

#[tokio::test]
async fn silence_ends_the_connection() {
    let server = Server::start().await;
    let options = server.options(Subprotocol::Json);
    let serve = async {
        let mut peer = server.hello().await;
        let mut welcome = welcome();
        welcome.heartbeat_ms = 150;
        peer.send(&ServerMessage::Welcome(Box::new(welcome))).await;
        peer
    };
    let (opened, mut peer) = join(Connection::open(&options, "a ticket"), serve).await;
    let mut viewer = opened.unwrap().0;
    peer.send(&stock()).await;
    assert_eq!(viewer.next().await.unwrap(), stock());
    let error = viewer.next().await.unwrap_err();
    assert_eq!(error.to_string(), "nothing came from the server for 375 ms");
    assert_eq!(error.reconnect(), Reconnect::WithBackoff);
}

#[test]
fn connections_can_move_between_threads() {
    fn send<T: Send>() {}
    send::<Connection>();
    send::<ClientError>();
}
