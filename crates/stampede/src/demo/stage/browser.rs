//! A browser for the link, where there is a display to show it on.

use std::{
    env,
    os::unix::process::CommandExt as _,
    process::{Command, Stdio},
};

/// Opens a link; whether there was something to open it with.
pub(super) fn open(link: &str) -> bool {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    let opener = match env::consts::OS {
        "macos" => "open",
        _ if is_set("DISPLAY") || is_set("WAYLAND_DISPLAY") => "xdg-open",
        _ => return false,
    };
    let mut command = Command::new(opener);
    command.arg(link).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // It outlives the demo, so the terminal's Ctrl-C is not for it.
    let Ok(mut child) = command.process_group(0).spawn() else { return false };
    let wait = move || {
        // What comes of it is seen on the screen.
        let _ended = child.wait();
    };
    std::thread::Builder::new().name("browser".to_owned()).spawn(wait).is_ok()
}
