//! Checks that a journal is what was written.

mod checker;
mod commits;
mod damage;
mod error;
mod links;
mod range;
mod review;
mod sealed;
mod seals;
mod source;
mod start;
mod start_rows;

pub use self::{
    damage::{Damage, Wrong},
    error::OpenError,
    review::{Review, ReviewFault, ReviewStep},
};
pub(crate) use self::{
    links::read as read_links,
    range::StartRange,
    seals::compare as compare_seals,
    source::{KeyEntry, Part, StartSource},
    start::{Beside, check_all, own_row, range as start_range},
    start_rows::StartRows,
};
