//! How values that others send are read.
//!
//! Serde takes more than the schemas of the interfaces promise, and less. It fills a struct from a list,
//! by position, so that `[]` is a body whose every field is left out. It refuses `1.0` where a whole number
//! is asked for, although JSON has one kind of number, and many encoders write whole numbers in this way.
//! [`Exact`] reads any type by the schemas' rules. What the server wrote itself is not read through it.

mod exact;
mod shape;
mod shaped;

pub use exact::{Exact, exact};
pub use shape::whole;
