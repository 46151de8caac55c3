//! Who is at a stream's control room, by what followers say of themselves, with what they do there.

use std::collections::{BTreeMap, VecDeque};

use axum::body::Bytes;
use parking_lot::Mutex;
use stampede_domain::MerchantId;
use stampede_engine::{Done, SaleDrop, StaffCommand};
use tokio::sync::watch;

use super::{Person, Reader, event::event};
use crate::dto::{CommandGiven, Encoded, PeopleState, PersonState};

/// Commands that followers are still told.
const COMMANDS_KEPT: usize = 16;

/// Everybody who is there.
#[derive(Debug, Default)]
pub(crate) struct People {
    known: Mutex<Register>,
    /// Number of the latest coming, going or command.
    number: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Register {
    /// With the number of their browsers and tools.
    here: BTreeMap<Person, usize>,
    /// Number of the latest coming or going.
    changed: u64,
    commands: VecDeque<CommandNews>,
}

/// A command that was carried out.
#[derive(Debug)]
struct CommandNews {
    number: u64,
    by: Person,
    /// Whose drop it was about.
    merchant: MerchantId,
    event: Bytes,
}

impl People {
    /// Wakes the followers who have to be told.
    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.number.subscribe()
    }

    /// Somebody is there, or there once more.
    pub(super) fn enter(&self, person: &Person) {
        let mut known = self.known.lock();
        let times = known.here.entry(person.clone()).or_default();
        *times += 1;
        if *times == 1 {
            known.changed = self.next();
        }
    }

    /// Somebody has gone, or is there once less.
    pub(super) fn leave(&self, person: &Person) {
        let mut known = self.known.lock();
        let Some(times) = known.here.get_mut(person) else { return };
        *times -= 1;
        if *times == 0 {
            known.here.remove(person);
            known.changed = self.next();
        }
    }

    /// Keeps a command about a drop of the stream for those who follow now.
    pub(super) fn note(&self, command: &StaffCommand, done: &Done, of: &SaleDrop, at_ms: u64) {
        let merchant = command.merchant.clone();
        let Some(by) = Person::new(command.actor.clone(), command.role, merchant) else { return };
        let given = CommandGiven::new(command, done, of, at_ms);
        let event = event("command", &Encoded::new(&given));
        let mut known = self.known.lock();
        if known.commands.len() >= COMMANDS_KEPT {
            known.commands.pop_front();
        }
        let (number, merchant) = (self.next(), of.plan().merchant.clone());
        known.commands.push_back(CommandNews { number, by, merchant, event });
    }

    /// The next number, told to all; under the lock.
    fn next(&self) -> u64 {
        let number = *self.number.borrow() + 1;
        self.number.send_replace(number);
        number
    }

    /// Who is there, as far as somebody may know who is there too.
    pub(super) fn known_to(&self, who: Option<&Person>) -> Vec<PersonState> {
        who.map(|who| self.known.lock().known_to(who)).unwrap_or_default()
    }

    /// The events behind the number that was `seen`, which becomes the latest.
    pub(super) fn news(&self, seen: &mut u64, reader: Reader<'_>) -> Vec<Bytes> {
        let known = self.known.lock();
        let before = std::mem::replace(seen, *self.number.borrow());
        let Some(who) = reader.who else { return Vec::new() };
        let mut events = Vec::new();
        if known.changed > before {
            let people = PeopleState { people: known.known_to(who) };
            events.push(event("people", &Encoded::new(&people)));
        }
        let new = known.commands.iter().filter(|given| given.number > before);
        let told = new.filter(|given| who.knows(&given.by) && reader.sees(&given.merchant));
        events.extend(told.map(|given| given.event.clone()));
        events
    }
}

impl Register {
    fn known_to(&self, who: &Person) -> Vec<PersonState> {
        let mut found: Vec<_> = self.here.keys().filter(|other| who.knows(other)).collect();
        found.dedup_by(|one, other| one.name == other.name);
        found.into_iter().map(|one| PersonState::new(&one.name, one.role)).collect()
    }
}
