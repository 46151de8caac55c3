//! Values under tokens that are never used twice.

/// Names a value of one [`Slab`]; the place below, how often it was used above.
pub(crate) type Token = u64;

const PLACE_BITS: u32 = 32;

/// A growing array whose places are used again under new tokens, so a stale token finds nothing.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    places: Vec<Place<T>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Place<T> {
    uses: u32,
    value: Option<Box<T>>,
}

impl<T> Slab<T> {
    pub(crate) const fn new() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }

    /// Values in it.
    pub(crate) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    pub(crate) fn insert(&mut self, value: T) -> Token {
        let value = Some(Box::new(value));
        if let Some(place) = self.free.pop() {
            let found = &mut self.places[index(place)];
            found.uses = found.uses.wrapping_add(1);
            found.value = value;
            return token(place, found.uses);
        }
        let place = u32::try_from(self.places.len()).expect("fewer than 2^32 values at once");
        self.places.push(Place { uses: 0, value });
        token(place, 0)
    }

    pub(crate) fn get(&self, token: Token) -> Option<&T> {
        let (place, uses) = parts(token);
        let found = self.places.get(index(place)).filter(|found| found.uses == uses)?;
        found.value.as_deref()
    }

    pub(crate) fn get_mut(&mut self, token: Token) -> Option<&mut T> {
        let (place, uses) = parts(token);
        let found = self.places.get_mut(index(place)).filter(|found| found.uses == uses)?;
        found.value.as_deref_mut()
    }

    pub(crate) fn remove(&mut self, token: Token) -> Option<T> {
        let (place, uses) = parts(token);
        let found = self.places.get_mut(index(place)).filter(|found| found.uses == uses)?;
        let value = found.value.take()?;
        self.free.push(place);
        Some(*value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.places.iter().filter_map(|found| found.value.as_deref())
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (Token, &mut T)> {
        self.places.iter_mut().zip(0..).filter_map(|(found, place)| {
            Some((token(place, found.uses), found.value.as_deref_mut()?))
        })
    }
}

fn token(place: u32, uses: u32) -> Token {
    u64::from(uses) << PLACE_BITS | u64::from(place)
}

fn parts(token: Token) -> (u32, u32) {
    let low = token & u64::from(u32::MAX);
    let half = |bits: u64| u32::try_from(bits).expect("half of 64 bits");
    (half(low), half(token >> PLACE_BITS))
}

/// The place of the value that a token names; places are used again.
pub(crate) fn place_of(token: Token) -> usize {
    index(parts(token).0)
}

fn index(place: u32) -> usize {
    usize::try_from(place).expect("an address has at least 32 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_token_finds_nothing_in_a_place_that_is_used_again() {
        let mut slab = Slab::new();
        let (a, b) = (slab.insert("a"), slab.insert("b"));
        assert_eq!(slab.remove(a), Some("a"));
        let c = slab.insert("c");
        assert_ne!(a, c);
        assert_eq!((slab.get(a), slab.get(b), slab.get(c)), (None, Some(&"b"), Some(&"c")));
        assert_eq!((slab.remove(a), slab.len()), (None, 2));
        assert_eq!(slab.iter_mut().map(|(token, _)| token).collect::<Vec<_>>(), [c, b]);
    }
}
