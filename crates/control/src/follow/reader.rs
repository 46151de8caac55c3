//! Who follows a stream, with what of it may be seen.

use stampede_domain::{MerchantId, StreamId};
use stampede_engine::Engine;

use super::Person;
use crate::{auth::Staff, stage::StageLines};

/// Who reads a stream, with what of it may be seen.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(super) engine: &'a Engine,
    pub(super) lines: &'a StageLines,
    pub(super) staff: &'a Staff,
    pub(super) stream: &'a StreamId,
    /// Themselves, if the others know that they are there.
    pub(super) who: Option<&'a Person>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(
        (engine, lines): (&'a Engine, &'a StageLines),
        staff: &'a Staff,
        stream: &'a StreamId,
    ) -> Self {
        Self { engine, lines, staff, stream, who: None }
    }

    /// The same reader, who is known to be there.
    pub(crate) fn present(self, who: Option<&'a Person>) -> Self {
        Self { who, ..self }
    }

    pub(super) fn sees(&self, merchant: &MerchantId) -> bool {
        self.staff.sees(self.engine, self.stream, merchant)
    }

    pub(super) fn sees_stream(&self) -> bool {
        self.staff.sees_stream(self.engine, self.stream)
    }
}
