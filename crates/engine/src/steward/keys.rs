//! Idempotency of staff commands: each key does its work once.

use std::collections::{HashMap, VecDeque};

use stampede_domain::KeyFingerprint;

use crate::command::CommandOutcome;

/// Keys remembered; beyond it the oldest is forgotten.
const KEYS_MAX: usize = 100_000;

/// Answers to commands by actor and key.
#[derive(Default)]
pub(crate) struct CommandKeys {
    answers: HashMap<(String, KeyFingerprint), Answered>,
    order: VecDeque<(String, KeyFingerprint)>,
}

struct Answered {
    request: KeyFingerprint,
    /// Of what is personal about the request; `None` also where that was erased.
    personal: Option<KeyFingerprint>,
    outcome: CommandOutcome,
}

impl Answered {
    fn fits(&self, request: KeyFingerprint, personal: Option<KeyFingerprint>) -> bool {
        self.request == request && (self.personal.is_none() || self.personal == personal)
    }
}

/// What is known of a key.
pub(crate) enum Known {
    /// Never used.
    Fresh,
    /// Used for the same request, with this answer.
    Same(CommandOutcome),
    /// Used for another request.
    Other,
}

impl CommandKeys {
    pub(crate) fn look_up(
        &self,
        actor: &str,
        key: KeyFingerprint,
        request: KeyFingerprint,
        personal: Option<KeyFingerprint>,
    ) -> Known {
        match self.answers.get(&(actor.to_owned(), key)) {
            None => Known::Fresh,
            Some(known) if known.fits(request, personal) => Known::Same(known.outcome.clone()),
            Some(_) => Known::Other,
        }
    }

    /// Binds a key; the first answer stays.
    pub(crate) fn bind(
        &mut self,
        actor: &str,
        key: KeyFingerprint,
        request: KeyFingerprint,
        personal: Option<KeyFingerprint>,
        outcome: CommandOutcome,
    ) {
        let name = (actor.to_owned(), key);
        if self.answers.contains_key(&name) {
            return;
        }
        if self.order.len() == KEYS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.answers.remove(&oldest);
        }
        self.order.push_back(name.clone());
        self.answers.insert(name, Answered { request, personal, outcome });
    }
}
