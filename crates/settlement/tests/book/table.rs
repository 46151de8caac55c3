//! Each event in each state of a part, by how its hold stands.

use std::fmt::Write;

use stampede_domain::RefundReason;
use stampede_ledger::{PaymentChange, PaymentRecord};
use stampede_settlement::{HoldStands, PartState};
use stampede_testkit::euros;

use crate::given::{Desk, Event, hold, payment, words};

const HEAD: &str = "\
What follows from each event in each state of a payment's part, by how its hold stands: the outcome, then what
is recorded of the money. 10.00 is owed. \"-\": nothing follows. A star stands for money that cannot pay for the
hold, whose amount is another than what is owed. A blank row cannot come about.

";

const EVENTS: [(&str, Event, bool); 12] = [
    ("begun", Event::Begun, false),
    ("authorized 10.00", Event::Authorized(1_000), false),
    ("authorized 12.00*", Event::Authorized(1_200), true),
    ("paid 10.00", Event::Paid(1_000), false),
    ("paid 12.00*", Event::Paid(1_200), true),
    ("paid 8.00*", Event::Paid(800), true),
    ("failed", Event::Failed, false),
    ("failed for good", Event::FailedFinally, false),
    ("voided", Event::Voided, false),
    ("refunded 4.00", Event::Refunded(400), false),
    ("refunded 10.00", Event::Refunded(1_000), false),
    ("refunded 11.00", Event::Refunded(1_100), false),
];

const HOLDS: [&str; 4] = ["held", "an order by this payment", "an order by another one", "ended"];

const STATES: [&str; 8] = [
    "nothing known",
    "refunded 4.00 before anything else",
    "begun",
    "failed",
    "authorized 10.00",
    "authorized 10.00, voided",
    "paid 10.00",
    "paid 10.00, refunded 4.00",
];

/// The part in this state of a hold that stands so; nothing where that cannot come about.
fn desk(stands: &str, state: &str) -> Option<Desk> {
    let (mut desk, hold) = (Desk::default(), hold(1));
    let makes_order = stands == "an order by this payment";
    // Money that has come for a hold that is still held is another amount than what is owed.
    let refused = (stands == "held").then_some(RefundReason::WrongAmount);
    let say = |desk: &mut Desk, event| {
        let outcome = desk.hear(("p1", hold), event, refused);
        assert!(outcome.is_ok(), "{stands}, {state}: {outcome:?}");
    };
    let end = |desk: &mut Desk| match stands {
        "ended" => desk.release(hold),
        "an order by another one" => {
            desk.tell("p2", hold, Event::Paid(1_000));
        }
        _ => {}
    };
    match state {
        "nothing known" => end(&mut desk),
        "refunded 4.00 before anything else" => {
            end(&mut desk);
            say(&mut desk, Event::Refunded(400));
        }
        "begun" => {
            say(&mut desk, Event::Begun);
            end(&mut desk);
        }
        "failed" => {
            say(&mut desk, Event::Failed);
            end(&mut desk);
        }
        _ => {
            end(&mut desk);
            for event in state.split(", ") {
                say(
                    &mut desk,
                    match event {
                        "authorized 10.00" => Event::Authorized(1_000),
                        "voided" => Event::Voided,
                        "paid 10.00" => Event::Paid(1_000),
                        _ => Event::Refunded(400),
                    },
                );
            }
        }
    }
    let is_so = desk.stands(hold)
        == match stands {
            "held" => HoldStands::Held,
            "ended" => HoldStands::Ended,
            _ => HoldStands::Ordered,
        };
    let is_orders = desk.book.account(hold).is_some_and(|account| {
        account.order_part().is_some_and(|part| part.payment == payment("p1"))
    });
    (is_so && is_orders == makes_order).then_some(desk)
}

fn record(PaymentRecord { change, .. }: &PaymentRecord) -> String {
    let name = change.name();
    match change {
        PaymentChange::Authorized { amount, .. } | PaymentChange::Paid { amount, .. } => {
            format!("{name} {amount}")
        }
        PaymentChange::RefundDue { amount, reason, .. } => format!("{name} {amount} {reason}"),
        PaymentChange::Refunded { total, .. } => format!("{name} {total}"),
        _ => name.to_owned(),
    }
}

fn table() -> String {
    let mut text = HEAD.to_owned();
    for stands in HOLDS {
        writeln!(text, "{}", stands.to_uppercase()).unwrap();
        for state in STATES {
            writeln!(text, "  {state}").unwrap();
            let Some(desk) = desk(stands, state) else { continue };
            for (name, event, is_wrong) in EVENTS {
                let refused = is_wrong.then_some(RefundReason::WrongAmount);
                let (outcome, records) = desk.ask(("p1", hold(1)), event, refused);
                let records: Vec<_> = records.iter().map(record).collect();
                let row = format!("    {name:<18} {:<34} {}", words(&outcome), records.join(", "));
                writeln!(text, "{}", row.trim_end()).unwrap();
            }
        }
        text.push('\n');
    }
    text
}

#[test]
fn every_event_in_every_state_of_a_part() {
    insta::with_settings!({
        snapshot_path => "../golden", prepend_module_to_snapshot => false, omit_expression => true,
    }, {
        insta::assert_snapshot!("events", table());
    });
}

#[test]
fn every_state_has_its_rows() {
    let mut seen: Vec<&str> = Vec::new();
    for state in STATES {
        let desk = desk("ended", state).or_else(|| desk("held", state)).unwrap();
        let account = desk.book.account(hold(1));
        let part = account.and_then(|account| account.part(&payment("p1")));
        seen.extend(part.map(|part| part.state.name()));
    }
    let reason = crate::given::reason();
    let all = [
        PartState::Unknown,
        PartState::Begun,
        PartState::Failed(reason),
        PartState::Authorized(euros(1)),
        PartState::Voided,
        PartState::Paid(euros(1)),
    ];
    for state in all {
        assert!(seen.contains(&state.name()), "{state:?}");
    }
}
