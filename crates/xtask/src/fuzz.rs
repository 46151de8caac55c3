//! A short run of every fuzz target, from the seeds that are kept.
//!
//! The targets are a workspace of their own in `crates/fuzz`. They are built without sanitizers,
//! because there is no unsafe code to watch over, with flags that only a nightly compiler admits
//! otherwise. To look for longer: `RUSTC_BOOTSTRAP=1 cargo fuzz run -D -s none --fuzz-dir
//! crates/fuzz sessions`.

use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use crate::{
    failure::Failure,
    workspace::{self, Workspace},
};

const DIR: &str = "crates/fuzz";
/// A target with the seconds that it gets and the longest input that it is given, in bytes.
type Target = (&'static str, u32, u32);
/// The longest one first, so that the others run beside it.
const TARGETS: &[Target] = &[
    ("sessions", 12, 1_024),
    ("frames", 5, 12_000),
    ("client_message", 4, 4_200),
    ("server_message", 4, 8_192),
    ("ticket", 4, 2_200),
    ("handshake", 4, 9_000),
];

pub(crate) fn check(workspace: &Workspace) -> Result<(), Failure> {
    workspace::run(&mut fuzz(workspace, &["build"]))?;
    // A target runs on one thread: two of them run at a time.
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(target) = TARGETS.get(next.fetch_add(1, Ordering::Relaxed)) {
            meet(workspace, target)?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let beside = scope.spawn(work);
        let here = work();
        here.and(beside.join().expect("failures are returned"))
    })
}

/// Runs one target for its seconds.
fn meet(workspace: &Workspace, (target, seconds, bytes_max): &Target) -> Result<(), Failure> {
    println!("{target}: {seconds} s");
    // What is found along the way stays out of the repository, and out of the next run.
    let found = workspace.target().join("fuzz").join("found").join(target);
    if found.exists() {
        fs::remove_dir_all(&found).map_err(Failure::Files)?;
    }
    fs::create_dir_all(&found).map_err(Failure::Files)?;
    let artifacts = format!("-artifact_prefix={}/", workspace.target().join("fuzz").display());
    let mut command = fuzz(workspace, &["run"]);
    command.arg(target).arg(&found).arg(format!("{DIR}/seeds/{target}"));
    command.args(["--", "-seed=1", "-print_final_stats=0", "-verbosity=0", "-close_fd_mask=1"]);
    command.arg(format!("-max_total_time={seconds}")).arg(format!("-max_len={bytes_max}"));
    workspace::run(command.arg(artifacts))
}

fn fuzz(workspace: &Workspace, what: &[&str]) -> std::process::Command {
    let mut command = workspace.cargo(&["fuzz"]);
    command.args(what).args(["-D", "-s", "none", "--fuzz-dir", DIR, "--target-dir"]);
    command.arg(workspace.target().join("fuzz"));
    command.env("RUSTC_BOOTSTRAP", "1").env("RUST_BACKTRACE", "1");
    command
}
