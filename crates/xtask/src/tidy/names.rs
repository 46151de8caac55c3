//! No file is named like a drawer for everything.

use super::Finding;

const DRAWERS: &[&str] =
    &["common", "helper", "helpers", "misc", "types", "util", "utilities", "utils"];

pub(super) fn findings(paths: &[String]) -> Vec<Finding> {
    let is_drawer = |part: &str| DRAWERS.contains(&part.split('.').next().unwrap_or(part));
    paths
        .iter()
        .filter(|path| path.split('/').any(is_drawer))
        .map(|path| Finding {
            path: path.clone(),
            line: 1,
            what: "the name says nothing: name what it is for".to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str) -> usize {
        findings(&[path.to_owned()]).len()
    }

    #[test]
    fn names_of_things_pass() {
        assert_eq!(count("crates/stock/src/word.rs"), 0);
        assert_eq!(count("crates/stock/src/uncommon.rs"), 0);
    }

    #[test]
    fn drawers_are_refused() {
        assert_eq!(count("crates/stock/src/utils.rs"), 1);
        assert_eq!(count("crates/stock/tests/common/mod.rs"), 1);
        assert_eq!(count("docs/misc.md"), 1);
    }
}
