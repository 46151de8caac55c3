//! The take: limits, key, slot, then the one swap that decides.

use stampede_domain::{HoldId, TakeNumber, Units};

use crate::{
    drop_stock::{DropStock, Pool},
    hold::{HoldBody, HoldView, Take, TakeRequest},
    lane::Lane,
    slot::{SlotState, SlotWord},
    viewers::HoldNote,
    word::Short,
};

impl DropStock {
    /// Takes units for a viewer, if the stock, the viewer's limits and the key allow it.
    ///
    /// `room` says whether the caller owns the place for the record and lets the take through. It is
    /// asked by a take that everything else allows, so nothing is spent on clicks that cannot win;
    /// it runs while nobody else sees the viewer's notes, so it must neither wait nor come back here.
    /// A click that cannot win costs one load of the word with one look-up of the viewer; nothing is
    /// locked for writing, nothing allocated. The compare-and-swap is the last step that can fail.
    ///
    /// # Panics
    /// If no units are asked for, the pool is not of this drop, or the lane is another stock's.
    pub fn take(
        &self,
        lane: &mut Lane,
        request: &TakeRequest,
        room: impl FnOnce() -> bool,
    ) -> Take {
        assert!(!request.units.is_zero(), "a take is for at least one unit");
        let pool = self.pool(request.pool);
        if let Err(short) = pool.word.load().take(request.units) {
            return self
                .viewers
                .read_after_load(request.viewer, |notes| self.refuse(notes, request, short));
        }
        let mut taken = None;
        let booked = self.viewers.book(
            request.viewer,
            |notes| self.replay(notes, request).and_then(|()| self.check_limits(notes, request)),
            || {
                let hold = self.claim(pool, lane, request, room)?;
                taken = Some(hold);
                Ok(HoldNote::new(hold, request.key, request.units))
            },
        );
        match (booked, taken) {
            (Ok(()), Some(hold)) => Take::Taken(hold),
            (Err(refused), _) => refused,
            (Ok(()), None) => unreachable!("a booking is made by a claim"),
        }
    }

    /// The answer to a request whose key has made a hold before, `None` for any other: [`Take::Replay`]
    /// or [`Take::KeyReused`]. Changes nothing.
    pub fn retry(&self, request: &TakeRequest) -> Option<Take> {
        self.viewers.read(request.viewer, |notes| self.replay(notes, request)).err()
    }

    /// The answer to a click that meets a word it cannot take from.
    fn refuse(&self, notes: &[HoldNote], request: &TakeRequest, short: Short) -> Take {
        let checked = match short {
            Short::Shut => self.replay(notes, request),
            Short::SoldOut | Short::NotEnough { .. } => {
                self.replay(notes, request).and_then(|()| self.check_limits(notes, request))
            }
        };
        checked.err().unwrap_or(short.into())
    }

    /// Refuses a key that has made a hold before.
    fn replay(&self, notes: &[HoldNote], request: &TakeRequest) -> Result<(), Take> {
        match notes.iter().find(|note| note.has_key(request.key)) {
            None => Ok(()),
            Some(note) if self.is_same_wish(note, request) => {
                Err(Take::Replay(note.hold(self.drop)))
            }
            Some(_) => Err(Take::KeyReused),
        }
    }

    /// Whether a hold is what the request asks for: units of the same SKU, from whichever pool.
    fn is_same_wish(&self, note: &HoldNote, request: &TakeRequest) -> bool {
        note.units() == request.units
            && self.map().sku_of(note.pool()) == self.map().sku_of(request.pool)
    }

    /// The limit that the wanted units would pass beside the units of the viewer's holds that `is_in`.
    fn exceeded(
        &self,
        notes: &[HoldNote],
        request: &TakeRequest,
        is_in: impl Fn(&HoldNote) -> bool,
    ) -> Option<Units> {
        let counting = || notes.iter().filter(|note| note.counts() && is_in(note));
        let pool = self.pool(request.pool);
        let in_pools = counting().filter(|note| self.map().sku_of(note.pool()) == Some(pool.sku));
        let of_sku = in_pools.map(HoldNote::units).sum::<u64>();
        let of_drop = counting().map(HoldNote::units).sum::<u64>();
        let wanted = u64::from(request.units.get());
        let [limit_of_drop, limit_of_sku] = self.limits_of(request.pool);
        let limits = [(of_sku, limit_of_sku), (of_drop, limit_of_drop)];
        let passed = |(has, limit): &(u64, Units)| has + wanted > u64::from(limit.get());
        limits.into_iter().find(passed).map(|(_, limit)| limit)
    }

    fn is_order(&self, note: &HoldNote) -> bool {
        matches!(self.view(note.hold(self.drop)), HoldView::Confirmed(_))
    }

    /// Whether the viewer has made as many holds as it may, ended ones included.
    fn has_all_holds(&self, notes: &[HoldNote]) -> bool {
        notes.len() >= usize::from(self.holds_per_viewer_max)
    }

    fn check_limits(&self, notes: &[HoldNote], request: &TakeRequest) -> Result<(), Take> {
        if let Some(limit) = self.exceeded(notes, request, |_| true) {
            // Where the viewer has made every hold, room for the units helps nobody.
            let for_good = self.has_all_holds(notes)
                || self.exceeded(notes, request, |note| self.is_order(note)).is_some();
            return Err(Take::OverViewerLimit { limit, for_good });
        }
        if self.has_all_holds(notes) {
            return Err(Take::HoldsCapped { max: self.holds_per_viewer_max });
        }
        Ok(())
    }

    /// Takes from the word, then writes the hold into the slot that the lane owned before.
    fn claim(
        &self,
        pool: &Pool,
        lane: &mut Lane,
        request: &TakeRequest,
        room: impl FnOnce() -> bool,
    ) -> Result<HoldId, Take> {
        let spares = lane.spares(&self.identity, request.pool);
        let place = pool.slots.own(spares).filter(|_| room());
        let place = place.and_then(|index| pool.slots.get(index).map(|slot| (index, slot)));
        let Some((index, slot)) = place else {
            // Scarcity is the truer answer where both hold.
            return Err(pool
                .word
                .load()
                .take(request.units)
                .err()
                .map_or(Take::NoRoom, Take::from));
        };
        let word = pool.word.update(|word| word.take(request.units))?;
        let take = word.last_take();
        let body = HoldBody {
            viewer: request.viewer,
            pool: request.pool,
            units: request.units,
            taken_at: request.now,
            deadline: request.deadline,
        };
        slot.publish(SlotWord::new(take, SlotState::Pending), self.incarnation, &body);
        spares.spend();
        if spares.take_wish() | is_milestone(take) {
            lane.wish_for_growth();
        }
        Ok(HoldId::new(self.drop, self.incarnation, request.pool, index, take))
    }
}

/// Whether notes should be looked after once this take is made: eight times while takes double.
///
/// Each number is given once, so exactly one taker meets each milestone; nothing shared is read.
fn is_milestone(take: TakeNumber) -> bool {
    const LOOKS_PER_DOUBLING_BITS: u32 = 3;
    let number = take.get();
    number >= 64 && number.trailing_zeros() + LOOKS_PER_DOUBLING_BITS >= number.ilog2()
}

impl From<Short> for Take {
    fn from(short: Short) -> Self {
        match short {
            Short::Shut => Self::Shut,
            Short::SoldOut => Self::SoldOut,
            Short::NotEnough { available } => Self::NotEnough { available },
        }
    }
}
