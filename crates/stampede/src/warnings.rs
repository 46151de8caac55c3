//! Warnings that a start logs for operations.

use stampede_domain::{DurationMs, Rates};
use stampede_engine::{Brake, BrakeEntry, BrakeView};
use tracing::{info, warn};

use crate::config::Config;

/// Only a browser says which page it runs, so this matters where pages may connect at all; likewise who
/// can come from elsewhere.
pub(crate) fn warn_if_open(config: &Config) {
    let viewers = &config.viewers;
    if viewers.origins.is_empty() && !viewers.listen.ip().is_loopback() {
        warn!(listen = %viewers.listen, "viewers.origins is empty: every web page may connect");
    }
    let (listen, is_local) = (config.control.listen, config.control.listen.ip().is_loopback());
    match config.control.public_url() {
        Ok(None) if !is_local => warn!(
            %listen,
            "control.public_url is not set: browsers cannot sign in; say where they find the server, \
             like \"https://sale.example\""
        ),
        Ok(Some(url)) if !url.is_https() && !url.is_loopback() => warn!(
            %url,
            "control.public_url is not https: everybody on the way can read what staff send; give \
             control a certificate, or put a TLS proxy in front"
        ),
        _ => {}
    }
}

/// A stop outlives a restart, so a server may be ready without selling anything.
pub(crate) fn warn_if_held_back(brake: &Brake) {
    let (BrakeView { halt, rates }, bans) = (brake.view(), brake.ban_count());
    let by = |entry: BrakeEntry| {
        let BrakeEntry { actor, reason, since, expires_at } = entry;
        let until = expires_at.map_or("until ended".into(), |at| format!("until {at} ms"));
        format!("since {since} ms by {actor:?} ({reason:?}), {until}")
    };
    let stopped = halt.map(by);
    let limited = rates.map(|(Rates { buys_per_s, hellos_per_s, tick_interval }, entry)| {
        let tick_interval_ms = tick_interval.map(DurationMs::get);
        let fields = [
            ("buys_per_s", buys_per_s.map(u64::from)),
            ("hellos_per_s", hellos_per_s.map(u64::from)),
            ("tick_interval_ms", tick_interval_ms),
        ];
        let set = fields.map(|(name, value)| value.map(|value| format!("{name} {value}, ")));
        let set: String = set.into_iter().flatten().collect();
        format!("{set}{}", by(entry))
    });
    if stopped.is_some() || limited.is_some() {
        warn!(stopped, limited, bans, "the brake is on; GET /v1/brake shows it");
    } else if bans > 0 {
        info!(bans, "bans are in force");
    }
}
