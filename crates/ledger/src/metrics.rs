//! The ledger's metrics, declared once.

use std::time::{Duration, Instant};

use metrics::{Counter, Gauge, Histogram, Unit, counter, gauge, histogram};

use stampede_domain::UnixMillis;

use crate::{Batch, ReviewStep};

/// Commits that became durable.
pub const COMMITS: &str = "stampede_ledger_commits_total";
/// Records that became durable.
pub const RECORDS: &str = "stampede_ledger_records_total";
/// Bytes of journal rows that became durable.
pub const BYTES: &str = "stampede_ledger_bytes_total";
/// Time of a commit, from the drained rings to durable.
pub const COMMIT_SECONDS: &str = "stampede_ledger_commit_seconds";
/// Records of a commit.
pub const COMMIT_RECORDS: &str = "stampede_ledger_commit_records";
/// Time of a checkpoint, during which nothing is committed.
pub const CHECKPOINT_SECONDS: &str = "stampede_ledger_checkpoint_seconds";
/// Estimated bytes of the write-ahead log that are not yet in the database file.
pub const WAL_BYTES: &str = "stampede_ledger_wal_bytes";
/// Bytes that it may have before commits wait for a checkpoint.
pub const WAL_BYTES_MAX: &str = "stampede_ledger_wal_bytes_max";
/// Orders that wait to be put into their table.
pub const ORDERS_BEHIND: &str = "stampede_ledger_orders_behind";
/// 1 while another program holds the ledger's lock for writing.
pub const BUSY: &str = "stampede_ledger_busy";
/// Tries that found another program's lock.
pub const BUSY_TRIES: &str = "stampede_ledger_busy_tries_total";
/// Rows that the background reader has checked.
pub const REVIEWED_ROWS: &str = "stampede_ledger_reviewed_rows_total";
/// Drops that it has compared with their seals.
pub const REVIEWED_DROPS: &str = "stampede_ledger_reviewed_drops_total";
/// Seals that are not what the journal gives, in the round that goes on or has ended last; a damaged row, or a
/// file that `SQLite` calls damaged, counts as one.
pub const SEALS_DIFFERING: &str = "stampede_ledger_seals_differing";
/// When it has read the whole journal last, in seconds since 1970; 0 before the first time.
pub const REVIEWED_AT: &str = "stampede_ledger_reviewed_timestamp_seconds";
/// 1 once a commit has failed.
pub const POISONED: &str = "stampede_ledger_poisoned";

/// Gives every metric its unit with a help text.
pub fn describe() {
    metrics::describe_counter!(COMMITS, Unit::Count, "Commits that became durable");
    metrics::describe_counter!(RECORDS, Unit::Count, "Records that became durable");
    metrics::describe_counter!(BYTES, Unit::Bytes, "Bytes of journal rows that became durable");
    metrics::describe_histogram!(
        COMMIT_SECONDS,
        Unit::Seconds,
        "Time of a commit, from the drained rings to durable"
    );
    metrics::describe_histogram!(COMMIT_RECORDS, Unit::Count, "Records of a commit");
    metrics::describe_histogram!(
        CHECKPOINT_SECONDS,
        Unit::Seconds,
        "Time of a checkpoint, during which nothing is committed"
    );
    metrics::describe_gauge!(
        WAL_BYTES,
        Unit::Bytes,
        "Estimated bytes of the write-ahead log that are not yet in the database file"
    );
    metrics::describe_gauge!(
        WAL_BYTES_MAX,
        Unit::Bytes,
        "Bytes of the write-ahead log at which a checkpoint is made at once"
    );
    metrics::describe_gauge!(
        ORDERS_BEHIND,
        Unit::Count,
        "Orders that wait to be put into their table"
    );
    metrics::describe_gauge!(
        BUSY,
        Unit::Count,
        "1 while another program holds the ledger's lock for writing"
    );
    metrics::describe_counter!(
        BUSY_TRIES,
        Unit::Count,
        "Tries that found another program's lock on the ledger"
    );
    metrics::describe_counter!(
        REVIEWED_ROWS,
        Unit::Count,
        "Journal rows that the background reader has checked"
    );
    metrics::describe_counter!(
        REVIEWED_DROPS,
        Unit::Count,
        "Drops that the background reader has compared with their seals"
    );
    metrics::describe_gauge!(
        SEALS_DIFFERING,
        Unit::Count,
        "Seals that are not what the journal gives, as the background reader found"
    );
    metrics::describe_gauge!(
        REVIEWED_AT,
        Unit::Seconds,
        "When the background reader has read the whole journal last"
    );
    metrics::describe_gauge!(POISONED, Unit::Count, "1 once a commit has failed");
}

/// Measures spans for metrics; never part of a decision.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[allow(
        clippy::disallowed_methods,
        reason = "metrics measure real time; nothing depends on it"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The writer's handles, looked up once.
pub(crate) struct Meter {
    commits: Counter,
    records: Counter,
    bytes: Counter,
    commit_seconds: Histogram,
    commit_records: Histogram,
    poisoned: Gauge,
    busy: Gauge,
    busy_tries: Counter,
}

impl Meter {
    pub(crate) fn new() -> Self {
        let _begun = (gauge!(WAL_BYTES), gauge!(ORDERS_BEHIND), histogram!(CHECKPOINT_SECONDS));
        let poisoned = gauge!(POISONED);
        poisoned.set(0.0);
        let busy = gauge!(BUSY);
        busy.set(0.0);
        Self {
            commits: counter!(COMMITS),
            records: counter!(RECORDS),
            bytes: counter!(BYTES),
            commit_seconds: histogram!(COMMIT_SECONDS),
            commit_records: histogram!(COMMIT_RECORDS),
            poisoned,
            busy,
            busy_tries: counter!(BUSY_TRIES),
        }
    }

    pub(crate) fn committed(&self, batch: &Batch, watch: &Stopwatch) {
        self.commits.increment(1);
        self.records.increment(batch.records().try_into().unwrap_or(u64::MAX));
        self.bytes.increment(batch.bytes().try_into().unwrap_or(u64::MAX));
        self.commit_seconds.record(watch.elapsed());
        self.commit_records.record(u32::try_from(batch.records()).unwrap_or(u32::MAX));
    }

    pub(crate) fn busy(&self) {
        self.busy.set(1.0);
        self.busy_tries.increment(1);
    }

    pub(crate) fn free(&self) {
        self.busy.set(0.0);
    }

    pub(crate) fn poisoned(&self) {
        self.poisoned.set(1.0);
    }
}

/// The background reader's handles.
pub(crate) struct ReviewMeter {
    rows: Counter,
    drops: Counter,
    differing: Gauge,
    at: Gauge,
}

impl ReviewMeter {
    pub(crate) fn new() -> Self {
        let (differing, at) = (gauge!(SEALS_DIFFERING), gauge!(REVIEWED_AT));
        differing.set(0.0);
        at.set(0.0);
        Self { rows: counter!(REVIEWED_ROWS), drops: counter!(REVIEWED_DROPS), differing, at }
    }

    /// What an earlier round has found stays until this one has found as much or has ended.
    pub(crate) fn stepped(&self, done: &ReviewStep, faults: usize) {
        self.rows.increment(done.rows);
        self.drops.increment(done.drops);
        if !done.faults.is_empty() {
            self.differing.set(count(faults));
        }
    }

    /// `whole_at` where damage has not ended the round before the journal's end.
    pub(crate) fn round_ended(&self, whole_at: Option<UnixMillis>, faults: usize) {
        self.differing.set(count(faults));
        let Some(at) = whole_at else { return };
        let seconds = u32::try_from(at.get() / 1_000).unwrap_or(u32::MAX);
        self.at.set(f64::from(seconds));
    }
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// Sets a gauge to a count.
pub(crate) fn gauge(name: &'static str, count: usize) {
    gauge!(name).set(self::count(count));
}

/// Notes a checkpoint with the bytes that it left in the log.
pub(crate) fn checkpointed(watch: &Stopwatch, left_bytes: usize) {
    histogram!(CHECKPOINT_SECONDS).record(watch.elapsed());
    gauge(WAL_BYTES, left_bytes);
}
