//! House rules for every tracked file that no compiler checks.

mod anchors;
mod decisions;
mod leaks;
mod links;
mod loops;
mod manifests;
mod module_doc;
mod modules;
mod names;
mod size;
mod stubs;

use std::{fmt, fs};

use crate::{
    failure::Failure,
    workspace::{self, Workspace},
};

/// A text file of the repository, its path relative to the root.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    fn has_extension(&self, wanted: &str) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, extension)| extension == wanted)
    }

    fn finding(&self, line: usize, what: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line, what: what.into() }
    }
}

/// Where a rule is broken, with the rule.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    line: usize,
    what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

pub(crate) fn check(workspace: &Workspace) -> Result<(), Failure> {
    let paths = tracked(workspace)?;
    let sources = read(workspace, &paths)?;
    let mut findings = names::findings(&paths);
    findings.extend(anchors::findings(&sources));
    findings.extend(decisions::findings(&sources));
    findings.extend(loops::findings(&sources));
    findings.extend(size::findings(&sources, size::ONE_THING));
    for source in &sources {
        findings.extend(module_doc::finding(source));
        findings.extend(manifests::finding(source));
        findings.extend(stubs::findings(source));
        findings.extend(leaks::findings(source));
        findings.extend(links::findings(source, &paths));
    }
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        return Err(Failure::Findings { count: findings.len() });
    }
    println!("{} files", paths.len());
    Ok(())
}

/// Paths that git tracks or would track, so that a new file is checked before its first commit.
pub(crate) fn tracked(workspace: &Workspace) -> Result<Vec<String>, Failure> {
    let mut command = workspace.command("git");
    command.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let printed = workspace::stdout(&mut command)?;
    let mut paths: Vec<_> = String::from_utf8_lossy(&printed)
        .split_terminator('\0')
        .filter(|path| workspace.root().join(path).is_file())
        .map(str::to_owned)
        .collect();
    paths.sort_unstable();
    Ok(paths)
}

/// The text files among `paths`; golden files may hold any bytes.
fn read(workspace: &Workspace, paths: &[String]) -> Result<Vec<Source>, Failure> {
    let mut sources = Vec::new();
    for path in paths {
        let bytes = fs::read(workspace.root().join(path))
            .map_err(|source| Failure::Unreadable { path: path.clone(), source })?;
        if let Ok(text) = String::from_utf8(bytes) {
            sources.push(Source { path: path.clone(), text });
        }
    }
    Ok(sources)
}

#[cfg(test)]
fn sample(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: text.to_owned() }
}
