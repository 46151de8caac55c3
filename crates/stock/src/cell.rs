//! The shared home of a stock word, changed by compare-and-swap alone.

use crossbeam_utils::CachePadded;

use crate::{
    sync::{AtomicU64, Ordering},
    word::StockWord,
};

/// A stock word on a cache line of its own.
#[derive(Debug)]
pub(crate) struct StockCell(CachePadded<AtomicU64>);

impl StockCell {
    pub(crate) fn new(word: StockWord) -> Self {
        Self(CachePadded::new(AtomicU64::new(word.bits())))
    }

    pub(crate) fn load(&self) -> StockWord {
        // ORDERING: Acquire pairs with the Release in `replace`: who sees returned units also sees
        // the free slot that was pushed before them.
        StockWord::from_bits(self.0.load(Ordering::Acquire))
    }

    /// Applies `transition` until it meets an unchanged word or refuses; gives the new word.
    ///
    /// The linearization point of every change is the successful swap in here.
    pub(crate) fn update<E>(
        &self,
        transition: impl Fn(StockWord) -> Result<StockWord, E>,
    ) -> Result<StockWord, E> {
        let mut current = self.load();
        loop {
            let next = transition(current)?;
            match self.replace(current, next) {
                Ok(()) => return Ok(next),
                Err(actual) => current = actual,
            }
        }
    }

    #[cfg(not(stampede_guard_off))]
    fn replace(&self, current: StockWord, next: StockWord) -> Result<(), StockWord> {
        // ORDERING: Release pairs with the Acquire here or in `load`: it hands over what was done
        // before the change (a give pushes its slot first). Acquire on both outcomes, because the
        // word that is built upon, or returned for the next round, may promise such a slot.
        self.0
            .compare_exchange_weak(current.bits(), next.bits(), Ordering::AcqRel, Ordering::Acquire)
            .map(drop)
            .map_err(StockWord::from_bits)
    }

    /// The broken twin of `replace`: it looks first, then stores, and lets others come between.
    ///
    /// Exists so that the race tests can be shown to fail without the compare-and-swap.
    #[cfg(stampede_guard_off)]
    fn replace(&self, current: StockWord, next: StockWord) -> Result<(), StockWord> {
        let actual = self.load();
        if actual != current {
            return Err(actual);
        }
        self.0.store(next.bits(), Ordering::Release);
        Ok(())
    }

    /// Sets the word while nobody else can reach it.
    pub(crate) fn set(&mut self, word: StockWord) {
        // ORDERING: Relaxed; `&mut self` proves that no other thread looks.
        self.0.store(word.bits(), Ordering::Relaxed);
    }
}
