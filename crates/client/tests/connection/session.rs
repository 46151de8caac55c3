//! A session: comes back, repeats what was not answered, stops where coming back does not help.

use std::time::Duration;

use futures_util::future::join;
use rand::{SeedableRng, rngs::StdRng};
use stampede_client::{
    Backoff, ClientError, CloseCode, Event, PENDING_MAX, ServerMessage, Session, Subprotocol,
};
use stampede_domain::Refusal;
use stampede_wire::Refused;

use crate::server::{Server, buy, drop_id, held, key};

fn session(server: &Server) -> Session<StdRng> {
    let backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(4));
    let options = server.options(Subprotocol::MsgPack);
    Session::new(options, "a ticket".into(), backoff, StdRng::seed_from_u64(1))
}

async fn connected(session: &mut Session<StdRng>) {
    let event = session.next().await.unwrap();
    assert!(matches!(event, Event::Connected(_)), "{event:?}");
}

async fn lost(session: &mut Session<StdRng>) -> ClientError {
    match session.next().await.unwrap() {
        Event::Lost(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_unanswered_buy_is_repeated_with_its_key_until_it_is_answered() {
    let server = Server::start().await;
    let mut viewer = session(&server);
    viewer.buy(drop_id(), "mug", 1, key("k1")).unwrap();
    viewer.buy(drop_id(), "mug", 1, key("k2")).unwrap();

    let first = async {
        let mut peer = server.welcome().await;
        peer.expect(&buy("k1")).await;
        peer.expect(&buy("k2")).await;
        peer.send(&ServerMessage::Refused(Refused::buy(key("k1"), &Refusal::SoldOut))).await;
        // The other request has arrived; its answer is lost with the connection.
        peer
    };
    let ((), peer) = join(connected_and_refused(&mut viewer), first).await;
    drop(peer);
    assert!(matches!(lost(&mut viewer).await, ClientError::Broken { .. }));

    let second = async {
        let mut peer = server.welcome().await;
        peer.expect(&buy("k2")).await;
        peer.send(&ServerMessage::Held(held().answer(key("k2"), true))).await;
        peer
    };
    let again = async {
        connected(&mut viewer).await;
        viewer.next().await.unwrap()
    };
    let (event, peer) = join(again, second).await;
    match event {
        Event::Message(ServerMessage::Held(held)) => assert!(held.retry),
        other => panic!("{other:?}"),
    }
    drop(peer);
    lost(&mut viewer).await;

    // Nothing is left to repeat: the next message of the client is the one sent now.
    let third = async {
        let mut peer = server.welcome().await;
        peer.expect(&buy("k3")).await;
    };
    viewer.buy(drop_id(), "mug", 1, key("k3")).unwrap();
    let once_more = async {
        connected(&mut viewer).await;
        viewer.next().await.map(|_| ()).unwrap();
    };
    join(once_more, third).await;
}

async fn connected_and_refused(viewer: &mut Session<StdRng>) {
    connected(viewer).await;
    match viewer.next().await.unwrap() {
        Event::Message(ServerMessage::Refused(refused)) => {
            assert_eq!(refused.key, Some(key("k1")));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_bad_ticket_stops_the_session_until_there_is_a_better_one() {
    let server = Server::start().await;
    let mut viewer = session(&server);
    let turn_away = async { server.hello().await.close(CloseCode::BadTicket, "why").await };
    let (event, ()) = join(viewer.next(), turn_away).await;
    let error = event.map(|_| ()).unwrap_err();
    assert!(matches!(error, ClientError::Closed { code: Some(4100), .. }), "{error:?}");
    viewer.refresh("a ticket".into()).await.unwrap();
    let ((), _peer) = join(connected(&mut viewer), server.welcome()).await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_tried_again() {
    let server = Server::start().await;
    let mut viewer = session(&server);
    drop(server);
    for _ in 0..3 {
        assert!(matches!(lost(&mut viewer).await, ClientError::Connect { .. }));
    }
}

#[tokio::test]
async fn unanswered_buys_are_bounded() {
    let server = Server::start().await;
    let mut viewer = session(&server);
    for number in 0..PENDING_MAX {
        viewer.buy(drop_id(), "mug", 1, key(&format!("k{number}"))).unwrap();
    }
    let error = viewer.buy(drop_id(), "mug", 1, key("more")).unwrap_err();
    assert_eq!(error.to_string(), "64 buys are unanswered already");
    assert!(viewer.pay(crate::server::hold()).await.is_err(), "there is no connection");
}
