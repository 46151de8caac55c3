//! The records of what staff put right.

use proptest::prelude::*;
use stampede_ledger::{CorrectionRecord, Record};

use super::{
    parts::any_units,
    support::{pool, units},
};

/// One record of each kind, by name.
pub(crate) fn samples() -> Vec<(&'static str, Record)> {
    let withdrawn = CorrectionRecord::Withdrawn { pool: pool(3), units: units(4_500) };
    vec![("withdrawn", withdrawn.into())]
}

pub(crate) fn any_correction() -> impl Strategy<Value = Record> {
    (any::<u8>(), any_units())
        .prop_map(|(index, units)| CorrectionRecord::Withdrawn { pool: pool(index), units }.into())
}
