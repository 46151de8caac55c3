//! What a staged demo says at the terminal while its host is busy in the browser.

use stampede_control::{DemoKill, DemoStage, DemoState};
use stampede_loadtest::Screen;

/// The crowd of a show comes in.
pub(super) fn show_gathering(screen: &mut Screen, connected: u64, viewers: u64) {
    screen.status(&format!("coming in    {connected:>6} of {viewers} viewers"), "");
}

/// A show goes on; said on a terminal alone, for it may take hours.
pub(super) fn show_staged(screen: &mut Screen, state: &DemoState) {
    if !screen.is_terminal() {
        return;
    }
    let DemoState { connected, viewers, promises, kills, .. } = state;
    let figures = format!("{connected} of {viewers} viewers, {promises} promises given");
    let killed = match (&state.last_kill, state.stage) {
        (None, _) => String::new(),
        (Some(DemoKill { given, .. }), DemoStage::Checking) => {
            format!("kill {kills}: checking {given} promises")
        }
        (Some(DemoKill { given, kept, .. }), _) => {
            let kept = kept.unwrap_or_default();
            format!("kill {kills}: {kept} of {given} promises were kept")
        }
    };
    screen.status(&figures, &killed);
}
