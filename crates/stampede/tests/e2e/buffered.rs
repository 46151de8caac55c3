//! A control room behind a proxy that holds streams back until they end, as nginx does by default.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use serde_json::json;

use crate::harness::{Browser, Drop, Look, Server};

const STREAM: &str = "friday-show";

/// Streams of events that the page tries before the test has seen enough.
const TRIES: usize = 3;

/// A proxy that answers every request but lets no stream of events through.
struct Proxy {
    tried: Arc<AtomicUsize>,
}

impl Proxy {
    fn serve(listener: TcpListener, to: String) -> Self {
        let tried = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&tried);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(&to).unwrap();
                pass(client, server, &counted);
            }
        });
        Self { tried }
    }

    /// Streams of events that were asked for so far.
    fn tried(&self) -> usize {
        self.tried.load(Ordering::SeqCst)
    }
}

/// Passes on what two say to each other; from the first request for events on, the answer is held back.
fn pass(client: TcpStream, server: TcpStream, tried: &Arc<AtomicUsize>) {
    let held_back = Arc::new(AtomicBool::new(false));
    let (mut asks, mut answers) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let (holds, counted) = (Arc::clone(&held_back), Arc::clone(tried));
    let (mut client, mut server) = (client, server);
    thread::spawn(move || {
        copy(&mut asks, &mut server, |piece| {
            if piece.to_ascii_lowercase().windows(25).any(|at| at == b"accept: text/event-stream") {
                holds.store(true, Ordering::SeqCst);
                counted.fetch_add(1, Ordering::SeqCst);
            }
            true
        });
    });
    thread::spawn(move || {
        copy(&mut answers, &mut client, |_| !held_back.load(Ordering::SeqCst));
    });
}

/// Passes pieces on, those that `passes`, until either side ends; then both have ended.
fn copy(from: &mut TcpStream, to: &mut TcpStream, mut passes: impl FnMut(&[u8]) -> bool) {
    let mut piece = [0; 16_384];
    while let Ok(size @ 1..) = from.read(&mut piece) {
        if passes(&piece[..size]) && to.write_all(&piece[..size]).is_err() {
            break;
        }
    }
    for side in [from, to] {
        let _gone = side.shutdown(Shutdown::Both);
    }
}

/// Notes every state of the connection but the good one.
const NOTE: &str = "(() => { globalThis.links = [];
  const note = () => document.body.dataset.link !== 'live' && links.push(document.body.dataset.link);
  new MutationObserver(note).observe(document.body, { attributeFilter: ['data-link'] }); return true; })()";

#[test]
fn behind_a_proxy_that_holds_streams_back_the_page_stays_connected() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = Server::prepared(|folder| {
        let settings = folder.join("stampede.toml");
        std::fs::write(&settings, format!("[control]\npublic_url = \"{url}\"\n")).unwrap();
        vec!["--config".to_owned(), settings.to_str().unwrap().to_owned()]
    });
    let drop = server.plan(&Drop { countdown_ms: 0, ..Drop::new(STREAM, 1, "Grey mug", 50) });
    let proxy = Proxy::serve(listener, server.address().to_owned());
    let browser = Browser::start();
    let door = format!("{url}/sign-in?to=/live/{STREAM}");
    let tab = browser.visitor(Look::LAPTOP).sign_in(&door, &server.token);
    tab.see("[data-s=next-title]", "Grey mug");
    tab.until("connected", "document.body.dataset.link === 'live'");
    tab.value(NOTE);
    let wanted = proxy.tried() + TRIES;
    while proxy.tried() < wanted {
        assert_eq!(tab.value("links"), json!([]), "the page lost the server");
    }
    // What happens elsewhere comes by questions.
    server.command(&format!("drops/{drop}/open"), &json!({}));
    tab.see("[data-s=state]", "Open");
    assert_eq!(tab.value("links"), json!([]), "the page lost the server");
}
