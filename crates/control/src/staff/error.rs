//! What may be wrong with staff tokens, sessions, their files.

use std::{io, path::PathBuf};

use stampede_engine::Role;

/// Why a token could not be made, found or read.
#[derive(Debug, thiserror::Error)]
pub enum StaffError {
    /// The file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// The file is not what this program wrote.
    #[error("{path} cannot be read: {what}; nobody is let in by it until it is repaired")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// An empty or too long name, or one with control characters.
    #[error("a name must have 1 to {max} bytes and no control characters")]
    Name {
        /// Most bytes allowed.
        max: usize,
    },
    /// More streams than a token may be bound to.
    #[error("a token may be bound to {max} streams at most")]
    Streams {
        /// The limit.
        max: usize,
    },
    /// The name belongs to somebody with another role, merchant or streams.
    #[error(
        "the name {name} belongs to token {id} with another role, merchant or streams; use another \
         name"
    )]
    NameTaken {
        /// The name.
        name: String,
        /// The token that has it.
        id: String,
    },
    /// A merchant's token without a merchant.
    #[error("a token with the role merchant must name its merchant: add --merchant ID")]
    MerchantMissing,
    /// The platform's or a creator's token with a merchant.
    #[error("a token with the role {role} cannot be bound: a stream shows every merchant's drops")]
    Bound {
        /// The role.
        role: Role,
    },
    /// As many tokens as there may be.
    #[error("there are {max} staff tokens, which is the most; revoke some first")]
    TooMany {
        /// The limit.
        max: usize,
    },
    /// No token has this id.
    #[error("no staff token has the id {id}")]
    UnknownToken {
        /// What was asked for.
        id: String,
    },
    /// As many sessions as there may be.
    #[error("{max} browsers are signed in, which is the most; sign some out first")]
    SessionsFull {
        /// The limit.
        max: usize,
    },
}
