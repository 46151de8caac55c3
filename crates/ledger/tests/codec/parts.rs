//! Any value of what records of several kinds hold.

use proptest::prelude::*;
use stampede_domain::{Units, UnixMillis, ViewerNumber};
use stampede_ledger::Text;

pub(crate) fn any_time() -> impl Strategy<Value = UnixMillis> {
    any::<u64>().prop_map(UnixMillis::new)
}

pub(crate) fn any_viewer() -> impl Strategy<Value = ViewerNumber> {
    any::<u64>().prop_map(|number| ViewerNumber::new(number).unwrap())
}

pub(crate) fn any_text() -> impl Strategy<Value = Text> {
    "\\PC{0,60}".prop_map(|text| Text::new(&text))
}

pub(crate) fn any_units() -> impl Strategy<Value = Units> {
    (0..=Units::MAX.get()).prop_map(|count| Units::new(count).unwrap())
}
