//! One measurement: connect, warm up, count, stop.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use stampede_swarm::{Busy, Player, Process, SocketPool};

use crate::{
    error::PeersError,
    meter::{Meter, Metered},
    server::Server,
};

/// Connections that are being made at once.
const DIALLING_MAX: usize = 64;
/// Longest time until all connections are ready, and until the last answer.
const PATIENCE_S: u64 = 60;
/// Longest wait for the kernel before the clock is looked at.
const TURN: Duration = Duration::from_millis(5);

/// How hard, how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) connections: u32,
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
    /// The server's process, if it is one.
    pub(crate) process: Option<u32>,
}

impl Load {
    /// The same on this server, whose own time is measured too.
    pub(crate) fn on(&self, server: &Server) -> Self {
        Self { process: Some(server.id()), ..*self }
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) per_s: f64,
    pub(crate) p50_us: u64,
    pub(crate) p99_us: u64,
    pub(crate) generator_busy: f64,
    /// Share of the time that the server's core was busy, with whatever.
    pub(crate) server_core_busy: f64,
    /// Time that the server's threads ran for each answer; says what the rate would be on a core
    /// that nobody else disturbs.
    pub(crate) server_us: Option<f64>,
}

/// Addresses that connections come from.
pub(crate) fn sources() -> Vec<Ipv4Addr> {
    (2..10).map(|last| Ipv4Addr::new(127, 0, 0, last)).collect()
}

/// Sockets for the server at `target`.
pub(crate) fn sockets<S>(target: SocketAddr) -> Result<SocketPool<S>, PeersError> {
    Ok(SocketPool::new(target, sources())?)
}

/// Measures `player` on connections to one server; each has one request in flight.
pub(crate) fn drive<P: Player + Metered>(
    sockets: &mut SocketPool<P::Seat>,
    player: &mut P,
    load: &Load,
    mut seat: impl FnMut(u32) -> P::Seat,
) -> Result<Measured, PeersError> {
    let (connections, mut dialled) = (load.connections, 0);
    let wanted = usize::try_from(connections).unwrap_or(usize::MAX);
    let until_us = sockets.now_us() + PATIENCE_S * 1_000_000;
    while player.meter().ready < wanted {
        while dialled < connections && sockets.dialling() < DIALLING_MAX {
            sockets.dial(seat(dialled))?;
            dialled += 1;
        }
        turn(sockets, player)?;
        let Meter { ready, troubles, .. } = *player.meter();
        if sockets.now_us() > until_us || troubles > 0 {
            let trouble = player.meter().first_trouble();
            return Err(PeersError::NotReady { ready, connections, trouble });
        }
    }
    run_until(sockets, player, sockets.now_us() + us(load.warm_up))?;
    let from_us = sockets.now_us();
    let until_us = from_us + us(load.measured);
    (player.meter().from_us, player.meter().until_us) = (from_us, until_us);
    let ran_us = || load.process.and_then(|id| Process::new(id).on_core_us().ok());
    let (busy, core, ran) = (Busy::start(), CoreTimes::now(), ran_us());
    run_until(sockets, player, until_us)?;
    let (generator_busy, server_core_busy) = (busy.share(), core.busy_since());
    let ran_until = ran_us();
    stop(sockets, player)?;
    let meter = player.meter();
    if meter.troubles > 0 {
        let (count, trouble) = (meter.troubles, meter.first_trouble());
        return Err(PeersError::Troubles { count, trouble });
    }
    Ok(Measured {
        per_s: rate(meter.answered, load.measured),
        p50_us: meter.latency.quantile_us(0.5),
        p99_us: meter.latency.quantile_us(0.99),
        generator_busy,
        server_core_busy,
        server_us: ran
            .zip(ran_until)
            .map(|(from, until)| us_each(until.saturating_sub(from), meter.answered)),
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn us_each(ran_us: u64, answered: u64) -> f64 {
    ran_us as f64 / answered.max(1) as f64
}

/// Answers per second.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
pub(crate) fn rate(answered: u64, measured: Duration) -> f64 {
    answered as f64 / measured.as_secs_f64()
}

fn run_until<P: Player + Metered>(
    sockets: &mut SocketPool<P::Seat>,
    player: &mut P,
    until_us: u64,
) -> Result<(), PeersError> {
    while sockets.now_us() < until_us && player.meter().troubles == 0 {
        turn(sockets, player)?;
    }
    Ok(())
}

/// Waits for the answers that are on their way.
fn stop<P: Player + Metered>(
    sockets: &mut SocketPool<P::Seat>,
    player: &mut P,
) -> Result<(), PeersError> {
    player.meter().stopping = true;
    let until_us = sockets.now_us() + PATIENCE_S * 1_000_000;
    while player.meter().in_flight > 0 && player.meter().troubles == 0 {
        turn(sockets, player)?;
        if sockets.now_us() > until_us {
            let (missing, trouble) = (player.meter().in_flight, player.meter().first_trouble());
            return Err(PeersError::Unanswered { missing, trouble });
        }
    }
    Ok(())
}

fn turn<P: Player + Metered>(
    sockets: &mut SocketPool<P::Seat>,
    player: &mut P,
) -> Result<(), PeersError> {
    sockets.turn(player, TURN)?;
    if !player.meter().redials.is_empty() {
        for number in std::mem::take(&mut player.meter().redials) {
            sockets.dial_again(number)?;
        }
    }
    Ok(())
}

fn us(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// The kernel's account of the server's core, in ticks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CoreTimes {
    busy: u64,
    idle: u64,
}

impl CoreTimes {
    pub(crate) fn now() -> Self {
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        Self::parse(&stat)
    }

    fn parse(stat: &str) -> Self {
        let line = stat.lines().find_map(|line| line.strip_prefix("cpu0 ")).unwrap_or_default();
        let ticks: Vec<u64> = line.split_whitespace().map_while(|n| n.parse().ok()).collect();
        // user nice system idle iowait irq softirq steal; guest times are within user.
        let at = |place: usize| ticks.get(place).copied().unwrap_or(0);
        let idle = at(3) + at(4);
        let busy = at(0) + at(1) + at(2) + at(5) + at(6) + at(7);
        Self { busy, idle }
    }

    #[expect(clippy::cast_precision_loss, reason = "a share needs no more than three digits")]
    pub(crate) fn busy_since(&self) -> f64 {
        let now = Self::now();
        let busy = now.busy.saturating_sub(self.busy);
        let all = busy + now.idle.saturating_sub(self.idle);
        busy as f64 / all.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_line_of_the_first_core_is_read() {
        let stat = "cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 10 1 20 300 4 0 5 6 0 0\ncpu1 1 1 1 1 1 1 1\n";
        let CoreTimes { busy, idle } = CoreTimes::parse(stat);
        assert_eq!((busy, idle), (42, 304));
    }

    #[test]
    fn rates_are_per_second() {
        assert!((rate(500, Duration::from_millis(250)) - 2_000.0).abs() < f64::EPSILON);
    }
}
