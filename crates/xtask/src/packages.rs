//! Debian's packages, installed once nobody else is installing.
//!
//! A new machine brings itself up to date in its first minutes, and its package manager lets nobody else
//! in meanwhile. `apt-get` waits for the lock of an installation if it is asked to, never for that of the
//! lists, so the wait is here, around both.

use std::{process::Command, thread, time::Duration};

use crate::{
    failure::Failure,
    workspace::{self, Workspace},
};

/// Time between two tries while another program holds the lock.
const TRY_EVERY: Duration = Duration::from_secs(3);
/// Longest wait for it.
const WAIT_MAX: Duration = Duration::from_mins(15);
/// Time between two words about the wait.
const SAY_EVERY: Duration = Duration::from_secs(30);

/// What the package manager says, in the language that we ask it for, while another program is at it.
const HELD: [&str; 4] = [
    "Could not get lock",
    "Unable to acquire the dpkg frontend lock",
    "Unable to lock",
    "is locked by another process",
];

/// Installs packages of Debian with what they need; whether this machine lets us.
pub(crate) fn install(workspace: &Workspace, packages: &[&str]) -> Result<bool, Failure> {
    if !is_root(workspace)? || !workspace::answers(Command::new("apt-get").arg("--version")) {
        return Ok(false);
    }
    println!("missing, installing with apt-get: {}", packages.join(" "));
    let run = |args: &[&str]| patiently(|| apt_get(workspace, args), thread::sleep);
    // The lists of a fresh container are empty, those of an old machine are stale.
    run(&["update"])?;
    run(&[&["install", "--yes", "--no-install-recommends"], packages].concat())?;
    Ok(true)
}

fn apt_get(workspace: &Workspace, args: &[&str]) -> Result<Try, Failure> {
    let mut command = workspace.command("apt-get");
    command.arg("--quiet").args(args).env("DEBIAN_FRONTEND", "noninteractive").env("LC_ALL", "C");
    // A service that a package brings does not start by itself.
    command.env("RUNLEVEL", "1");
    tried(&mut command)
}

/// How one call of the package manager ended.
#[derive(Debug, PartialEq, Eq)]
enum Try {
    Done,
    /// Another program is at it; nothing was changed.
    Held {
        /// What the package manager said, which names the program where it can.
        said: String,
    },
}

/// Runs a command of the package manager once.
fn tried(command: &mut Command) -> Result<Try, Failure> {
    let mut held = None;
    let outcome = workspace::run_noting(command, |line| {
        if held.is_none() && HELD.iter().any(|known| line.contains(known)) {
            held = Some(line.to_owned());
        }
    });
    match (outcome, held) {
        (Err(Failure::Ended { .. }), Some(said)) => Ok(Try::Held { said }),
        (outcome, _) => outcome.map(|()| Try::Done),
    }
}

/// Tries again while another program holds the lock, says so now and then.
fn patiently(
    mut once: impl FnMut() -> Result<Try, Failure>,
    mut pause: impl FnMut(Duration),
) -> Result<(), Failure> {
    let (mut waited, mut say_at) = (Duration::ZERO, Duration::ZERO);
    while let Try::Held { said } = once()? {
        if waited >= WAIT_MAX {
            return Err(Failure::Locked { seconds: waited.as_secs() });
        }
        if waited >= say_at {
            let (so_far, most) = (waited.as_secs(), WAIT_MAX.as_secs());
            println!("waiting for another program ({so_far} s so far, {most} s at most): {said}");
            say_at = waited + SAY_EVERY;
        }
        pause(TRY_EVERY);
        waited += TRY_EVERY;
    }
    Ok(())
}

fn is_root(workspace: &Workspace) -> Result<bool, Failure> {
    Ok(workspace::stdout(workspace.command("id").arg("-u"))?.trim_ascii() == b"0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Result<Try, Failure> {
        tried(Command::new("sh").args(["-c", script]))
    }

    #[test]
    fn each_lock_of_the_package_manager_is_known() {
        for line in [
            "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 612 (apt-get)",
            "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 9 (dpkg)",
            "E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another \
             process using it?",
            "E: Unable to lock the download directory",
            "dpkg: error: dpkg frontend lock is locked by another process",
        ] {
            let said = line.to_owned();
            assert_eq!(shell(&format!("echo '{line}' >&2; exit 100")).unwrap(), Try::Held { said });
        }
    }

    #[test]
    fn another_failure_is_no_reason_to_wait() {
        let refused = shell("echo 'E: Unable to locate package nosuch' >&2; exit 100");
        assert!(matches!(refused, Err(Failure::Ended { .. })), "{refused:?}");
        assert_eq!(shell("echo 'W: Unable to lock, went on' >&2").unwrap(), Try::Done);
    }

    #[test]
    fn a_lock_is_waited_for() {
        let (mut tries, mut pauses) = (0, 0);
        let once = || {
            tries += 1;
            Ok(if tries < 4 { Try::Held { said: "held".into() } } else { Try::Done })
        };
        patiently(once, |_span| pauses += 1).unwrap();
        assert_eq!((tries, pauses), (4, 3));
    }

    #[test]
    fn the_wait_has_an_end() {
        let mut waited = Duration::ZERO;
        let refused = patiently(|| Ok(Try::Held { said: "held".into() }), |span| waited += span);
        assert!(matches!(refused, Err(Failure::Locked { seconds: 900 })), "{refused:?}");
        assert_eq!(waited, WAIT_MAX);
    }
}
