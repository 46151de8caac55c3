//! A ticket's text is refused, unless somebody who has the key has signed it.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use stampede_domain::{DurationMs, Mode, UnixMillis};
use stampede_fuzz::{NOW, key};
use stampede_wire::ticket::{Ticket, TicketKeys, TicketMinter, TicketVerifier};

static VERIFIER: LazyLock<TicketVerifier> =
    LazyLock::new(|| TicketVerifier::new(TicketKeys::new(&[key()]).expect("a sound key")));

/// The one ticket that is good.
static GOOD: LazyLock<String> = LazyLock::new(|| {
    let ticket = Ticket {
        viewer: "v-1".parse().expect("an id"),
        stream: "show".parse().expect("an id"),
        channel: None,
        mode: Mode::Live,
        expires_at: NOW.plus(DurationMs::from_secs(600)),
    };
    TicketMinter::new(&key()).expect("a sound key").mint(&ticket, NOW)
});

/// The signed text, with some of its characters replaced.
fn changed(bytes: &[u8]) -> Option<String> {
    let mut text = GOOD.clone().into_bytes();
    for change in bytes.chunks_exact(3) {
        let place = usize::from(u16::from_be_bytes([change[0], change[1]])) % text.len();
        text[place] = change[2];
    }
    String::from_utf8(text).ok()
}

fuzz_target!(|bytes: &[u8]| {
    assert!(VERIFIER.verify(&GOOD, NOW).is_ok());
    let Some((choice, rest)) = bytes.split_first() else { return };
    let text = if choice % 2 == 0 { String::from_utf8(rest.to_vec()).ok() } else { changed(rest) };
    let Some(text) = text else { return };
    if let Ok(ticket) = VERIFIER.verify(&text, NOW) {
        // The last character of a signature has bits that stand for nothing.
        assert_eq!(text[..text.len() - 1], GOOD[..GOOD.len() - 1], "accepted without the key");
        assert_eq!(ticket.viewer.as_str(), "v-1");
        assert!(VERIFIER.verify(&text, UnixMillis::new(u64::MAX)).is_err(), "good for ever");
    }
});
