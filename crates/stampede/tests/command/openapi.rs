//! `openapi.json` against the running server: requests made up from it, clients generated from it.

use std::{path::Path, process::Command};

use serde_json::{Value, json};

use crate::{
    running::{Running, stampede, stdout},
    shop::{command, done, installed, tree},
};

/// Drops that requests find, a third of them in each of three states.
const DROPS: usize = 24;
const STREAMS: usize = 8;
/// Names that give commands, each at its own pace.
const NAMES: usize = 8;

/// The folder of what is run against the server.
fn files() -> std::path::PathBuf {
    tree().join("crates/control/tests/openapi")
}

fn program(name: &str) -> Command {
    Command::new(installed("openapi").join("bin").join(name))
}

/// The document as a tool gets it.
fn fetch_document(server: &Running, to: &Path) {
    let mut curl = Command::new("curl");
    done(curl.args(["-sS", "--fail", "-o"]).arg(to).arg(format!("{}openapi.json", server.control)));
}

fn plan(stream: usize) -> Value {
    json!({
        "stream": format!("show-{stream}"), "title": "Perfume", "merchant": "maison-nord", "host": "nina",
        "limit_per_viewer": 2, "hold_ttl_ms": 120_000, "countdown_ms": 0,
        "skus": [{"id": "n5-50", "title": "No. 5", "supply": 15_000,
                  "price": {"minor": 4_990, "currency": "EUR"}}]
    })
}

#[test]
fn the_server_enforces_what_the_document_says() {
    let dir = tempfile::tempdir().unwrap();
    let server = Running::start(&dir.path().join("data"));
    let first = server.token.clone().unwrap();
    let others = (1..NAMES).map(|number| {
        let mut add = stampede();
        add.args([
            "token",
            "add",
            "--role",
            "admin",
            "--name",
            &format!("admin-{number}"),
            "--data",
        ]);
        stdout(&add.arg(dir.path().join("data")).assert().success()).trim().to_owned()
    });
    let tokens: Vec<String> = [first.clone()].into_iter().chain(others).collect();
    for number in 1..=DROPS {
        command(&server, &first, "drops", &format!("plan-{number}"), &plan(number % STREAMS));
        let given = match number % 3 {
            0 => &["open"][..],
            1 => &["open", "close"],
            _ => &[],
        };
        for name in given {
            let path = format!("drops/d{number}/{name}");
            command(&server, &first, &path, &format!("{name}-{number}"), &json!({}));
        }
    }
    // It leaves what it has learned where it runs.
    for file in ["hooks.py", "schemathesis.toml"] {
        std::fs::copy(files().join(file), dir.path().join(file)).unwrap();
    }
    let mut search = program("schemathesis");
    search.args(["--config-file", "schemathesis.toml", "run"]);
    search.arg(format!("{}openapi.json", server.control));
    search.arg("-H").arg(format!("Authorization: Bearer {first}"));
    let asked = |name: &str, usual: &str| std::env::var(name).unwrap_or_else(|_| usual.to_owned());
    search.args(["--seed", &asked("STAMPEDE_SEED", "1")]);
    search.args(["--max-examples", &asked("STAMPEDE_EXAMPLES", "20")]);
    search.args(["--no-color", "--warnings", "off"]);
    search.current_dir(dir.path()).env("PYTHONDONTWRITEBYTECODE", "1");
    search.env("STAMPEDE_TOKENS", serde_json::to_string(&tokens).unwrap());
    search.env("STAMPEDE_DROPS", DROPS.to_string()).env("STAMPEDE_STREAMS", STREAMS.to_string());
    println!("{}", done(&mut search));
}

#[test]
fn a_generated_client_in_python_runs_a_drop() {
    let dir = tempfile::tempdir().unwrap();
    let server = Running::start(&dir.path().join("data"));
    let document = dir.path().join("openapi.json");
    fetch_document(&server, &document);
    let client = dir.path().join("client");
    let mut generator = program("openapi-generator-cli");
    generator.args(["generate", "-g", "python", "-p", "packageName=stampede_control", "-i"]);
    done(generator.arg(&document).arg("-o").arg(&client));
    let mut python = program("python");
    python.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONPATH", &client);
    python.arg(files().join("run_drop.py")).arg(server.control.trim_end_matches('/'));
    assert_eq!(done(python.arg(server.token.as_ref().unwrap())), "a drop was run\n");
}

#[test]
fn a_generated_client_in_typescript_runs_a_drop() {
    let dir = tempfile::tempdir().unwrap();
    let server = Running::start(&dir.path().join("data"));
    let app = dir.path().join("app");
    std::fs::create_dir(&app).unwrap();
    fetch_document(&server, &app.join("openapi.json"));
    for file in ["openapi-ts.config.mjs", "package.json", "run_drop.ts", "tsconfig.json"] {
        std::fs::copy(files().join(file), app.join(file)).unwrap();
    }
    let packages = installed("openapi-npm").join("node_modules");
    std::os::unix::fs::symlink(&packages, app.join("node_modules")).unwrap();
    let package = |name: &str| {
        let mut command = Command::new(packages.join(".bin").join(name));
        command.current_dir(&app);
        command
    };
    done(package("openapi-ts").arg("--silent"));
    done(package("tsc").arg("-p").arg("."));
    let mut node = Command::new("node");
    node.arg(app.join("run_drop.js")).arg(server.control.trim_end_matches('/'));
    assert_eq!(done(node.arg(server.token.as_ref().unwrap())), "a drop was run\n");
}
