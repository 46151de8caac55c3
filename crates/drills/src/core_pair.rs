//! Which processor core a process or a thread runs on.

use std::{
    io,
    process::{Child, Command},
};

use rustix::{
    io::Errno,
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};
use stampede_swarm::stay_on_core;

use crate::error::DrillError;

/// One core for a server, another one for its load; the same one on a machine of one core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CorePair {
    pub(crate) server: usize,
    pub(crate) load: usize,
}

impl CorePair {
    /// The first two that this process may use.
    pub(crate) fn choose() -> Result<Self, DrillError> {
        let failed =
            |errno: Errno| DrillError::System { what: "choose cores", source: errno.into() };
        let allowed = sched_getaffinity(None).map_err(failed)?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        let server = cores.next().expect("this thread runs somewhere");
        Ok(Self { server, load: cores.next().unwrap_or(server) })
    }

    /// Keeps this thread on the load's core.
    pub(crate) fn take_load(self) -> Result<(), DrillError> {
        let failed =
            |errno: Errno| DrillError::System { what: "stay on a core", source: errno.into() };
        stay_on_core(self.load).map_err(failed)
    }

    /// Whether a full server leaves the load a core of its own.
    pub(crate) const fn are_apart(self) -> bool {
        self.server != self.load
    }
}

/// Starts a process all of whose threads stay on one core: it inherits the core from this thread,
/// which goes back to its own ones.
pub(crate) fn spawn_on(core: usize, command: &mut Command) -> io::Result<Child> {
    let before = sched_getaffinity(None)?;
    stay_on_core(core)?;
    let child = command.spawn();
    sched_setaffinity(None, &before)?;
    child
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::*;

    #[test]
    fn a_process_inherits_its_core_and_this_thread_keeps_its_own() {
        let before = sched_getaffinity(None).unwrap();
        let core = CorePair::choose().unwrap().load;
        let mut command = Command::new("cat");
        command.arg("/proc/self/status").stdout(Stdio::piped());
        let output = spawn_on(core, &mut command).unwrap().wait_with_output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let list = said.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap();
        assert_eq!(list.trim(), core.to_string());
        assert_eq!(sched_getaffinity(None).unwrap(), before);
    }
}
