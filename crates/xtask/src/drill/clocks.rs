//! Wrong wall clocks, put right or set back while a server sells, played by the drills.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Binaries, DrillOutcome, check};
use crate::{failure::Failure, workspace};

/// Where Debian's packages have their libraries, one folder for each kind of machine.
const LIBRARIES: &str = "/usr/lib";
/// The library within one of them, for programs with threads.
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";

pub(super) fn run(binaries: &Binaries) -> Result<DrillOutcome, Failure> {
    let mut command = Command::new(&binaries.drills);
    command.arg("clocks").arg("--server").arg(&binaries.stampede);
    command.arg("--faketime").arg(library()?);
    let (status, mut json) = workspace::last_line(&mut command)?;
    json["drill"] = "clocks".into();
    let words = format!("{} checks, starts off by {} ms", json["checks"], json["starts_off_ms"]);
    let mut wrong = Vec::new();
    check(&mut wrong, status.success(), || json["wrong"].to_string());
    check(&mut wrong, json["checks"].as_u64() > Some(0), || "nothing was checked".to_owned());
    Ok(DrillOutcome { drill: "clocks", json, words, wrong })
}

/// The library that shows a program another wall clock.
fn library() -> Result<PathBuf, Failure> {
    let missing = Failure::ToolMissing {
        tool: "libfaketimeMT.so.1",
        how: "install it with the system's package manager (Debian: apt-get install faketime)",
    };
    let folders = fs::read_dir(LIBRARIES).map_err(Failure::Files)?;
    let folders = folders.filter_map(Result::ok).map(|folder| folder.path());
    let mut all = std::iter::once(Path::new(LIBRARIES).to_owned()).chain(folders);
    all.find_map(|folder| Some(folder.join(LIBRARY)).filter(|file| file.is_file())).ok_or(missing)
}
