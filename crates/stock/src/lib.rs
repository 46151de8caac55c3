//! The lock-free core: who gets a unit, decided by compare-and-swap on one word.
