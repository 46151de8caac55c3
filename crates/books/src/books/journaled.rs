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

#[cfg(test)]
mod tests {
    use stampede_ledger::PhaseRecord;

    use crate::books::given::{self, DROP, NOW};

    #[test]
    fn what_a_record_changes_of_a_drop_is_told() {
        let (one, mut other) = (given::one_drop(), given::one_drop());
        assert_eq!(one.journaled(), other.journaled());
        given::follow(&mut other, DROP, PhaseRecord::Countdown { opens_at: NOW });
        let of_drop =
            |all: String| all.lines().find(|line| line.starts_with("d1 ")).unwrap().to_owned();
        assert_ne!(of_drop(one.journaled()), of_drop(other.journaled()));
    }
}
