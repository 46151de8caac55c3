//! The journal of a sale: record bytes, hash chain, writer, SQLite backend, recovery.
