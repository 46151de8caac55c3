//! The tools of every run in a real browser: a server, a crowd, a browser.
//!
//! | part | what it is |
//! |---|---|
//! | [`Server`] | the real server as a process: started, killed, started again where it was |
//! | [`Crowd`] | viewers as the real crowd's process plays them |
//! | [`Browser`] | one headless Chromium, driven over its `DevTools` pipe |
//! | [`Visitor`] | a person at a browser: cookies and storage of their own, any number of tabs |
//! | [`Tab`] | one page: what it shows is waited for, what is pressed is pressed as a hand would |
//!
//! Two hosts at two screens are two visitors of one browser. Nothing sleeps: whatever takes time is a
//! condition that [`Tab::until`] or [`Server::until`] waits for. Whatever a page complains about (an
//! exception, a breach of its policy) fails the run when the tab is closed. All processes end with
//! their owners, also when a test fails.

mod browser;
mod crowd;
mod engine;
mod http;
mod keys;
mod pipe;
mod server;
mod tab;

pub(crate) use browser::{Browser, Visitor};
pub(crate) use crowd::{Crowd, Playing};
pub(crate) use server::{Drop, Goods, Server, binary};
pub(crate) use tab::{Look, Tab};

/// The folder of the run's pictures, made when it is asked for: `target/e2e`.
pub(crate) fn pictures() -> std::path::PathBuf {
    let folder = build_folder().join("e2e");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Where cargo puts what it builds.
pub(crate) fn build_folder() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_BIN_EXE_stampede")).ancestors().nth(2).unwrap().to_owned()
}
