//! Any request is answered, at once or once it is whole, wherever it was cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stampede_gateway::fuzzing::{Answer, answer};
use stampede_proxies::{TrustedProxies, read_preamble};

fuzz_target!(|bytes: &[u8]| {
    let _preamble = read_preamble(bytes);
    let origins = ["https://shop.example".to_owned()];
    for (origins, trusted) in [(&origins[..], &[][..]), (&[], &["127.0.0.1"])] {
        let trusted = TrustedProxies::parse(trusted).expect("an address");
        let whole = answer(bytes, origins, &trusted);
        if let Answer::Accepted { request_bytes } = whole {
            assert!(request_bytes <= bytes.len());
            // What follows the request is not looked at, and nothing less is enough.
            assert_eq!(answer(&bytes[..request_bytes], origins, &trusted), whole);
            let cut = answer(&bytes[..request_bytes - 1], origins, &trusted);
            assert_eq!(cut, Answer::Incomplete);
        }
    }
});
