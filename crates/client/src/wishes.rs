//! Requests of a session that are not answered yet, decided without a connection.

use std::time::Duration;

use rand::Rng;
use stampede_domain::{DropId, HoldId, IdempotencyKey, TestCard};
use stampede_wire::{ClientMessage, Refused, Request, ServerMessage};
use tokio::time::Instant;

use crate::ClientError;

/// Unanswered requests that a session keeps.
pub const PENDING_MAX: usize = 64;

/// What a viewer asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Buy { drop: DropId, sku: Box<str>, units: u32, key: IdempotencyKey },
    Release { hold: HoldId },
    Pay { hold: HoldId, card: Option<TestCard> },
}

impl Wish {
    pub(crate) fn message(&self) -> ClientMessage<'_> {
        match self {
            Self::Buy { drop, sku, units, key } => ClientMessage::Buy {
                drop: *drop,
                sku: (&**sku).into(),
                units: (*units).into(),
                key: key.clone(),
            },
            Self::Release { hold } => ClientMessage::Release { hold: *hold },
            Self::Pay { hold, card } => ClientMessage::Pay { hold: *hold, card: *card },
        }
    }

    /// Whether `message` is the end of it.
    fn is_answered_by(&self, message: &ServerMessage) -> bool {
        let ended = match message {
            ServerMessage::Held(held) => return self.is_buy(held.key.as_ref()),
            ServerMessage::Refused(refused) => return self.is_refused_by(refused),
            ServerMessage::Order(order) if self.is_buy(order.key.as_ref()) => return true,
            ServerMessage::Order(order) => order.hold,
            ServerMessage::Released(ended) => ended.hold,
            // Money that comes too late may take the units again: the payment's own answer says so.
            ServerMessage::Expired(ended) => {
                return matches!(self, Self::Release { hold } if *hold == ended.hold);
            }
            ServerMessage::PaymentFailed(failed) => {
                return matches!(self, Self::Pay { hold, .. } if *hold == failed.hold)
                    || failed.is_final && self.is_about(failed.hold);
            }
            _ => return false,
        };
        self.is_about(ended)
    }

    fn is_refused_by(&self, refused: &Refused) -> bool {
        match (self, refused.request) {
            (Self::Buy { .. }, Request::Buy) => self.is_buy(refused.key.as_ref()),
            // The payment that is under way is the one that was asked for.
            (Self::Pay { .. }, Request::Pay) if refused.code == "payment_pending" => false,
            (Self::Release { hold }, Request::Release) | (Self::Pay { hold, .. }, Request::Pay) => {
                refused.hold == Some(*hold)
            }
            _ => false,
        }
    }

    fn is_buy(&self, answered: Option<&IdempotencyKey>) -> bool {
        matches!(self, Self::Buy { key, .. } if Some(key) == answered)
    }

    fn is_about(&self, ended: HoldId) -> bool {
        matches!(self, Self::Release { hold } | Self::Pay { hold, .. } if *hold == ended)
    }
}

/// How far a request has come on this connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Unsent,
    Sent,
    /// Refused for now; sent again then.
    Later(Instant),
    /// Refused until there is a new ticket.
    NeedsTicket,
}

/// What a message means for the requests.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// No request is put off by it.
    Told,
    /// It put one off, which will be sent again by itself.
    Postponed,
    /// The same, once the server has taken a new ticket.
    NeedsTicket,
}

/// All of a session's unanswered requests.
#[derive(Debug, Default)]
pub(crate) struct Wishes(Vec<(Wish, Stage)>);

impl Wishes {
    pub(crate) fn add(&mut self, wish: Wish) -> Result<(), ClientError> {
        if self.0.iter().any(|(known, _)| *known == wish) {
            return Ok(());
        }
        // A refusal names nothing but the key.
        if let Wish::Buy { key, .. } = &wish
            && self.0.iter().any(|(known, _)| known.is_buy(Some(key)))
        {
            return Err(ClientError::KeyPending { key: key.clone() });
        }
        if self.0.len() == PENDING_MAX {
            return Err(ClientError::TooManyPending { max: PENDING_MAX });
        }
        self.0.push((wish, Stage::Unsent));
        Ok(())
    }

    pub(crate) fn forget(&mut self, key: &IdempotencyKey) -> bool {
        let before = self.0.len();
        self.0.retain(|(wish, _)| !wish.is_buy(Some(key)));
        self.0.len() < before
    }

    /// A new connection: everything is asked again. A hold that has ended meanwhile is answered too, with
    /// what became of it; a welcome that was too long does not list every hold.
    pub(crate) fn welcomed(&mut self) {
        for (_, stage) in &mut self.0 {
            if matches!(stage, Stage::Sent | Stage::NeedsTicket) {
                *stage = Stage::Unsent;
            }
        }
    }

    /// The next request to send, with its place for [`Wishes::sent`]. Until that is called it is the
    /// next one again: who is cancelled while sending sends it twice rather than never.
    pub(crate) fn next(&self, now: Instant) -> Option<(usize, &Wish)> {
        let place = self.0.iter().position(|(_, stage)| match stage {
            Stage::Unsent => true,
            Stage::Sent | Stage::NeedsTicket => false,
            Stage::Later(at) => *at <= now,
        })?;
        Some((place, &self.0[place].0))
    }

    /// The request at this place was sent.
    pub(crate) fn sent(&mut self, place: usize) {
        self.0[place].1 = Stage::Sent;
    }

    /// When the next request may be sent again.
    pub(crate) fn due(&self) -> Option<Instant> {
        let later = self.0.iter().filter_map(|(_, stage)| match stage {
            Stage::Later(at) => Some(*at),
            Stage::Unsent | Stage::Sent | Stage::NeedsTicket => None,
        });
        later.min()
    }

    /// A message has come.
    ///
    /// The whole crowd may have been told the same time, so each client adds up to half as much.
    pub(crate) fn hear(
        &mut self,
        message: &ServerMessage,
        now: Instant,
        can_renew: bool,
        rng: &mut impl Rng,
    ) -> Heard {
        if let ServerMessage::Refused(refused) = message
            && let Some((_, stage)) =
                self.0.iter_mut().find(|(wish, _)| wish.is_refused_by(refused))
        {
            if let (true, Some(ms)) = (refused.temporary, refused.retry_after_ms) {
                let least = Duration::from_millis(ms);
                *stage = Stage::Later(now + least + rng.random_range(Duration::ZERO..=least / 2));
                return Heard::Postponed;
            }
            if can_renew && refused.code == "ticket_expired" {
                *stage = Stage::NeedsTicket;
                return Heard::NeedsTicket;
            }
        }
        if let ServerMessage::Refreshed(_) = message {
            for (_, stage) in self.0.iter_mut().filter(|(_, stage)| *stage == Stage::NeedsTicket) {
                *stage = Stage::Unsent;
            }
        }
        self.0.retain(|(wish, _)| !wish.is_answered_by(message));
        Heard::Told
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};
    use stampede_domain::{DurationMs, Money, Refusal, SkuId, Units};
    use stampede_wire::{Ended, Held, Order, Refreshed};

    use super::*;

    fn key(text: &str) -> IdempotencyKey {
        text.parse().unwrap()
    }

    fn buy(drop: u32, text: &str) -> Wish {
        let drop = format!("d{drop}").parse().unwrap();
        Wish::Buy { drop, sku: "mug".into(), units: 1, key: key(text) }
    }

    fn sent(wish: Wish) -> Wishes {
        let mut wishes = Wishes::default();
        wishes.add(wish).unwrap();
        let (place, _) = wishes.next(Instant::now()).unwrap();
        wishes.sent(place);
        wishes
    }

    fn refuse(wishes: &mut Wishes, now: Instant, can_renew: bool, refusal: &Refusal) -> Heard {
        let refused = ServerMessage::Refused(Refused::buy(key("k1"), refusal));
        wishes.hear(&refused, now, can_renew, &mut StdRng::seed_from_u64(1))
    }

    #[test]
    fn a_request_is_the_next_one_until_it_was_sent() {
        let mut wishes = Wishes::default();
        wishes.add(buy(1, "k1")).unwrap();
        let now = Instant::now();
        assert_eq!(wishes.next(now), Some((0, &buy(1, "k1"))));
        assert_eq!(wishes.next(now), Some((0, &buy(1, "k1"))), "sending it was cancelled");
        wishes.sent(0);
        assert_eq!(wishes.next(now), None);
    }

    #[test]
    fn one_key_is_good_for_one_unanswered_buy() {
        let mut wishes = sent(buy(17, "k1"));
        wishes.add(buy(17, "k1")).unwrap();
        let error = wishes.add(buy(18, "k1")).unwrap_err();
        assert!(error.to_string().starts_with("the key k1 is that of another buy"), "{error}");
        assert_eq!(refuse(&mut wishes, Instant::now(), true, &Refusal::SoldOut), Heard::Told);
        wishes.add(buy(18, "k1")).unwrap();
    }

    #[test]
    fn a_request_is_put_off_by_what_the_server_told_and_up_to_half_as_long_again() {
        let retry_after = DurationMs::new(1_000);
        for refusal in [Refusal::Busy { retry_after }, Refusal::RateLimited { retry_after }] {
            let (mut wishes, now) = (sent(buy(1, "k1")), Instant::now());
            assert_eq!(refuse(&mut wishes, now, false, &refusal), Heard::Postponed);
            let wait = wishes.due().unwrap() - now;
            assert!((1_000..=1_500).contains(&wait.as_millis()), "{wait:?}");
            assert_eq!(wishes.next(now), None);
            assert!(wishes.next(now + wait).is_some());
        }
        let (mut wishes, now) = (sent(buy(1, "k1")), Instant::now());
        assert_eq!(refuse(&mut wishes, now, true, &Refusal::SoldOut), Heard::Told);
        assert!(wishes.0.is_empty(), "temporary, but nobody knows for how long");
    }

    #[test]
    fn a_payment_is_not_answered_by_the_end_of_its_holds_time() {
        let hold: HoldId = "00000011000000c000000a400000002a".parse().unwrap();
        let sku: SkuId = "mug".parse().unwrap();
        let amount = Money::new(500, "EUR".parse().unwrap()).unwrap();
        let drop = hold.drop_id();
        let expired = Ended { hold, drop, sku: sku.clone(), units: 1, called_off: false };
        let expired = ServerMessage::Expired(expired);
        let ordered = ServerMessage::Order(Order::new(hold, sku, Units::ONE, amount));
        let (now, mut rng) = (Instant::now(), StdRng::seed_from_u64(1));
        let mut wishes = sent(Wish::Pay { hold, card: None });
        assert_eq!(wishes.hear(&expired, now, false, &mut rng), Heard::Told);
        assert_eq!(wishes.0.len(), 1, "an order may follow");
        assert_eq!(wishes.hear(&ordered, now, false, &mut rng), Heard::Told);
        assert!(wishes.0.is_empty());
        let mut wishes = sent(Wish::Release { hold });
        assert_eq!(wishes.hear(&expired, now, false, &mut rng), Heard::Told);
        assert!(wishes.0.is_empty(), "there is nothing left to give back");
    }

    #[test]
    fn a_hold_that_is_told_again_answers_nothing() {
        let hold: HoldId = "00000011000000c000000a400000002a".parse().unwrap();
        let amount = Money::new(500, "EUR".parse().unwrap()).unwrap();
        let held = Held::new(hold, "mug".parse().unwrap(), Units::ONE, amount, 60_000);
        let (mut wishes, mut rng) =
            (sent(Wish::Pay { hold, card: None }), StdRng::seed_from_u64(1));
        wishes.add(buy(1, "k1")).unwrap();
        let held = ServerMessage::Held(held);
        assert_eq!(wishes.hear(&held, Instant::now(), false, &mut rng), Heard::Told);
        assert_eq!(wishes.0.len(), 2);
        wishes.add(Wish::Pay { hold, card: None }).unwrap();
        assert_eq!(wishes.0.len(), 2, "whoever pays at every `held` pays once");
    }

    #[test]
    fn a_request_that_needs_a_ticket_waits_for_it() {
        let (mut wishes, now) = (sent(buy(1, "k1")), Instant::now());
        assert_eq!(refuse(&mut wishes, now, true, &Refusal::TicketExpired), Heard::NeedsTicket);
        assert_eq!((wishes.next(now), wishes.due()), (None, None));
        let refreshed = Refreshed { server_time_ms: 1, ticket_expires_in_ms: 1 };
        let refreshed = ServerMessage::Refreshed(refreshed);
        let mut rng = StdRng::seed_from_u64(1);
        assert_eq!(wishes.hear(&refreshed, now, true, &mut rng), Heard::Told);
        assert!(wishes.next(now).is_some());
        assert_eq!(refuse(&mut wishes, now, false, &Refusal::TicketExpired), Heard::Told);
        assert!(wishes.0.is_empty(), "nothing brings a ticket");
    }
}
