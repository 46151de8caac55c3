//! The commands of the documents, run as a reader would run them.

use std::{path::Path, process::Command};

use crate::{
    running::{Running, stdout},
    shop::{done, installed, tree},
};

/// The `sh` blocks of a document, in order.
fn blocks(document: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(document);
    let text = std::fs::read_to_string(path).unwrap();
    let (mut blocks, mut current) = (Vec::new(), None::<String>);
    for line in text.lines() {
        match (&mut current, line) {
            (None, "```sh") => current = Some(String::new()),
            (Some(_), "```") => blocks.extend(current.take()),
            (Some(block), line) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, _) => {}
        }
    }
    blocks
}

#[test]
fn the_control_guide_can_be_followed_from_top_to_bottom() {
    let data = tempfile::tempdir().unwrap();
    let server = Running::start(data.path());
    let blocks = blocks("docs/control.md");
    assert!(blocks.len() >= 4, "the guide has blocks to follow");
    // What a reader fills in: the address, the token that the server has printed.
    let own = |line: &str| !line.starts_with("export ");
    let script: String = blocks
        .iter()
        .flat_map(|block| block.lines().filter(|l| own(l)).chain([""]))
        .fold("set -euo pipefail\n".to_owned(), |script, line| script + line + "\n");
    let mut bash = Command::new("bash");
    bash.arg("-c").arg(&script).current_dir(data.path());
    bash.env("STAMPEDE", server.control.trim_end_matches('/'));
    bash.env("TOKEN", server.token.as_deref().unwrap());
    let output = bash.output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let complained = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{complained}\n{printed}");
    assert!(!printed.contains("/problems/"), "a command of the guide was refused:\n{printed}");
    for expected in [r#"{"drop":"d1","action":"plan"}"#, r#""lot":2"#, r#""type":"summary""#] {
        assert!(printed.contains(expected), "{expected} is missing in:\n{printed}");
    }
}

#[test]
fn the_guide_for_viewer_apps_can_be_followed_from_top_to_bottom() {
    let folder = tempfile::tempdir().unwrap();
    // The guide is followed from the root of the tree, but writes nothing into it.
    std::os::unix::fs::symlink(tree().join("docs"), folder.path().join("docs")).unwrap();
    let mut blocks = blocks("docs/integrate.md");
    let place = |command: &str| blocks.iter().position(|block| block.starts_with(command)).unwrap();
    let (serve, shop) = (place("stampede serve"), place("node docs/integrate/shop.mjs"));
    // A test of its own follows that one in a browser.
    blocks.remove(shop);
    // The package that the gate has installed: a test downloads nothing.
    let package = installed("npm").join("node_modules/ws");
    let from_here = format!("npm install --prefix shop {}\n", package.display());
    for block in &mut blocks {
        *block = block.replace("npm install --prefix shop ws\n", &from_here);
    }
    let follow = |blocks: &[String], server: Option<&Running>| {
        let own = |line: &&str| !line.starts_with("export ");
        let lines = blocks.iter().flat_map(|block| block.lines().filter(own));
        let script =
            lines.fold("set -euo pipefail\n".to_owned(), |script, line| script + line + "\n");
        let mut bash = Command::new("bash");
        bash.arg("-c").arg(&script).current_dir(folder.path());
        bash.env("PYTHONDONTWRITEBYTECODE", "1").env("npm_config_offline", "true");
        if let Some(server) = server {
            bash.env("STAMPEDE", server.control.trim_end_matches('/'));
            bash.env("VIEWERS", &server.viewers).env("TOKEN", server.token.as_deref().unwrap());
        }
        done(&mut bash)
    };
    follow(&blocks[..serve], None);
    let data = folder.path().join("shop/data");
    let server = Running::start(&data);
    let printed = follow(&blocks[serve + 1..], Some(&server));
    for expected in [
        r#"{"drop":"d1","action":"open"}"#,
        r#""code": "over_viewer_limit""#,
        r#""done""#,
        r#"{"type":"order""#,
    ] {
        assert!(printed.contains(expected), "{expected} is missing in:\n{printed}");
    }
    let report =
        crate::running::stampede().args(["report", "--json", "--data"]).arg(&data).assert();
    let report: serde_json::Value = serde_json::from_str(&stdout(&report.success())).unwrap();
    assert_eq!(report[0]["sold"], 3, "the reader's first orders");
}

#[test]
fn the_commands_that_the_readme_names_exist() {
    let readme = blocks("README.md").concat();
    for line in readme.lines().filter_map(|line| line.strip_prefix("stampede ")) {
        let name = line.split_whitespace().next().unwrap();
        crate::running::stampede().args([name, "--help"]).assert().success();
    }
    assert!(readme.contains("cargo run --release -- demo"), "the gate's step `demo` runs it");
    assert!(readme.contains("cargo xtask test"), "which is what runs this test");
}
