//! The steps of the gate in their order, timed one by one.

use std::time::{Duration, Instant};

use crate::{
    demo, doc_commands, drill, e2e, edges,
    failure::Failure,
    fuzz, races, scripts, stripe, tidy, tools,
    workspace::{self, Workspace},
};

/// Tests that make requests and clients from `openapi.json`; the step of all other tests leaves them out.
const OPENAPI: &str = "package(stampede) & binary(command) & test(/^openapi::/)";

struct Step {
    name: &'static str,
    about: &'static str,
    /// The step that makes what this one runs: without it this one has nothing to say.
    needs: Option<&'static str>,
    work: Work,
}

#[derive(Clone, Copy)]
enum Work {
    Cargo(&'static [&'static str]),
    Own(fn(&Workspace) -> Result<(), Failure>),
}
use Work::{Cargo, Own};

const fn step(name: &'static str, about: &'static str, work: Work) -> Step {
    Step { name, about, needs: None, work }
}

/// A step that runs what `release` has built.
const fn drill(
    name: &'static str,
    about: &'static str,
    work: fn(&Workspace) -> Result<(), Failure>,
) -> Step {
    Step { name, about, needs: Some("release"), work: Own(work) }
}

/// Cheap checks first; the test runner last, because its closing line is what a reader looks for.
#[rustfmt::skip]
const STEPS: &[Step] = &[
    step("tools", "what the tests need is installed", Own(tools::install)),
    step("fetch", "dependencies are those of Cargo.lock", Cargo(&["fetch", "--locked"])),
    step("fmt", "formatting", Cargo(&["fmt", "--all", "--check"])),
    step("edges", "dependencies between the crates point down", Own(edges::check)),
    step("tidy", "module docs, names, sizes, links, import loops", Own(tidy::check)),
    step("javascript", "the JavaScript client keeps its types and rules", Own(scripts::check)),
    step("clippy", "lints as errors, tests with benches included", Cargo(&["clippy", "--workspace", "--all-targets", "--keep-going", "--", "-D", "warnings"])),
    step("doc", "documentation builds without a warning", Own(documentation)),
    step("doctest", "examples in the documentation", Cargo(&["test", "--quiet", "--workspace", "--doc", "--no-fail-fast"])),
    step("loom", "races under loom, every interleaving within the bound", Own(races::loom)),
    step("guard-off", "the race tests fail once the guard is off", Own(races::guard_off)),
    step("release", "the binaries as users build them, for all drills", Own(drill::build)),
    drill("powercut", "power cuts lose nothing, without syncing they do", drill::short::powercut),
    drill("trace", "each promise leaves after the sync that covers it", drill::short::trace),
    drill("diskfail", "a failing disk ends the promises, loses none", drill::short::diskfail),
    drill("clocks", "wrong, corrected, stepped clocks change no promise", drill::short::clocks),
    drill("abuse", "hostile clients get their codes, the sale its answers", drill::short::abuse),
    drill("crash", "kills under load lose no promise", drill::short::crash),
    drill("settlement", "payments in any order, kills in between: the books agree", drill::short::settlement),
    drill("undo", "an opening undone, kills in the middle: nothing is left half", drill::short::undo),
    drill("crowd", "a crowd loses no answer, open loop or closed", drill::short::crowd),
    drill("demo", "the demo sells out, its figures are those promised", demo::check),
    step("docs-commands", "runnable command blocks of the documents", Own(doc_commands::check)),
    step("fuzz", "decoders and sessions meet arbitrary input, a few seconds each", Own(fuzz::check)),
    step("openapi", "requests and clients made from openapi.json meet the server", Own(openapi)),
    step("stripe", "webhooks that Stripe's own libraries sign are taken, changed ones are not", Own(stripe::check)),
    drill("e2e", "shows, faults, accessibility in a real browser", e2e::check),
    step("nextest", "all other tests of the workspace", Own(tests)),
];

pub(crate) fn list() {
    for step in STEPS {
        println!("{:14} {}", step.name, step.about);
    }
}

/// How a step ended.
enum End {
    Good,
    Failed(Failure),
    /// The step that it needs did not end well.
    Skipped {
        needs: &'static str,
    },
}

struct StepResult {
    name: &'static str,
    end: End,
    time: Duration,
}

/// Runs every step, also after one that failed. The summary comes before the test runner's own closing
/// line on a green run, after everything on any other.
pub(crate) fn run_all(workspace: &Workspace) -> Result<(), Failure> {
    let steps: Vec<&Step> = STEPS.iter().collect();
    run(&steps, |step| work(workspace, step.work))
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
    run(&steps, |step| work(workspace, step.work))
}

fn work(workspace: &Workspace, work: Work) -> Result<(), Failure> {
    match work {
        Cargo(args) => workspace::run(&mut workspace.cargo(args)),
        Own(work) => work(workspace),
    }
}

fn run(steps: &[&Step], mut work: impl FnMut(&Step) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut ended: Vec<StepResult> = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        if step.name == "nextest" && index > 0 {
            println!("{}", summary(&ended));
        }
        println!("==> [{}/{}] {}: {}", index + 1, steps.len(), step.name, step.about);
        let start = now();
        let end = match missing(step, &ended) {
            Some(needs) => End::Skipped { needs },
            None => work(step).map_or_else(End::Failed, |()| End::Good),
        };
        let one = StepResult { name: step.name, end, time: now().duration_since(start) };
        // The runner's own summary stays the last line of a green run.
        if step.name != "nextest" || !matches!(one.end, End::Good) {
            println!("<== {}\n", one.line());
        }
        ended.push(one);
    }
    let failed: Vec<&str> =
        ended.iter().filter(|one| !matches!(one.end, End::Good)).map(|one| one.name).collect();
    if failed.is_empty() {
        return Ok(());
    }
    println!("{}", summary(&ended));
    Err(Failure::Steps { names: failed.join(", "), again: failed.join(" ") })
}

/// What `step` needs, where that ran before and did not end well.
fn missing(step: &Step, ended: &[StepResult]) -> Option<&'static str> {
    step.needs
        .filter(|needs| ended.iter().any(|one| one.name == *needs && !matches!(one.end, End::Good)))
}

impl StepResult {
    fn line(&self) -> String {
        let seconds = self.time.as_secs_f64();
        match &self.end {
            End::Good => format!("{:14} {seconds:8.1} s  ok", self.name),
            End::Failed(why) => format!("{:14} {seconds:8.1} s  FAILED: {why}", self.name),
            End::Skipped { needs } => {
                format!("{:14} {seconds:8.1} s  SKIPPED: it needs {needs}", self.name)
            }
        }
    }
}

fn summary(ended: &[StepResult]) -> String {
    let mut text = String::from("how the steps ended\n");
    for one in ended {
        text.push_str("  ");
        text.push_str(&one.line());
        text.push('\n');
    }
    let total: Duration = ended.iter().map(|one| one.time).sum();
    text + &format!("  {:14} {:8.1} s\n", "together", total.as_secs_f64())
}

fn documentation(workspace: &Workspace) -> Result<(), Failure> {
    let mut command = workspace.cargo(&["doc", "--workspace", "--no-deps"]);
    workspace::run(command.env("RUSTDOCFLAGS", "-D warnings"))
}

fn tests(workspace: &Workspace) -> Result<(), Failure> {
    let others = format!("not ({}) & not ({OPENAPI})", e2e::RUNS);
    let run = ["nextest", "run", "--workspace", "--no-fail-fast", "-E", &others];
    let mut command = workspace.cargo(&run);
    command.args(["--test-threads", &workspace::tests_at_once().to_string()]);
    // A changed snapshot is a failed test here, never a rewritten file.
    workspace::run(command.env("INSTA_UPDATE", "no"))
}

/// Of the workspace as a whole, so that nothing is built with other features than for all other tests.
fn openapi(workspace: &Workspace) -> Result<(), Failure> {
    let run = ["nextest", "run", "--workspace", "--test", "command", "--no-fail-fast"];
    workspace::run(workspace.cargo(&run).args(["-E", OPENAPI]))
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

    /// Runs three steps, of which those that are named fail; gives what ran with the outcome.
    fn played(failing: &[&str]) -> (Vec<&'static str>, Result<(), Failure>) {
        let none = Cargo(&[]);
        let steps = [
            step("fmt", "", none),
            step("release", "", none),
            drill("crash", "", |_| Ok(())),
            step("nextest", "", none),
        ];
        let mut ran = Vec::new();
        let outcome = run(&steps.iter().collect::<Vec<_>>(), |step| {
            ran.push(step.name);
            let fails = failing.contains(&step.name);
            if fails { Err(Failure::Findings { count: 1 }) } else { Ok(()) }
        });
        (ran, outcome)
    }

    #[test]
    fn a_failed_step_hides_no_other() {
        let (ran, outcome) = played(&["fmt", "nextest"]);
        assert_eq!(ran, ["fmt", "release", "crash", "nextest"]);
        let said = outcome.unwrap_err().to_string();
        assert!(said.starts_with("steps that did not end well: fmt, nextest"), "{said}");
        assert!(played(&[]).1.is_ok());
    }

    #[test]
    fn a_step_without_what_it_needs_is_skipped_and_fails_the_gate() {
        let (ran, outcome) = played(&["release"]);
        assert_eq!(ran, ["fmt", "release", "nextest"]);
        assert!(outcome.unwrap_err().to_string().contains("release, crash"));
    }

    #[test]
    fn the_summary_says_how_each_step_ended() {
        let one = |name, end| StepResult { name, end, time: Duration::from_millis(1_500) };
        let text = summary(&[
            one("fmt", End::Good),
            one("release", End::Failed(Failure::Findings { count: 2 })),
            one("crash", End::Skipped { needs: "release" }),
        ]);
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        assert_eq!(lines[1], "fmt                 1.5 s  ok");
        assert_eq!(lines[2], "release             1.5 s  FAILED: 2 findings, listed above");
        assert_eq!(lines[3], "crash               1.5 s  SKIPPED: it needs release");
        assert_eq!(lines[4], "together            4.5 s");
    }

    #[test]
    fn what_is_needed_comes_before() {
        for (index, step) in STEPS.iter().enumerate() {
            let before = &STEPS[..index];
            assert!(step.needs.is_none_or(|needs| before.iter().any(|one| one.name == needs)));
        }
    }
}
