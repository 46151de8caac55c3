//! What the books know that the journal tells.

use super::Books;

impl Books {
    /// What the books know that the journal tells, a line for each part: the same for books that decided as
    /// for books that followed, once every decision is durable.
    ///
    /// Some things no journal tells. Limits are configured; timers are worked out from the rest; what the
    /// latest records did is for the record behind them.
    pub fn journaled(&self) -> String {
        let Self {
            limits: _,
            drops,
            on_air,
            rooms,
            brake,
            keys,
            memory,
            timers: _,
            next_drop,
            did: _,
            unmatched,
            adjustments,
        } = self;
        let mut lines: Vec<String> =
            drops.iter().map(|(drop, book)| format!("{drop} {}", book.journaled())).collect();
        lines.extend([
            format!("on air {}", on_air.journaled()),
            format!("rooms {}", rooms.journaled()),
            format!("brake {}", brake.journaled()),
            format!("keys {}", keys.journaled()),
            format!("memory {}", memory.journaled()),
            format!("unmatched {}", unmatched.journaled()),
            format!("adjustments {}", adjustments.journaled()),
            format!("next {next_drop}"),
        ]);
        lines.join("\n")
    }
}
