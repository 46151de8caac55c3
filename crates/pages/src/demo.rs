//! The strip of a demo: its crowd, its promises, the button that kills the server.
//!
//! `assets/strip.mjs` says the same of the same answer.

use serde::Serialize;

use crate::{
    answers::{Demo, DemoKill},
    live::Reader,
    numbers::{clock, count, duration},
};

/// What the strip says.
#[derive(Debug, Serialize)]
pub(crate) struct Strip {
    pub(crate) viewers: String,
    pub(crate) promises: String,
    /// What became of the last kill, or what to do.
    pub(crate) last: String,
    /// Whether the promises of the last kill are known to be kept.
    pub(crate) kept: bool,
    /// Whether something is wrong with them.
    pub(crate) wrong: bool,
    /// Whether the server may be killed now.
    pub(crate) ready: bool,
}

impl Strip {
    pub(crate) fn new(demo: &Demo, reader: Reader<'_>) -> Self {
        let words = reader.language;
        let counted = demo.last_kill.as_ref().and_then(|kill| Some((kill, kill.kept?)));
        let kept =
            counted.is_some_and(|(kill, kept)| kept == kill.given && kill.verified == Some(true));
        Self {
            viewers: words.demo_viewers(count(demo.connected), count(demo.viewers)),
            promises: words.demo_promises(count(demo.promises)),
            last: last(demo, reader),
            kept,
            wrong: counted.is_some() && !kept,
            ready: demo.stage == "running" && matches!(reader.role, "host" | "admin"),
        }
    }
}

fn last(demo: &Demo, reader: Reader<'_>) -> String {
    let words = reader.language;
    let Some(DemoKill { at_ms, down_ms, given, kept, verified }) = demo.last_kill else {
        let hint =
            if demo.stage == "gathering" { words.demo_gathering() } else { words.demo_hint() };
        return hint.to_owned();
    };
    let (down, given) = (duration(words, down_ms), count(given));
    let Some(kept) = kept else { return words.demo_checking(down, given) };
    let time = reader.ahead_min.map(|ahead| clock(at_ms, ahead));
    let time = time.unwrap_or_else(|| words.unknown().to_owned());
    let kept = count(kept);
    match verified {
        Some(true) => words.demo_kept(given, kept, time, down),
        _ => words.demo_wrong(given, kept, time, down),
    }
}
