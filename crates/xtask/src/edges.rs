//! Dependency edges between the crates, held to the drawing in the design.
//!
//! A crate exists to enforce a rule; the rule is which crates it may know. Each row is exact: an edge
//! that is not written here is refused, also between test code, and so is one that no manifest has.

use serde_json::Value;

use crate::{failure::Failure, workspace::Workspace};

/// What one crate may know, names without the `stampede-` in front.
struct Row {
    name: &'static str,
    knows: &'static [&'static str],
    /// Known to its tests as well.
    tests_know: &'static [&'static str],
}

const fn row(
    name: &'static str,
    knows: &'static [&'static str],
    tests_know: &'static [&'static str],
) -> Row {
    Row { name, knows, tests_know }
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("domain", &[], &[]),
    row("intake", &[], &[]),
    row("stock", &["domain"], &[]),
    // Its tests know the crate itself with the ledger in memory, which production builds leave out.
    row("ledger", &["domain"], &["ledger", "testkit"]),
    row("books", &["domain", "ledger", "settlement"], &["testkit"]),
    row("wire", &["domain", "intake"], &["testkit"]),
    row("proxies", &["domain"], &[]),
    row("engine", &["domain", "stock", "books", "settlement", "ledger"], &["report", "testkit"]),
    row("sim", &["domain", "books", "engine", "ledger", "report", "testkit"], &[]),
    row("settlement", &["domain", "ledger"], &["testkit"]),
    // Its tests serve the webhooks as the server does.
    row("payments", &["domain", "engine", "ledger", "proxies"], &["control", "testkit"]),
    row("report", &["domain", "ledger"], &["testkit"]),
    row("gateway", &["domain", "engine", "wire", "proxies"], &["ledger", "payments", "testkit"]),
    row("control", &["domain", "intake", "engine", "proxies", "report"], &["ledger", "pages", "testkit"]),
    row("pages", &["domain", "proxies"], &["engine"]),
    row("client", &["domain", "wire"], &[]),
    row("swarm", &["domain", "wire"], &[]),
    row("loadtest", &["domain", "wire", "client", "swarm"], &[]),
    row("drills", &["domain", "wire", "client", "swarm", "loadtest"], &[]),
    row("stampede", &[
        "domain", "intake", "ledger", "engine", "payments", "report", "wire", "proxies", "gateway",
        "control", "pages", "loadtest",
    ], &["client", "drills", "testkit"]),
    row("testkit", &["domain", "ledger", "engine"], &[]),
    row("xtask", &[], &[]),
    row("benches", &["domain", "wire", "swarm", "loadtest"], &["stock", "ledger", "settlement", "engine", "testkit"]),
];

/// Crates without I/O, without async, without a clock.
const PURE: &[&str] = &["domain", "intake", "stock", "books", "settlement", "wire"];

/// What would bring I/O or async into a crate that promises to have none.
const IMPURE: &[&str] = &[
    "axum",
    "futures-util",
    "reqwest",
    "rusqlite",
    "rustix",
    "socket2",
    "tokio",
    "tokio-postgres",
    "tokio-tungstenite",
    "tower-http",
];

/// Dependencies of one package as its manifest declares them.
struct Package {
    name: String,
    knows: Vec<String>,
    tests_know: Vec<String>,
}

pub(crate) fn check(workspace: &Workspace) -> Result<(), Failure> {
    let packages = packages(workspace.metadata()).ok_or_else(|| Failure::FieldMissing {
        command: "cargo metadata".to_owned(),
        field: "packages",
    })?;
    let findings = findings(&packages, ROWS);
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        return Err(Failure::Findings { count: findings.len() });
    }
    println!("{} crates", packages.len());
    Ok(())
}

fn packages(metadata: &Value) -> Option<Vec<Package>> {
    let short = |name: &str| name.strip_prefix("stampede-").unwrap_or(name).to_owned();
    let package = |package: &Value| {
        let mut read = Package {
            name: short(package["name"].as_str()?),
            knows: Vec::new(),
            tests_know: Vec::new(),
        };
        for dependency in package["dependencies"].as_array()? {
            let name = short(dependency["name"].as_str()?);
            if dependency["kind"] == "dev" {
                read.tests_know.push(name);
            } else {
                read.knows.push(name);
            }
        }
        Some(read)
    };
    metadata["packages"].as_array()?.iter().map(package).collect()
}

fn findings(packages: &[Package], rows: &[Row]) -> Vec<String> {
    let mut findings = Vec::new();
    for package in packages {
        let Some(row) = rows.iter().find(|row| row.name == package.name) else {
            findings.push(format!("{} has no row in the table of edges", package.name));
            continue;
        };
        let ours = |name: &&String| rows.iter().any(|row| row.name == *name);
        for edge in package.knows.iter().filter(ours) {
            if !row.knows.contains(&edge.as_str()) {
                findings.push(format!("{} must not know {edge}", package.name));
            }
        }
        for edge in package.tests_know.iter().filter(ours) {
            if !row.knows.contains(&edge.as_str()) && !row.tests_know.contains(&edge.as_str()) {
                findings.push(format!("the tests of {} must not know {edge}", package.name));
            }
        }
        if PURE.contains(&row.name) {
            for edge in package.knows.iter().filter(|name| IMPURE.contains(&name.as_str())) {
                findings.push(format!("{} has no I/O, so it must not use {edge}", package.name));
            }
        }
    }
    for row in rows {
        match packages.iter().find(|package| package.name == row.name) {
            Some(package) => findings.extend(unused(row, package)),
            None => findings
                .push(format!("{} is in the table of edges, not in the workspace", row.name)),
        }
    }
    findings
}

/// Edges that `row` allows, though the package has none of them.
fn unused(row: &Row, package: &Package) -> Vec<String> {
    let is_in = |edges: &[String], edge: &str| edges.iter().any(|known| known == edge);
    let knows = row.knows.iter().filter(|edge| !is_in(&package.knows, edge));
    let tests_know = row.tests_know.iter().filter(|edge| !is_in(&package.tests_know, edge));
    knows
        .map(|edge| format!("{} may know {edge}, but does not", row.name))
        .chain(
            tests_know.map(|edge| format!("the tests of {} may know {edge}, but do not", row.name)),
        )
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TWO: &[Row] = &[row("domain", &[], &[]), row("stock", &["domain"], &[])];

    fn package(name: &str, knows: &[&str], tests_know: &[&str]) -> Package {
        let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        Package { name: name.to_owned(), knows: owned(knows), tests_know: owned(tests_know) }
    }

    #[test]
    fn edges_that_point_down_pass() {
        let packages = [package("domain", &["blake3"], &[]), package("stock", &["domain"], &[])];
        assert_eq!(findings(&packages, TWO), [""; 0]);
    }

    #[test]
    fn an_edge_that_points_up_is_refused() {
        let packages = [package("domain", &["stock"], &[]), package("stock", &["domain"], &[])];
        assert_eq!(findings(&packages, TWO), ["domain must not know stock"]);
    }

    #[test]
    fn an_edge_of_tests_that_is_not_listed_is_refused() {
        let packages = [package("domain", &[], &["stock"]), package("stock", &["domain"], &[])];
        assert_eq!(findings(&packages, TWO), ["the tests of domain must not know stock"]);
    }

    #[test]
    fn what_only_tests_may_know_is_refused_outside_of_tests() {
        let rows = [row("domain", &[], &[]), row("stock", &[], &["domain"])];
        let packages = [package("domain", &[], &[]), package("stock", &["domain"], &["domain"])];
        assert_eq!(findings(&packages, &rows), ["stock must not know domain"]);
    }

    #[test]
    fn an_edge_that_nobody_has_is_refused() {
        let packages = [package("domain", &[], &[]), package("stock", &[], &["domain"])];
        assert_eq!(findings(&packages, TWO), ["stock may know domain, but does not"]);
        let rows = [row("domain", &[], &[]), row("stock", &["domain"], &["domain"])];
        let packages = [package("domain", &[], &[]), package("stock", &["domain"], &[])];
        let unused = "the tests of stock may know domain, but do not";
        assert_eq!(findings(&packages, &rows), [unused]);
    }

    #[test]
    fn a_pure_crate_with_a_runtime_is_refused() {
        let packages =
            [package("domain", &[], &[]), package("stock", &["domain", "tokio"], &["tokio"])];
        assert_eq!(findings(&packages, TWO), ["stock has no I/O, so it must not use tokio"]);
    }

    #[test]
    fn a_crate_without_a_row_is_refused() {
        let packages = [
            package("domain", &[], &[]),
            package("stock", &["domain"], &[]),
            package("extra", &[], &[]),
        ];
        assert_eq!(findings(&packages, TWO), ["extra has no row in the table of edges"]);
    }

    #[test]
    fn a_row_without_a_crate_is_refused() {
        let packages = [package("domain", &[], &[])];
        assert_eq!(
            findings(&packages, TWO),
            ["stock is in the table of edges, not in the workspace"]
        );
    }

    #[test]
    fn metadata_keeps_edges_of_tests_apart() {
        let metadata = json!({ "packages": [{ "name": "stampede-stock", "dependencies": [
            { "name": "stampede-domain", "kind": null },
            { "name": "cc", "kind": "build" },
            { "name": "proptest", "kind": "dev" },
        ]}]});
        let packages = packages(&metadata).unwrap();
        assert_eq!(packages[0].name, "stock");
        assert_eq!(packages[0].knows, ["domain", "cc"]);
        assert_eq!(packages[0].tests_know, ["proptest"]);
    }

    #[test]
    fn metadata_of_another_shape_is_no_workspace() {
        assert!(packages(&json!({ "packages": [{ "name": "x" }] })).is_none());
    }
}
