//! A viewer's open ends: buys without an answer, promises to write down.

use stampede_domain::IdempotencyKey;
use stampede_wire::{Ended, Held, Order};

use super::Viewer;
use crate::recorder::{Promise, Promised};

/// A buy that awaits answers.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) key: IdempotencyKey,
    /// The moment that its latency counts from.
    pub(crate) planned_us: u64,
    /// When it was last sent.
    pub(crate) sent_us: u64,
    /// Answers to come: two for a double click.
    pub(crate) awaiting: u32,
    pub(crate) resend: Resend,
}

/// Whether a buy is sent again, because its connection is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resend {
    Never,
    /// At the next welcome.
    AtOnce,
    /// When the script says so.
    WhenTold,
}

impl Pending {
    pub(crate) fn new(key: IdempotencyKey, planned_us: u64, sent_us: u64) -> Self {
        Self { key, planned_us, sent_us, awaiting: 0, resend: Resend::Never }
    }
}

impl Viewer {
    /// Writes a hold down; takes it over if it is new.
    pub(crate) fn promised_held(&mut self, held: &Held, asked_us: Option<u64>) {
        let what = Promised::Held {
            key: held.key.as_ref().map(ToString::to_string),
            retry: held.retry,
            expires_in_ms: held.expires_in_ms,
            amount_minor: held.amount_minor,
        };
        self.write(held.hold.to_string(), held.sku.to_string(), held.units, asked_us, what);
        if self.known(held.hold).is_none() && !self.orders.contains(&held.hold) {
            self.adopt(held.hold, held.amount_minor);
        }
    }

    /// Writes an order down.
    pub(crate) fn promised_order(&mut self, order: &Order, asked_us: Option<u64>) {
        let what = Promised::Order {
            order: order.order.to_string(),
            key: order.key.as_ref().map(ToString::to_string),
            amount_minor: order.amount_minor,
        };
        self.write(order.hold.to_string(), order.sku.to_string(), order.units, asked_us, what);
        self.forget(order.hold);
        if !self.orders.contains(&order.hold) {
            self.orders.push(order.hold);
            self.state.count(|counts| counts.orders += 1);
        }
    }

    /// Writes down that a hold is over.
    pub(crate) fn promised_end(&mut self, ended: &Ended, expired: bool) {
        let what = if expired { Promised::Expired } else { Promised::Released };
        self.write(ended.hold.to_string(), ended.sku.to_string(), ended.units, None, what);
        self.state.count(|counts| if expired { counts.expired += 1 } else { counts.released += 1 });
    }

    fn write(&self, hold: String, sku: String, units: u32, asked_us: Option<u64>, what: Promised) {
        let clock = &self.state.clock;
        self.state.promised(&Promise {
            at_ms: clock.unix_ms_at(clock.us()),
            asked_ms: asked_us.map(|us| clock.unix_ms_at(us)),
            viewer: self.name.to_string(),
            hold,
            sku,
            units,
            what,
        });
    }
}
