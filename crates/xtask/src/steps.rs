//! The steps of the gate in their order, timed one by one.

use std::time::{Duration, Instant};

use crate::{
    demo, doc_commands, drill, edges,
    failure::Failure,
    fuzz, races, scripts, tidy, tools,
    workspace::{self, Workspace},
};

struct Step {
    name: &'static str,
    about: &'static str,
    work: Work,
}

enum Work {
    Cargo(&'static [&'static str]),
    Own(fn(&Workspace) -> Result<(), Failure>),
}
use Work::{Cargo, Own};

const fn step(name: &'static str, about: &'static str, work: Work) -> Step {
    Step { name, about, work }
}

/// Cheap checks first; the test runner last, because its closing line is what a reader looks for.
#[rustfmt::skip]
const STEPS: &[Step] = &[
    step("tools", "what the tests need is installed", Own(tools::install)),
    step("fetch", "dependencies are those of Cargo.lock", Cargo(&["fetch", "--locked"])),
    step("fmt", "formatting", Cargo(&["fmt", "--all", "--check"])),
    step("edges", "dependencies between the crates point down", Own(edges::check)),
    step("tidy", "module docs, names, sizes, links", Own(tidy::check)),
    step("javascript", "the JavaScript client keeps its types and rules", Own(scripts::check)),
    step("clippy", "lints as errors, tests with benches included", Cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])),
    step("doc", "documentation builds without a warning", Own(documentation)),
    step("doctest", "examples in the documentation", Cargo(&["test", "--quiet", "--workspace", "--doc"])),
    step("loom", "races under loom, every interleaving within the bound", Own(races::loom)),
    step("guard-off", "the race tests fail once the guard is off", Own(races::guard_off)),
    step("release", "the binaries as users build them, for all drills", Own(drill::build)),
    step("powercut", "power cuts lose nothing, without syncing they do", Own(drill::short::powercut)),
    step("trace", "each promise leaves after the sync that covers it", Own(drill::short::trace)),
    step("diskfail", "a failing disk ends the promises, loses none", Own(drill::short::diskfail)),
    step("abuse", "hostile clients get their codes, the sale its answers", Own(drill::short::abuse)),
    step("crash", "kills under load lose no promise", Own(drill::short::crash)),
    step("crowd", "a crowd loses no answer, open loop or closed", Own(drill::short::crowd)),
    step("demo", "the demo sells out, its figures are those promised", Own(demo::check)),
    step("docs-commands", "runnable command blocks of the documents", Own(doc_commands::check)),
    step("fuzz", "decoders and sessions meet arbitrary input, a few seconds each", Own(fuzz::check)),
    step("nextest", "all tests of the workspace", Own(tests)),
];

pub(crate) fn list() {
    for step in STEPS {
        println!("{:14} {}", step.name, step.about);
    }
}

/// Runs every step; the table of times comes before the last one.
pub(crate) fn run_all(workspace: &Workspace) -> Result<(), Failure> {
    let mut times = Vec::new();
    for (index, step) in STEPS.iter().enumerate() {
        if index + 1 == STEPS.len() {
            print_times(&times);
        }
        let (outcome, time) =
            run_one(workspace, step, &format!("[{}/{}] ", index + 1, STEPS.len()));
        times.push((step.name, time));
        if outcome.is_err() {
            print_times(&times);
            return outcome;
        }
    }
    Ok(())
}

pub(crate) fn run_named(workspace: &Workspace, names: &[String]) -> Result<(), Failure> {
    let steps = names
        .iter()
        .map(|name| {
            STEPS
                .iter()
                .find(|step| step.name == name)
                .ok_or_else(|| Failure::UnknownStep { name: name.clone() })
        })
        .collect::<Result<Vec<_>, _>>()?;
    steps.into_iter().try_for_each(|step| run_one(workspace, step, "").0)
}

fn run_one(workspace: &Workspace, step: &Step, place: &str) -> (Result<(), Failure>, Duration) {
    println!("==> {place}{}: {}", step.name, step.about);
    let start = now();
    let outcome = match step.work {
        Cargo(args) => workspace::run(&mut workspace.cargo(args)),
        Own(work) => work(workspace),
    };
    let time = now().duration_since(start);
    // The runner's own summary stays the last line of a green run.
    if step.name != "nextest" {
        let word = if outcome.is_ok() { "ok" } else { "FAILED" };
        println!("<== {}: {word} in {:.1} s\n", step.name, time.as_secs_f64());
    }
    (outcome.map_err(|why| Failure::Step { step: step.name, why: Box::new(why) }), time)
}

fn print_times(times: &[(&str, Duration)]) {
    println!("time by step");
    for (name, time) in times {
        println!("  {name:14} {:8.1} s", time.as_secs_f64());
    }
    let total: Duration = times.iter().map(|(_, time)| *time).sum();
    println!("  {:14} {:8.1} s\n", "together", total.as_secs_f64());
}

fn documentation(workspace: &Workspace) -> Result<(), Failure> {
    let mut command = workspace.cargo(&["doc", "--workspace", "--no-deps"]);
    workspace::run(command.env("RUSTDOCFLAGS", "-D warnings"))
}

fn tests(workspace: &Workspace) -> Result<(), Failure> {
    let mut command = workspace.cargo(&["nextest", "run", "--workspace"]);
    // A changed snapshot is a failed test here, never a rewritten file.
    workspace::run(command.env("INSTA_UPDATE", "no"))
}

#[allow(clippy::disallowed_methods, reason = "a tool that times its steps reads the clock")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn step_names_are_unique() {
        let mut names: Vec<_> = STEPS.iter().map(|step| step.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), STEPS.len());
    }

    #[test]
    fn the_test_runner_closes_the_gate() {
        assert_eq!(STEPS.last().map(|step| step.name), Some("nextest"));
    }
}
