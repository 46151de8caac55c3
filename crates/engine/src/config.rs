//! Limits of a running engine.

use stampede_books::Limits;
use stampede_domain::{
    DurationMs, PaymentAccount,
    limits::{
        CORES_MAX, HOLDS_PER_PAYMENT_MAX, LIVE_DROPS_PER_STREAM_MAX, SETTLED_KEPT_MS,
        SKUS_PER_DROP_MAX,
    },
};
use stampede_ledger::STAGED_MAX;

/// What may be set about an engine; each limit with its policy when full.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Gateway cores that take, 1 to [`CORES_MAX`].
    pub cores: usize,
    /// Takes that one core may have on the way to the ledger. When full: `busy`, before stock moves.
    pub ring_entries_max: usize,
    /// Releases and confirms that may wait for the steward. When full: `busy`.
    pub steward_requests_max: usize,
    /// Steward records on the way to the ledger. When full: the steward waits for the next commit.
    pub steward_ring_entries_max: usize,
    /// The account with a payment provider that viewers pay at by `pay`; `None` refuses it.
    pub viewers_pay_at: Option<PaymentAccount>,
    /// Connections of one viewer. When full: the oldest is closed.
    pub connections_per_viewer_max: usize,
    /// What a `busy` answer names as time to wait, in milliseconds.
    pub busy_retry_after: DurationMs,
    /// What a `busy` answer names while every take is halted, in milliseconds.
    pub halt_retry_after: DurationMs,
    /// What a `busy` answer names at least when buys or hellos exceed the rate admitted, in
    /// milliseconds.
    pub admission_retry_after: DurationMs,
    /// Bytes that all live drops may come to need. When full: plans and lots are refused.
    pub sale_bytes_max: u64,
    /// The same for the live drops of one merchant.
    pub merchant_bytes_max: u64,
    /// How long a settled or cancelled drop stays in memory with its orders, by the sale's clock, in
    /// milliseconds, at most [`SETTLED_KEPT_MS`]. After that a [`DropSummary`](crate::DropSummary)
    /// stands for it.
    pub settled_kept: DurationMs,
    /// Streams that belong to somebody. When full: the merchant's room that has been idle for the longest
    /// time ends; without one, plans into new streams are refused.
    pub rooms_max: usize,
    /// The same for the streams of one owner, the house apart.
    pub rooms_per_owner_max: usize,
    /// Merchants admitted to one stream besides its owner. When full: one more is refused.
    pub admitted_per_room_max: usize,
    /// Time between two tallies of a drop, in milliseconds.
    pub tally_interval: DurationMs,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            cores: 1,
            ring_entries_max: 32_768,
            steward_requests_max: 65_536,
            steward_ring_entries_max: 32_768,
            viewers_pay_at: None,
            connections_per_viewer_max: 5,
            busy_retry_after: DurationMs::new(250),
            halt_retry_after: DurationMs::from_secs(5),
            admission_retry_after: DurationMs::from_secs(1),
            sale_bytes_max: 4 << 30,
            merchant_bytes_max: 1 << 30,
            settled_kept: DurationMs::new(SETTLED_KEPT_MS),
            rooms_max: 16_384,
            rooms_per_owner_max: 1_024,
            admitted_per_room_max: 64,
            tally_interval: DurationMs::from_secs(1),
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
    pub value: usize,
    /// Smallest allowed.
    pub min: usize,
    /// Largest allowed.
    pub max: usize,
}

impl EngineConfig {
    /// The limits that the books hold.
    pub fn limits(&self) -> Limits {
        Limits {
            sale_bytes_max: self.sale_bytes_max,
            merchant_bytes_max: self.merchant_bytes_max,
            bytes_needed: |supplied| stampede_stock::bytes_needed(supplied),
            rooms_max: self.rooms_max,
            rooms_per_owner_max: self.rooms_per_owner_max,
            admitted_per_room_max: self.admitted_per_room_max,
            tally_interval: self.tally_interval,
        }
    }

    /// Checks each limit.
    ///
    /// # Errors
    /// The first setting that is out of range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let kept = usize::try_from(self.settled_kept.get()).unwrap_or(usize::MAX);
        let kept_max = usize::try_from(SETTLED_KEPT_MS).unwrap_or(usize::MAX);
        let bounds = [
            ("settled_kept", kept, 0, kept_max),
            ("cores", self.cores, 1, CORES_MAX),
            ("ring_entries_max", self.ring_entries_max, 2, 1 << 24),
            ("steward_requests_max", self.steward_requests_max, 1, 1 << 24),
            ("steward_ring_entries_max", self.steward_ring_entries_max, STEWARD_ROOM_MIN, 1 << 24),
            ("connections_per_viewer_max", self.connections_per_viewer_max, 1, 1_000),
        ];
        match bounds.into_iter().find(|(_, value, min, max)| value < min || value > max) {
            Some((name, value, min, max)) => Err(ConfigError { name, value, min, max }),
            None => Ok(()),
        }
    }
}

/// The most records that the steward makes between two looks at its ring's room: for each hold of a payment its
/// charges and its name, what came, what is due back, how it ends and what took its units again.
pub(crate) const STEWARD_ROOM_MIN: usize = HOLDS_PER_PAYMENT_MAX * RECORDS_PER_PAID_HOLD_MAX + 4;
const RECORDS_PER_PAID_HOLD_MAX: usize = 7;
// A first lot for each SKU with the phase, the tally, the command.
const _: () = assert!(SKUS_PER_DROP_MAX + 4 <= STEWARD_ROOM_MIN);
// A report for each drop of a stream with the command.
const _: () = assert!(LIVE_DROPS_PER_STREAM_MAX < STEWARD_ROOM_MIN);
// They are staged together, so that one commit has them.
const _: () = assert!(STEWARD_ROOM_MIN <= STAGED_MAX);
