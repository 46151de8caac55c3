//! Requests of a session that are not answered yet, decided without a connection.

use std::time::Duration;

use rand::Rng;
use stampede_domain::{DropId, HoldId, IdempotencyKey};
use stampede_wire::{ClientMessage, Refused, Request, ServerMessage, Welcome};
use tokio::time::Instant;

use crate::ClientError;

/// Unanswered requests that a session keeps.
pub const PENDING_MAX: usize = 64;

/// What a viewer asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Buy { drop: DropId, sku: Box<str>, units: u32, key: IdempotencyKey },
    Release { hold: HoldId },
    Pay { hold: HoldId },
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
            Self::Pay { hold } => ClientMessage::Pay { hold: *hold },
        }
    }

    /// Whether `message` is the end of it.
    fn is_answered_by(&self, message: &ServerMessage) -> bool {
        let ended = match message {
            ServerMessage::Held(held) => return self.is_buy(held.key.as_ref()),
            ServerMessage::Refused(refused) => return self.is_refused_by(refused),
            ServerMessage::Order(order) if self.is_buy(order.key.as_ref()) => return true,
            ServerMessage::Order(order) => order.hold,
            ServerMessage::Released(ended) | ServerMessage::Expired(ended) => ended.hold,
            ServerMessage::PaymentFailed(failed) => {
                return matches!(self, Self::Pay { hold } if *hold == failed.hold)
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
            (Self::Release { hold }, Request::Release) | (Self::Pay { hold }, Request::Pay) => {
                refused.hold == Some(*hold)
            }
            _ => false,
        }
    }

    fn is_buy(&self, answered: Option<&IdempotencyKey>) -> bool {
        matches!(self, Self::Buy { key, .. } if Some(key) == answered)
    }

    fn is_about(&self, ended: HoldId) -> bool {
        matches!(self, Self::Release { hold } | Self::Pay { hold } if *hold == ended)
    }
}

/// How far a request has come on this connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Unsent,
    Sent,
    /// Refused for now; sent again then.
    Later(Instant),
}

/// All of a session's unanswered requests.
#[derive(Debug, Default)]
pub(crate) struct Wishes(Vec<(Wish, Stage)>);

impl Wishes {
    pub(crate) fn add(&mut self, wish: Wish) -> Result<(), ClientError> {
        if self.0.iter().any(|(known, _)| *known == wish) {
            return Ok(());
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

    /// A new connection: buys are asked again, the others for holds that are still open.
    pub(crate) fn welcomed(&mut self, welcome: &Welcome) {
        let open = |hold: HoldId| welcome.holds.iter().any(|held| held.hold == hold);
        self.0.retain(|(wish, _)| match wish {
            Wish::Buy { .. } => true,
            Wish::Release { hold } | Wish::Pay { hold } => open(*hold),
        });
        for (_, stage) in &mut self.0 {
            if *stage == Stage::Sent {
                *stage = Stage::Unsent;
            }
        }
    }

    /// The next request to send; it counts as sent.
    pub(crate) fn next(&mut self, now: Instant) -> Option<&Wish> {
        let (wish, stage) = self.0.iter_mut().find(|(_, stage)| match stage {
            Stage::Unsent => true,
            Stage::Sent => false,
            Stage::Later(at) => *at <= now,
        })?;
        *stage = Stage::Sent;
        Some(wish)
    }

    /// When the next request may be sent again.
    pub(crate) fn due(&self) -> Option<Instant> {
        let later = self.0.iter().filter_map(|(_, stage)| match stage {
            Stage::Later(at) => Some(*at),
            Stage::Unsent | Stage::Sent => None,
        });
        later.min()
    }

    /// A message has come; `true` if it put a request off, which will be sent again by itself.
    ///
    /// The whole crowd may have been told the same time, so each client adds up to as much again.
    pub(crate) fn hear(
        &mut self,
        message: &ServerMessage,
        now: Instant,
        rng: &mut impl Rng,
    ) -> bool {
        let Some(place) = self.0.iter().position(|(wish, _)| wish.is_answered_by(message)) else {
            return false;
        };
        if let ServerMessage::Refused(refused) = message
            && matches!(&*refused.code, "busy" | "rate_limited")
        {
            let least = Duration::from_millis(refused.retry_after_ms.unwrap_or(100));
            let wait = least + rng.random_range(Duration::ZERO..=least);
            self.0[place].1 = Stage::Later(now + wait);
            return true;
        }
        self.0.retain(|(wish, _)| !wish.is_answered_by(message));
        false
    }
}
