//! Criterion benches of the core next to their peers.
