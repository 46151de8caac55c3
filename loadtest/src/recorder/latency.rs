//! Latencies in a histogram that travels as JSON.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use hdrhistogram::{
    Histogram,
    serialization::{Deserializer, Serializer, V2Serializer},
};
use serde::{Deserialize, Serialize, de};

/// Longer latencies count as this one: a minute.
const LONGEST_US: u64 = 60_000_000;
/// Digits that stay exact.
const DIGITS: u8 = 3;
/// Digits that stay exact where there are many histograms; each then has 20 KiB.
const COARSE_DIGITS: u8 = 2;

/// A histogram of microseconds; in JSON the base64 of `HdrHistogram`'s own V2 encoding.
#[derive(Clone, PartialEq)]
pub struct Latency(Histogram<u64>);

impl Latency {
    /// An empty one.
    pub fn new() -> Self {
        Self::exact_to(DIGITS)
    }

    /// An empty one that is exact to two digits instead of three, for a tenth of the memory.
    pub fn coarse() -> Self {
        Self::exact_to(COARSE_DIGITS)
    }

    fn exact_to(digits: u8) -> Self {
        let bounds = Histogram::new_with_bounds(1, LONGEST_US, digits);
        Self(bounds.expect("the bounds are in range"))
    }

    /// Counts an answer.
    pub fn record_us(&mut self, us: u64) {
        self.0.saturating_record(us);
    }

    /// Adds what another histogram has counted.
    pub fn merge(&mut self, other: &Self) {
        self.0.add(&other.0).expect("all histograms have the same bounds");
    }

    /// Empties it.
    pub fn clear(&mut self) {
        self.0.reset();
    }

    /// How many answers were counted.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The latency that this share of the answers kept within, in microseconds.
    pub fn quantile_us(&self, share: f64) -> u64 {
        self.0.value_at_quantile(share)
    }

    /// The figures that reports show.
    pub fn summary(&self) -> LatencySummary {
        LatencySummary {
            p50: self.quantile_us(0.5),
            p90: self.quantile_us(0.9),
            p99: self.quantile_us(0.99),
            p999: self.quantile_us(0.999),
            max: self.0.max(),
        }
    }
}

/// Latencies in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencySummary {
    /// Half of the answers came within.
    pub p50: u64,
    /// 90 in 100.
    pub p90: u64,
    /// 99 in 100.
    pub p99: u64,
    /// 999 in 1,000.
    pub p999: u64,
    /// The slowest.
    pub max: u64,
}

impl Default for Latency {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Latency({} answers, {:?})", self.count(), self.summary())
    }
}

impl Serialize for Latency {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::new();
        let written = V2Serializer::new().serialize(&self.0, &mut bytes);
        written.expect("a vector takes any number of bytes");
        out.serialize_str(&STANDARD.encode(bytes))
    }
}

impl<'de> Deserialize<'de> for Latency {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let bytes = STANDARD.decode(text).map_err(de::Error::custom)?;
        let read = Deserializer::new().deserialize(&mut bytes.as_slice());
        let read: Histogram<u64> = read.map_err(de::Error::custom)?;
        let mut latency = Self::exact_to(read.sigfig());
        let added = latency.0.add(read);
        added.map_err(de::Error::custom)?;
        Ok(latency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_survives_json_and_merges() {
        let (mut fast, mut slow) = (Latency::new(), Latency::new());
        (1..=1000).for_each(|us| fast.record_us(us));
        slow.record_us(2_000_000);
        slow.record_us(u64::MAX);
        let json = serde_json::to_string(&slow).unwrap();
        let back: Latency = serde_json::from_str(&json).unwrap();
        assert_eq!(back.count(), 2);
        fast.merge(&back);
        assert_eq!(fast.count(), 1002);
        assert_eq!(fast.summary().p50, 501);
        assert!(fast.summary().max >= LONGEST_US, "what is too long counts as the longest");
    }

    #[test]
    fn other_text_is_refused() {
        assert!(serde_json::from_str::<Latency>("\"!\"").is_err());
        assert!(serde_json::from_str::<Latency>("\"AAAA\"").is_err());
    }
}
