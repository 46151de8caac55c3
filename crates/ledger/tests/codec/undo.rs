//! The records of an opening that is undone.

use proptest::prelude::*;
use stampede_domain::DropId;
use stampede_ledger::{NoCopy, PhaseRecord, PlannedCopy, Record};

/// One record of each kind, by name.
pub(crate) fn samples() -> Vec<(&'static str, Record)> {
    let begun = |copy| Record::Phase(PhaseRecord::UndoBegun { copy });
    vec![
        ("undo_begun", begun(PlannedCopy::Drop(DropId::new(300)))),
        ("undo_begun_without_a_copy", begun(PlannedCopy::None(NoCopy::MemoryFull))),
        ("drop_voided", Record::Phase(PhaseRecord::Voided)),
    ]
}

pub(crate) fn any_record() -> impl Strategy<Value = Record> {
    let why = (0..NoCopy::ALL.len()).prop_map(|place| PlannedCopy::None(NoCopy::ALL[place]));
    let drop = (1..=u32::MAX >> 1).prop_map(|number| PlannedCopy::Drop(DropId::new(number)));
    prop_oneof![
        prop_oneof![why, drop].prop_map(|copy| Record::Phase(PhaseRecord::UndoBegun { copy })),
        Just(Record::Phase(PhaseRecord::Voided)),
    ]
}
