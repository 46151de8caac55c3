//! Mistakes that are put right while a drop is on sale.

use stampede_domain::{DropId, Phase};
use stampede_ledger::CorrectionRecord;

use super::{sale::pool, sim::Sim, units};

impl Sim {
    /// Sets other limits while the drop is paused, of the drop, then of its first SKU; the command is not told.
    pub fn amend(&mut self, drop: DropId, of_drop: u32, of_first: u32) {
        if self.sale(drop).phase == Phase::Paused {
            let amended = self.sale(drop).amend(of_drop, of_first);
            self.push(drop, CorrectionRecord::Amended(Box::new(amended)).into());
        }
    }

    /// Says what is in reserve, in front of a lot or behind units that were withdrawn.
    pub fn reserved(&mut self, drop: DropId, number: usize, left: u32) {
        let (pool, left) = (pool(number), units(left));
        self.push(drop, CorrectionRecord::Reserved { pool, left }.into());
    }

    /// Takes units back, as many of these as nobody has taken; the command is not told.
    pub fn take_back(&mut self, drop: DropId, number: usize, count: u32) {
        let count = count.min(self.sale(drop).free(number));
        if count > 0 && matches!(self.sale(drop).phase, Phase::Open | Phase::Paused) {
            self.sale(drop).supplied[number] -= count;
            let (pool, units) = (pool(number), units(count));
            self.push(drop, CorrectionRecord::Withdrawn { pool, units }.into());
        }
    }
}
