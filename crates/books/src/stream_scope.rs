//! The streams that a member of staff is bound to.

use std::sync::Arc;

use stampede_domain::StreamId;

/// The streams whose drops a member of staff sees and commands; all others are as if they did not exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StreamScope {
    /// Every stream.
    #[default]
    All,
    /// These alone, sorted, none of them twice.
    Only(Arc<[StreamId]>),
}

impl StreamScope {
    /// The scope of these streams; of every one if there are none.
    pub fn of(streams: impl IntoIterator<Item = StreamId>) -> Self {
        let mut streams: Vec<StreamId> = streams.into_iter().collect();
        streams.sort();
        streams.dedup();
        if streams.is_empty() { Self::All } else { Self::Only(streams.into()) }
    }

    /// Whether there is no bound.
    pub const fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// Whether the stream is within the bounds.
    pub fn covers(&self, stream: &StreamId) -> bool {
        match self {
            Self::All => true,
            Self::Only(streams) => streams.binary_search(stream).is_ok(),
        }
    }

    /// Whether every stream of this scope is within the other.
    pub fn is_within(&self, other: &Self) -> bool {
        match self {
            Self::All => other.is_all(),
            Self::Only(streams) => streams.iter().all(|stream| other.covers(stream)),
        }
    }

    /// The streams, where they are bounded.
    pub fn streams(&self) -> &[StreamId] {
        match self {
            Self::All => &[],
            Self::Only(streams) => streams,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(streams: &[&str]) -> StreamScope {
        StreamScope::of(streams.iter().map(|stream| stream.parse().unwrap()))
    }

    #[test]
    fn a_scope_covers_its_streams_alone() {
        let (all, two) = (scope(&[]), scope(&["b", "a", "b"]));
        let covers = |scope: &StreamScope, stream: &str| scope.covers(&stream.parse().unwrap());
        assert!(all.is_all() && covers(&all, "a") && all.streams().is_empty());
        assert!(covers(&two, "a") && covers(&two, "b") && !covers(&two, "c"));
        assert_eq!(two.streams().len(), 2);
    }

    #[test]
    fn no_scope_goes_beyond_a_wider_one() {
        let (all, two, one, other) = (scope(&[]), scope(&["a", "b"]), scope(&["a"]), scope(&["c"]));
        for (inner, outer, expected) in [
            (&one, &two, true),
            (&two, &two, true),
            (&two, &all, true),
            (&all, &all, true),
            (&all, &two, false),
            (&two, &one, false),
            (&other, &two, false),
        ] {
            assert_eq!(inner.is_within(outer), expected, "{inner:?} {outer:?}");
        }
    }
}
