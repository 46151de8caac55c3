//! The result of a crash drill.

use serde::Serialize;
use stampede_loadtest::{CrowdResult, Ledger, Promise, audit_promises, early_expiries};

use super::kills::Kills;

/// Everything that a drill collected before it judges.
pub(super) struct Collected {
    pub(super) seed: u64,
    pub(super) kills: Kills,
    pub(super) crowd: CrowdResult,
    pub(super) promises: Vec<Promise>,
    pub(super) ledger: Ledger,
    /// Units on offer that nobody could buy at the end.
    pub(super) unsold: u64,
    pub(super) verify: String,
}

/// The outcome; one line of JSON.
#[derive(Clone, Debug, Serialize)]
pub struct CrashOutcome {
    /// Whether nothing is wrong.
    pub ok: bool,
    /// The drill's seed.
    pub seed: u64,
    /// How often the server was killed.
    pub kills: u32,
    /// Kills before the restarted server served anybody.
    pub kills_in_recovery: u32,
    /// For each other kill: buys that were sent and not answered at that moment.
    pub in_flight: Vec<u64>,
    /// Promises received over the whole run.
    pub promises: u64,
    /// Promises that the ledger does not keep.
    pub promises_lost: u64,
    /// Units beyond the supply at the worst moment.
    pub oversold: u64,
    /// Orders beyond the first of one buy.
    pub duplicate_orders: u64,
    /// Holds beyond the first of one viewer's key.
    pub second_holds: u64,
    /// Holds that expired before their promised time with the outages added.
    pub early_expiries: u64,
    /// Units that nobody has and nobody could buy at the end.
    pub stranded: u64,
    /// Units in orders.
    pub units_sold: u64,
    /// Holds in the ledger.
    pub holds: u64,
    /// Holds that expired before the crowd's eyes.
    pub expired: u64,
    /// Buys that were repeated with their key on a new connection.
    pub reconnect_retries: u64,
    /// Connections that were lost to the kills.
    pub connections_lost: u64,
    /// What the verifier says about the ledger.
    pub verify: String,
    /// What is wrong, in words.
    pub wrong: Vec<String>,
}

impl CrashOutcome {
    pub(super) fn judge(collected: Collected) -> Self {
        let Collected { seed, kills, crowd, promises, ledger, unsold, verify } = collected;
        let mut audit = audit_promises(&promises, &ledger);
        early_expiries(&promises, &kills.outages, &mut audit);
        let stranded = ledger.supplied().saturating_sub(ledger.units_sold());
        let mut wrong = audit.mismatches.clone();
        let mut fault = |is: bool, what: String| {
            if is {
                wrong.push(what);
            }
        };
        fault(!audit.is_clean(), "the audit is not clean".to_owned());
        fault(ledger.holds_live() > 0, format!("{} holds never ended", ledger.holds_live()));
        fault(stranded > 0, format!("{stranded} units are stranded, {unsold} of them on offer"));
        fault(verify != "ok", format!("the verifier says {verify}"));
        let idle = kills.in_flight.iter().filter(|buys| **buys == 0).count();
        fault(idle > 0, format!("{idle} kills fell without buys in flight"));
        fault(kills.miss_a_recovery(), "no kill fell inside recovery".to_owned());
        Self {
            ok: wrong.is_empty(),
            seed,
            kills: kills.count,
            kills_in_recovery: kills.in_recovery,
            in_flight: kills.in_flight,
            promises: audit.promises,
            promises_lost: audit.promises_lost,
            oversold: audit.oversold,
            duplicate_orders: audit.duplicate_orders,
            second_holds: audit.second_holds,
            early_expiries: audit.early_expiries,
            stranded,
            units_sold: audit.units_sold,
            holds: audit.holds,
            expired: crowd.counts.expired,
            reconnect_retries: crowd.counts.reconnect_retries,
            connections_lost: crowd.counts.connections_lost,
            verify,
            wrong,
        }
    }

    /// Whether nothing is wrong.
    pub const fn is_ok(&self) -> bool {
        self.ok
    }

    /// The verdict for people.
    pub fn words(&self) -> String {
        if !self.ok {
            return format!("WRONG: {}", self.wrong.join("\n       "));
        }
        format!(
            "{} kills, {} of them inside recovery; {} promises, none lost; nothing oversold, \
             ordered twice or stranded",
            self.kills, self.kills_in_recovery, self.promises
        )
    }
}
