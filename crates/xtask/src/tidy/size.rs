//! A long file says why it is one file.
//!
//! A file is split by reason to change, never by length: a cut that length alone makes tears one
//! thing apart. So length refuses nothing; it asks. The answer stands in [`ONE_THING`].

use super::{Finding, Source};

/// Lines from which a module is asked, its inline tests left out.
const MODULE_LINES_ASKED: usize = 500;

/// Lines from which a file is asked, its inline tests counted.
const FILE_LINES_ASKED: usize = 800;

const _: () = assert!(MODULE_LINES_ASKED < FILE_LINES_ASKED);

/// Long files, each with the one reason for which it changes. A file that is short again leaves the
/// table.
pub(super) const ONE_THING: &[(&str, &str)] = &[
    (
        "crates/control/tests/control/payments.rs",
        "each outcome of a report about a payment, with what its hold then shows",
    ),
    (
        "crates/books/src/command/refusal.rs",
        "each refusal of a command, with its sentence and its code",
    ),
    (
        "crates/pages/src/reports/told.rs",
        "each answer of the interface about reports, as pages read it",
    ),
    ("crates/report/tests/fold.rs", "each figure of a report, by sales told record by record"),
    ("crates/report/tests/verify.rs", "each lie that a ledger can tell, with what it is called"),
    ("crates/report/tests/orders.rs", "each field of an order, by one shop's sale"),
];

pub(super) fn findings(sources: &[Source], one_thing: &[(&str, &str)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| source.has_extension("rs")) {
        let module = module_lines(&source.text);
        let file = source.text.lines().count();
        let is_long = module > MODULE_LINES_ASKED || file > FILE_LINES_ASKED;
        let is_answered = one_thing.iter().any(|(path, _)| *path == source.path);
        if is_long && !is_answered {
            let what = format!(
                "{module} lines, {file} with tests: which reasons to change does it have? Of several, \
                 give each a file of its own; if there is one, leave the file whole and write the \
                 reason into the table of {}",
                file!()
            );
            findings.push(source.finding(module, what));
        } else if !is_long && is_answered {
            findings.push(source.finding(module, "is short again: its reason leaves the table"));
        }
    }
    for (path, reason) in one_thing {
        let complaint = if reason.is_empty() {
            "is left whole without a reason"
        } else if sources.iter().any(|source| source.path == *path) {
            continue;
        } else {
            "is left whole by the size rule, though it does not exist"
        };
        findings.push(Finding { path: (*path).to_owned(), line: 1, what: complaint.to_owned() });
    }
    findings
}

/// Inline tests close a file, so a module ends where they start.
fn module_lines(text: &str) -> usize {
    let mut lines = text.lines().enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        let opens_tests = line.starts_with("#[cfg(test)]") || line.starts_with("#[cfg(all(test");
        let is_inline = |next: &str| next.starts_with("mod ") && next.ends_with('{');
        if opens_tests && lines.peek().is_some_and(|(_, next)| is_inline(next)) {
            return index;
        }
    }
    text.lines().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::sample;

    #[track_caller]
    fn check(module: usize, tests: usize, one_thing: &[(&str, &str)], count: usize) {
        let text = "line\n".repeat(module) + "#[cfg(test)]\nmod tests {\n" + &"t\n".repeat(tests);
        let found = findings(&[sample("a.rs", &text)], one_thing);
        assert_eq!(found.len(), count, "{found:?}");
    }

    #[test]
    fn a_short_file_is_not_asked() {
        check(500, 298, &[], 0);
    }

    #[test]
    fn a_long_module_is_asked() {
        check(501, 0, &[], 1);
        let declared = "#[cfg(test)]\nmod tests;\n".to_owned() + &"line\n".repeat(499);
        assert_eq!(findings(&[sample("a.rs", &declared)], &[]).len(), 1);
    }

    #[test]
    fn a_file_that_is_long_with_its_tests_is_asked() {
        check(400, 399, &[], 1);
    }

    #[test]
    fn a_reason_is_an_answer() {
        check(900, 0, &[("a.rs", "one table of codes")], 0);
        check(900, 0, &[("a.rs", "")], 1);
    }

    #[test]
    fn a_reason_that_is_no_longer_needed_is_refused() {
        check(500, 0, &[("a.rs", "one table of codes")], 1);
        check(1, 0, &[("gone.rs", "one table of codes")], 1);
    }
}
