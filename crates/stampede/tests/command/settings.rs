//! Settings that cannot be used are named before anything starts.

use std::path::Path;

use rustix::process::Signal;

use crate::running::{Running, stampede, stderr};

/// Runs `serve` with a settings file; says why it refuses.
fn refused(dir: &Path, settings: &str) -> String {
    let file = dir.join("settings.toml");
    std::fs::write(&file, settings).unwrap();
    let mut command = stampede();
    command.arg("serve").arg("--data").arg(dir.join("data")).arg("--config").arg(&file);
    let said = stderr(&command.assert().code(2));
    assert!(!dir.join("data").exists(), "nothing was made: {said}");
    said
}

#[test]
fn an_unknown_key_is_named_with_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let said = refused(dir.path(), "[viewers]\nport = 7700\n");
    assert!(said.contains("settings.toml"), "{said}");
    assert!(said.contains("unknown field `port`"), "{said}");
    let said = refused(dir.path(), "[tickets]\n");
    assert!(said.contains("unknown field `tickets`"), "{said}");
}

#[test]
fn a_value_out_of_range_is_named_with_the_range() {
    let dir = tempfile::tempdir().unwrap();
    for (settings, expected) in [
        ("[payments]\nfailure_rate = 1.5\n", "payments.failure_rate is 1.5; 0 to 1 are allowed"),
        ("[viewers]\ntick_interval_ms = 0\n", "viewers.tick_interval_ms is 0; 1 to 60000"),
        ("[viewers]\ncores = 1000\n", "viewers.cores is 1000; 0 to 64 are allowed"),
        ("[viewers]\nlisten = \"here\"\n", "invalid socket address"),
        ("[payments]\nprovider = \"cash\"\n", "unknown variant `cash`"),
        ("[node]\nname = \"a b\"\n", "node.name: "),
        (
            "[control]\npublic_url = \"sale.example\"\n",
            "control.public_url: \"sale.example\" is no address like \"https://sale.example\"",
        ),
        ("[node]\nsale_memory_mib_max = 0\n", "node.sale_memory_mib_max is 0; 1 to 16777216"),
        ("viewers\n", "settings.toml"),
    ] {
        let said = refused(dir.path(), settings);
        assert!(said.contains(expected), "{settings}: {said}");
    }
}

#[test]
fn a_missing_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = stampede();
    command.arg("serve").arg("--data").arg(dir.path().join("data"));
    let said = stderr(&command.args(["--config", "nowhere.toml"]).assert().code(2));
    assert!(said.contains("cannot read nowhere.toml"), "{said}");
}

#[test]
fn arguments_go_before_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("settings.toml");
    let text = "[viewers]\nlisten = \"127.0.0.1:1\"\n[payments]\nprovider = \"sandbox\"\n";
    std::fs::write(&file, text).unwrap();
    let data = dir.path().join("data");
    let server = Running::with(&data, &["--config", file.to_str().unwrap()]);
    assert_eq!(server.sell(&data, 1).orders, 1, "the file's payments, the argument's port");
    assert!(server.stop(Signal::TERM).success());
}

#[test]
fn a_server_for_the_outside_says_that_browsers_cannot_sign_in() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("settings.toml");
    let log = |settings: &str| {
        std::fs::write(&file, settings).unwrap();
        let (data, args) = (dir.path().join("data"), ["--config", file.to_str().unwrap()]);
        let server = Running::at_both("127.0.0.1:0", "0.0.0.0:0", &data, &args);
        let log = server.log();
        assert!(server.stop(Signal::TERM).success(), "it serves tools all the same");
        log
    };
    assert!(log("").contains("control.public_url is not set: browsers cannot sign in"));
    let plain = log("[control]\npublic_url = \"http://sale.example\"\n");
    assert!(plain.contains("control.public_url is not https"), "{plain}");
    let sound = log("[control]\npublic_url = \"https://sale.example\"\n");
    assert!(!sound.contains("public_url"), "{sound}");
}
