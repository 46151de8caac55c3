//! One command for tests, drills, checks.
fn main() {}
