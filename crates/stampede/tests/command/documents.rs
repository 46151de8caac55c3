//! The commands of the documents, run as a reader would run them.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{
    running::{Running, stdout},
    shop::{done, installed, tree},
};

/// The `sh` blocks of a document, in order.
fn blocks(document: &str) -> Vec<String> {
    let text = std::fs::read_to_string(tree().join(document)).unwrap();
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

/// A reader with an empty folder, in which the documents lie.
struct Reader {
    folder: TempDir,
}

impl Reader {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // A guide is followed from the root of the tree, but writes nothing into it.
        std::os::unix::fs::symlink(tree().join("docs"), folder.path().join("docs")).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Types the lines of blocks, all but `export`: the reader fills those in, with the addresses and the
    /// token that the server has printed. Gives back what was printed.
    fn types(&self, blocks: &[String], server: Option<&Running>) -> String {
        let own = |line: &&str| !line.starts_with("export ");
        let lines = blocks.iter().flat_map(|block| block.lines().filter(own));
        let script =
            lines.fold("set -euo pipefail\n".to_owned(), |script, line| script + line + "\n");
        let binaries = Path::new(env!("CARGO_BIN_EXE_stampede")).parent().unwrap();
        let path = format!("{}:{}", binaries.display(), std::env::var("PATH").unwrap());
        let mut bash = Command::new("bash");
        bash.arg("-c").arg(&script).current_dir(self.folder.path()).env("PATH", path);
        bash.env("PYTHONDONTWRITEBYTECODE", "1").env("npm_config_offline", "true");
        if let Some(server) = server {
            bash.env("STAMPEDE", server.control.trim_end_matches('/'));
            bash.env("VIEWERS", &server.viewers).env("TOKEN", server.token.as_deref().unwrap());
        }
        let printed = done(&mut bash);
        assert!(!printed.contains("/problems/"), "a command was refused:\n{printed}");
        printed
    }

    /// Follows a document from top to bottom. Its server runs from the block that starts one on, else from
    /// the beginning.
    fn follows(&self, blocks: &[String], args: &[&str]) -> (Running, String) {
        let (before, data, behind) = match place(blocks, "stampede serve ") {
            Some(serve) => (&blocks[..serve], data_of(&blocks[serve]), &blocks[serve + 1..]),
            None => (&blocks[..0], "data", blocks),
        };
        let before = self.types(before, None);
        let server = Running::with(&self.path(data), args);
        let printed = before + &self.types(behind, Some(&server));
        (server, printed)
    }
}

const SANDBOX: [&str; 4] = ["--payments", "sandbox", "--payment-delay-ms", "1"];

/// The block that begins with a command.
fn place(blocks: &[String], command: &str) -> Option<usize> {
    blocks.iter().position(|block| block.starts_with(command))
}

/// The data directory that a block starts a server on.
fn data_of(serve: &str) -> &str {
    let mut words = serve.split_whitespace().skip_while(|word| *word != "--data");
    words.nth(1).expect("a server has a data directory")
}

/// Every Markdown file of a folder of the documents.
fn documents_in(folder: &str) -> Vec<String> {
    let files = std::fs::read_dir(tree().join(folder)).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    let pages = paths.filter(|path| path.extension().is_some_and(|end| end == "md"));
    let mut names: Vec<_> =
        pages.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names.into_iter().map(|name| format!("{folder}/{name}")).collect()
}

#[test]
fn the_control_guide_can_be_followed_from_top_to_bottom() {
    let mut blocks = blocks("docs/control.md");
    assert!(blocks.len() >= 4, "the guide has blocks to follow");
    // These need a hold or an order of a viewer's, or money from Stripe. The start page of payments reports one; that
    // orders are cancelled and money is seen to, tests of control show.
    for command in [
        "$STAMPEDE/v1/payments ",
        "$STAMPEDE/v1/drops/d1/orders/$ORDER/cancel ",
        "$STAMPEDE/v1/attention/stripe:main/pi_3MtwBw/close ",
    ] {
        let report = place(&blocks, &format!("curl -s -X POST {command}")).unwrap();
        blocks.remove(report);
    }
    let (_server, printed) = Reader::new().follows(&blocks, &SANDBOX);
    for expected in [r#"{"drop":"d1","action":"plan"}"#, r#""lot":2"#, r#""type":"summary""#] {
        assert!(printed.contains(expected), "{expected} is missing in:\n{printed}");
    }
}

#[test]
fn the_guide_for_viewer_apps_can_be_followed_from_top_to_bottom() {
    let reader = Reader::new();
    let mut blocks = blocks("docs/integrate.md");
    let shop = place(&blocks, "node docs/integrate/shop.mjs").unwrap();
    // A test of its own follows that one in a browser.
    blocks.remove(shop);
    // The package that the gate has installed: a test downloads nothing.
    let package = installed("npm").join("node_modules/ws");
    let from_here = format!("npm install --prefix shop {}\n", package.display());
    for block in &mut blocks {
        *block = block.replace("npm install --prefix shop ws\n", &from_here);
    }
    let (_server, printed) = reader.follows(&blocks, &SANDBOX);
    for expected in [
        r#"{"drop":"d1","action":"open"}"#,
        r#""code": "over_viewer_limit""#,
        r#""done""#,
        r#"{"type":"order""#,
    ] {
        assert!(printed.contains(expected), "{expected} is missing in:\n{printed}");
    }
    let data = reader.path("shop/data");
    let report =
        crate::running::stampede().args(["report", "--json", "--data"]).arg(&data).assert();
    let report: serde_json::Value = serde_json::from_str(&stdout(&report.success())).unwrap();
    assert_eq!(report[0]["sold"], 3, "the reader's first orders");
}

#[test]
fn each_start_page_can_be_followed_from_top_to_bottom() {
    let expected = [
        ("docs/start/host.md", "/join/sti_"),
        ("docs/start/merchant.md", "(rehearsal, settled)"),
        ("docs/start/ops.md", "verify       ok"),
        ("docs/start/payments.md", r#""payment": "pay-4""#),
        ("docs/start/platform.md", r#""type":"summary""#),
        ("docs/start/viewer-app.md", r#"{"event": "done""#),
    ];
    let pages = documents_in("docs/start");
    assert_eq!(pages, expected.map(|(page, _)| page), "each page has something to end with");
    for (page, last) in expected {
        let blocks = blocks(page);
        let serve = place(&blocks, "stampede serve ").map(|serve| &*blocks[serve]);
        let is_external = serve.is_some_and(|serve| !serve.contains("--payments sandbox"));
        let args: &[&str] = if is_external { &[] } else { &SANDBOX };
        let (_server, printed) = Reader::new().follows(&blocks, args);
        assert!(printed.contains(last), "{page}: {last} is missing in:\n{printed}");
        if page.ends_with("payments.md") {
            check_payments(&printed);
        }
    }
}

/// The page of payments has an outcome for each report, and an empty list at its end.
fn check_payments(printed: &str) {
    let outcomes: Vec<_> = printed.lines().filter_map(outcome_of).collect();
    let expected = ["ordered", "already_ordered", "ordered", "refund_due", "noted", "ordered"];
    assert_eq!(outcomes, expected, "{printed}");
    let todo: Vec<_> = printed.lines().filter(|line| line.starts_with(r#"{"holds":["#)).collect();
    assert_eq!((todo.len(), todo[1]), (2, r#"{"holds":[]}"#), "{printed}");
    assert!(todo[0].contains(r#""action":"refund""#), "{printed}");
}

/// What a report came to for its hold, if the line is the answer to one.
fn outcome_of(line: &str) -> Option<String> {
    let answer: serde_json::Value = serde_json::from_str(line).ok()?;
    Some(answer["holds"].get(0)?["outcome"].as_str()?.to_owned())
}

#[test]
fn the_operators_guide_can_be_followed_from_top_to_bottom() {
    let reader = Reader::new();
    let settings = reader.path("stampede.toml");
    std::fs::write(&settings, "[control]\npublic_url = \"https://sale.example\"\n").unwrap();
    let mut blocks = blocks("docs/operating.md");
    // The reader takes an id from the list; the drills are run from the source tree, by hand.
    let camera = "$(stampede token list --data ./data | awk '/camera/ {print $1}')";
    for block in &mut blocks {
        *block = block.replace("--id ID", &format!("--id \"{camera}\""));
        // A busy machine may be slow; nobody waits for holds that are not paid.
        let lenient = "stampede load --threshold 'p99_ms<=60000' --generator-late-ms-max 60000 \
                       --hold-ttl-s 1 --url";
        *block =
            block.replace("stampede load --url", lenient).replace("p99_ms<=500", "p99_ms<=60000");
    }
    let (_server, printed) = reader.follows(&blocks, &["--config", settings.to_str().unwrap()]);
    let expected = [
        "stf_",
        "friday-show late-show",
        "https://sale.example/join/sti_",
        "passed: every promise was kept",
        "400 viewers: passed",
    ];
    for expected in expected {
        assert!(printed.contains(expected), "{expected} is missing in:\n{printed}");
    }
}

#[test]
fn the_page_of_upgrades_checks_a_copy_of_an_older_ledger() {
    let reader = Reader::new();
    std::fs::create_dir(reader.path("copy")).unwrap();
    let older = tree().join("crates/stampede/tests/ledgers/version-1.db");
    std::fs::copy(older, reader.path("copy/ledger.db")).unwrap();
    let printed = reader.types(&blocks("docs/upgrade.md"), None);
    assert!(printed.contains("verify       ok"), "{printed}");
}

#[test]
fn no_document_has_commands_that_no_test_runs() {
    let here = ["docs/control.md", "docs/integrate.md", "docs/operating.md", "docs/upgrade.md"];
    let steps_of_the_gate = ["docs/demo.md", "docs/testing.md"];
    let run = |document: &str| here.contains(&document) || steps_of_the_gate.contains(&document);
    for document in documents_in("docs") {
        let blocks = blocks(&document);
        assert!(blocks.is_empty() || run(&document), "{document} has commands: {blocks:?}");
        let cargo = |line: &str| line.starts_with("cargo ");
        let own = blocks.iter().flat_map(|block| block.lines()).all(cargo);
        assert!(own || !steps_of_the_gate.contains(&document.as_str()), "{document}");
    }
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
