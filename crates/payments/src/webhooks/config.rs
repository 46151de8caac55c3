//! Limits of the listener.

use stampede_domain::DurationMs;
use stampede_proxies::TrustedProxies;

/// What bounds the listener; each limit with its policy when full.
///
/// Whatever is turned away here comes again, but late: Stripe tries again after minutes, then after hours, for three
/// days. So the limits are for floods, and no sale comes near them.
#[derive(Clone, Debug)]
pub struct WebhookConfig {
    /// Whose word about a client's address counts.
    pub trusted_proxies: TrustedProxies,
    /// Connections at a time, so requests in flight. When full: further ones wait to be accepted.
    pub connections_max: usize,
    /// Connections of one address at a time, unless it is a trusted proxy's. When exceeded: the new one is closed.
    pub connections_per_address_max: usize,
    /// Time to receive a request's headers. When exceeded: closed.
    pub header_wait: DurationMs,
    /// Bytes of an event. When exceeded: 413.
    pub body_bytes_max: usize,
    /// Bodies that are read at a time. When full: the next one waits for its turn, at most `turn_wait`; then 503.
    pub bodies_max: usize,
    /// Of these, those of one address. When full: as above.
    pub bodies_per_address_max: usize,
    /// Time until a body has its turn. When exceeded: 503.
    pub turn_wait: DurationMs,
    /// Time to receive a body. When exceeded: 408.
    pub body_wait: DurationMs,
    /// Requests of one address per second in the long run; 0 for no limit. When exceeded: 429, and nothing is
    /// read.
    pub requests_per_address_per_s: u32,
    /// Requests of one address at once.
    pub requests_per_address_burst: u32,
    /// Events of one account per second in the long run, those alone that Stripe signed; 0 for no limit. When
    /// exceeded: 429.
    pub events_per_account_per_s: u32,
    /// Events of one account at once.
    pub events_per_account_burst: u32,
    /// Time from an event's last byte until what follows is durable. When exceeded: 503, outcome unknown.
    pub answer_wait: DurationMs,
    /// Drops whose money is read from the ledger at a time. When full: the next one waits, at most
    /// `answer_wait`.
    pub money_reads_max: usize,
}

/// How long Stripe waits for an answer.
const STRIPE_WAIT: DurationMs = DurationMs::from_secs(10);
const TURN_WAIT: DurationMs = DurationMs::from_secs(1);
const BODY_WAIT: DurationMs = DurationMs::from_secs(3);
const ANSWER_WAIT: DurationMs = DurationMs::from_secs(5);
const _: () = assert!(TURN_WAIT.get() + BODY_WAIT.get() + ANSWER_WAIT.get() < STRIPE_WAIT.get());

impl Default for WebhookConfig {
    fn default() -> Self {
        Self {
            trusted_proxies: TrustedProxies::default(),
            connections_max: 2_048,
            connections_per_address_max: 1_024,
            header_wait: DurationMs::from_secs(30),
            body_bytes_max: 256 << 10,
            bodies_max: 128,
            bodies_per_address_max: 64,
            turn_wait: TURN_WAIT,
            body_wait: BODY_WAIT,
            requests_per_address_per_s: 1_000,
            requests_per_address_burst: 10_000,
            events_per_account_per_s: 1_000,
            events_per_account_burst: 10_000,
            answer_wait: ANSWER_WAIT,
            money_reads_max: 2,
        }
    }
}
