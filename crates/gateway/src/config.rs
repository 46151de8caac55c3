//! Limits of a running gateway.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use rustls::ServerConfig;
use stampede_domain::{
    AddressRange, DurationMs, Rate,
    limits::{TICK_INTERVAL_MS_MAX, TICK_INTERVAL_MS_MIN},
};
use stampede_proxies::{ProxyProtocol, TrustedProxies};

use crate::admission::{AddressLimits, MessageLimits};

/// What may be set about a gateway; each limit with its policy when full.
#[derive(Clone, Debug)]
pub struct GatewayConfig {
    /// Where viewers connect; port 0 lets the system choose one.
    pub listen: SocketAddr,
    /// TLS for every connection; `None` leaves it to a proxy.
    pub tls: Option<Arc<ServerConfig>>,
    /// Whose word about a client's address counts.
    pub trusted_proxies: TrustedProxies,
    /// Whether connections begin with a PROXY header.
    pub proxy_protocol: ProxyProtocol,
    /// Exact values of the `Origin` header that are let in; an empty list lets every origin in.
    /// Clients that send no `Origin` are no browsers, so they are let in always.
    pub origins: Vec<String>,
    /// Connections on all cores. When full: a new one is closed with `overloaded`.
    pub connections_max: usize,
    /// Connections of one address past their handshake; 0 for any number. When full: a new one is
    /// closed with `address_full`. An IPv6 address stands for the 64 bits that a customer gets.
    pub connections_per_address_max: usize,
    /// Connections that one address may open in the long run, per second; 0 for any number. When over:
    /// refused with 429, as many again; dropped beyond that.
    pub connects_per_address_per_s: u32,
    /// Connections that one address may open at once.
    pub connects_per_address_burst: u32,
    /// Addresses without any limit of their own.
    pub unlimited_addresses: Vec<AddressRange>,
    /// Connections of one door that have not finished their handshake; there is a door for each core.
    /// When full: the oldest one that has had 2 s is dropped; without such a one, new ones wait in
    /// the system's queue.
    pub handshakes_max: usize,
    /// Bytes of a request for a connection, headers with cookies included. When over: refused with 431.
    pub handshake_bytes_max: usize,
    /// Time for the handshake, PROXY header and TLS included, in milliseconds. When over: dropped.
    pub handshake_timeout: DurationMs,
    /// Time from the handshake to `hello`, in milliseconds. When over: closed with `hello_late`.
    pub hello_timeout: DurationMs,
    /// Silence after which the server pings, in milliseconds; after twice that time without a sign
    /// of life the connection is closed with `silent`.
    pub heartbeat: DurationMs,
    /// Time that an expired ticket keeps its connection open for a refresh, in milliseconds. When
    /// over: closed with `ticket_expired`.
    pub ticket_grace: DurationMs,
    /// Time for the other side to answer a close, in milliseconds. When over: dropped.
    pub close_linger: DurationMs,
    /// Time between two stock ticks of a drop at least, in milliseconds.
    pub tick_interval: DurationMs,
    /// Messages that one connection may send in the long run, per second. When over: refused with
    /// `rate_limited`; a refresh, which costs a signature, closes it with `flooding`.
    pub messages_per_s: u32,
    /// Messages that one connection may send at once.
    pub messages_burst: u32,
    /// Messages of one viewer, over all connections, in the long run, per second; 0 for any number. It
    /// is never less than one connection may send. When over: as for one connection.
    pub messages_per_viewer_per_s: u32,
    /// Messages that one viewer may send at once.
    pub messages_per_viewer_burst: u32,
    /// Messages of one address, over all connections, in the long run, per second; 0 for any number.
    /// It is never less than one viewer may send. When over: as for one connection.
    pub messages_per_address_per_s: u32,
    /// Messages that one address may send at once.
    pub messages_per_address_burst: u32,
    /// Messages over the limit in a row. When over: closed with `flooding`.
    pub messages_over_max: u32,
    /// Bytes that wait for one connection behind its welcome. When full: ticks are left out, answers
    /// close it with `too_slow`.
    pub queue_bytes_max: usize,
    /// Retries that wait on one core for another core's take. When full: `busy`.
    pub awaiting_max: usize,
    /// Span over which clients are asked to come back when the server stops, in milliseconds; 0
    /// leaves it to their own backoff.
    pub reconnect_spread: DurationMs,
    /// Time for pending answers to leave at shutdown, in milliseconds.
    pub drain_timeout: DurationMs,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7700)),
            tls: None,
            trusted_proxies: TrustedProxies::default(),
            proxy_protocol: ProxyProtocol::Off,
            origins: Vec::new(),
            connections_max: 100_000,
            connections_per_address_max: 4_000,
            connects_per_address_per_s: 200,
            connects_per_address_burst: 4_000,
            unlimited_addresses: loopback(),
            handshakes_max: 1_024,
            handshake_bytes_max: 16 << 10,
            handshake_timeout: DurationMs::from_secs(10),
            hello_timeout: DurationMs::from_secs(10),
            heartbeat: DurationMs::from_secs(20),
            ticket_grace: DurationMs::from_secs(30),
            close_linger: DurationMs::from_secs(2),
            tick_interval: DurationMs::new(100),
            messages_per_s: 20,
            messages_burst: 40,
            messages_per_viewer_per_s: 40,
            messages_per_viewer_burst: 80,
            messages_per_address_per_s: 10_000,
            messages_per_address_burst: 20_000,
            messages_over_max: 100,
            queue_bytes_max: 256 << 10,
            awaiting_max: 65_536,
            reconnect_spread: DurationMs::from_secs(5),
            drain_timeout: DurationMs::from_secs(5),
        }
    }
}

/// A limit that cannot be met.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} is {value}; {min} to {max} are allowed")]
pub struct ConfigError {
    /// The setting.
    pub name: &'static str,
    /// What was given.
    pub value: u64,
    /// Smallest allowed.
    pub min: u64,
    /// Largest allowed.
    pub max: u64,
}

/// Shorter spans than a sweep's would end before anybody looks.
const TIMEOUT_MS_MIN: u64 = 2 * SWEEP_MS;
const HOUR_MS: u64 = 3_600_000;
const PER_S_MAX: u64 = 1_000_000;
const BURST_MAX: u64 = 1_000_000;
/// Addresses that are remembered at least, however few connections there may be.
const ADDRESSES_MIN: usize = 65_536;
/// Time between two looks at every session's deadlines, in milliseconds.
pub(crate) const SWEEP_MS: u64 = 250;

impl GatewayConfig {
    /// Checks each limit.
    ///
    /// # Errors
    /// The first setting that is out of range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let wide = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let bounds = [
            ("connections_max", wide(self.connections_max), 1, 10_000_000),
            ("connections_per_address_max", wide(self.connections_per_address_max), 0, 10_000_000),
            ("connects_per_address_per_s", self.connects_per_address_per_s.into(), 0, PER_S_MAX),
            ("connects_per_address_burst", self.connects_per_address_burst.into(), 1, BURST_MAX),
            ("handshakes_max", wide(self.handshakes_max), 1, 1 << 20),
            ("handshake_bytes_max", wide(self.handshake_bytes_max), 1 << 10, 64 << 10),
            ("handshake_timeout_ms", self.handshake_timeout.get(), TIMEOUT_MS_MIN, HOUR_MS),
            ("hello_timeout_ms", self.hello_timeout.get(), TIMEOUT_MS_MIN, HOUR_MS),
            ("heartbeat_ms", self.heartbeat.get(), TIMEOUT_MS_MIN, HOUR_MS),
            ("ticket_grace_ms", self.ticket_grace.get(), 0, 24 * HOUR_MS),
            ("close_linger_ms", self.close_linger.get(), SWEEP_MS, HOUR_MS),
            (
                "tick_interval_ms",
                self.tick_interval.get(),
                TICK_INTERVAL_MS_MIN,
                TICK_INTERVAL_MS_MAX,
            ),
            ("messages_per_s", self.messages_per_s.into(), 1, PER_S_MAX),
            ("messages_burst", self.messages_burst.into(), 1, BURST_MAX),
            ("messages_per_viewer_per_s", self.messages_per_viewer_per_s.into(), 0, PER_S_MAX),
            ("messages_per_viewer_burst", self.messages_per_viewer_burst.into(), 1, BURST_MAX),
            ("messages_per_address_per_s", self.messages_per_address_per_s.into(), 0, PER_S_MAX),
            ("messages_per_address_burst", self.messages_per_address_burst.into(), 1, BURST_MAX),
            ("messages_over_max", self.messages_over_max.into(), 1, 1_000_000),
            ("queue_bytes_max", wide(self.queue_bytes_max), 1 << 10, 1 << 30),
            ("awaiting_max", wide(self.awaiting_max), 1, 1 << 24),
            ("reconnect_spread_ms", self.reconnect_spread.get(), 0, HOUR_MS),
            ("drain_timeout_ms", self.drain_timeout.get(), 0, HOUR_MS),
        ];
        match bounds.into_iter().find(|(_, value, min, max)| value < min || value > max) {
            Some((name, value, min, max)) => Err(ConfigError { name, value, min, max }),
            None => Ok(()),
        }
    }

    /// What one client may send.
    pub(crate) fn message_limits(&self) -> MessageLimits {
        let per_s = self.messages_per_s.max(1);
        let connection = Rate::new(per_s, self.messages_burst).expect("it is above zero");
        MessageLimits { connection, viewer: self.viewer_rate() }
    }

    /// What one address may do.
    pub(crate) fn address_limits(&self) -> AddressLimits {
        let max = self.connections_per_address_max;
        let connects = self.connects_per_address_per_s;
        let widest = self.messages_per_viewer_per_s.max(self.messages_per_s);
        let at_once = self.messages_per_viewer_burst.max(self.messages_burst);
        let messages = match self.messages_per_address_per_s {
            0 => None,
            per_s => Rate::new(per_s.max(widest), self.messages_per_address_burst.max(at_once)),
        };
        AddressLimits {
            connections_max: (max > 0).then_some(max),
            connects: Rate::new(connects, self.connects_per_address_burst),
            messages,
            addresses_max: self.connections_max.saturating_mul(2).max(ADDRESSES_MIN),
            unlimited: self.unlimited_addresses.clone(),
        }
    }

    /// What one viewer may send. A wider limit never holds less than a narrower one, so that whoever
    /// raises the one need not know of the other.
    fn viewer_rate(&self) -> Option<Rate> {
        let burst = self.messages_per_viewer_burst.max(self.messages_burst);
        match self.messages_per_viewer_per_s {
            0 => None,
            per_s => Rate::new(per_s.max(self.messages_per_s), burst),
        }
    }
}

/// The machine's own addresses: a proxy beside the server brings everybody from there.
fn loopback() -> Vec<AddressRange> {
    let ranges = [(Ipv4Addr::new(127, 0, 0, 0).into(), 8), (Ipv6Addr::LOCALHOST.into(), 128)];
    ranges.into_iter().filter_map(|(first, prefix)| AddressRange::new(first, prefix)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_out_of_range_is_named_with_its_bounds() {
        assert_eq!(GatewayConfig::default().validate(), Ok(()));
        let config = GatewayConfig { heartbeat: DurationMs::new(10), ..GatewayConfig::default() };
        assert_eq!(
            config.validate().unwrap_err().to_string(),
            "heartbeat_ms is 10; 500 to 3600000 are allowed"
        );
    }
}
