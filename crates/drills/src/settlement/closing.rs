//! After the last kill: everything that the server lists is done, then its ledger is read.

use std::{collections::BTreeSet, time::Duration};

use serde_json::Value;
use stampede_domain::{DropId, HoldId, OrderId};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    PATIENCE,
    http::{Http, Request},
    outcome::{DropFigures, Ledger},
    till::{Event, Report, Till},
};
use crate::{error::DrillError, waiting::out_of_patience};

/// Rounds through what is to be done; the last ones wait for what the server does by itself.
const ROUNDS_MAX: u32 = 40;
/// Time between two rounds.
const ROUND_EVERY: Duration = Duration::from_millis(250);
const PLATFORM: &str = "platform";

/// Something that the server lists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Matter {
    hold: HoldId,
    account: String,
    payment: String,
    todo: String,
    minor: u64,
}

/// Does what is listed until nothing is left but orders whose money the drill let go; what stays goes into the
/// books as wrong.
pub(super) async fn work_off(till: &Till, say: &mut impl FnMut(&str)) -> Result<(), DrillError> {
    let mut left = Vec::new();
    for round in 0..ROUNDS_MAX {
        let listed = matters(till).await?;
        let matters: Vec<_> = listed.into_iter().filter(|matter| matter.todo != "unpaid").collect();
        if matters.is_empty() {
            return Ok(());
        }
        // What stays as it is was answered and not taken off the list.
        if round % 10 == 0 {
            say(&format!("{} matters are open", matters.len()));
        }
        let mine = |matter: &&Matter| matter.account == PLATFORM && !left.contains(*matter);
        let todo: Vec<Matter> = matters.iter().filter(mine).cloned().collect();
        left = matters;
        if todo.is_empty() {
            tokio::time::sleep(ROUND_EVERY).await;
        }
        settle(till, &todo).await?;
    }
    let mut books = till.books.lock();
    for matter in left {
        let trail = books.payment(&matter.payment).trail.join("\n    ");
        books.wrong(format!("it stays on the list: {matter:?}\n    {trail}"));
    }
    Ok(())
}

async fn settle(till: &Till, todo: &[Matter]) -> Result<(), DrillError> {
    let mut refunds: BTreeSet<&str> = BTreeSet::new();
    let mut captures: BTreeSet<&str> = BTreeSet::new();
    let mut voids: BTreeSet<&str> = BTreeSet::new();
    for Matter { hold, payment, todo, minor, .. } in todo {
        match todo.as_str() {
            "refund" => {
                till.books.lock().due(payment, *hold, *minor);
                refunds.insert(payment);
            }
            "capture" => {
                captures.insert(payment);
            }
            "void" => {
                voids.insert(payment);
            }
            other => till.books.lock().wrong(format!("{other:?} is on the list for {hold}")),
        }
    }
    for payment in refunds {
        till.give_back(payment).await?;
    }
    for payment in captures {
        let kept = till.books.lock().payment(payment).kept;
        till.books.lock().take(payment, kept);
        till.report(&Report::of(payment, Event::Paid(kept))).await?;
    }
    for payment in voids {
        till.books.lock().let_go(payment);
        till.report(&Report::of(payment, Event::Voided)).await?;
    }
    Ok(())
}

async fn matters(till: &Till) -> Result<Vec<Matter>, DrillError> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/payments/todo?limit=500{after}");
        let page = till.payments.call(&Request::get(path)).await?.body;
        for listed in page["holds"].as_array().into_iter().flatten() {
            let hold: HoldId = text(&listed["hold"]).parse()?;
            for todo in listed["todo"].as_array().into_iter().flatten() {
                let (account, payment) = (text(&todo["account"]), text(&todo["payment"]));
                let minor = todo["amount"]["minor"].as_u64().unwrap_or_default();
                found.push(Matter { hold, account, payment, todo: text(&todo["action"]), minor });
            }
        }
        let Some(next) = page["next"].as_str() else { return Ok(found) };
        after = format!("&after={next}");
    }
}

/// Notes what the server's own sandbox took and gave back: no provider outside has it on record. Its orders are known
/// from their viewers as well.
pub(super) async fn note_sandbox(till: &Till) -> Result<(), DrillError> {
    let holds: Vec<HoldId> = till.books.lock().sandboxed.iter().copied().collect();
    for hold in holds {
        let state = till.hold(hold).await?;
        let parts = state["payments"].as_array().cloned().unwrap_or_default();
        for part in parts.iter().filter(|part| part["account"] == "sandbox") {
            let payment = text(&part["payment"]);
            let path = format!("/v1/payments/sandbox/{payment}");
            let known = till.payments.call(&Request::get(path)).await?.body;
            note_attempt(till, hold, &payment, &known)?;
        }
    }
    Ok(())
}

/// An attempt may be about two holds: the one that expired, the one that took its units again.
fn note_attempt(till: &Till, hold: HoldId, payment: &str, known: &Value) -> Result<(), DrillError> {
    let name = format!("sandbox:{payment}");
    for state in known["holds"].as_array().into_iter().flatten() {
        let parts = state["payments"].as_array().into_iter().flatten();
        let of_attempt = |part: &&Value| part["account"] == "sandbox" && part["payment"] == payment;
        for part in parts.filter(of_attempt).filter(|part| part["state"] == "paid") {
            let mut books = till.books.lock();
            let number = |field: &str| part[field].as_u64().unwrap_or_default();
            let noted = books.payment(&name);
            noted.taken += part["amount"]["minor"].as_u64().unwrap_or_default();
            noted.given_back += number("refunded_minor");
            if number("refund_due_minor") > 0 {
                noted.parts.entry(hold).or_default().was_due = true;
            }
            if part["makes_order"] == true {
                let order: OrderId = text(&state["order"]).parse()?;
                books.ordered(&name, hold, order);
                if !books.shown_orders.contains(&order) {
                    books.wrong(format!("order {order} of {name}: its viewer was not told"));
                }
            }
        }
    }
    Ok(())
}

/// Waits until no hold is left, then reads the ledger of every drop.
pub(super) async fn read_ledger(
    till: &Till,
    drops: &[(DropId, u64)],
) -> Result<Ledger, DrillError> {
    let mut ledger = Ledger::default();
    for (drop, planned) in drops {
        let mut figures =
            DropFigures { planned: *planned, ..figures_without_holds(&till.staff, *drop).await? };
        let audit = audit(&till.staff, *drop).await?;
        ledger.read(&audit, &mut figures)?;
        ledger.drops.push(figures);
    }
    let books = till.books.lock();
    for (order, (_, units)) in &books.cancelled {
        let drop = order.hold().drop_id();
        let place = drops.iter().position(|(known, _)| *known == drop);
        if let Some(figures) = place.and_then(|place| ledger.drops.get_mut(place)) {
            figures.restocked += u64::from(*units);
        }
    }
    Ok(ledger)
}

async fn figures_without_holds(staff: &Http, drop: DropId) -> Result<DropFigures, DrillError> {
    let waited = tokio::time::timeout(PATIENCE, async {
        loop {
            let state = staff.call(&Request::get(format!("/v1/drops/{drop}"))).await?.body;
            let skus = state["skus"].as_array().cloned().unwrap_or_default();
            let sum = |field: &str| skus.iter().filter_map(|sku| sku[field].as_u64()).sum();
            let figures = DropFigures {
                supplied: sum("supplied"),
                sold: sum("sold"),
                available: sum("available"),
                held: sum("held"),
                ..DropFigures::default()
            };
            if figures.held == 0 && figures.supplied > 0 {
                return Ok(figures);
            }
            tokio::time::sleep(ROUND_EVERY).await;
        }
    });
    waited.await.unwrap_or_else(|_| Err(out_of_patience("the end of every hold")))
}

/// The audit's lines. It has no length, so it is asked for as by an old client, and ends with its connection.
async fn audit(staff: &Http, drop: DropId) -> Result<String, DrillError> {
    let failed = |source| DrillError::System { what: "read an audit", source };
    let mut stream = TcpStream::connect(staff.target()).await.map_err(failed)?;
    let token = staff.token();
    let request =
        format!("GET /v1/drops/{drop}/audit HTTP/1.0\r\nAuthorization: Bearer {token}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(failed)?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await.map_err(failed)?;
    let last = text.lines().last().unwrap_or_default();
    if !last.contains("\"type\":\"summary\"") {
        return Err(failed(std::io::Error::other(format!("it was cut off: {last}"))));
    }
    Ok(text)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
