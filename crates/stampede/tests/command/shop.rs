//! A platform with a key of its own beside a server that knows it.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

use crate::running::Running;

/// The root of the source tree.
pub(crate) fn tree() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A folder of packages that the gate's step `tools` has installed below the build folder.
pub(crate) fn installed(name: &str) -> PathBuf {
    let build = Path::new(env!("CARGO_BIN_EXE_stampede")).ancestors().nth(2).unwrap();
    let folder = build.join(name);
    assert!(folder.join("installed").is_file(), "run `cargo xtask step tools` first");
    folder
}

/// Runs a program to its end, wants success, gives back what it has printed.
pub(crate) fn done(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let (printed, complained) =
        (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{command:?}: {status}\n{printed}\n{complained}");
    printed.into_owned()
}

/// The folders of a shop: its keys, the server's data.
pub(crate) struct Shop {
    folder: TempDir,
}

impl Shop {
    /// Makes a key of each algorithm with the sample of the documents.
    pub(crate) fn with_keys(algorithms: &[&str]) -> Self {
        let shop = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir(shop.data()).unwrap();
        for algorithm in algorithms {
            let mut node = Command::new("node");
            node.arg(sample("make_ticket_key.mjs"))
                .args([&format!("platform-{algorithm}"), *algorithm]);
            done(node.arg(shop.key(algorithm)).arg(shop.data().join("ticket-keys.json")));
        }
        shop
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The platform's half of a key.
    pub(crate) fn key(&self, algorithm: &str) -> PathBuf {
        self.file(&format!("{algorithm}.json"))
    }

    /// A ticket by the sample in Node.
    pub(crate) fn ticket(&self, algorithm: &str, stream: &str, viewer: &str) -> String {
        let mut node = Command::new("node");
        node.arg(sample("mint_ticket.mjs")).arg(self.key(algorithm)).args([stream, viewer]);
        done(&mut node).trim().to_owned()
    }
}

/// A file beside the guide for viewer apps.
pub(crate) fn sample(name: &str) -> PathBuf {
    tree().join("docs/integrate").join(name)
}

/// Plans a drop of one SKU, opens it, gives back its id.
pub(crate) fn open_drop(server: &Running, token: &str, stream: &str) -> String {
    let plan = serde_json::json!({
        "stream": stream, "title": "Mug", "merchant": "potter", "host": "nina",
        "limit_per_viewer": 1, "hold_ttl_ms": 120_000, "countdown_ms": 0,
        "skus": [{"id": "mug", "title": "Mug", "supply": 50,
                  "price": {"minor": 1_500, "currency": "EUR"}}]
    });
    let planned = command(server, token, "drops", &format!("plan-{stream}"), &plan);
    let drop = planned["drop"].as_str().unwrap().to_owned();
    let path = format!("drops/{drop}/open");
    command(server, token, &path, &format!("open-{stream}"), &serde_json::json!({}));
    drop
}

/// What staff command; the answer.
pub(crate) fn command(
    server: &Running,
    token: &str,
    path: &str,
    key: &str,
    body: &serde_json::Value,
) -> serde_json::Value {
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--fail-with-body", "-X", "POST", "-H", "Content-Type: application/json"]);
    curl.arg("-H").arg(format!("Authorization: Bearer {token}"));
    curl.arg("-H").arg(format!("Idempotency-Key: {key}")).arg("-d").arg(body.to_string());
    let printed = done(curl.arg(format!("{}v1/{path}", server.control)));
    serde_json::from_str(&printed).unwrap()
}
