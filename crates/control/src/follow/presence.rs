//! That somebody is there, for as long as they are.

use std::sync::Arc;

use super::{Hub, Person};

/// Somebody's presence; it is over when this is dropped.
#[derive(Debug)]
pub(crate) struct Present {
    hub: Arc<Hub>,
    person: Person,
}

impl Present {
    pub(crate) fn new(hub: Arc<Hub>, person: Person) -> Self {
        hub.people.enter(&person);
        Self { hub, person }
    }

    pub(crate) fn person(&self) -> &Person {
        &self.person
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.hub.people.leave(&self.person);
    }
}
