//! What became of an order, from the command line.

use std::process::Command;

use rustix::process::Signal;

use crate::{
    running::{Running, stampede, stderr, stdout},
    shop::done,
};

fn pulled(server: &Running, path: &str) -> String {
    let mut curl = Command::new("curl");
    let token = server.token.as_deref().unwrap();
    curl.args(["-sS", "--fail-with-body", "-H"]).arg(format!("Authorization: Bearer {token}"));
    done(curl.arg(format!("{}v1/orders{path}", server.control)))
}

#[test]
fn an_order_that_was_pulled_can_be_told() {
    let dir = tempfile::tempdir().unwrap();
    let server = Running::start(dir.path());
    server.sell(dir.path(), 9);
    // Each look takes a process: the table of orders is complete within the first few.
    let file = (0..1_000)
        .map(|_| pulled(&server, "?format=csv"))
        .find(|file| file.lines().count() == 4)
        .expect("three orders come");
    let fields: Vec<&str> = file.lines().nth(1).unwrap().split(',').collect();
    let (id, code) = (fields[1].trim_matches('"'), fields[2].trim_matches('"'));
    assert!(pulled(&server, &format!("/{code}")).contains(id));
    assert!(server.stop(Signal::TERM).success());

    let told = |kind: &str, name: &str| {
        let said = stampede().args(["audit", kind, name, "--data"]).arg(dir.path()).assert();
        stdout(&said.success())
    };
    let by_order = told("--order", code);
    assert!(by_order.contains(&format!("The hold became order {code}: ")), "{by_order}");
    assert!(by_order.contains(" took "), "{by_order}");
    assert_eq!(told("--order", id), by_order);
    assert_eq!(told("--hold", id), by_order);
    let viewer = by_order.split("Viewer ").nth(1).unwrap().split(" took ").next().unwrap();
    assert!(told("--viewer", viewer).contains(by_order.trim_end()));

    for (args, says) in [
        (&["--order", "1-1-8"][..], "the check digit of 1-1-8 does not fit"),
        (&["--viewer", "nobody"], "no viewer nobody has taken anything"),
        (&["--hold", "d1"], "expected 32 hexadecimal digits"),
        (&[], "required"),
        (&["--hold", id, "--order", id], "cannot be used with"),
    ] {
        let said = stampede().arg("audit").args(args).arg("--data").arg(dir.path()).assert();
        let said = said.failure().code(2);
        assert!(stderr(&said).contains(says), "{}", stderr(&said));
    }
}
