//! Each module opens with one sentence that says what it is for.

use super::{Finding, Source};

/// A purpose that needs the word "and" is two purposes, so two modules.
pub(super) fn finding(source: &Source) -> Option<Finding> {
    if !source.has_extension("rs") {
        return None;
    }
    complaint(&source.text).map(|what| source.finding(1, what))
}

fn complaint(text: &str) -> Option<&'static str> {
    let paragraph = text
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .take_while(|line| !line.trim().is_empty())
        .map(str::trim)
        .collect::<Vec<_>>()
        .join(" ");
    if paragraph.is_empty() {
        return Some("the module does not open with a `//!` sentence");
    }
    let Some(sentence) = first_sentence(&paragraph) else {
        return Some("the module's first `//!` sentence has no end");
    };
    // A hyphen makes one word of several: compare-and-swap is one thing.
    let doubles = sentence
        .split(|c: char| !c.is_alphanumeric() && c != '-')
        .any(|word| word.eq_ignore_ascii_case("and"));
    doubles.then_some("the module's purpose needs an `and`: two purposes, two modules")
}

/// Up to the first period that ends a word at the end of the paragraph or before a space.
fn first_sentence(paragraph: &str) -> Option<&str> {
    match paragraph.split_once(". ") {
        Some((sentence, _)) => Some(sentence),
        None => paragraph.strip_suffix('.'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::sample;

    #[track_caller]
    fn check(text: &str, complains: bool) {
        assert_eq!(finding(&sample("src/a.rs", text)).is_some(), complains, "{text}");
    }

    #[test]
    fn one_purpose_passes() {
        check("//! Quantities of sellable pieces.\n", false);
        check("//! A sentence that goes on\n//! in a second line. Then more, and more.\n", false);
        check("//! One word, changed by compare-and-swap.\n", false);
        check("//! Sandboxes for Android, at version 1.5 of it.\n", false);
    }

    #[test]
    fn a_module_without_a_sentence_is_refused() {
        check("use std::fmt;\n", true);
        check("", true);
        check("/// An item.\n", true);
        check("//! no end\n", true);
    }

    #[test]
    fn two_purposes_are_refused() {
        check("//! Reads and writes.\n", true);
        check("//! Reads\n//! and writes.\n", true);
    }

    #[test]
    fn other_files_have_no_module_doc() {
        assert_eq!(finding(&sample("docs/a.md", "text")), None);
    }
}
