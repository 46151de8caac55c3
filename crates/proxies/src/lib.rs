//! Who is behind a proxy: the client's address as far as trusted proxies tell it.
//!
//! A listener asks twice. [`preamble`] reads what a proxy sends before everything else, the PROXY
//! protocol's header; [`forwarded`] reads what it adds to an HTTP request. Both are believed from
//! [`TrustedProxies`] only: whoever else sends them is taken by the address of the socket. Nothing
//! here does I/O, so both listeners share one set of rules.

mod address;
mod forwarded;
mod preamble;

pub use address::{ClientAddress, NetworkError, TrustedProxies};
pub use forwarded::{Claims, ForwardedError, client_address};
pub use preamble::{PREAMBLE_BYTES_MAX, Preamble, PreambleError, ProxyProtocol, read_preamble};
