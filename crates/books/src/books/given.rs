//! What tests of the books begin with.

use std::sync::Arc;

use stampede_domain::{DropId, DropPlan, Moment, UnixMillis};
use stampede_ledger::{Record, RoomChange, RoomOwner};
use stampede_testkit::plan;

use super::Books;
use crate::{
    command::{Action, Role, StaffCommand},
    decision::Decision,
    limits::Limits,
    stream_scope::StreamScope,
};

/// The drop that most tests are about.
pub(super) const DROP: DropId = DropId::new(1);
/// When all of it happens.
pub(super) const NOW: UnixMillis = UnixMillis::new(1_000_000);

pub(super) const fn moment() -> Moment {
    Moment { sale: NOW, wall: NOW }
}

/// Books of an empty ledger: two rooms for each owner, a byte for each unit.
pub(super) fn empty() -> Books {
    Books::new(Limits {
        sale_bytes_max: 1_000_000,
        merchant_bytes_max: 1_000_000,
        bytes_needed: |supplied| supplied.map(|units| u64::from(units.get())).sum(),
        rooms_max: 100,
        rooms_per_owner_max: 2,
        admitted_per_room_max: 2,
        tally_interval: stampede_domain::DurationMs::from_secs(60),
    })
}

/// Books that know one drop.
pub(super) fn planned(plan: DropPlan) -> Books {
    let mut books = empty();
    follow(&mut books, DROP, Record::Planned { plan: Arc::new(plan), revision: 1 });
    books
}

/// Books in which `acme` plans a drop of five mugs.
pub(super) fn one_drop() -> Books {
    planned(plan(5))
}

pub(super) fn follow(books: &mut Books, drop: DropId, record: impl Into<Record>) {
    books.record(NOW, drop, record, &mut Decision::default());
}

pub(super) fn merchant(name: &str) -> RoomOwner {
    RoomOwner::Merchant(name.parse().unwrap())
}

pub(super) fn change_room(books: &mut Books, stream: &str, change: RoomChange) {
    let room = stampede_ledger::Room { stream: stream.parse().unwrap(), change };
    follow(books, DropId::HOUSE, Record::Room(Box::new(room)));
}

/// A command of somebody who is bound to nothing.
pub(super) fn command(role: Role, action: impl Into<Action>) -> StaffCommand {
    StaffCommand {
        actor: "ada".into(),
        role,
        merchant: None,
        streams: StreamScope::All,
        key: "k1".parse().unwrap(),
        reason: None,
        action: action.into(),
    }
}
