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
    use std::sync::Arc;

    use stampede_domain::{DropId, PaymentId};
    use stampede_ledger::{
        BrakeOrder, BrakeRecord, PaymentChange, PaymentRecord, PhaseRecord, Record, RoomChange,
        UnmatchedPayment, UnmatchedRecord,
    };
    use stampede_testkit::{euros, hold, plan};

    use super::*;
    use crate::{
        books::given::{self, DROP, NOW},
        command::{DropAction, Role},
        decision::Decision,
    };

    fn line(books: &Books, part: &str) -> String {
        let all = books.journaled();
        let line = all.lines().find(|line| line.starts_with(part));
        line.unwrap_or_else(|| panic!("nothing of {part} in {all}")).to_owned()
    }

    /// A record changes what is told of the part that it is about.
    fn tells(part: &str, change: impl Fn(&mut Books)) {
        let (one, mut other) = (given::one_drop(), given::one_drop());
        assert_eq!(line(&one, part), line(&other, part));
        change(&mut other);
        assert_ne!(line(&one, part), line(&other, part), "{part}");
    }

    #[test]
    fn what_a_record_changes_is_told() {
        let counts = |books: &mut Books| {
            given::follow(books, DROP, PhaseRecord::Countdown { opens_at: NOW });
        };
        tells("d1 ", counts);
        tells("on air ", counts);
        tells("rooms ", |books| {
            given::change_room(books, "late", RoomChange::Owner(given::merchant("acme")));
        });
        tells("brake ", |books| {
            let order = BrakeOrder { actor: "olga".into(), reason: "".into(), expires_at: None };
            given::follow(books, DropId::HOUSE, BrakeRecord::Halted(Box::new(order)));
        });
        tells("keys ", |books| {
            let open = given::command(Role::Host, DropAction::StartCountdown.on(DROP));
            let context = crate::CommandContext::default();
            books.command(&open, &context, given::moment(), &mut Decision::default()).unwrap();
        });
        let planned = |books: &mut Books| {
            let plan = Arc::new(plan(1));
            given::follow(books, DropId::new(2), Record::Planned { plan, revision: 1 });
        };
        tells("memory ", planned);
        tells("next ", planned);
        tells("unmatched ", |books| {
            let payment = PaymentId::new("platform", "p1").unwrap();
            let found = UnmatchedPayment { payment, amount: euros(1), named: "".into() };
            let found = Record::Unmatched(UnmatchedRecord::Found(Box::new(found)));
            given::follow(books, DropId::HOUSE, found);
        });
        tells("adjustments ", |books| {
            let hold = hold(DROP, stampede_domain::Incarnation::default(), 1);
            let payment = PaymentId::new("platform", "p1").unwrap();
            let change = PaymentChange::Retaken { payment, into: hold };
            given::follow(books, DROP.adjustments(), PaymentRecord { hold, change });
        });
    }
}
