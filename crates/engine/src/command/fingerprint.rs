//! What a request comes down to, so that a key which is used for another one is noticed.
//!
//! The bytes are written field by field rather than taken from a `Debug` form: they stay the same
//! when the program changes, so a key that was used before an update still fits its request.

use std::sync::Arc;

use stampede_domain::{BanTarget, DropId, DurationMs, KeyFingerprint};
use stampede_ledger::{Record, codec};

use super::Action;

/// Version of the layout; another layout would make old keys look reused.
const VERSION: u8 = 1;

impl Action {
    /// Fingerprint of the request, as it is recorded: everything but a person's id or address, which
    /// the chain must not hold in any form that could be guessed back.
    pub(crate) fn fingerprint(&self, drop: Option<DropId>) -> KeyFingerprint {
        let mut bytes = Bytes(vec![VERSION]);
        bytes.text(self.name());
        bytes.number(drop.map_or(0, |drop| u64::from(drop.get())));
        match self {
            Self::Plan { plan } | Self::Edit { plan } => {
                codec::encode(
                    &Record::Planned { plan: Arc::clone(plan), revision: 0 },
                    &mut bytes.0,
                );
            }
            Self::Cancel
            | Self::Open
            | Self::CancelCountdown
            | Self::Pause
            | Self::Resume
            | Self::Feature
            | Self::Close
            | Self::Go => {}
            Self::Restock { sku, units } => bytes.pair(sku.as_str(), u64::from(units.get())),
            Self::StreamOffline { stream }
            | Self::StreamOnline { stream }
            | Self::EndRoom { stream } => bytes.text(stream.as_str()),
            Self::OpenAfter { countdown } => bytes.number(countdown.get()),
            Self::SetVideoDelay { stream, delay } => bytes.pair(stream.as_str(), delay.get()),
            Self::MakeRoom { stream, owner } | Self::MoveRoom { stream, owner } => {
                bytes.text(stream.as_str());
                bytes.text(owner.kind());
                bytes.text(owner.name().unwrap_or_default());
            }
            Self::Admit { stream, merchant } | Self::Dismiss { stream, merchant } => {
                bytes.text(stream.as_str());
                bytes.text(merchant.as_str());
            }
            Self::Stop { expires_in } => bytes.span(*expires_in),
            Self::SetRates { rates, expires_in } => {
                bytes.option(rates.buys_per_s.map(u64::from));
                bytes.option(rates.hellos_per_s.map(u64::from));
                bytes.span(rates.tick_interval);
                bytes.span(*expires_in);
            }
            Self::Ban { target, release_holds, expires_in } => {
                match target {
                    BanTarget::Viewer(_) => bytes.0.push(0),
                    BanTarget::Addresses(_) => bytes.0.push(1),
                    BanTarget::Channel { channel, stream } => {
                        bytes.0.push(2);
                        bytes.text(channel.as_str());
                        bytes.text(stream.as_ref().map_or("", |stream| stream.as_str()));
                    }
                }
                bytes.0.push(u8::from(*release_holds));
                bytes.span(*expires_in);
            }
            Self::Unban { ban } => bytes.number(u64::from(ban.get())),
        }
        KeyFingerprint::of(&bytes.0)
    }

    /// Fingerprint of the person or the addresses that it names; kept in memory only.
    pub(crate) fn personal(&self) -> Option<KeyFingerprint> {
        match self {
            Self::Ban { target, .. } => personal(target),
            _ => None,
        }
    }
}

/// Fingerprint of what is personal about a ban's target.
pub(crate) fn personal(target: &BanTarget) -> Option<KeyFingerprint> {
    match target {
        BanTarget::Viewer(_) | BanTarget::Addresses(_) => {
            Some(KeyFingerprint::of(target.to_string().as_bytes()))
        }
        BanTarget::Channel { .. } => None,
    }
}

/// Fields one after the other, each of them of a known length.
struct Bytes(Vec<u8>);

impl Bytes {
    fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    fn pair(&mut self, text: &str, number: u64) {
        self.text(text);
        self.number(number);
    }

    fn option(&mut self, number: Option<u64>) {
        self.0.push(u8::from(number.is_some()));
        self.number(number.unwrap_or(0));
    }

    fn span(&mut self, span: Option<DurationMs>) {
        self.option(span.map(DurationMs::get));
    }
}

#[cfg(test)]
mod tests {
    use stampede_domain::{BanId, Rates, Units};
    use stampede_ledger::RoomOwner;

    use super::*;

    fn ban(target: &str, release_holds: bool) -> Action {
        let target = match target.split_once(' ') {
            Some(("viewer", id)) => BanTarget::Viewer(id.parse().unwrap()),
            Some(("from", range)) => BanTarget::Addresses(range.parse().unwrap()),
            _ => BanTarget::Channel { channel: target.parse().unwrap(), stream: None },
        };
        Action::Ban { target, release_holds, expires_in: None }
    }

    fn room(stream: &str, kind: &str) -> Action {
        let owner = match kind {
            "merchant" => RoomOwner::Merchant("nina".parse().unwrap()),
            _ => RoomOwner::Creator("nina".into()),
        };
        Action::MakeRoom { stream: stream.parse().unwrap(), owner }
    }

    fn admit(stream: &str, merchant: &str) -> Action {
        Action::Admit { stream: stream.parse().unwrap(), merchant: merchant.parse().unwrap() }
    }

    #[test]
    fn requests_that_differ_have_other_fingerprints() {
        let rates = |buys_per_s, hellos_per_s| Action::SetRates {
            rates: Rates { buys_per_s, hellos_per_s, tick_interval: None },
            expires_in: None,
        };
        let restock = |sku: &str, units| Action::Restock {
            sku: sku.parse().unwrap(),
            units: Units::new(units).unwrap(),
        };
        let drop = Some(DropId::new(1));
        let requests = [
            (Action::Open, drop),
            (Action::Open, Some(DropId::new(2))),
            (Action::Close, drop),
            (restock("mug", 1), drop),
            (restock("mug", 2), drop),
            (restock("cup", 1), drop),
            (Action::Stop { expires_in: None }, None),
            (Action::Stop { expires_in: Some(DurationMs::ZERO) }, None),
            (Action::Go, None),
            (rates(Some(5), None), None),
            (rates(None, Some(5)), None),
            (ban("viewer v1", true), None),
            (ban("viewer v1", false), None),
            (ban("from 10.0.0.0/8", true), None),
            (ban("nina-tv", true), None),
            (ban("nina-tv2", true), None),
            (Action::Unban { ban: BanId::new(1) }, None),
            (room("a", "merchant"), None),
            (room("b", "merchant"), None),
            (room("a", "creator"), None),
            (admit("a", "acme"), None),
            (admit("a", "zeta"), None),
            (admit("b", "acme"), None),
        ];
        let prints: std::collections::BTreeSet<_> =
            requests.iter().map(|(action, drop)| action.fingerprint(*drop)).collect();
        assert_eq!(prints.len(), requests.len());
    }

    #[test]
    fn the_fingerprint_of_a_request_never_changes() {
        let shown = |action: Action| action.fingerprint(Some(DropId::new(7))).to_string();
        assert_eq!(shown(Action::Open), OPEN);
    }

    const OPEN: &str = "ce6aacb2809fa3f5fc7c428dc5173c1f";

    #[test]
    fn people_are_told_apart_only_by_what_stays_in_memory() {
        let (one, other) = (ban("viewer v1", true), ban("viewer v2", true));
        assert_eq!(one.fingerprint(None), other.fingerprint(None));
        assert_ne!(one.personal(), other.personal());
        assert_eq!(ban("nina-tv", true).personal(), None);
    }
}
