//! Whatever a client sends is refused, or is a message that its own bytes give again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stampede_fuzz::split;

fuzz_target!(|bytes: &[u8]| {
    let Some((subprotocol, frame)) = split(bytes) else { return };
    if let Ok(message) = subprotocol.decode_client(frame) {
        let again = subprotocol.encode_client(&message);
        assert_eq!(subprotocol.decode_client(&again).as_ref(), Ok(&message));
    }
});
