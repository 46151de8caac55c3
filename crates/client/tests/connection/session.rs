//! A session: comes back, repeats what was not answered, stops where coming back does not help.

use std::time::Duration;

use futures_util::future::{FutureExt, join};
use rand::{SeedableRng, rngs::StdRng};
use stampede_client::{
    Backoff, ClientError, ClientMessage, CloseCode, Event, PENDING_MAX, ServerMessage, Session,
    Subprotocol, TicketSource,
};
use stampede_domain::Refusal;
use stampede_wire::{Refreshed, Refused};
use tokio_tungstenite::tungstenite::{Message, http::StatusCode, protocol::CloseFrame};

use crate::server::{Server, buy, drop_id, held, key};

fn session(server: &Server) -> Session<StdRng> {
    let backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(4));
    let options = server.options(Subprotocol::MsgPack);
    Session::new(options, "a ticket".into(), backoff, StdRng::seed_from_u64(1))
}

/// For a clock that is paused once the connection stands: nothing on the way has a deadline that the
/// clock could run ahead to, and the test's server never pings.
fn session_with_tickets(server: &Server, source: TicketSource) -> Session<StdRng> {
    let backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(4));
    let mut options = server.options(Subprotocol::MsgPack);
    options.watch_heartbeat = false;
    Session::with_tickets(options, source, backoff, StdRng::seed_from_u64(1))
}

fn refresh() -> ClientMessage<'static> {
    ClientMessage::Refresh { ticket: "a ticket".into() }
}

fn refreshed() -> ServerMessage {
    let ticket_expires_in_ms = 600_000;
    ServerMessage::Refreshed(Refreshed { server_time_ms: 1, ticket_expires_in_ms })
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
async fn a_proxy_that_has_lost_its_server_for_now_is_tried_again() {
    let server = Server::start().await;
    let mut viewer = session(&server);
    let statuses = [StatusCode::NOT_FOUND, StatusCode::FORBIDDEN, StatusCode::BAD_GATEWAY];
    for status in statuses {
        let (error, ()) = join(lost(&mut viewer), server.refuse(status, "no such app")).await;
        assert!(error.to_string().ends_with("no such app"), "the app can show it: {error}");
    }
    let ((), _peer) = join(connected(&mut viewer), server.welcome()).await;
}

#[tokio::test]
async fn a_proxy_that_closes_the_connection_is_come_back_to() {
    let server = Server::start().await;
    let mut viewer = session(&server);
    for code in [1000, 1001, 1008, 1012, 1013, 3000] {
        let closing = async {
            let mut peer = server.welcome().await;
            let frame = CloseFrame { code: code.into(), reason: "draining".into() };
            peer.send_frame(Message::Close(Some(frame))).await;
        };
        join(connected(&mut viewer), closing).await;
        let error = lost(&mut viewer).await;
        assert!(matches!(error, ClientError::Closed { code: Some(told), .. } if told == code));
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
    assert_eq!(error.to_string(), "64 requests are unanswered already");
    assert!(viewer.forget(&key("k0")) && !viewer.forget(&key("k0")));
    viewer.pay(crate::server::hold()).unwrap();
}

#[tokio::test]
async fn a_buy_refused_for_now_is_sent_again_after_the_time_with_its_key() {
    let server = Server::start().await;
    let mut viewer = session(&server);
    viewer.buy(drop_id(), "mug", 1, key("k1")).unwrap();
    let busy = Refusal::Busy { retry_after: stampede_domain::DurationMs::new(150) };
    let serving = async {
        let mut peer = server.welcome().await;
        peer.expect(&buy("k1")).await;
        let sent = tokio::time::Instant::now();
        peer.send(&ServerMessage::Refused(Refused::buy(key("k1"), &busy))).await;
        peer.expect(&buy("k1")).await;
        assert!(sent.elapsed() >= Duration::from_millis(150), "{:?}", sent.elapsed());
        peer.send(&ServerMessage::Held(held().answer(key("k1"), false))).await;
        peer
    };
    let buying = async {
        connected(&mut viewer).await;
        assert!(matches!(viewer.next().await.unwrap(), Event::Postponed(_)));
        assert!(matches!(viewer.next().await.unwrap(), Event::Message(ServerMessage::Held(_))));
    };
    join(serving, buying).await;
}

#[tokio::test]
async fn a_server_that_stops_says_when_to_come_back() {
    let server = Server::start().await;
    let mut viewer = session(&server);
    let stopping = async {
        let mut peer = server.welcome().await;
        let notice = stampede_wire::ErrorNotice::new(CloseCode::GoingAway, "it stops");
        let notice = notice.after(stampede_domain::DurationMs::new(200));
        peer.send(&ServerMessage::Error(notice)).await;
        peer.close(CloseCode::GoingAway, "it stops").await;
    };
    join(connected(&mut viewer), stopping).await;
    lost(&mut viewer).await;
    let went = tokio::time::Instant::now();
    let ((), _peer) = join(connected(&mut viewer), server.welcome()).await;
    let away = went.elapsed();
    assert!(away >= Duration::from_millis(200), "{away:?}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_lived_for_a_heartbeat_was_a_good_one_though_nothing_was_said() {
    let server = Server::start().await;
    let mut options = server.options(Subprotocol::MsgPack);
    options.watch_heartbeat = false;
    let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(1_000));
    let rng = StdRng::seed_from_u64(3);
    let mut viewer = Session::new(options, "a ticket".into(), backoff, rng);
    let heartbeat = Duration::from_millis(crate::server::welcome().heartbeat_ms);
    // Twelve losses with a bound that doubles each time would soon wait for minutes.
    for _ in 0..12 {
        let went = tokio::time::Instant::now();
        let ((), peer) = join(connected(&mut viewer), server.welcome()).await;
        assert!(went.elapsed() <= Duration::from_secs(1), "{:?}", went.elapsed());
        tokio::time::advance(heartbeat).await;
        drop(peer);
        lost(&mut viewer).await;
    }
}

#[tokio::test]
async fn payments_and_releases_are_repeated_until_they_are_answered() {
    let server = Server::start().await;
    let mut viewer = session(&server);
    let hold = crate::server::hold();
    viewer.pay(hold).unwrap();
    let pay = ClientMessage::Pay { hold, card: None };
    let listing = |holds| {
        let mut welcome = crate::server::welcome();
        welcome.holds = holds;
        ServerMessage::Welcome(Box::new(welcome))
    };
    for _ in 0..2 {
        // The answer is lost with the connection each time.
        let serving = async {
            let mut peer = server.hello().await;
            peer.send(&listing(vec![held()])).await;
            peer.expect(&pay).await;
        };
        let asking = async {
            connected(&mut viewer).await;
            lost(&mut viewer).await;
        };
        join(serving, asking).await;
    }
    // The hold has become an order meanwhile: it is asked for all the same, and answered.
    viewer.buy(drop_id(), "mug", 1, key("next")).unwrap();
    let serving = async {
        let mut peer = server.hello().await;
        peer.send(&listing(Vec::new())).await;
        peer.expect(&pay).await;
        peer.expect(&buy("next")).await;
        let refused = Refused::pay(hold, &Refusal::HoldConfirmed);
        peer.send(&ServerMessage::Refused(refused)).await;
    };
    let asking = async {
        connected(&mut viewer).await;
        assert!(matches!(viewer.next().await.unwrap(), Event::Message(ServerMessage::Refused(_))));
        lost(&mut viewer).await;
    };
    join(serving, asking).await;
    // What was answered is not asked for again.
    let serving = async {
        let mut peer = server.hello().await;
        peer.send(&listing(Vec::new())).await;
        peer.expect(&buy("next")).await;
    };
    let asking = async {
        connected(&mut viewer).await;
        lost(&mut viewer).await;
    };
    join(serving, asking).await;
}

#[tokio::test]
async fn a_source_of_tickets_keeps_the_session_alive_beyond_one() {
    let server = Server::start().await;
    let mut asked = 0;
    let source = TicketSource::new(move || {
        asked += 1;
        let fails = asked == 2;
        async move { if fails { Err("the platform is away") } else { Ok("a ticket".to_owned()) } }
    });
    let mut viewer = session_with_tickets(&server, source);
    let serving = async {
        let mut peer = server.welcome().await;
        peer.expect(&refresh()).await;
        peer.send(&refreshed()).await;
        peer
    };
    let staying = async {
        connected(&mut viewer).await;
        tokio::time::pause();
        let late = viewer.next().await.unwrap();
        assert!(matches!(late, Event::TicketLate(ClientError::NoTicket { .. })), "{late:?}");
        let refreshed = viewer.next().await.unwrap();
        assert!(matches!(refreshed, Event::Message(ServerMessage::Refreshed(_))), "{refreshed:?}");
    };
    join(serving, staying).await;
}

#[tokio::test]
async fn a_ticket_that_is_refused_is_replaced_once() {
    let server = Server::start().await;
    let source = TicketSource::new(|| async { Ok::<_, ClientError>("a ticket".to_owned()) });
    let mut viewer = session_with_tickets(&server, source);
    let turn_away = || async { server.hello().await.close(CloseCode::TicketExpired, "over").await };
    let (error, ()) = join(lost(&mut viewer), turn_away()).await;
    assert!(matches!(error, ClientError::Closed { code: Some(4101), .. }), "{error:?}");
    let (event, ()) = join(viewer.next(), turn_away()).await;
    assert!(event.is_err(), "a second one is no better");
}

#[tokio::test]
async fn a_buy_refused_for_want_of_a_ticket_is_sent_again_with_the_next_one() {
    let server = Server::start().await;
    let source = TicketSource::new(|| async { Ok::<_, ClientError>("a ticket".to_owned()) });
    let mut viewer = session_with_tickets(&server, source);
    viewer.buy(drop_id(), "mug", 1, key("k1")).unwrap();
    let serving = async {
        let mut peer = server.welcome().await;
        peer.expect(&buy("k1")).await;
        let refused = Refused::buy(key("k1"), &Refusal::TicketExpired);
        peer.send(&ServerMessage::Refused(refused)).await;
        peer.expect(&refresh()).await;
        peer.send(&refreshed()).await;
        peer.expect(&buy("k1")).await;
        peer.send(&ServerMessage::Held(held().answer(key("k1"), false))).await;
        peer
    };
    let buying = async {
        connected(&mut viewer).await;
        assert!(matches!(viewer.next().await.unwrap(), Event::Postponed(_)));
        let renewed = viewer.next().await.unwrap();
        assert!(matches!(renewed, Event::Message(ServerMessage::Refreshed(_))), "{renewed:?}");
        assert!(matches!(viewer.next().await.unwrap(), Event::Message(ServerMessage::Held(_))));
    };
    join(serving, buying).await;
}

/// Sends until the network takes no more, because nobody reads on the other side.
fn fill_network(viewer: &mut Session<StdRng>) {
    let ticket = "t".repeat(2_000);
    let mut send = || tokio::task::unconstrained(viewer.refresh(ticket.clone())).now_or_never();
    while let Some(sent) = send() {
        sent.unwrap();
    }
}

#[tokio::test]
async fn cancelling_loses_neither_a_buy_nor_a_renewal_that_the_network_does_not_take() {
    let server = Server::start().await;
    let source = TicketSource::new(|| async { Ok::<_, ClientError>("a ticket".to_owned()) });
    let mut viewer = session_with_tickets(&server, source);
    let ((), mut peer) = join(connected(&mut viewer), server.welcome()).await;
    fill_network(&mut viewer);
    // The time to renew comes, the ticket is there, it cannot be sent.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(59)).await;
    for _ in 0..3 {
        assert!(tokio::task::unconstrained(viewer.next()).now_or_never().is_none());
    }
    viewer.buy(drop_id(), "mug", 1, key("k1")).unwrap();
    assert!(tokio::task::unconstrained(viewer.next()).now_or_never().is_none());
    tokio::time::resume();

    let (mut bought, mut renewed) = (false, false);
    let arriving = async {
        while !(bought && renewed) {
            let bytes = peer.next().await.unwrap().into_data();
            let message = Subprotocol::MsgPack.decode_client(&bytes).unwrap();
            bought |= message == buy("k1");
            renewed |= message == refresh();
        }
    };
    tokio::select! {
        event = viewer.next() => panic!("{event:?}"),
        () = arriving => {}
    }
}
