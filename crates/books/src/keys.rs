//! Idempotency of staff commands: each accepted command does its work once.
//!
//! Only accepted commands bind their key. What a token's own commands bind is pushed out by nobody
//! else: the keys of a drop's commands stay as long as the drop is in memory, and the house's are counted
//! by actor, as are those about the money of drops that are over. Those of drops stand in the ledger's table,
//! which whoever hands a command over asks first.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use stampede_domain::{DropId, KeyFingerprint};

use crate::command::Done;

/// Keys of accepted commands of the house (the brake, bans, streams) remembered by actor; beyond it
/// the actor's oldest is forgotten.
const HOUSE_KEYS_PER_ACTOR_MAX: usize = 10_000;

/// The same for commands about the money of drops that are over: the ledger's table has those that are durable.
const ADJUSTMENT_KEYS_PER_ACTOR_MAX: usize = 10_000;

/// Answers to accepted commands by actor and key.
#[derive(Clone, Debug, Default)]
pub(crate) struct CommandKeys {
    actors: HashMap<Arc<str>, ActorKeys>,
    /// Accepted commands of each drop in memory.
    by_drop: HashMap<DropId, DropKeys>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct DropKeys {
    bound: Vec<(Arc<str>, KeyFingerprint)>,
    /// Those that count towards what a drop may have.
    counted: usize,
}

#[derive(Clone, Debug, Default)]
struct ActorKeys {
    answers: HashMap<KeyFingerprint, Binding>,
    /// Those of the house, the oldest first.
    house: VecDeque<KeyFingerprint>,
    /// Those about the money of drops that are over, the oldest first.
    adjustments: VecDeque<KeyFingerprint>,
}

/// How long a key is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKept {
    /// As one of the latest of its actor's about no drop.
    OfHouse,
    /// As one of the latest of its actor's about drops that are over.
    OfAdjustments,
    /// As long as its drop is in memory.
    WithDrop {
        /// Whether it counts towards the commands that the drop may have.
        counts: bool,
    },
}

#[derive(Clone, Debug)]
struct Binding {
    request: KeyFingerprint,
    /// Of what is personal about the request; `None` also where that was erased.
    personal: Option<KeyFingerprint>,
    done: Done,
}

impl Binding {
    fn fits(&self, request: KeyFingerprint, personal: Option<KeyFingerprint>) -> bool {
        self.request == request && (self.personal.is_none() || self.personal == personal)
    }
}

/// What is known of a key.
pub(crate) enum KeyState {
    /// Bound to nothing.
    Fresh,
    /// Bound to the same request, with this answer.
    Same(Done),
    /// Bound to another request.
    Other,
}

impl CommandKeys {
    pub(crate) fn look_up(
        &self,
        actor: &str,
        key: KeyFingerprint,
        request: KeyFingerprint,
        personal: Option<KeyFingerprint>,
    ) -> KeyState {
        match self.actors.get(actor).and_then(|keys| keys.answers.get(&key)) {
            None => KeyState::Fresh,
            Some(known) if known.fits(request, personal) => KeyState::Same(known.done),
            Some(_) => KeyState::Other,
        }
    }

    /// Binds the key of an accepted command; the first answer stays.
    pub(crate) fn bind(
        &mut self,
        actor: &str,
        key: KeyFingerprint,
        (request, personal): (KeyFingerprint, Option<KeyFingerprint>),
        (done, kept): (Done, KeyKept),
    ) {
        let actor = match self.actors.get_key_value(actor) {
            Some((known, _)) => Arc::clone(known),
            None => Arc::from(actor),
        };
        let keys = self.actors.entry(Arc::clone(&actor)).or_default();
        if keys.answers.contains_key(&key) {
            return;
        }
        let latest = match kept {
            KeyKept::OfHouse => Some((&mut keys.house, HOUSE_KEYS_PER_ACTOR_MAX)),
            KeyKept::OfAdjustments => Some((&mut keys.adjustments, ADJUSTMENT_KEYS_PER_ACTOR_MAX)),
            KeyKept::WithDrop { counts } => {
                let of_drop = self.by_drop.entry(done.drop).or_default();
                of_drop.bound.push((actor, key));
                of_drop.counted += usize::from(counts);
                None
            }
        };
        if let Some((latest, max)) = latest {
            if latest.len() == max
                && let Some(oldest) = latest.pop_front()
            {
                keys.answers.remove(&oldest);
            }
            latest.push_back(key);
        }
        keys.answers.insert(key, Binding { request, personal, done });
    }

    /// Accepted commands of the drop that count towards what it may have.
    pub(crate) fn of_drop(&self, drop: DropId) -> usize {
        self.by_drop.get(&drop).map_or(0, |keys| keys.counted)
    }

    /// What the journal tells: all of it.
    pub(crate) fn journaled(&self) -> String {
        let Self { actors, by_drop } = self;
        let of_actors = actors.iter().map(|(actor, ActorKeys { answers, house, adjustments })| {
            let mut answers: Vec<_> = answers.iter().map(|known| format!("{known:?}")).collect();
            answers.sort_unstable();
            // The rows of one commit have no order among chains.
            let mut adjustments: Vec<_> = adjustments.iter().collect();
            adjustments.sort_unstable();
            format!("{actor} {answers:?} house {house:?} adjustments {adjustments:?}")
        });
        let mut of_actors: Vec<_> = of_actors.collect();
        of_actors.sort_unstable();
        let mut by_drop: Vec<_> = by_drop.iter().collect();
        by_drop.sort_unstable();
        format!("{of_actors:?} {by_drop:?}")
    }

    /// The drop has left memory.
    pub(crate) fn forget(&mut self, drop: DropId) {
        for (actor, key) in self.by_drop.remove(&drop).unwrap_or_default().bound {
            let Some(keys) = self.actors.get_mut(&actor) else { continue };
            keys.answers.remove(&key);
            if keys.answers.is_empty() {
                self.actors.remove(&actor);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(text: &str) -> KeyFingerprint {
        KeyFingerprint::of(text.as_bytes())
    }

    fn bind(keys: &mut CommandKeys, actor: &str, key: &str, drop: DropId) {
        let is_house = drop == DropId::HOUSE;
        let kept = if is_house { KeyKept::OfHouse } else { KeyKept::WithDrop { counts: true } };
        bind_as(keys, (actor, key), drop, kept);
    }

    fn bind_as(keys: &mut CommandKeys, (actor, key): (&str, &str), drop: DropId, kept: KeyKept) {
        let done = Done::about(drop);
        keys.bind(actor, print(key), (print("request"), None), (done, kept));
    }

    #[test]
    fn keys_about_the_money_of_drops_that_are_over_push_out_their_own_kind() {
        let (mut keys, drop) = (CommandKeys::default(), DropId::new(1));
        bind(&mut keys, "acme", "stop", DropId::HOUSE);
        bind(&mut keys, "acme", "plan", drop);
        for n in 0..=ADJUSTMENT_KEYS_PER_ACTOR_MAX {
            bind_as(&mut keys, ("acme", &format!("k{n}")), drop, KeyKept::OfAdjustments);
        }
        keys.forget(drop);
        assert!(!is_bound(&keys, "acme", "k0"), "the oldest");
        assert!(is_bound(&keys, "acme", "k1"), "whatever has left memory");
        assert!(is_bound(&keys, "acme", "stop"));
        assert!(!is_bound(&keys, "acme", "plan"), "it left with its drop");
    }

    #[test]
    fn commands_about_orders_do_not_count_towards_those_of_the_drop() {
        let (mut keys, drop) = (CommandKeys::default(), DropId::new(1));
        bind(&mut keys, "acme", "plan", drop);
        bind_as(&mut keys, ("acme", "k1"), drop, KeyKept::WithDrop { counts: false });
        assert_eq!(keys.of_drop(drop), 1);
        assert!(is_bound(&keys, "acme", "k1"));
        keys.forget(drop);
        assert!(!is_bound(&keys, "acme", "k1"));
    }

    fn is_bound(keys: &CommandKeys, actor: &str, key: &str) -> bool {
        matches!(keys.look_up(actor, print(key), print("request"), None), KeyState::Same(_))
    }

    #[test]
    fn nobody_pushes_out_anothers_key() {
        let mut keys = CommandKeys::default();
        bind(&mut keys, "acme", "lot", DropId::new(1));
        bind(&mut keys, "olga", "stop", DropId::HOUSE);
        for n in 0..100_016 {
            bind(&mut keys, "beta", &format!("k{n}"), DropId::new(2));
            bind(&mut keys, "otto", &format!("k{n}"), DropId::HOUSE);
        }
        assert!(is_bound(&keys, "acme", "lot"));
        assert!(is_bound(&keys, "olga", "stop"));
        assert!(!is_bound(&keys, "acme", "stop"), "a key is its actor's");
        assert_eq!((keys.of_drop(DropId::new(1)), keys.of_drop(DropId::new(2))), (1, 100_016));
    }

    #[test]
    fn a_drop_takes_its_keys_along() {
        let mut keys = CommandKeys::default();
        bind(&mut keys, "acme", "plan", DropId::new(1));
        bind(&mut keys, "acme", "plan-2", DropId::new(2));
        bind(&mut keys, "olga", "pause", DropId::new(1));
        keys.forget(DropId::new(1));
        assert!(!is_bound(&keys, "acme", "plan") && !is_bound(&keys, "olga", "pause"));
        assert!(is_bound(&keys, "acme", "plan-2"));
        assert_eq!((keys.of_drop(DropId::new(1)), keys.actors.len()), (0, 1));
    }

    #[test]
    fn an_actor_has_its_last_keys_of_the_house() {
        let mut keys = CommandKeys::default();
        bind(&mut keys, "olga", "plan", DropId::new(1));
        for n in 0..=HOUSE_KEYS_PER_ACTOR_MAX {
            bind(&mut keys, "olga", &format!("k{n}"), DropId::HOUSE);
        }
        assert!(!is_bound(&keys, "olga", "k0"));
        assert!(is_bound(&keys, "olga", "k1"));
        assert!(is_bound(&keys, "olga", "plan"), "a drop's key counts for the drop");
    }
}
