//! Each crate takes the workspace's lints.

use super::{Finding, Source};

pub(super) fn finding(source: &Source) -> Option<Finding> {
    let of_a_crate = source.path.ends_with("/Cargo.toml");
    let takes_lints = source.text.contains("[lints]\nworkspace = true")
        || source.text.contains("lints.workspace = true");
    (of_a_crate && !takes_lints)
        .then(|| source.finding(1, "the crate does not take the workspace's lints"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::sample;

    #[test]
    fn a_crate_with_the_lints_passes() {
        let text = "[package]\n\n[lints]\nworkspace = true\n";
        assert_eq!(finding(&sample("crates/a/Cargo.toml", text)), None);
        assert_eq!(finding(&sample("Cargo.toml", "[workspace]\n")), None);
    }

    #[test]
    fn a_crate_without_the_lints_is_refused() {
        assert!(finding(&sample("crates/a/Cargo.toml", "[package]\n")).is_some());
    }
}
