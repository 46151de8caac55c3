//! Drops that go on air: decided at once, shown once the records are durable.

use std::sync::Arc;

use stampede_domain::{DropId, Phase};
use stampede_ledger::Record;

use super::{Steward, effects::Effect};

impl Steward {
    /// Follows a change of phase that was decided.
    pub(super) fn air(&mut self, drop: DropId, before: Phase, after: Phase) {
        let sale = Arc::clone(&self.books[&drop].sale);
        let phase_of = |id| self.books.get(&id).map(|book| book.phase);
        let next = self.on_air.follow(drop, sale.plan(), (before, after), phase_of);
        if let Some(next) = next {
            self.after_records(Effect::Air(next));
        }
    }

    /// Staff choose this drop.
    pub(super) fn choose(&mut self, drop: DropId) {
        let sale = Arc::clone(&self.books[&drop].sale);
        self.push(drop, Record::Featured);
        if let Some(drop) = self.on_air.choose(drop, sale.plan()) {
            self.after_records(Effect::Air(drop));
        }
    }

    /// Viewers are told of this drop instead of the one before.
    pub(super) fn show_on_air(&mut self, drop: DropId) {
        let Some(sale) = self.shared.sale(drop) else { return };
        let before = self.on_air.show(drop, sale.plan());
        if let Some(before) = before.and_then(|before| self.shared.sale(before))
            && before.is_featured()
        {
            before.set_featured(false);
            self.shared.drop_changed(before.id());
        }
        if !sale.is_featured() {
            sale.set_featured(true);
            self.shared.drop_changed(drop);
        }
    }
}
