//! Rehearsals by one press: copies of planned drops.

use crate::{DropId, UnixMillis};

/// What a drop of a rehearsal by one press is: the copy of a planned live drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rehearsal {
    /// The live drop whose terms it has.
    pub of: DropId,
    /// When it is over by itself, by the wall clock, if nobody ends it before.
    pub until: UnixMillis,
}
