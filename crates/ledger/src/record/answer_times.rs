//! How long answers took, counted in few buckets.

/// Answers by the time from the request to its answer, in buckets of microseconds.
///
/// The first bucket ends before 64 us. From there each doubling has two: 64, 96, 128, 192 us,
/// up to the last, which has no end. A percentile is known to a third of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerTimes([u64; Self::BUCKETS]);

/// Where the second bucket begins, as a power of two of microseconds.
const FIRST_BITS: u32 = 6;

impl Default for AnswerTimes {
    fn default() -> Self {
        Self([0; Self::BUCKETS])
    }
}

impl AnswerTimes {
    /// How many buckets there are.
    pub const BUCKETS: usize = 40;

    /// The bucket that a time of this many microseconds falls into.
    pub fn bucket_of(micros: u64) -> usize {
        let Some(bits) = micros.checked_ilog2().filter(|bits| *bits >= FIRST_BITS) else {
            return 0;
        };
        let upper_half = micros >> (bits - 1) & 1;
        let bucket = u64::from(bits - FIRST_BITS) * 2 + upper_half + 1;
        usize::try_from(bucket).map_or(Self::BUCKETS - 1, |bucket| bucket.min(Self::BUCKETS - 1))
    }

    /// Where a bucket begins, in microseconds.
    ///
    /// # Panics
    /// If there is no such bucket.
    pub fn begins_at_us(bucket: usize) -> u64 {
        assert!(bucket < Self::BUCKETS, "there are {} buckets", Self::BUCKETS);
        if bucket == 0 {
            return 0;
        }
        let base = 1 << (FIRST_BITS as usize + (bucket - 1) / 2);
        if bucket.is_multiple_of(2) { base + base / 2 } else { base }
    }

    /// Counts `times` more answers of a bucket.
    ///
    /// # Panics
    /// If there is no such bucket.
    pub fn add(&mut self, bucket: usize, times: u64) {
        self.0[bucket] = self.0[bucket].saturating_add(times);
    }

    /// Answers of a bucket; 0 where there is no such bucket.
    pub fn get(&self, bucket: usize) -> u64 {
        self.0.get(bucket).copied().unwrap_or(0)
    }

    /// Buckets with at least one answer, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.0.into_iter().enumerate().filter(|(_, times)| *times > 0)
    }

    /// All answers.
    pub fn total(&self) -> u64 {
        self.0.iter().fold(0, |sum, times| sum.saturating_add(*times))
    }

    /// Adds another's answers.
    pub fn merge(&mut self, other: &Self) {
        for (bucket, times) in other.iter() {
            self.add(bucket, times);
        }
    }

    /// The answers that came after an earlier count of the same, which never exceeds this one.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self(std::array::from_fn(|bucket| self.0[bucket].saturating_sub(earlier.0[bucket])))
    }

    /// Where the bucket of the answer at a quantile ends, in microseconds; `None` without answers.
    /// The last bucket has no end: its beginning is given.
    ///
    /// `per_mille` is 500 for the median, 999 for the slowest in a thousand.
    pub fn quantile_us(&self, per_mille: u64) -> Option<u64> {
        let total = self.total();
        let wanted = (u128::from(total) * u128::from(per_mille)).div_ceil(1_000).max(1);
        let mut seen = 0_u128;
        for (bucket, times) in self.iter() {
            seen += u128::from(times);
            if seen >= wanted {
                return Some(Self::begins_at_us((bucket + 1).min(Self::BUCKETS - 1)));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_falls_between_its_buckets_bounds() {
        for bucket in 0..AnswerTimes::BUCKETS {
            let begins = AnswerTimes::begins_at_us(bucket);
            assert_eq!(AnswerTimes::bucket_of(begins), bucket);
            if bucket > 0 {
                assert_eq!(AnswerTimes::bucket_of(begins - 1), bucket - 1);
            }
        }
        assert_eq!(AnswerTimes::bucket_of(u64::MAX), AnswerTimes::BUCKETS - 1);
        let begins: Vec<_> = (0..6).map(AnswerTimes::begins_at_us).collect();
        assert_eq!(begins, [0, 64, 96, 128, 192, 256]);
    }

    #[test]
    fn a_quantile_is_the_end_of_its_bucket() {
        let mut times = AnswerTimes::default();
        assert_eq!(times.quantile_us(500), None);
        times.add(AnswerTimes::bucket_of(70), 990);
        times.add(AnswerTimes::bucket_of(5_000), 10);
        let at = [500, 990, 991, 999, 1_000].map(|q| times.quantile_us(q).unwrap());
        assert_eq!(at, [96, 96, 6_144, 6_144, 6_144]);
    }

    fn times(buckets: &[(usize, u64)]) -> AnswerTimes {
        let mut times = AnswerTimes::default();
        for (bucket, count) in buckets {
            times.add(*bucket, *count);
        }
        times
    }

    #[test]
    fn counts_add_up_and_are_told_apart() {
        let mut all = times(&[(0, 2), (5, 7)]);
        let before = all;
        all.merge(&times(&[(5, 1), (39, 4)]));
        assert_eq!(all, times(&[(0, 2), (5, 8), (39, 4)]));
        assert_eq!([0, 5, 6, 39, 40].map(|bucket| all.get(bucket)), [2, 8, 0, 4, 0]);
        assert_eq!(all.total(), 14);
        assert_eq!(all.since(&before), times(&[(5, 1), (39, 4)]));
    }

    #[test]
    fn the_last_bucket_has_no_end() {
        let last = AnswerTimes::BUCKETS - 1;
        assert_eq!(times(&[(last, 1)]).quantile_us(500), Some(AnswerTimes::begins_at_us(last)));
    }
}
