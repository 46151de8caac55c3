//! How busy a server and its load keep their cores.

use stampede_swarm::Process;

use crate::{error::DrillError, figures::ratio};

/// The time on a core that a process spends, beside that of this one.
pub(crate) struct CoreShares<'a> {
    other: &'a Process,
    other_us: u64,
    own_us: u64,
}

impl<'a> CoreShares<'a> {
    /// Starts to measure.
    pub(crate) fn start(other: &'a Process) -> Result<Self, DrillError> {
        let (other_us, own_us) = both_us(other)?;
        Ok(Self { other, other_us, own_us })
    }

    /// The other process's share of a core, then this one's, 0 to 1 each, over so many microseconds.
    pub(crate) fn shares(&self, us: u64) -> Result<(f64, f64), DrillError> {
        let (other_us, own_us) = both_us(self.other)?;
        let share = |now: u64, then: u64| ratio(now.saturating_sub(then), us);
        Ok((share(other_us, self.other_us), share(own_us, self.own_us)))
    }
}

fn both_us(other: &Process) -> Result<(u64, u64), DrillError> {
    let read = || Ok((other.on_core_us()?, Process::this().on_core_us()?));
    read().map_err(|source| DrillError::System { what: "read the time on a core", source })
}
