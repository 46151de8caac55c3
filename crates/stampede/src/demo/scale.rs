//! How large a demo this machine can hold: descriptors set the crowd, the crowd sets the rest.

use std::{net::Ipv4Addr, path::Path, time::Duration};

use stampede_loadtest::{
    Behaviour, CrowdPlan, DropTerms, PayAt, PaymentTimes, Price, Roots, SchedulePlan, SkuTerms,
    ViewerRange,
};
use stampede_wire::ticket::KeySpec;

use super::{server::ServerProcess, till};
use crate::cli::DemoArgs;

/// Processes that the crowd is spread over.
pub(crate) const CROWDS: u32 = 2;
/// Descriptors that the server needs beside those of its viewers.
const DESCRIPTORS_ASIDE: u64 = 400;
/// Distinct viewers for each hundred that are connected at once.
const VIEWERS_PERCENT: u32 = 260;
/// A viewer's clicks come this far apart, on average, in milliseconds.
const AGAIN_EVERY_MS: u64 = 1_500;
/// No click is planned later than this after the opening, in milliseconds. A slow machine sells for longer.
const SALE_MS: u64 = 150_000;
/// Clicks for each viewer connected at once, before the crowd may go home.
const CLICKS_PER_SEAT: u64 = 13;
/// How long a hold lives, in milliseconds.
const HOLD_TTL_MS: u64 = 3_000;
/// The least time of a viewer who begins to pay, in milliseconds: thousands come to the shop's till at once.
const STRETCH_MS: u64 = 6_000;
/// A payment that takes so much longer comes after the end of its hold.
pub(crate) const SLOW_PAYMENT: Duration = Duration::from_millis(STRETCH_MS + 200);
const COUNTDOWN_MS: u64 = 3_000;
const STREAM: &str = "friday-show";
const SKU: &str = "perfume-50ml";

/// The demo's size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    pub(crate) units: u32,
    pub(crate) connected: u32,
    pub(crate) viewers: u32,
    pub(crate) seed: u64,
    /// What was asked for, where the machine allows less.
    pub(crate) wanted: Option<u32>,
    /// The units that were asked for, where the crowd is too small to buy as many.
    pub(crate) units_wanted: Option<u32>,
}

impl Scale {
    /// As large as asked for, or as large as `descriptors` allow.
    pub(crate) fn fit(args: &DemoArgs, descriptors: u64) -> Self {
        let room = descriptors.saturating_sub(DESCRIPTORS_ASIDE).max(10);
        let connected = u32::try_from(room).unwrap_or(u32::MAX).min(args.connected);
        let wanted = (connected < args.connected).then_some(args.connected);
        let viewers = connected.saturating_mul(VIEWERS_PERCENT) / 100;
        // One unit for each viewer at once: with more, the crowd goes home before everything is sold.
        let units = args.units.min(connected);
        let units_wanted = (units < args.units).then_some(args.units);
        Self { units, connected, viewers, seed: args.seed, wanted, units_wanted }
    }

    /// Clicks that the crowd makes at least; it goes on after the last unit is sold.
    pub(crate) fn clicks_min(&self) -> u64 {
        u64::from(self.connected) * CLICKS_PER_SEAT
    }

    /// The drop that is sold.
    pub(crate) fn terms(&self) -> DropTerms {
        DropTerms {
            stream: STREAM.into(),
            title: "Perfume, 50 ml".into(),
            merchant: till::MERCHANT.into(),
            host: "demo-host".into(),
            skus: vec![SkuTerms {
                id: SKU.into(),
                title: "Perfume, 50 ml".into(),
                price: Price { minor: 4_990, currency: till::CURRENCY.into() },
                supply: self.units,
            }],
            limit_per_viewer: 2,
            holds_per_viewer_max: 16,
            hold_ttl_ms: HOLD_TTL_MS,
            countdown_ms: COUNTDOWN_MS,
            payment: PaymentTimes { stretch_ms: STRETCH_MS, ..PaymentTimes::default() },
        }
    }

    /// What each crowd process plays.
    pub(crate) fn crowds(
        &self,
        server: &ServerProcess,
        drop: &str,
        key: &KeySpec,
        logs: &Path,
    ) -> Vec<CrowdPlan> {
        (0..CROWDS).map(|crowd| self.crowd(crowd, server, drop, key, logs)).collect()
    }

    fn crowd(
        &self,
        crowd: u32,
        server: &ServerProcess,
        drop: &str,
        key: &KeySpec,
        logs: &Path,
    ) -> CrowdPlan {
        let share = |all: u32| all * (crowd + 1) / CROWDS - all * crowd / CROWDS;
        let from = self.viewers * crowd / CROWDS;
        // Loopback addresses of its own give each process ports enough for everybody.
        let source = |n: u32| Ipv4Addr::from(0x7f00_0002 + crowd * 4 + n).into();
        CrowdPlan {
            seed: self.seed,
            url: server.viewers_url.clone(),
            addresses: Vec::new(),
            roots: Roots::Mozilla,
            subprotocol: "stampede.v1.msgpack".into(),
            sources: (0..4).map(source).collect(),
            stream: STREAM.into(),
            drop: drop.into(),
            sku: SKU.into(),
            ticket_key: key.clone(),
            rehearsal: false,
            name_prefix: "v".into(),
            viewers: ViewerRange { from, to: from + share(self.viewers) },
            connected: share(self.connected),
            connects_per_s: 2_000,
            schedule: SchedulePlan {
                early_ms: 1_500,
                rush_ms: 900,
                rush_share: 0.98,
                again_every_ms: AGAIN_EVERY_MS,
                turnover_from_ms: 1_500,
                turnover_to_ms: 12_000,
                sale_ms: SALE_MS,
            },
            behaviour: behaviour(),
            pay_at: PayAt::Platform,
            promise_log: logs.join(format!("promises-{crowd}.jsonl")),
        }
    }
}

fn behaviour() -> Behaviour {
    Behaviour {
        early_share: 0.05,
        double_share: 0.04,
        dropped_share: 0.01,
        retry_after_ms: 400,
        pay_later_share: 0.2,
        pay_later_ms_max: 1_200,
        never_pay_share: 0.09,
        walk_away_share: 0.04,
        release_share: 0.01,
        change_mind_ms_max: 1_500,
        units_weights: vec![85, 15],
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn args(connected: u32) -> DemoArgs {
        let args = crate::cli::Cli::parse_from(["stampede", "demo"]).command;
        let crate::cli::Command::Demo(args) = args else { panic!("it is the demo") };
        DemoArgs { connected, ..args }
    }

    #[test]
    fn few_descriptors_scale_the_crowd_down() {
        let full = Scale::fit(&args(15_400), 20_000);
        assert_eq!((full.connected, full.wanted), (15_400, None));
        assert!(full.viewers >= 30_000);
        let small = Scale::fit(&args(15_400), 1_024);
        assert_eq!((small.connected, small.wanted), (624, Some(15_400)));
        assert_eq!((full.units, full.units_wanted), (15_000, None));
        assert_eq!((small.units, small.units_wanted), (624, Some(15_000)), "no more than they buy");
    }
}
