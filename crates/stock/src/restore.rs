//! Bringing a stock back from its journal, before anyone takes.

use stampede_domain::{HoldId, PoolIndex, TakeNumber};

use crate::{
    drop_stock::{DropStock, Pool},
    hold::{HoldBody, RestoreError, RestoredHold, RestoredState},
    slot::{SlotState, SlotWord},
    viewers::HoldNote,
};

impl DropStock {
    /// Puts a durable hold back. The pool's lots come first, by [`DropStock::add_supply`]; after the
    /// last hold comes [`DropStock::grow_ahead`].
    ///
    /// The hold keeps its id and its slot, so ids that clients keep stay valid.
    ///
    /// # Errors
    /// [`RestoreError`] if the hold contradicts what was restored before; the stock is of no use
    /// then.
    pub fn restore_hold(&mut self, hold: &RestoredHold) -> Result<(), RestoreError> {
        let id = hold.id;
        if id.drop_id() != self.drop {
            return Err(RestoreError::OtherDrop { hold: id });
        }
        let pools = self.pools.len();
        let pool = self
            .pools
            .get_mut(usize::from(id.pool().get()))
            .ok_or(RestoreError::UnknownPool { hold: id, pools })?;
        if let Some(first) = self.viewers.read(hold.viewer, |notes| {
            notes.iter().find(|note| note.has_key(hold.key)).map(|note| note.hold(id.drop_id()))
        }) {
            return Err(RestoreError::KeyRepeated { hold: id, first });
        }
        let state = match hold.state {
            RestoredState::Held => Some(SlotState::Held),
            RestoredState::Confirmed => Some(SlotState::Confirmed),
            RestoredState::Ended => None,
        };
        pool.slots.grow_to(id.slot().get() + 1);
        if let Some(state) = state {
            pool.occupy(hold, state)?;
        }
        pool.raise_take_number(id.take());
        let mut note = HoldNote::new(id, hold.key, hold.units);
        if state.is_none() {
            note.stop_counting();
        }
        self.viewers.restore(hold.viewer, note);
        Ok(())
    }

    /// Makes the next take in `pool` come after `last`: numbers of durable takes never come again.
    ///
    /// # Panics
    /// If the pool is not of this drop.
    pub fn restore_take_number(&mut self, pool: PoolIndex, last: TakeNumber) {
        self.pools
            .get_mut(usize::from(pool.get()))
            .expect("the pool is one of this drop's")
            .raise_take_number(last);
    }
}

impl Pool {
    fn occupy(&mut self, hold: &RestoredHold, state: SlotState) -> Result<(), RestoreError> {
        let id: HoldId = hold.id;
        let word = self.word.load();
        let available = word.available();
        let left = available.checked_take(hold.units).ok_or(RestoreError::Oversold {
            hold: id,
            units: hold.units,
            available,
        })?;
        let slot = self.slots.get(id.slot()).expect("the table was grown to the slot");
        if slot.word() != SlotWord::NEVER {
            return Err(RestoreError::SlotTaken { hold: id });
        }
        let body = HoldBody {
            viewer: hold.viewer,
            pool: id.pool(),
            units: hold.units,
            taken_at: hold.taken_at,
            deadline: hold.deadline,
        };
        slot.publish(SlotWord::new(id.take(), state), id.incarnation(), &body);
        self.word.set(word.with_available(left));
        Ok(())
    }

    fn raise_take_number(&mut self, number: TakeNumber) {
        let word = self.word.load();
        self.word.set(word.with_last_take(word.last_take().max(number)));
    }
}
