//! Buyers of everything that is left: what nobody can buy is stranded.

use stampede_client::{ClientError, ConnectOptions, Connection};
use stampede_domain::{DropId, DurationMs, IdempotencyKey, Mode, ViewerId};
use stampede_loadtest::{Promise, Promised};
use stampede_swarm::Clock;
use stampede_wire::{
    Held, Order, ServerMessage, Subprotocol,
    ticket::{KeySpec, Ticket, TicketMinter},
};

use super::{SKU, STREAM};

/// Units of one buy: the most that a request may ask for.
const UNITS_PER_BUY: u32 = stampede_domain::limits::UNITS_PER_BUY_MAX;
/// Buys of one buyer, all at once.
pub(super) const BUYS_PER_BUYER: u16 = 16;
/// Units of one buyer.
pub(super) const UNITS_PER_BUYER: u32 = UNITS_PER_BUY * BUYS_PER_BUYER as u32;
/// How long tickets are good.
const TICKET_LIFETIME: DurationMs = DurationMs::from_secs(600);

/// One buyer after the other.
pub(super) struct Buyers<'a> {
    pub(super) viewers_url: &'a str,
    pub(super) key: &'a KeySpec,
    pub(super) drop: &'a str,
    pub(super) clock: &'a Clock,
}

impl Buyers<'_> {
    /// Buys and pays for `units`; returns the promises. A refusal ends it: the rest stays.
    pub(super) async fn buy_all(&self, units: u64) -> Result<Vec<Promise>, ClientError> {
        let mut promises = Vec::new();
        let (mut left, mut buyer) = (units, 0);
        while left > 0 {
            let units = u32::try_from(left).unwrap_or(UNITS_PER_BUYER).min(UNITS_PER_BUYER);
            let name = ViewerId::new(&format!("last-{buyer}")).expect("letters with a number");
            if !self.buy(&name, units, &mut promises).await? {
                break;
            }
            left -= u64::from(units);
            buyer += 1;
        }
        Ok(promises)
    }

    /// One buyer's purchases; `false` if one was refused.
    async fn buy(
        &self,
        name: &ViewerId,
        units: u32,
        promises: &mut Vec<Promise>,
    ) -> Result<bool, ClientError> {
        let options = ConnectOptions::new(self.viewers_url, Subprotocol::MsgPack);
        let drop: DropId = self.drop.parse().expect("the server named the drop");
        let (mut connection, _) = Box::pin(Connection::open(&options, &self.ticket(name))).await?;
        let (mut left, mut open) = (units, 0_u32);
        while left > 0 {
            let units = left.min(UNITS_PER_BUY);
            let key = IdempotencyKey::new(&format!("all-{open}")).expect("a word with a number");
            connection.buy(drop, SKU, units, &key).await?;
            left -= units;
            open += 1;
        }
        while open > 0 {
            match connection.next().await? {
                ServerMessage::Held(held) => {
                    promises.push(self.held(name, &held));
                    connection.pay(held.hold).await?;
                }
                ServerMessage::PaymentFailed(failed) if !failed.is_final => {
                    connection.pay(failed.hold).await?;
                }
                ServerMessage::Order(order) => {
                    promises.push(self.order(name, &order));
                    open -= 1;
                }
                ServerMessage::Refused(_) | ServerMessage::Expired(_) => return Ok(false),
                _ => {}
            }
        }
        // The orders are there; how the connection ends does not matter any more.
        let _gone = connection.close().await;
        Ok(true)
    }

    fn ticket(&self, name: &ViewerId) -> String {
        let now = self.clock.unix_now();
        let ticket = Ticket {
            viewer: name.clone(),
            stream: STREAM.parse().expect("a word is an id"),
            channel: None,
            mode: Mode::Live,
            expires_at: now.plus(TICKET_LIFETIME),
        };
        TicketMinter::new(self.key).expect("the key has signed before").mint(&ticket, now)
    }

    fn held(&self, name: &ViewerId, held: &Held) -> Promise {
        let what = Promised::Held {
            key: held.key.as_ref().map(ToString::to_string),
            retry: held.retry,
            expires_in_ms: held.expires_in_ms,
            amount_minor: held.amount_minor,
        };
        self.promise(name, held.hold.to_string(), held.units, what)
    }

    fn order(&self, name: &ViewerId, order: &Order) -> Promise {
        let what = Promised::Order {
            order: order.order.to_string(),
            key: order.key.as_ref().map(ToString::to_string),
            amount_minor: order.amount_minor,
        };
        self.promise(name, order.hold.to_string(), order.units, what)
    }

    fn promise(&self, name: &ViewerId, hold: String, units: u32, what: Promised) -> Promise {
        Promise {
            at_ms: self.clock.unix_now().get(),
            asked_ms: None,
            viewer: name.to_string(),
            hold,
            sku: SKU.to_owned(),
            units,
            what,
        }
    }
}
