//! How the options become the plans of the crowd's processes.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use super::{
    LoadArgs, LoadError,
    target::{Goods, Reached},
};
use crate::plan::{Behaviour, CrowdPlan, PayAt, SchedulePlan, ViewerRange};

/// Descriptors that a process of the crowd needs beside those of its viewers.
const DESCRIPTORS_ASIDE: u64 = 64;
/// Processes that are started unasked.
const PROCESSES_MAX: u32 = 64;
/// Connections that one local address has ports for, to one address of the server: Linux gives out 32768 to
/// 60999 (`ip_local_port_range`).
const PORTS_PER_SOURCE: u64 = 28_000;
/// Local addresses that a process uses on loopback, where there are plenty.
const LOOPBACK_SOURCES: u32 = 4;
/// How long before the opening the impatient click.
const EARLY_MS: u64 = 1_500;

/// The crowd's size, spread over processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) connected: u32,
    pub(super) viewers: u32,
    pub(super) processes: u32,
}

impl Size {
    /// The crowd that the options ask for, if this machine can hold it.
    ///
    /// # Errors
    /// [`LoadError::FewerViewers`], [`LoadError::Descriptors`], [`LoadError::Ports`].
    pub(super) fn fit(
        args: &LoadArgs,
        cores: usize,
        descriptors: u64,
        addresses: &[SocketAddr],
    ) -> Result<Self, LoadError> {
        let connected = args.connected;
        let viewers = args.viewers.unwrap_or_else(|| connected.saturating_mul(2));
        if viewers < connected {
            return Err(LoadError::FewerViewers { viewers, connected });
        }
        let room = descriptors.saturating_sub(DESCRIPTORS_ASIDE).max(1);
        let needed = u32::try_from(u64::from(connected).div_ceil(room)).unwrap_or(u32::MAX);
        let processes = match args.processes {
            None if needed > PROCESSES_MAX => {
                let processes = PROCESSES_MAX;
                return Err(LoadError::Descriptors { connected, descriptors, processes, needed });
            }
            None => u32::try_from(cores).unwrap_or(1).max(needed).min(connected),
            Some(asked) if asked < needed => {
                return Err(LoadError::Descriptors {
                    connected,
                    descriptors,
                    processes: asked,
                    needed,
                });
            }
            Some(asked) => asked.min(connected),
        };
        let on_loopback = args.sources.is_empty() && are_loopback(addresses);
        let sources = if on_loopback {
            u64::from(processes * LOOPBACK_SOURCES)
        } else {
            u64::try_from(args.sources.len()).unwrap_or(u64::MAX).max(1)
        };
        let addresses = u64::try_from(addresses.len()).unwrap_or(u64::MAX).max(1);
        let ports = PORTS_PER_SOURCE.saturating_mul(sources).saturating_mul(addresses);
        if u64::from(connected) > ports {
            let more = u64::from(connected).div_ceil(PORTS_PER_SOURCE * addresses);
            return Err(LoadError::Ports { connected, sources, more });
        }
        Ok(Self { connected, viewers, processes })
    }

    /// What each process plays.
    pub(super) fn plans(
        self,
        args: &LoadArgs,
        server: &Reached,
        goods: &Goods,
        logs: &Path,
    ) -> Vec<CrowdPlan> {
        (0..self.processes).map(|process| self.plan(process, args, server, goods, logs)).collect()
    }

    fn plan(
        self,
        process: u32,
        args: &LoadArgs,
        server: &Reached,
        goods: &Goods,
        logs: &Path,
    ) -> CrowdPlan {
        let from = |all: u32| share_before(all, process, self.processes);
        let to = |all: u32| share_before(all, process + 1, self.processes);
        let sources = if args.sources.is_empty() && are_loopback(&server.addresses) {
            (0..LOOPBACK_SOURCES).map(|n| loopback(process * LOOPBACK_SOURCES + n)).collect()
        } else {
            args.sources.clone()
        };
        let sale_ms = u64::from(args.sale_s) * 1_000;
        let early_ms = EARLY_MS.min(goods.countdown_ms / 2);
        CrowdPlan {
            seed: args.seed,
            url: args.url.clone(),
            addresses: server.addresses.clone(),
            roots: server.roots.clone(),
            subprotocol: "stampede.v1.msgpack".into(),
            sources,
            stream: goods.stream.clone(),
            drop: goods.drop.clone(),
            sku: goods.sku.clone(),
            ticket_key: server.ticket_key.clone(),
            rehearsal: goods.is_rehearsal,
            name_prefix: format!("{}-", goods.run),
            viewers: ViewerRange { from: from(self.viewers), to: to(self.viewers) },
            connected: to(self.connected) - from(self.connected),
            connects_per_s: args.connects_per_s.div_ceil(self.processes),
            schedule: SchedulePlan {
                early_ms,
                rush_ms: args.rush_ms.into(),
                rush_share: 0.98,
                again_every_ms: args.again_every_ms.into(),
                turnover_from_ms: sale_ms / 10,
                turnover_to_ms: sale_ms * 6 / 10,
                sale_ms,
            },
            behaviour: behaviour(args, goods, early_ms),
            pay_at: PayAt::Server,
            promise_log: log_of(logs, process),
        }
    }

    /// The logs of promises, one for each process.
    pub(super) fn logs(self, logs: &Path) -> Vec<PathBuf> {
        (0..self.processes).map(|process| log_of(logs, process)).collect()
    }
}

fn log_of(logs: &Path, process: u32) -> PathBuf {
    logs.join(format!("promises-{process}.jsonl"))
}

/// The first of `all` that is not in the parts before this one.
fn share_before(all: u32, part: u32, parts: u32) -> u32 {
    let before = u64::from(all) * u64::from(part) / u64::from(parts);
    u32::try_from(before).expect("a part is no larger than the whole")
}

fn are_loopback(addresses: &[SocketAddr]) -> bool {
    addresses.iter().all(|address| matches!(address.ip(), IpAddr::V4(v4) if v4.is_loopback()))
}

fn loopback(n: u32) -> IpAddr {
    Ipv4Addr::from(u32::from(Ipv4Addr::LOCALHOST) + 1 + n).into()
}

/// A crowd like those of real sales: nearly all pay, some late, some never, some change their mind, some
/// click twice, some lose their connection in between.
fn behaviour(args: &LoadArgs, goods: &Goods, early_ms: u64) -> Behaviour {
    let paying = if args.unpaid { 0.0 } else { 1.0 };
    // Nobody pays after the hold is over.
    let pay_later_ms_max = 1_200.min(goods.hold_ttl_ms / 2);
    Behaviour {
        early_share: if early_ms == 0 { 0.0 } else { 0.05 },
        double_share: 0.04,
        dropped_share: 0.01,
        retry_after_ms: 400,
        pay_later_share: 0.2 * paying,
        pay_later_ms_max,
        never_pay_share: if args.unpaid { 0.95 } else { 0.09 },
        walk_away_share: 0.04,
        release_share: 0.01,
        change_mind_ms_max: 1_500,
        units_weights: if goods.limit_per_viewer > 1 { vec![85, 15] } else { vec![1] },
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use stampede_wire::ticket::KeySpec;

    use super::*;
    use crate::plan::Roots;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: LoadArgs,
    }

    fn args(more: &[&str]) -> LoadArgs {
        let usual = ["load", "--token", "t", "--ticket-keys", "k"];
        Cli::parse_from(usual.iter().chain(more)).args
    }

    const HERE: &[SocketAddr] = &[SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7700)];
    const THERE: &[SocketAddr] = &[SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 7700)];

    #[test]
    fn descriptors_set_the_number_of_processes() {
        let size = |more: &[&str], descriptors| Size::fit(&args(more), 2, descriptors, HERE);
        let usual = size(&[], 20_000).unwrap();
        assert_eq!(usual, Size { connected: 1_000, viewers: 2_000, processes: 2 });
        assert_eq!(size(&["--connected", "5000"], 1_064).unwrap().processes, 5);
        let error =
            size(&["--connected", "5000", "--processes", "4"], 1_064).unwrap_err().to_string();
        assert!(error.contains("1064") && error.contains("need 5 processes"), "{error}");
        let error = size(&["--connected", "5000"], 128).unwrap_err().to_string();
        assert!(error.contains("need 79 processes") && error.contains("ulimit -n"), "{error}");
        assert_eq!(size(&["--connected", "1", "--processes", "9"], 1_064).unwrap().processes, 1);
        let error = size(&["--viewers", "999"], 20_000).unwrap_err().to_string();
        assert!(error.contains("999") && error.contains("1000"), "{error}");
    }

    #[test]
    fn ports_set_the_number_of_sources() {
        let many = ["--connected", "60000", "--processes", "4"];
        assert!(
            Size::fit(&args(&many), 4, 1_000_000, HERE).is_ok(),
            "loopback has addresses enough"
        );
        let error = Size::fit(&args(&many), 4, 1_000_000, THERE).unwrap_err().to_string();
        assert!(error.contains("3 local addresses"), "{error}");
        let mut with_sources = many.to_vec();
        let sources = ["192.0.2.7", "192.0.2.8", "192.0.2.9"];
        with_sources.extend(sources.iter().flat_map(|source| ["--source", *source]));
        assert!(Size::fit(&args(&with_sources), 4, 1_000_000, THERE).is_ok());
    }

    #[test]
    fn the_processes_share_everybody_once_and_every_plan_can_be_played() {
        let ticket_key = KeySpec::hs256("k", &[0; 32]);
        let server = Reached { addresses: HERE.to_vec(), roots: Roots::Mozilla, ticket_key };
        for (more, limit_per_viewer, countdown_ms) in
            [(&["--connected", "1001"][..], 2, 3_000), (&["--unpaid", "--sale-s", "1"], 1, 0)]
        {
            let args = args(more);
            let size = Size::fit(&args, 3, 20_000, HERE).unwrap();
            let goods = Goods { limit_per_viewer, countdown_ms, ..Goods::example() };
            let plans = size.plans(&args, &server, &goods, Path::new("logs"));
            assert_eq!(plans.len(), 3);
            assert_eq!(plans.iter().map(|plan| plan.connected).sum::<u32>(), size.connected);
            assert_eq!(plans[0].viewers.from, 0);
            assert!(plans.windows(2).all(|pair| pair[0].viewers.to == pair[1].viewers.from));
            assert_eq!(plans[2].viewers.to, size.viewers);
            for plan in plans {
                plan.target().unwrap();
                assert_eq!(plan.sources.len(), 4);
            }
        }
    }
}
