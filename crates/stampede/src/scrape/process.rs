//! The process's use of the machine, with the names that Prometheus' client libraries use.

use std::fs;

use rustix::{
    param::{clock_ticks_per_second, page_size},
    process::{Resource, getrlimit},
};

use super::exposition::{Exposition, Kind};
use crate::descriptors;

/// Adds what the system tells; what it does not tell is left out.
pub(super) fn show(text: &mut Exposition) {
    if let Some(stat) = fs::read_to_string("/proc/self/stat").ok().and_then(|s| Stat::parse(&s)) {
        stat.show(text);
    }
    if let Some(open) = descriptors::open() {
        text.gauge("process_open_fds", "Open descriptors.", open);
    }
    let max = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    text.gauge("process_max_fds", "Descriptors that may be open.", max);
}

/// What `/proc/self/stat` tells.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    cpu_ticks: u64,
    threads: u64,
    start_ticks: u64,
    virtual_bytes: u64,
    resident_pages: u64,
}

impl Stat {
    /// The line's second field is the program's name, which may hold anything; the others are numbers.
    fn parse(line: &str) -> Option<Self> {
        let (_, rest) = line.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        // Counted from 1 as the manual counts them; the third comes first behind the name.
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Self {
            cpu_ticks: field(14)?.saturating_add(field(15)?),
            threads: field(20)?,
            start_ticks: field(22)?,
            virtual_bytes: field(23)?,
            resident_pages: field(24)?,
        })
    }

    fn show(&self, text: &mut Exposition) {
        let cpu = "Processor time, user and system.";
        text.begin("process_cpu_seconds_total", Kind::Counter, cpu)
            .series(&[], seconds(self.cpu_ticks));
        let page_bytes = u64::try_from(page_size()).unwrap_or(u64::MAX);
        let resident = self.resident_pages.saturating_mul(page_bytes);
        text.gauge("process_resident_memory_bytes", "Resident memory.", resident);
        text.gauge("process_virtual_memory_bytes", "Virtual memory.", self.virtual_bytes);
        text.gauge("process_threads", "Threads.", self.threads);
        if let Some(boot) = booted_at() {
            let at = seconds(boot.saturating_mul(clock_ticks_per_second()) + self.start_ticks);
            text.gauge("process_start_time_seconds", "Start, in seconds since 1970.", at);
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "exact for 2^53 ticks, which no machine runs")]
fn seconds(ticks: u64) -> f64 {
    ticks as f64 / clock_ticks_per_second() as f64
}

/// When the machine started, in seconds since 1970.
fn booted_at() -> Option<u64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stat_line_is_read_behind_any_name() {
        let line = "42 (a) 1 (b) R 1 42 42 0 -1 4194560 9 0 0 0 250 50 0 0 20 0 7 0 1234 8192 3 99";
        let expected = Stat {
            cpu_ticks: 300,
            threads: 7,
            start_ticks: 1_234,
            virtual_bytes: 8_192,
            resident_pages: 3,
        };
        assert_eq!(Stat::parse(line), Some(expected));
        assert_eq!(Stat::parse("42 (cut) R 1"), None);
    }
}
