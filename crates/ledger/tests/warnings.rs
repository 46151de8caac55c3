//! A warning that could come with each commit is said once.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::{fmt, sync::Arc};

use parking_lot::Mutex;
use rusqlite::Connection;
use stampede_ledger::{DataDir, LEDGER_FILE, SqliteLedger, SqliteOptions};
use support::{Rig, lot, node};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// Keeps what is said at the level of a warning and above, and at that of information.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<(Level, String)>>>);

impl Said {
    fn of(&self, level: Level, part: &str) -> usize {
        let said = self.0.lock();
        said.iter().filter(|(at, text)| *at == level && text.contains(part)).count()
    }
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

impl Subscriber for Said {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        self.0.lock().push((*event.metadata().level(), message.0));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[test]
fn a_reader_that_holds_the_log_is_said_once() {
    let said = Said::default();
    tracing::subscriber::set_global_default(said.clone()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    // So small that each commit asks for a checkpoint.
    let options = SqliteOptions { wal_bytes_max: 1, ..SqliteOptions::default() };
    let data = DataDir::lock(dir.path()).unwrap();
    let mut rig = Rig::start(SqliteLedger::open_with(&data, &node(), &options).unwrap());
    rig.commit(vec![lot(10)]);
    let reader = Connection::open(dir.path().join(LEDGER_FILE)).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let rows = |reader: &Connection| {
        reader.query_row("SELECT count(*) FROM journal", [], |row| row.get::<_, u32>(0)).unwrap()
    };
    assert_eq!(rows(&reader), 1);
    for _ in 0..60 {
        rig.commit(vec![lot(10)]);
    }
    assert_eq!(said.of(Level::WARN, "a reader holds the ledger's log"), 1);
    reader.execute_batch("COMMIT").unwrap();
    rig.commit(vec![lot(10)]);
    rig.writer.shutdown().unwrap();
    assert_eq!(said.of(Level::WARN, "a reader holds the ledger's log"), 1);
    assert_eq!(said.of(Level::INFO, "nobody holds the ledger's log any more"), 1);
}
