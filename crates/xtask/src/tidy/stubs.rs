//! Nothing in the tree waits for a later day.

use super::{Finding, Source};

/// Split, so that this file does not find itself.
const MARKS: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("#[", "ignore"),
];

pub(super) fn findings(source: &Source) -> Vec<Finding> {
    if source.path == "Cargo.lock" || source.path.ends_with("/Cargo.lock") {
        return Vec::new();
    }
    let lines = source.text.lines().enumerate();
    lines
        .flat_map(|(index, line)| {
            let found = MARKS.iter().filter(move |mark| stands_in(line, mark));
            found.map(move |mark| source.finding(index + 1, format!("`{mark}` is not allowed")))
        })
        .collect()
}

/// Whether `mark` stands in `line` as a word of its own: hashes in golden files may hold it.
fn stands_in(line: &str, mark: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(mark).any(|(at, _)| {
        let before = line[..at].chars().next_back().is_some_and(joins);
        let after = line[at + mark.len()..].chars().next().is_some_and(joins);
        let is_word = mark.chars().all(char::is_alphanumeric);
        !is_word || !(before || after)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::sample;

    #[test]
    fn every_mark_is_refused() {
        for mark in MARKS {
            let found = findings(&sample("src/a.rs", &format!("fn a() {{}}\n  {mark} later\n")));
            assert_eq!(found.len(), 1, "{mark}");
            assert_eq!(found[0].line, 2);
        }
    }

    #[test]
    fn words_that_hold_a_mark_pass() {
        let text = format!("a{}b and {}2", MARKS[2], MARKS[0]);
        assert_eq!(findings(&sample("a.snap", &text)), []);
    }
}
