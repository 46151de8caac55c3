//! Requests of staff, viewers and payments to the shell.

use stampede_books::{CommandContext, HoldLook, OverDrop, StaffCommand};
use stampede_domain::{
    DropId, HoldId, Incarnation, KeyFingerprint, PoolIndex, SlotIndex, TakeNumber,
};
use stampede_ledger::HoldRecord;
use stampede_testkit::units;

use crate::{
    actions::banned_viewer,
    shell::{DecidedCommand, Shell},
    show,
    stock::{Hold, HoldState},
};

/// A buy: whose, of how many units of which SKU, on whose channel.
pub(crate) struct Buy<'a> {
    pub(crate) drop: DropId,
    pub(crate) sku: Option<&'a str>,
    pub(crate) count: u32,
    pub(crate) by: &'a str,
    pub(crate) channel: Option<&'a str>,
    pub(crate) name: &'a str,
}

impl Shell {
    pub(crate) fn shown(&mut self, command: &StaffCommand) -> CommandContext {
        let viewer = banned_viewer(command).map(ToOwned::to_owned);
        let over = command.action.drop().and_then(|drop| self.over.get(&drop).cloned());
        let order = command.action.order().map(|order| {
            let order = self.books.order_of(order);
            let found = self.stock.holds.values().find(|hold| hold.id == order);
            found.map_or(HoldLook::Unknown, Hold::look)
        });
        CommandContext {
            over,
            order,
            viewer: viewer.map(|name| self.viewer(&name)),
            withdrawn: None,
            reported_at: self.sale,
        }
    }

    pub(crate) fn command(&mut self, command: StaffCommand) {
        let (mut shown, now) = (self.shown(&command), self.now());
        let free = self.books.free_units(&command, shown.over.as_ref());
        shown.withdrawn = free.map(|free| self.stock.withdraw(free));
        let outcome = self.decide(|books, out| books.command(&command, &shown, now, out));
        self.log.note("answer", show::answer(&outcome));
        let is_new = !outcome.as_ref().is_ok_and(|done| done.replayed);
        let given = is_new.then_some(self.given.len());
        if is_new {
            self.given.push(DecidedCommand { command, outcome, is_durable: false });
        }
        self.hand_over(given);
    }

    pub(crate) fn take(&mut self, buy: &Buy<'_>) {
        let viewer = self.viewer(buy.by).number;
        let is_out = self.brake.bans.values().any(|target| *target == format!("viewer {}", buy.by));
        let sale = self.stock.sales.get_mut(&buy.drop).unwrap();
        let place = buy.sku.map_or(0, |sku| sale.plan.sku_index(sku).unwrap().get());
        let pool = PoolIndex::new(place).unwrap();
        let refusal = if self.brake.is_halted {
            Some("halted")
        } else if is_out {
            Some("banned")
        } else if !sale.takes_on {
            Some("not open")
        } else if sale.pool(pool).available < buy.count {
            Some("sold out")
        } else {
            None
        };
        if let Some(refusal) = refusal {
            return self.log.note("answer", format!("refused, {refusal}"));
        }
        let deadline = self.sale.plus(sale.plan.hold_ttl);
        let grace = sale.plan.grace();
        let price = sale.plan.skus[usize::from(place)].price;
        let of = sale.pool(pool);
        of.available -= buy.count;
        of.last_take += 1;
        let take = TakeNumber::new(of.last_take).unwrap();
        let slot = SlotIndex::new(u32::try_from(of.last_take).unwrap()).unwrap();
        let incarnation = Incarnation::new(self.incarnation).unwrap();
        let id = HoldId::new(buy.drop, incarnation, pool, slot, take);
        let channel = buy.channel.map(|channel| channel.parse().unwrap());
        let hold = Hold {
            id,
            viewer,
            units: buy.count,
            price,
            taken_at: self.sale,
            deadline,
            grace,
            channel,
            state: HoldState::Pending,
        };
        let record = HoldRecord::Taken {
            hold: id,
            viewer,
            key: KeyFingerprint::of(buy.name.as_bytes()),
            units: units(buy.count),
            taken_at: self.sale,
            deadline,
            channel: hold.channel.clone(),
        };
        self.stock.holds.insert(buy.name.to_owned(), hold);
        self.stock.names.insert(id, buy.name.to_owned());
        self.push_take(buy.drop, record);
    }

    pub(crate) fn look(&self, name: &str) -> HoldLook {
        self.stock.holds.get(name).map_or(HoldLook::Unknown, Hold::look)
    }

    /// A viewer gives a hold back.
    pub(crate) fn release(&mut self, name: &str, by: Option<&str>) {
        let (look, now) = (self.look(name), self.sale);
        let owner = self.stock.holds.get(name).map(|hold| hold.viewer);
        let viewer = by.map(|by| self.viewer(by).number).or(owner).unwrap();
        let outcome = self.decide(|books, out| books.release(now, viewer, look, out));
        self.hand_over(None);
        let text = match outcome {
            Ok(()) => "released".to_owned(),
            Err(refusal) => format!("refused, {}", refusal.code().name()),
        };
        self.log.note("answer", text);
    }

    /// So many buys were counted in a drop.
    pub(crate) fn count(&mut self, drop: DropId, held: u32) {
        self.counted.entry(drop).or_default().held += u64::from(held);
        self.books.note_counting(drop, self.sale);
    }

    /// A drop that is over leaves memory.
    pub(crate) fn forget(&mut self, drop: DropId) {
        assert!(self.is_quiet(), "nothing of it is on the way");
        let book = self.books.drop(drop).unwrap();
        let (stream, merchant) = (book.plan().stream.clone(), book.plan().merchant.clone());
        let over = OverDrop { stream, merchant, stands: book.stands() };
        self.over.insert(drop, over);
        self.books.forget(drop);
        self.journal.forget(drop);
        self.air.retain(|_, on_air| *on_air != drop);
        self.stock.sales.remove(&drop);
        self.stock.holds.retain(|_, hold| hold.id.drop_id() != drop);
        self.remember();
    }

    /// Whom a ban keeps out is erased: no restart finds it any more.
    pub(crate) fn erase(&mut self, ban: &str) {
        assert!(self.is_quiet(), "nothing of it is on the way");
        self.journal.erase(&self.books, ban.parse().unwrap());
        self.remember();
    }

    /// What the books know has changed without a record.
    fn remember(&mut self) {
        self.durable_state = self.journal.state(&self.books, self.now());
        self.decided_at = self.now();
    }
}
