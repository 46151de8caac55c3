//! Checks that the targets of links in documents exist.

use super::{Finding, Source};
use crate::markdown;

/// Checks relative links, then paths in `code` that lie in a folder of the repository.
pub(super) fn findings(source: &Source, paths: &[String]) -> Vec<Finding> {
    if !markdown::is_document(&source.path) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (line, text) in markdown::split(&source.text).0 {
        for target in link_targets(text) {
            let there = resolve(&source.path, target).is_some_and(|path| exists(&path, paths));
            if !there {
                findings.push(source.finding(line, format!("the link {target} leads nowhere")));
            }
        }
        for named in named_paths(text, paths) {
            findings.push(source.finding(line, format!("{named} does not exist")));
        }
    }
    findings
}

/// Relative targets of the links in one line, anchors cut off.
fn link_targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', ' ', '#']).next())
        .filter(|target| !target.is_empty() && !target.contains(':'))
}

/// The path that `target` means in the document at `path`; `None` outside of the repository.
pub(super) fn resolve(path: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn exists(wanted: &str, paths: &[String]) -> bool {
    let is_there = |path: &String| {
        path.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    wanted.is_empty() || paths.iter().any(is_there)
}

/// Words in `code` that look like files of the repository, yet are none.
fn named_paths<'a>(line: &'a str, paths: &[String]) -> Vec<&'a str> {
    let code = line.split('`').skip(1).step_by(2);
    code.flat_map(str::split_whitespace)
        .map(|word| word.split(':').next().unwrap_or(word).trim_end_matches(['/', ',', ';', '.']))
        .filter(|word| !word.contains(|c: char| "*{}<>$…(|=\"'".contains(c)))
        .filter(|word| is_claim(word, paths) && !is_known(word, paths))
        .collect()
}

/// Whether `word` claims to be in the repository: it starts in one of its folders, or it is source
/// code wherever it lies.
fn is_claim(word: &str, paths: &[String]) -> bool {
    match word.split_once('/') {
        Some((top, _)) => paths.iter().any(|path| path.split_once('/').is_some_and(|p| p.0 == top)),
        None => word.strip_suffix(".rs").is_some_and(|stem| !stem.is_empty()),
    }
}

fn is_known(word: &str, paths: &[String]) -> bool {
    let ends = |path: &String| path.strip_suffix(word).is_some_and(|rest| rest.ends_with('/'));
    exists(word, paths) || !word.contains('/') && paths.iter().any(ends)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::sample;

    #[track_caller]
    fn check(path: &str, text: &str, whats: &[&str]) {
        let paths =
            ["README.md", "docs/protocol.md", "docs/adr/0001-one.md", "crates/a/src/word.rs"]
                .map(str::to_owned);
        let found = findings(&sample(path, text), &paths);
        assert_eq!(found.into_iter().map(|finding| finding.what).collect::<Vec<_>>(), whats);
    }

    #[test]
    fn links_that_lead_somewhere_pass() {
        check("README.md", "[a](docs/protocol.md#codes), [b](docs/adr), [c](https://a.b/c)", &[]);
        check("docs/adr/0001-one.md", "[a](../protocol.md) [b](../../README.md) [c](#here)", &[]);
    }

    #[test]
    fn a_link_that_leads_nowhere_is_refused() {
        check("README.md", "[a](docs/none.md)", &["the link docs/none.md leads nowhere"]);
        check("docs/protocol.md", "[a](docs/adr)", &["the link docs/adr leads nowhere"]);
        check("README.md", "[a](../other)", &["the link ../other leads nowhere"]);
    }

    #[test]
    fn files_that_exist_may_be_named() {
        check("README.md", "`crates/a/src/word.rs::take`, `word.rs`, `crates/a/`, `and/or`", &[]);
        check("README.md", "`crates/*/src`\n```text\ncrates/none\n```\n", &[]);
    }

    #[test]
    fn a_named_file_that_does_not_exist_is_refused() {
        check("README.md", "see `crates/a/src/none.rs`", &["crates/a/src/none.rs does not exist"]);
        check("docs/protocol.md", "see `none.rs:12`", &["none.rs does not exist"]);
    }

    #[test]
    fn other_files_may_name_anything() {
        check("crates/a/src/word.rs", "//! [a](none.md)", &[]);
    }
}
