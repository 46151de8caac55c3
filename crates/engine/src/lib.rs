//! One sale: takes on every core joined to the ledger by a single steward thread.
