//! Random choices that a seed reproduces.
#![allow(unreachable_pub, reason = "a module of several programs, none of which has a public")]

/// A splitmix64 generator: the seed reproduces everything.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % below
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let place = self.roll(u64::try_from(from.len()).expect("a slice fits 64 bits"));
        &from[usize::try_from(place).expect("below the length")]
    }
}
