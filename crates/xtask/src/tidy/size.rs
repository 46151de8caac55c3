//! Modules stay small enough to be read at once.

use super::{Finding, Source};

/// Lines of a module, its inline tests left out.
const MODULE_LINES_MAX: usize = 400;

/// Lines of a file with its inline tests; no exception goes beyond.
const FILE_LINES_MAX: usize = 600;

const _: () = assert!(MODULE_LINES_MAX < FILE_LINES_MAX);

/// Modules that may be longer, each with its own limit. A module that fits again leaves the list.
pub(super) const EXCEPTIONS: &[(&str, usize)] = &[];

pub(super) fn findings(sources: &[Source], exceptions: &[(&str, usize)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| source.has_extension("rs")) {
        let exception = exceptions.iter().find(|(path, _)| *path == source.path);
        let limit = exception.map_or(MODULE_LINES_MAX, |(_, limit)| *limit);
        let module = module_lines(&source.text);
        let file = source.text.lines().count();
        if module > limit {
            findings.push(source.finding(module, format!("{module} lines, at most {limit}")));
        } else if exception.is_some() && module <= MODULE_LINES_MAX {
            findings.push(source.finding(module, "the exception for its size must go"));
        }
        if file > FILE_LINES_MAX {
            let what = format!("{file} lines with tests, at most {FILE_LINES_MAX}");
            findings.push(source.finding(file, what));
        }
    }
    for (path, _) in exceptions {
        if !sources.iter().any(|source| source.path == *path) {
            let what = "is excepted from the size rule, though it does not exist".to_owned();
            findings.push(Finding { path: (*path).to_owned(), line: 1, what });
        }
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
    fn check(module: usize, tests: usize, exceptions: &[(&str, usize)], count: usize) {
        let text = "line\n".repeat(module) + "#[cfg(test)]\nmod tests {\n" + &"t\n".repeat(tests);
        let found = findings(&[sample("a.rs", &text)], exceptions);
        assert_eq!(found.len(), count, "{found:?}");
    }

    #[test]
    fn a_small_module_passes() {
        check(400, 100, &[], 0);
    }

    #[test]
    fn a_large_module_is_refused() {
        check(401, 0, &[], 1);
        let declared = "#[cfg(test)]\nmod tests;\n".to_owned() + &"line\n".repeat(399);
        assert_eq!(findings(&[sample("a.rs", &declared)], &[]).len(), 1);
    }

    #[test]
    fn an_exception_has_a_limit_of_its_own() {
        check(450, 0, &[("a.rs", 450)], 0);
        check(451, 0, &[("a.rs", 450)], 1);
    }

    #[test]
    fn an_exception_that_is_no_longer_needed_is_refused() {
        check(400, 0, &[("a.rs", 450)], 1);
        check(1, 0, &[("gone.rs", 450)], 1);
    }

    #[test]
    fn the_cap_on_files_knows_no_exception() {
        check(300, 300, &[], 1);
        check(599, 10, &[("a.rs", 700)], 1);
    }
}
