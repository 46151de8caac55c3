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
use stampede_gateway::{Gateway, GatewayConfig};
use stampede_loadtest::{Checkout, RehearsalAudience, RehearsalPlan};
use stampede_wire::ticket::KeySpec;
use tracing::{info, warn};

use crate::descriptors;

/// The account that a crowd's payments are reported for. No provider has it, so none is ever asked.
const ACCOUNT: &str = "rehearsal";
/// Descriptors of this process for each viewer of a crowd: both ends of the connection.
const DESCRIPTORS_PER_VIEWER: usize = 2;
/// The part of all places, as a divisor, that crowds leave to real viewers: when fewer are free, crowds go home.
const KEPT_PART: usize = 16;

/// Sends crowds to the viewers' port of this process.
pub(crate) struct LocalCrowds {
    engine: Arc<Engine>,
    /// None once it has stopped.
    gateway: Arc<Mutex<Option<Gateway>>>,
    limits: PortLimits,
    /// Of this process alone: nobody else signs with it.
    ticket_key: KeySpec,
}

impl LocalCrowds {
    /// Crowds for the viewers' port of this process, which is set like this; the process may open so many descriptors.
    pub(crate) fn new(
        engine: &Arc<Engine>,
        gateway: &Arc<Mutex<Option<Gateway>>>,
        (settings, descriptors_max): (&GatewayConfig, u64),
        ticket_key: KeySpec,
    ) -> Arc<Self> {
        let crowds_from = gateway.lock().as_ref().map(|gateway| dialled(gateway.plain_addr()).ip());
        let limits = PortLimits::new(settings, descriptors_max, crowds_from);
        let (engine, gateway) = (Arc::clone(engine), Arc::clone(gateway));
        Arc::new(Self { engine, gateway, limits, ticket_key })
    }

    /// Connections of viewers, crowds among them, past their handshake; `None` once nobody is let in.
    fn connections(&self) -> Option<usize> {
        self.gateway.lock().as_ref().map(Gateway::connections)
    }
}

/// How many the viewers' port has places for.
#[derive(Clone, Copy, Debug)]
struct PortLimits {
    connections_max: usize,
    descriptors_max: usize,
    /// Connections that the port lets in from the address that crowds come from, if they are limited.
    of_crowds_address: Option<usize>,
}

impl PortLimits {
    fn new(settings: &GatewayConfig, descriptors_max: u64, crowds_from: Option<IpAddr>) -> Self {
        let is_unlimited = |from: IpAddr| {
            settings.unlimited_addresses.iter().any(|range| range.contains(from.to_canonical()))
        };
        let limited = Some(settings.connections_per_address_max).filter(|max| *max > 0);
        Self {
            connections_max: settings.connections_max,
            descriptors_max: usize::try_from(descriptors_max).unwrap_or(usize::MAX),
            of_crowds_address: limited.filter(|_| !crowds_from.is_some_and(is_unlimited)),
        }
    }

    /// Viewers that all crowds together may have, of which so many are connected: half of what others leave free beyond
    /// what is kept for real viewers.
    fn for_crowds(self, connections: usize, descriptors: usize, connected: usize) -> usize {
        let of_others = connections.saturating_sub(connected);
        let connections = left_of(self.connections_max, of_others);
        let of_others = descriptors.saturating_sub(connected * DESCRIPTORS_PER_VIEWER);
        let descriptors = left_of(self.descriptors_max, of_others);
        let half = connections.min(descriptors / DESCRIPTORS_PER_VIEWER) / 2;
        half.min(self.of_crowds_address.unwrap_or(usize::MAX))
    }
}

/// Whether so few are free that what is kept for real viewers is needed.
const fn is_nearly_used_up(max: usize, used: usize) -> bool {
    max.saturating_sub(used) < max / KEPT_PART
}

/// What is free beyond what is kept for real viewers.
const fn left_of(max: usize, used: usize) -> usize {
    (max - max / KEPT_PART).saturating_sub(used)
}

impl CrowdSource for LocalCrowds {
    fn places(&self, connected: u32) -> u32 {
        let Some(connections) = self.connections() else { return 0 };
        let descriptors = descriptors::open().unwrap_or(0);
        let connected = usize::try_from(connected).unwrap_or(usize::MAX);
        let places = self.limits.for_crowds(connections, descriptors, connected);
        u32::try_from(places).unwrap_or(u32::MAX)
    }

    fn is_nearly_full(&self) -> bool {
        let PortLimits { connections_max, descriptors_max, .. } = self.limits;
        let connections = self.connections().unwrap_or(connections_max);
        is_nearly_used_up(connections_max, connections)
            || is_nearly_used_up(descriptors_max, descriptors::open().unwrap_or(0))
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
        let (engine, sales, shown) =
            (Arc::clone(&self.engine), Arc::clone(&self.engine), stream.clone());
        info!(%stream, viewers, "a crowd comes for a rehearsal");
        let audience = RehearsalAudience::start(
            plan,
            // A drop that was planned as a rehearsal by hand is its host's to try: no crowd buys there.
            move |drop| sales.sale(drop).is_some_and(|sale| sale.plan().rehearsal.is_some()),
            move |checkout| pay(&engine, checkout),
            move |error| warn!(stream = %shown, %error, "the crowd of a rehearsal has left"),
        )?;
        Ok(Box::new(SentAudience(audience)))
    }
}

struct SentAudience(RehearsalAudience);

impl Crowd for SentAudience {
    fn figures(&self) -> Option<CrowdFigures> {
        if self.0.has_left() {
            return None;
        }
        let report = self.0.report();
        let connected = u32::try_from(report.connected).unwrap_or(u32::MAX);
        Some(CrowdFigures { connected, holds: report.holds, orders: report.orders })
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

    const LIMITS: PortLimits =
        PortLimits { connections_max: 1_600, descriptors_max: 100_000, of_crowds_address: None };

    #[test]
    fn all_crowds_together_have_half_of_what_real_viewers_leave_free() {
        assert_eq!(LIMITS.for_crowds(0, 50, 0), 750, "100 are kept");
        assert_eq!(
            LIMITS.for_crowds(750, 1_550, 750),
            750,
            "a crowd that is in leaves no more to the next"
        );
        assert_eq!(LIMITS.for_crowds(1_000, 1_550, 500), 500);
        assert_eq!(LIMITS.for_crowds(1_500, 1_550, 0), 0);
        assert_eq!(
            LIMITS.for_crowds(0, 0, 7),
            750,
            "figures of a crowd may be older than those of the port"
        );
        let few = PortLimits { descriptors_max: 1_024, ..LIMITS };
        assert_eq!(few.for_crowds(0, 60, 0), 225, "each takes two descriptors");
        assert_eq!(few.for_crowds(225, 510, 225), 225);
        let unlimited = PortLimits { descriptors_max: usize::MAX, ..LIMITS };
        assert_eq!(unlimited.for_crowds(0, 60, 0), 750);
    }

    #[test]
    fn real_viewers_find_a_place_until_the_crowds_have_left() {
        for real in 0..=1_600 {
            let crowds = LIMITS.for_crowds(real, 0, 0);
            let is_needed = is_nearly_used_up(1_600, real + crowds);
            assert!(crowds == 0 || !is_needed, "{real}: crowds that came go home at once");
        }
        assert!(is_nearly_used_up(1_600, 1_501));
    }

    #[test]
    fn a_crowd_is_no_larger_than_the_port_lets_in_from_its_address() {
        let limit = |settings: GatewayConfig, from: &str| {
            PortLimits::new(&settings, 1_024, Some(from.parse().unwrap())).of_crowds_address
        };
        let own = GatewayConfig { connections_per_address_max: 30, ..GatewayConfig::default() };
        assert_eq!(limit(own.clone(), "127.0.0.1"), None, "loopback is unlimited");
        assert_eq!(limit(own.clone(), "::ffff:127.0.0.1"), None);
        assert_eq!(limit(own.clone(), "10.1.2.3"), Some(30));
        let all = GatewayConfig { unlimited_addresses: Vec::new(), ..own };
        assert_eq!(limit(all.clone(), "127.0.0.1"), Some(30));
        let none = GatewayConfig { connections_per_address_max: 0, ..all };
        assert_eq!(limit(none, "127.0.0.1"), None);
        let few = PortLimits { of_crowds_address: Some(30), ..LIMITS };
        assert_eq!(few.for_crowds(0, 0, 0), 30);
    }

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
