//! Folds of the journal: the sell-out report next to an independent verifier.
