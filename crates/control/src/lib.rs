//! The HTTP interface for hosts, merchants, ops.
