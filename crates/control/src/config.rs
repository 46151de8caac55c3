//! Limits of the interface.

use std::{collections::BTreeMap, sync::Arc};

use rustls::ServerConfig;
use stampede_domain::{DurationMs, MerchantId, PaymentAccount, limits::RECORD_BYTES_MAX};
use stampede_proxies::{ProxyProtocol, TrustedProxies};

use crate::{PriceMinima, PublicUrl, Site};

/// What may be set about the interface; each limit with its policy when full.
#[derive(Clone, Debug)]
pub struct ControlConfig {
    /// TLS for every connection; `None` leaves it to a proxy.
    pub tls: Option<Arc<ServerConfig>>,
    /// Where browsers find the interface: what links begin with, whose pages may send commands.
    pub site: Site,
    /// Where whoever has a share's link finds the public files; `None`: where browsers find the interface.
    pub shared_at: Option<PublicUrl>,
    /// Whose word about a client's address counts.
    pub trusted_proxies: TrustedProxies,
    /// Whether connections begin with a PROXY header.
    pub proxy_protocol: ProxyProtocol,
    /// Time for the PROXY header and the TLS handshake together. When exceeded: dropped.
    pub opening_wait: DurationMs,
    /// Bytes of a request's body. When exceeded: 413.
    pub body_bytes_max: usize,
    /// Bytes of a request's line with its headers. When exceeded: 431.
    pub header_bytes_max: usize,
    /// Headers of a request. When exceeded: 431.
    pub headers_max: usize,
    /// Time to receive a request's headers; an idle connection is closed after it.
    pub header_wait: DurationMs,
    /// Time from a request's headers to the head of its answer. When exceeded: 408.
    pub request_wait: DurationMs,
    /// Time that a command's outcome may take to become durable. When exceeded: 503, outcome unknown.
    pub answer_wait: DurationMs,
    /// Connections at a time. When full: further ones wait to be accepted.
    pub connections_max: usize,
    /// Connections of one address at a time, unless it is a trusted proxy's. When exceeded: the new one
    /// is closed.
    pub connections_per_address_max: usize,
    /// Streams followed at a time, fewer than the connections of an address, so that commands always have
    /// some. When full: 429.
    pub followers_max: usize,
    /// Of these, those with tokens of one merchant. When exceeded: 429.
    pub followers_per_merchant_max: usize,
    /// Of these, those with tokens of one name. When exceeded: 429.
    pub followers_per_name_max: usize,
    /// Time that a connection may read nothing of what waits for it, or leave what was sent without an
    /// answer of its system. When exceeded: closed.
    pub read_wait: DurationMs,
    /// Commands of one token's name that are accepted per second in the long run; 0 for no limit. Those
    /// that stop a sale do not count. When exceeded: 429.
    pub commands_per_s: u32,
    /// Commands of one token's name at once.
    pub commands_burst: u32,
    /// Wrong tokens, invitations and page tokens of one address per second in the long run; 0 for no
    /// limit. When exceeded: 429, for all but secrets that were right at this address before.
    pub guesses_per_s: u32,
    /// Wrong ones of one address at once.
    pub guesses_burst: u32,
    /// Reports and audits that read the ledger at a time. When full: 503, busy.
    pub ledger_reads_max: usize,
    /// Of these, those of one merchant, or of one token's name that is bound to none. When full: 503,
    /// busy.
    pub ledger_reads_share_max: usize,
    /// Requests of one address for what is shared, per second in the long run; 0 for any number. When exceeded: 429.
    pub shared_reads_per_s: u32,
    /// As many of these at once.
    pub shared_reads_burst: u32,
    /// Secrets of shares that one address may get wrong, per second in the long run; 0 for any number. When exceeded:
    /// 429 for every link that was never right there.
    pub shared_guesses_per_s: u32,
    /// As many of these at once.
    pub shared_guesses_burst: u32,
    /// Readings of the ledger at a time for what is shared, beside those of staff. When full: a request waits for
    /// [`Self::shared_ledger_wait`].
    pub shared_ledger_reads_max: usize,
    /// Time that a request for what is shared waits for its turn. When exceeded: 503, busy.
    pub shared_ledger_wait: DurationMs,
    /// Requests about payments under way at a time. When full: 503, busy.
    pub payments_in_flight_max: usize,
    /// Of these, those of one merchant, or of one token's name that is bound to none. When full: 503, busy.
    pub payments_in_flight_per_caller_max: usize,
    /// The least that the payment providers of merchants charge; a plan with a lower price is refused.
    pub price_minima: PriceMinima,
    /// Time that a reader of an audit may let a chunk wait. When exceeded: the audit breaks off.
    pub chunk_wait: DurationMs,
    /// Time that open connections have to finish once the server stops.
    pub drain_wait: DurationMs,
    /// Accounts that one merchant's payments alone go through: its staff are told of money there that nobody can
    /// match.
    pub payment_accounts: BTreeMap<PaymentAccount, MerchantId>,
}

/// The least that `body_bytes_max` may be: the largest plan still fits, escapes included.
const BODY_BYTES_MIN: usize = 2 * RECORD_BYTES_MAX;

const CONNECTIONS_PER_ADDRESS_MAX: usize = 256;
/// Streams that may be followed at a time at most, whatever is set.
pub const FOLLOWERS_MAX: usize = 192;
const _: () = assert!(
    FOLLOWERS_MAX + 64 <= CONNECTIONS_PER_ADDRESS_MAX,
    "followers leave an address connections for commands"
);

/// A limit that cannot be met.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} is {value}; 1 to {FOLLOWERS_MAX} are allowed")]
pub struct ConfigError {
    /// The setting.
    pub name: &'static str,
    /// What was given.
    pub value: usize,
}

impl ControlConfig {
    /// Checks the limits that can be set.
    ///
    /// # Errors
    /// The first setting that is out of range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let limits = [
            ("followers_max", self.followers_max),
            ("followers_per_merchant_max", self.followers_per_merchant_max),
            ("followers_per_name_max", self.followers_per_name_max),
        ];
        match limits.into_iter().find(|(_, value)| !(1..=FOLLOWERS_MAX).contains(value)) {
            Some((name, value)) => Err(ConfigError { name, value }),
            None => Ok(()),
        }
    }
}

impl Default for ControlConfig {
    fn default() -> Self {
        Self {
            tls: None,
            site: Site::default(),
            shared_at: None,
            trusted_proxies: TrustedProxies::default(),
            proxy_protocol: ProxyProtocol::Off,
            opening_wait: DurationMs::from_secs(10),
            body_bytes_max: BODY_BYTES_MIN,
            header_bytes_max: 16 << 10,
            headers_max: 64,
            header_wait: DurationMs::from_secs(30),
            request_wait: DurationMs::from_secs(30),
            answer_wait: DurationMs::from_secs(10),
            connections_max: 512,
            connections_per_address_max: CONNECTIONS_PER_ADDRESS_MAX,
            followers_max: FOLLOWERS_MAX,
            followers_per_merchant_max: 96,
            followers_per_name_max: 64,
            read_wait: DurationMs::from_secs(30),
            commands_per_s: 50,
            commands_burst: 500,
            guesses_per_s: 1,
            guesses_burst: 20,
            ledger_reads_max: 4,
            ledger_reads_share_max: 2,
            shared_reads_per_s: 10,
            shared_reads_burst: 100,
            shared_guesses_per_s: 1,
            shared_guesses_burst: 10,
            shared_ledger_reads_max: 2,
            shared_ledger_wait: DurationMs::from_secs(5),
            payments_in_flight_max: 1_024,
            payments_in_flight_per_caller_max: 256,
            price_minima: PriceMinima::default(),
            chunk_wait: DurationMs::from_secs(30),
            drain_wait: DurationMs::from_secs(10),
            payment_accounts: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn followers_never_take_the_connections_of_commands() {
        let given = |followers_max| ControlConfig { followers_max, ..ControlConfig::default() };
        assert_eq!(ControlConfig::default().validate(), Ok(()));
        for value in [0, FOLLOWERS_MAX + 1] {
            let refused = given(value).validate().unwrap_err().to_string();
            assert_eq!(refused, format!("followers_max is {value}; 1 to 192 are allowed"));
        }
    }
}
