//! A payment provider that remembers what it took: its own books, apart from the engine's.

use std::collections::HashMap;

use stampede_domain::{HoldId, Mode, Money, PaymentEvent, PaymentId, PaymentReference};

/// One payment, as the provider has it; amounts in cents.
#[derive(Clone, Debug)]
pub(crate) struct Taking {
    pub(crate) payment: PaymentId,
    pub(crate) holds: Vec<HoldId>,
    /// What its money is, if the provider says so.
    pub(crate) mode: Option<Mode>,
    /// What it is to be, for all holds.
    pub(crate) amount: u64,
    /// Money is kept ready.
    pub(crate) is_kept: bool,
    pub(crate) is_let_go: bool,
    pub(crate) taken: u64,
    pub(crate) given_back: u64,
    /// What it was told has to go back.
    pub(crate) asked_back: u64,
    /// The engine refuses it: nothing of it is in any book.
    pub(crate) is_refused: bool,
    /// What it has said, or will say.
    pub(crate) facts: Vec<Said>,
}

/// Something that the provider says until somebody answers, and at times again.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) event: PaymentEvent,
    /// An answer came: it is durable.
    pub(crate) is_heard: bool,
}

/// What becomes of a payment next.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Move {
    Begin,
    Keep,
    Take,
    /// Only so much of a hundred of what is kept ready.
    TakePart(u64),
    LetGo,
    Fail {
        is_final: bool,
    },
    GiveBack(u64),
}

#[derive(Default)]
pub(crate) struct Provider {
    pub(crate) takings: Vec<Taking>,
    by_payment: HashMap<PaymentId, usize>,
}

fn euros(cents: u64) -> Money {
    Money::new(cents, "EUR".parse().expect("a currency")).expect("a small amount")
}

impl Provider {
    /// The place of a payment, new or known.
    pub(crate) fn open(
        &mut self,
        payment: &PaymentId,
        (holds, amount): (&[HoldId], u64),
        mode: Option<Mode>,
    ) -> usize {
        if let Some(place) = self.by_payment.get(payment) {
            return *place;
        }
        self.takings.push(Taking {
            payment: payment.clone(),
            holds: holds.to_vec(),
            mode,
            amount,
            is_kept: false,
            is_let_go: false,
            taken: 0,
            given_back: 0,
            asked_back: 0,
            is_refused: false,
            facts: Vec::new(),
        });
        self.by_payment.insert(payment.clone(), self.takings.len() - 1);
        self.takings.len() - 1
    }

    pub(crate) fn find(&self, payment: &PaymentId) -> Option<&Taking> {
        self.by_payment.get(payment).map(|place| &self.takings[*place])
    }
}

impl Taking {
    /// Whether the payment can go on so.
    fn may(&self, next: Move) -> bool {
        let is_fresh = self.taken == 0 && !self.is_kept && !self.is_let_go;
        match next {
            Move::Begin | Move::Keep | Move::Take | Move::Fail { .. } if is_fresh => true,
            Move::Take | Move::TakePart(_) | Move::LetGo => {
                self.is_kept && !self.is_let_go && self.taken == 0
            }
            Move::GiveBack(cents) => cents > 0 && self.given_back + cents <= self.taken,
            Move::Begin | Move::Keep | Move::Fail { .. } => false,
        }
    }

    /// Goes on, and will say so.
    pub(crate) fn go_on(&mut self, next: Move) {
        if !self.may(next) {
            return;
        }
        let event = match next {
            Move::Begin => PaymentEvent::Begun,
            Move::Keep => {
                self.is_kept = true;
                PaymentEvent::Authorized { amount: euros(self.amount) }
            }
            Move::Take => {
                self.taken = self.amount;
                PaymentEvent::Paid { amount: euros(self.taken) }
            }
            Move::TakePart(share) => {
                self.taken = (self.amount * share / 100).max(1);
                PaymentEvent::Paid { amount: euros(self.taken) }
            }
            Move::LetGo => {
                self.is_let_go = true;
                PaymentEvent::Voided
            }
            Move::Fail { is_final } => {
                let reason = PaymentReference::new("card_declined").expect("a short code");
                PaymentEvent::Failed { reason, is_final }
            }
            Move::GiveBack(cents) => {
                self.given_back += cents;
                PaymentEvent::Refunded { total: euros(self.given_back) }
            }
        };
        self.facts.push(Said { event, is_heard: false });
    }

    /// Whether somebody has answered that the money came.
    pub(crate) fn is_known_taken(&self) -> bool {
        self.facts
            .iter()
            .any(|said| said.is_heard && matches!(said.event, PaymentEvent::Paid { .. }))
    }

    /// The most of what went back that somebody has answered.
    pub(crate) fn known_back(&self) -> u64 {
        let totals = self.facts.iter().filter(|said| said.is_heard).map(|said| match said.event {
            PaymentEvent::Refunded { total } => total.minor(),
            _ => 0,
        });
        totals.max().unwrap_or(0)
    }
}
