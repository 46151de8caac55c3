//! Buys one unit of the first drop that opens, pays for it with play money.
//!
//! `cargo run -p stampede-client --example buyer -- wss://sale.example/ TICKET [ROOTS.pem]`

use std::{env, error::Error, fs};

use stampede_client::{
    Backoff, ClientTls, ConnectOptions, DropInfo, Event, Order, ServerMessage, Session, Subprotocol,
};
use stampede_domain::{IdempotencyKey, Phase};

/// Stays on the stream until one unit is bought; a lost connection or a full server is no reason to
/// give up.
pub(crate) async fn buy_one(
    options: ConnectOptions,
    ticket: String,
    key: IdempotencyKey,
) -> Result<Order, Box<dyn Error>> {
    let mut session = Session::new(options, ticket, Backoff::default(), rand::rng());
    let (mut drops, mut paid) = (Vec::new(), None);
    loop {
        match session.next().await? {
            // Asking twice with one key is asking once, so every welcome may ask again.
            Event::Connected(welcome) => {
                // Paid while the connection was down.
                if let Some(order) = welcome.orders.into_iter().find(|one| Some(one.hold) == paid) {
                    return Ok(order);
                }
                drops = welcome.drops;
                match drops.iter().find(|drop| drop.phase == Phase::Open) {
                    Some(drop) => ask(&mut session, drop, &key)?,
                    None => println!("waiting for a drop to open"),
                }
            }
            Event::Message(ServerMessage::Phase(change)) if change.phase == Phase::Open => {
                if let Some(drop) = drops.iter().find(|drop| drop.drop == change.drop) {
                    ask(&mut session, drop, &key)?;
                }
            }
            Event::Message(ServerMessage::Held(held)) => {
                println!("held for {} ms: {}", held.expires_in_ms, held.hold);
                paid = Some(held.hold);
                session.pay(held.hold)?;
            }
            Event::Message(ServerMessage::Order(order)) => return Ok(order),
            Event::Message(ServerMessage::PaymentFailed(failed)) if !failed.is_final => {
                session.pay(failed.hold)?;
            }
            // Asked again after a reconnect, while the first payment goes on: its order comes.
            Event::Message(ServerMessage::Refused(refused))
                if refused.code == "payment_pending" => {}
            Event::Message(ServerMessage::Refused(refused)) => return Err(refused.message.into()),
            Event::Message(_) => {}
            Event::Postponed(refused) => println!("not yet: {}", refused.message),
            Event::Lost(why) => println!("lost, coming back: {why}"),
            Event::TicketLate(why) => println!("no new ticket yet: {why}"),
        }
    }
}

fn ask<R: rand::Rng>(
    session: &mut Session<R>,
    drop: &DropInfo,
    key: &IdempotencyKey,
) -> Result<(), Box<dyn Error>> {
    let sku = drop.skus.first().ok_or("the drop has nothing to sell")?;
    println!("{} of {:?} are left", sku.available, sku.title);
    Ok(session.buy(drop.drop, sku.sku.as_str(), 1, key.clone())?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(url), Some(ticket)) = (arguments.next(), arguments.next()) else {
        return Err("usage: buyer URL TICKET [ROOTS.pem]".into());
    };
    let mut options = ConnectOptions::new(&url, Subprotocol::MsgPack);
    if let Some(roots) = arguments.next() {
        options.tls = Some(ClientTls::trusting(&fs::read(roots)?)?);
    }
    // A real app stores the key before it asks, so that a restart asks with the same one.
    let order = buy_one(options, ticket, "example-1".parse()?).await?;
    println!("order {}", order.order);
    Ok(())
}
