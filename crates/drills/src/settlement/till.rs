//! The platform's till: the provider acts first, then the server is told, again until it has answered.

use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};
use stampede_domain::{DropId, HoldId, OrderId};

use super::{
    CURRENCY,
    books::{Books, Goods},
    http::{Answer, Http, Request},
};
use crate::error::DrillError;

/// What happened to a payment, as it is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Begun,
    Authorized(u64),
    Paid(u64),
    /// Paid in dollars.
    PaidOtherwise(u64),
    Failed {
        is_final: bool,
    },
    Voided,
    Refunded(u64),
    /// Given back in dollars.
    RefundedOtherwise(u64),
}

/// A report.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) payment: String,
    pub(super) event: Event,
    pub(super) holds: Vec<HoldId>,
    /// Told apart from other reports of the same fact.
    pub(super) number: u32,
}

/// The till of the platform.
pub(super) struct Till {
    pub(super) books: Arc<Mutex<Books>>,
    pub(super) payments: Http,
    pub(super) staff: Http,
}

impl Report {
    pub(super) fn request(&self) -> Request {
        let Self { payment, event, holds, number } = self;
        let mut body = json!({ "payment": payment, "event": event.name() });
        if let Some((minor, currency)) = event.amount() {
            body["amount"] = json!({ "minor": minor, "currency": currency });
        }
        if !holds.is_empty() {
            body["holds"] = holds.iter().map(ToString::to_string).collect();
        }
        if let Event::Failed { is_final } = event {
            body["reason"] = "card_declined".into();
            body["final"] = (*is_final).into();
        }
        let amount = event.amount().map_or(0, |(minor, _)| minor);
        let key = format!("{payment}.{}.{amount}.{number}", event.name());
        Request::post("/v1/payments", key, body)
    }
}

impl Event {
    const fn name(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Authorized(_) => "authorized",
            Self::Paid(_) | Self::PaidOtherwise(_) => "paid",
            Self::Failed { .. } => "failed",
            Self::Voided => "voided",
            Self::Refunded(_) | Self::RefundedOtherwise(_) => "refunded",
        }
    }

    const fn amount(self) -> Option<(u64, &'static str)> {
        match self {
            Self::Authorized(minor) | Self::Paid(minor) | Self::Refunded(minor) => {
                Some((minor, CURRENCY))
            }
            Self::PaidOtherwise(minor) | Self::RefundedOtherwise(minor) => Some((minor, "USD")),
            Self::Begun | Self::Failed { .. } | Self::Voided => None,
        }
    }
}

impl Till {
    pub(super) fn new(books: Arc<Mutex<Books>>, payments: Http, staff: Http) -> Self {
        Self { books, payments, staff }
    }

    /// Reports until it is answered, notes the answer.
    pub(super) async fn report(&self, report: &Report) -> Result<(), DrillError> {
        let answer = self.payments.call(&report.request()).await?;
        self.note(report, &answer)
    }

    /// Notes what a report was answered.
    pub(super) fn note(&self, report: &Report, answer: &Answer) -> Result<(), DrillError> {
        let (mut books, payment) = (self.books.lock(), report.payment.as_str());
        let said = if answer.status == 200 { &answer.body["holds"] } else { &answer.body };
        books.payment(payment).trail.push(format!("{:?}: {said}", report.event));
        if answer.status != 200 {
            books.wrong(format!("a report of {payment} was refused: {}", answer.body));
            return Ok(());
        }
        for part in answer.body["holds"].as_array().into_iter().flatten() {
            let hold: HoldId = part["hold"].as_str().unwrap_or_default().parse()?;
            match part["outcome"].as_str().unwrap_or_default() {
                "ordered" | "already_ordered" => {
                    let order: OrderId = part["order"].as_str().unwrap_or_default().parse()?;
                    books.ordered(payment, hold, order);
                }
                "refund_due" => {
                    let minor = part["amount"]["minor"].as_u64().unwrap_or_default();
                    books.due(payment, hold, minor);
                }
                "noted" | "unchanged" | "ended" => {}
                other => books.wrong(format!("{payment} for {hold} was answered {other:?}")),
            }
        }
        Ok(())
    }

    /// Gives back what is due of a payment, says so.
    pub(super) async fn give_back(&self, payment: &str) -> Result<(), DrillError> {
        let event = {
            let mut books = self.books.lock();
            let Some(total) = books.give_back_due(payment) else { return Ok(()) };
            let in_dollars = books.payment(payment).in_dollars;
            if in_dollars { Event::RefundedOtherwise(total) } else { Event::Refunded(total) }
        };
        self.report(&Report::of(payment, event)).await
    }

    /// How a hold stands.
    pub(super) async fn hold(&self, hold: HoldId) -> Result<Value, DrillError> {
        let request = Request::get(format!("/v1/payments/holds/{hold}"));
        let answer = self.payments.call(&request).await?;
        if answer.status != 200 {
            self.books.lock().wrong(format!("{hold} is {}", answer.body));
        }
        Ok(answer.body)
    }

    /// Cancels an order with its units back on sale, if the server can.
    pub(super) async fn cancel(
        &self,
        drop: DropId,
        order: OrderId,
        goods: Goods,
    ) -> Result<(), DrillError> {
        if self.books.lock().no_cancel {
            return Ok(());
        }
        let key = format!("cancel-{order}");
        let body = json!({ "units": goods.units, "restock": true, "reason": "a drill" });
        let path = format!("/v1/drops/{drop}/orders/{order}/cancel");
        let answer = self.staff.call(&Request::post(&path, key, body)).await?;
        match (answer.status, answer.code()) {
            (200..=299, _) => {
                self.books.lock().cancelled.insert(order, (goods.amount, goods.units));
            }
            (404, "unknown_path") => self.books.lock().no_cancel = true,
            _ => self.books.lock().wrong(format!("{order} is not cancelled: {}", answer.body)),
        }
        Ok(())
    }
}

impl Report {
    /// A report about the holds that the payment had before.
    pub(super) fn of(payment: &str, event: Event) -> Self {
        Self { payment: payment.to_owned(), event, holds: Vec::new(), number: 0 }
    }
}
