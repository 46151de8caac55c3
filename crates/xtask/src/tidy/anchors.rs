//! Links to a heading lead to a heading that exists.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, Source, links};
use crate::markdown;

/// Checks the part behind `#` of relative links between documents.
pub(super) fn findings(sources: &[Source]) -> Vec<Finding> {
    let documents = || sources.iter().filter(|source| markdown::is_document(&source.path));
    let known: BTreeMap<&str, BTreeSet<String>> =
        documents().map(|source| (source.path.as_str(), anchors(&source.text))).collect();
    let mut findings = Vec::new();
    for source in documents() {
        for (line, text) in markdown::split(&source.text).0 {
            for (file, anchor) in anchored(text) {
                let path = if file.is_empty() {
                    Some(source.path.clone())
                } else {
                    links::resolve(&source.path, file)
                };
                let headings = path.and_then(|path| known.get(path.as_str()));
                if headings.is_some_and(|headings| !headings.contains(anchor)) {
                    findings.push(source.finding(line, format!("no heading is #{anchor}")));
                }
            }
        }
    }
    findings
}

/// Relative links of one line that name a heading: the file, which may be empty, and the anchor.
fn anchored(line: &str) -> impl Iterator<Item = (&str, &str)> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', ' ']).next()?.split_once('#'))
        .filter(|(file, _)| !file.contains(':'))
}

/// The anchors of a document's headings, as GitHub makes them.
fn anchors(document: &str) -> BTreeSet<String> {
    let (prose, _) = markdown::split(document);
    let headings = prose.into_iter().filter(|(_, line)| line.starts_with('#'));
    headings.map(|(_, line)| anchor(line.trim_start_matches('#').trim())).collect()
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::sample;

    #[track_caller]
    fn check(text: &str, whats: &[&str]) {
        let other =
            "# Other\n\n## What a buy costs\n\n### The page `/ops`\n\n```sh\n# not one\n```\n";
        let sources = [sample("docs/other.md", other), sample("docs/one.md", text)];
        let found = findings(&sources);
        assert_eq!(found.into_iter().map(|finding| finding.what).collect::<Vec<_>>(), whats);
    }

    #[test]
    fn headings_that_exist_may_be_named() {
        check("# Here\n[a](#here) [b](other.md#what-a-buy-costs) [c](other.md#the-page-ops)", &[]);
        check("[a](other.md) [b](https://a.b/c#d) [c](../src/lib.rs#any)", &[]);
    }

    #[test]
    fn a_heading_that_does_not_exist_is_refused() {
        check("[a](#gone)", &["no heading is #gone"]);
        check("[a](other.md#not-one)", &["no heading is #not-one"]);
    }
}
