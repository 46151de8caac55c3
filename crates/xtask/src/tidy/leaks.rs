//! No tracked file depends on one machine or names a package registry.
//!
//! Where packages come from is a setting of the machine that builds, never of the project.

use super::{Finding, Source};

/// Split, so that this file does not find itself.
const HOSTS: &[&str] = &[
    concat!("crates", ".io"),
    concat!("crates", "-io"),
    concat!("deb.debian", ".org"),
    concat!("docker", ".io"),
    concat!("ghcr", ".io"),
    concat!("npmjs", ".org"),
    concat!("proxy.golang", ".org"),
    concat!("pypi", ".org"),
];

const MACHINE_FOLDERS: &[&str] = &[
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/t", "mp"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
    concat!("C:", "\\"),
];

pub(super) fn findings(source: &Source) -> Vec<Finding> {
    if source.path == "Cargo.lock" || source.path.ends_with("/Cargo.lock") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        for host in HOSTS.iter().filter(|host| line.contains(**host)) {
            findings.push(source.finding(index + 1, format!("names the registry host {host}")));
        }
        for folder in MACHINE_FOLDERS.iter().filter(|folder| starts_path(line, folder)) {
            findings
                .push(source.finding(index + 1, format!("names a path of a machine, {folder}")));
        }
    }
    findings
}

/// Whether `folder` starts a path in `line`, instead of going on a relative one.
fn starts_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let goes_on = |c: char| c.is_alphanumeric() || "/._-}~$".contains(c);
        let ends = |c: char| !c.is_alphanumeric() && c != '_';
        let after = line[at + folder.len()..].chars().next();
        !line[..at].chars().next_back().is_some_and(goes_on)
            && (!folder.ends_with(char::is_alphanumeric) || after.is_none_or(ends))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::sample;

    fn count(path: &str, line: &str) -> usize {
        findings(&sample(path, line)).len()
    }

    #[test]
    fn every_host_is_refused() {
        for host in HOSTS {
            assert_eq!(count("README.md", &format!("from https://{host}/x")), 1, "{host}");
        }
    }

    #[test]
    fn every_machine_folder_is_refused() {
        for folder in MACHINE_FOLDERS {
            assert_eq!(count("src/a.rs", &format!("open(\"{folder}\")")), 1, "{folder}");
            assert_eq!(count("docs/a.md", folder), 1, "{folder}");
        }
    }

    #[test]
    fn paths_that_are_relative_pass() {
        for folder in MACHINE_FOLDERS {
            assert_eq!(count("docs/a.md", &format!("crates{folder}x")), 0, "{folder}");
        }
        assert_eq!(count("docs/a.md", &format!("a {}late", MACHINE_FOLDERS[2])), 0);
    }

    #[test]
    fn the_lock_file_names_its_registry() {
        assert_eq!(count("Cargo.lock", HOSTS[0]), 0);
        assert_eq!(count("crates/a/fuzz/Cargo.lock", HOSTS[0]), 0);
    }
}
