//! Whatever a server sends is refused, is skipped, or is a message that its own bytes give again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stampede_fuzz::split;

fuzz_target!(|bytes: &[u8]| {
    let Some((subprotocol, frame)) = split(bytes) else { return };
    let _tick = subprotocol.is_stock_tick(frame);
    if let Ok(Some(message)) = subprotocol.decode_server(frame) {
        let again = subprotocol.encode_server(&message);
        assert_eq!(subprotocol.decode_server(&again), Ok(Some(message)));
    }
});
