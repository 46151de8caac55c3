//! Every decision stands in the index of decisions, with its status.

use super::{Finding, Source};

const FOLDER: &str = "docs/adr/";
const INDEX: &str = "docs/adr/README.md";

/// Holds the index to the decisions in its folder: one row for each, under its own title.
pub(super) fn findings(sources: &[Source]) -> Vec<Finding> {
    let decisions: Vec<&Source> = sources.iter().filter(|source| is_decision(source)).collect();
    if decisions.is_empty() {
        return Vec::new();
    }
    let Some(index) = sources.iter().find(|source| source.path == INDEX) else {
        let what = "is missing: decisions need an index".to_owned();
        return vec![Finding { path: INDEX.to_owned(), line: 1, what }];
    };
    let mut findings = Vec::new();
    for decision in &decisions {
        let Some((number, title)) = heading(&decision.text) else {
            findings.push(decision.finding(1, "does not open with `# NUMBER: title`"));
            continue;
        };
        let file = decision.path.trim_start_matches(FOLDER);
        if !file.starts_with(&format!("{number}-")) {
            findings.push(decision.finding(1, format!("is {number} in its heading")));
        }
        let wanted = format!("| [{number}]({file}) | {title} | ");
        let mut rows = index
            .text
            .lines()
            .enumerate()
            .filter_map(|(at, line)| Some((at, line.strip_prefix(&wanted)?)));
        match rows.next() {
            None => findings.push(index.finding(1, format!("lacks the row {wanted}status |"))),
            Some((at, rest)) => {
                findings.extend(complaint(rest).map(|what| index.finding(at + 1, what)));
            }
        }
        for (at, _) in rows {
            findings.push(index.finding(at + 1, format!("{number} stands here twice")));
        }
        let same = decisions.iter().filter(|other| {
            other.path != decision.path && heading(&other.text).is_some_and(|one| one.0 == number)
        });
        for other in same {
            findings
                .push(decision.finding(1, format!("{} has the number {number} too", other.path)));
        }
    }
    findings
}

fn is_decision(source: &Source) -> bool {
    source.path.starts_with(FOLDER) && source.path != INDEX && source.has_extension("md")
}

/// Number and title of the decision with this text.
fn heading(text: &str) -> Option<(&str, &str)> {
    let (number, title) = text.lines().next()?.strip_prefix("# ")?.split_once(": ")?;
    let is_number = number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some((number, title))
}

/// What is wrong with the end of a row, which is the status.
fn complaint(rest: &str) -> Option<&'static str> {
    let Some(status) = rest.strip_suffix(" |") else {
        return Some("the row does not end with a status");
    };
    let names_another = |words: &str| {
        status.strip_prefix(words).is_some_and(|link| link.starts_with('[') && link.contains("]("))
    };
    let is_known = status == "accepted"
        || names_another("superseded by ")
        || names_another("superseded in part by ");
    (!is_known).then_some(
        "the status is `accepted`, `superseded by` or `superseded in part by` a linked decision",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::sample;

    #[track_caller]
    fn check(decisions: &[(&str, &str)], index: &str, wanted: &[&str]) {
        let mut sources: Vec<Source> = decisions
            .iter()
            .map(|(file, heading)| {
                sample(&format!("docs/adr/{file}"), &format!("{heading}\n\nWhy.\n"))
            })
            .collect();
        sources.push(sample(INDEX, index));
        let found: Vec<String> =
            findings(&sources).into_iter().map(|finding| finding.what).collect();
        assert_eq!(found, wanted);
    }

    const ONE: (&str, &str) = ("0001-one.md", "# 0001: One word");

    #[test]
    fn a_decision_with_its_row_passes() {
        check(&[ONE], "| [0001](0001-one.md) | One word | accepted |\n", &[]);
        let row =
            "| [0001](0001-one.md) | One word | superseded in part by [0002](0002-two.md) |\n";
        check(&[ONE], row, &[]);
    }

    #[test]
    fn a_decision_that_the_index_lacks_is_refused() {
        let lacks = "lacks the row | [0001](0001-one.md) | One word | status |";
        check(&[ONE], "# Decisions\n", &[lacks]);
        check(&[ONE], "| [0001](0001-one.md) | Another title | accepted |\n", &[lacks]);
    }

    #[test]
    fn a_row_has_a_known_status() {
        let known = "the status is `accepted`, `superseded by` or `superseded in part by` a linked decision";
        check(&[ONE], "| [0001](0001-one.md) | One word | perhaps |\n", &[known]);
        check(&[ONE], "| [0001](0001-one.md) | One word | superseded by 0002 |\n", &[known]);
        let open = "the row does not end with a status";
        check(&[ONE], "| [0001](0001-one.md) | One word | accepted\n", &[open]);
    }

    #[test]
    fn a_number_is_used_once() {
        let row = "| [0001](0001-one.md) | One word | accepted |\n";
        check(&[ONE], &row.repeat(2), &["0001 stands here twice"]);
        let other = ("0002-two.md", "# 0001: Two");
        let rows = format!("{row}| [0001](0002-two.md) | Two | accepted |\n");
        check(
            &[ONE, other],
            &rows,
            &[
                "docs/adr/0002-two.md has the number 0001 too",
                "is 0001 in its heading",
                "docs/adr/0001-one.md has the number 0001 too",
            ],
        );
    }

    #[test]
    fn a_decision_opens_with_its_number() {
        check(&[("0001-one.md", "# One word")], "", &["does not open with `# NUMBER: title`"]);
    }

    #[test]
    fn decisions_need_an_index() {
        assert_eq!(findings(&[sample("docs/adr/0001-one.md", "# 0001: One word\n")]).len(), 1);
        assert_eq!(findings(&[sample("README.md", "no decisions here")]).len(), 0);
    }
}
