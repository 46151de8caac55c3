//! The crowds of rehearsals: people who come to the server's own viewers' port, with tickets that it signs itself.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use parking_lot::Mutex;
use stampede_control::{Crowd, CrowdFigures, CrowdSource};
use stampede_domain::{HoldId, Mode, Money, PaymentEvent, PaymentFact, PaymentId, StreamId};
use stampede_engine::Engine;
use stampede_gateway::Gateway;
use stampede_loadtest::{Checkout, RehearsalAudience, RehearsalPlan};
use stampede_wire::ticket::KeySpec;
use tracing::{info, warn};

use crate::descriptors;

/// The account that a crowd's payments are reported for. No provider has it, so none is ever asked.
const ACCOUNT: &str = "rehearsal";
/// Descriptors of this process for each viewer of a crowd: both ends of the connection.
const DESCRIPTORS_PER_VIEWER: usize = 2;

/// Sends crowds to the viewers' port of this process.
pub(crate) struct LocalCrowds {
    engine: Arc<Engine>,
    /// None once it has stopped.
    gateway: Arc<Mutex<Option<Gateway>>>,
    connections_max: usize,
    descriptors_max: u64,
    /// Of this process alone: nobody else signs with it.
    ticket_key: KeySpec,
}

impl LocalCrowds {
    /// Crowds for the viewers' port of this process, which lets in so many connections and may open so many
    /// descriptors.
    pub(crate) fn new(
        engine: &Arc<Engine>,
        gateway: &Arc<Mutex<Option<Gateway>>>,
        (connections_max, descriptors_max): (usize, u64),
        ticket_key: KeySpec,
    ) -> Arc<Self> {
        let (engine, gateway) = (Arc::clone(engine), Arc::clone(gateway));
        Arc::new(Self { engine, gateway, connections_max, descriptors_max, ticket_key })
    }
}

impl CrowdSource for LocalCrowds {
    /// Half of what is free, so that a crowd never keeps real viewers out.
    fn places(&self) -> u32 {
        let Some(connected) = self.gateway.lock().as_ref().map(Gateway::connections) else {
            return 0;
        };
        let connections = self.connections_max.saturating_sub(connected);
        let descriptors_max = usize::try_from(self.descriptors_max).unwrap_or(usize::MAX);
        let descriptors = descriptors_max.saturating_sub(descriptors::open().unwrap_or(0));
        let free = connections.min(descriptors / DESCRIPTORS_PER_VIEWER) / 2;
        u32::try_from(free).unwrap_or(u32::MAX)
    }

    fn send(&self, stream: &StreamId, viewers: u32) -> io::Result<Box<dyn Crowd>> {
        // The crowd speaks neither TLS nor PROXY.
        let listening = self.gateway.lock().as_ref().map(Gateway::plain_addr);
        let listening = listening.ok_or(io::ErrorKind::NotConnected)?;
        let plan = RehearsalPlan {
            seed: rand::random(),
            target: dialled(listening),
            stream: stream.clone(),
            ticket_key: self.ticket_key.clone(),
            viewers,
        };
        let (engine, shown) = (Arc::clone(&self.engine), stream.clone());
        info!(%stream, viewers, "a crowd comes for a rehearsal");
        let audience = RehearsalAudience::start(
            plan,
            move |checkout| pay(&engine, checkout),
            move |error| warn!(stream = %shown, %error, "the crowd of a rehearsal has left"),
        )?;
        Ok(Box::new(SentAudience(audience)))
    }
}

struct SentAudience(RehearsalAudience);

impl Crowd for SentAudience {
    fn figures(&self) -> CrowdFigures {
        let report = self.0.report();
        let connected = u32::try_from(report.connected).unwrap_or(u32::MAX);
        CrowdFigures { connected, holds: report.holds, orders: report.orders }
    }
}

/// Reports that a hold was paid for, as a test: a live hold cannot be paid for so. What the engine makes of it shows at
/// the hold; a crowd asks no second time.
fn pay(engine: &Engine, checkout: &Checkout) {
    let Some(fact) = fact(engine, checkout) else { return };
    let _unheard = engine.payment(fact);
}

fn fact(engine: &Engine, checkout: &Checkout) -> Option<PaymentFact> {
    let hold: HoldId = checkout.hold.parse().ok()?;
    let sale = engine.sale(hold.drop_id())?;
    let currency = sale.plan().skus.first()?.price.currency();
    Some(PaymentFact {
        payment: PaymentId::new(ACCOUNT, &checkout.hold).ok()?,
        event: PaymentEvent::Paid { amount: Money::new(checkout.amount_minor, currency)? },
        holds: vec![hold],
        mode: Some(Mode::Rehearsal),
        order_reference: None,
    })
}

/// Where a listener is dialled on this machine.
fn dialled(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, listening.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_on_every_address_is_dialled_at_this_machines_own() {
        for (listening, expected) in [
            ("0.0.0.0:7700", "127.0.0.1:7700"),
            ("[::]:7700", "[::1]:7700"),
            ("10.1.2.3:7700", "10.1.2.3:7700"),
        ] {
            assert_eq!(dialled(listening.parse().unwrap()).to_string(), expected);
        }
    }
}
