//! Each module opens with a sentence that says what it is for.

use super::{Finding, Source};

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
    let is_sentence = paragraph.contains(". ") || paragraph.ends_with('.');
    (!is_sentence).then_some("the module's first `//!` sentence has no end")
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
    fn a_sentence_passes() {
        check("//! Quantities of sellable pieces.\n", false);
        check("//! Threads of the gateway, and what they share.\n", false);
        check("//! A sentence that goes on\n//! in a second line. Then more\n", false);
        check("//! Sandboxes, at version 1.5 of them.\n", false);
    }

    #[test]
    fn a_module_without_a_sentence_is_refused() {
        check("use std::fmt;\n", true);
        check("", true);
        check("/// An item.\n", true);
        check("//! no end\n", true);
        check("//! version 1.5 has no end\n", true);
    }

    #[test]
    fn other_files_have_no_module_doc() {
        assert_eq!(finding(&sample("docs/a.md", "text")), None);
    }
}
