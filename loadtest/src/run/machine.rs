//! What else the machine was busy with.

use std::fs;

/// Time of all cores since the start of the machine, in the system's ticks.
#[derive(Clone, Copy, Debug)]
pub(super) struct MachineTime {
    idle: u64,
    all: u64,
}

impl MachineTime {
    /// Reads the system's counters; `None` where it has none.
    pub(super) fn now() -> Option<Self> {
        Self::read(&fs::read_to_string("/proc/stat").ok()?)
    }

    /// The first line of `/proc/stat`: `cpu`, then user, nice, system, idle, iowait, irq, softirq, steal, and
    /// two that are part of the first two.
    fn read(text: &str) -> Option<Self> {
        let line = text.lines().next()?.strip_prefix("cpu ")?;
        let ticks: Vec<u64> =
            line.split_whitespace().take(8).map_while(|ticks| ticks.parse().ok()).collect();
        let [_, _, _, idle, iowait, ..] = ticks[..] else { return None };
        Some(Self { idle: idle + iowait, all: ticks.iter().sum() })
    }

    /// The share of the time since `earlier` that the cores were busy: 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "ticks of a few minutes")]
    pub(super) fn busy_share_since(self, earlier: Self) -> f64 {
        let all = self.all.saturating_sub(earlier.all).max(1);
        let idle = self.idle.saturating_sub(earlier.idle).min(all);
        (all - idle) as f64 / all as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_cores_are_not_busy() {
        let before = MachineTime::read("cpu  10 0 10 70 10 0 0 0 5 0\ncpu0 1\n").unwrap();
        let after = MachineTime::read("cpu  40 0 20 120 20 0 0 0 9 0\n").unwrap();
        assert_eq!(after.busy_share_since(before).to_string(), "0.4");
        assert!(MachineTime::read("intr 1").is_none());
        assert!(MachineTime::now().is_some());
    }
}
