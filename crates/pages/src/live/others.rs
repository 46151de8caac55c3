//! Who else is at the show.

use serde::Serialize;

use super::Reader;
use crate::answers::{Person, Snapshot};

/// Everybody who is at the show but the reader.
#[derive(Debug, Serialize)]
pub(crate) struct Others {
    /// In one sentence, empty if there is nobody.
    pub(crate) here: String,
    pub(crate) people: Vec<Other>,
}

/// One of them.
#[derive(Debug, Serialize)]
pub(crate) struct Other {
    pub(crate) name: String,
    /// In the reader's words.
    pub(crate) role: String,
}

impl Others {
    pub(crate) fn new(snapshot: &Snapshot, reader: Reader<'_>) -> Self {
        let words = reader.language;
        let others = snapshot.people.iter().filter(|person| person.name != reader.name);
        let found: Vec<&Person> = others.collect();
        let here = match found.as_slice() {
            [] => String::new(),
            [one] => words.here_one(&one.name),
            [first, second] => words.here_two(&first.name, &second.name),
            [first, more @ ..] => words.here_more(&first.name, more.len()),
        };
        let other = |person: &Person| {
            let role = words.role(&person.role).to_owned();
            Other { name: person.name.clone(), role }
        };
        Self { here, people: found.into_iter().map(other).collect() }
    }
}

impl Other {
    /// What the browser copies for each.
    pub(crate) fn blank() -> Self {
        Self { name: String::new(), role: String::new() }
    }
}
