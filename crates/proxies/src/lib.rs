//! Who is behind a proxy: the client's address as far as trusted proxies tell it.
//!
//! A listener asks twice. [`take_preamble`] reads what a proxy sends before everything else, the
//! PROXY protocol's header; [`client_address`] reads what it adds to an HTTP request. Both are
//! believed from [`TrustedProxies`] only: whoever else sends them is taken by the address of the
//! socket. The rules are decided without I/O, once for both listeners.

mod address;
mod forwarded;
mod intake;
mod preamble;

pub use address::{ClientAddress, ForwardingHeader, NetworkError, Peer, TrustedProxies, networks};
pub use forwarded::{Claims, ForwardedError, client_address};
pub use intake::{CHECKED, IntakeError, take_preamble};
pub use preamble::{PREAMBLE_BYTES_MAX, Preamble, PreambleError, ProxyProtocol, read_preamble};
