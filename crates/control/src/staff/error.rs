//! Errors of staff tokens, sessions, shares and their files.

use std::{io, path::PathBuf};

use stampede_domain::{DurationMs, TextFault};
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
    /// A name that is blank or too long, or has characters that are not seen.
    #[error("the name {0}")]
    Name(TextFault),
    /// More streams than a token may be bound to.
    #[error("a token may be bound to {max} streams at most")]
    Streams {
        /// The limit.
        max: usize,
    },
    /// The name belongs to somebody with another role, merchant or streams.
    #[error(
        "the name {name} belongs to {id} with another role, merchant or streams; use another name"
    )]
    NameTaken {
        /// The name.
        name: String,
        /// The token or the invitation that has it.
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
    /// A stage's token without streams.
    #[error("a token with the role stage must name its streams: add --stream ID")]
    StreamsMissing,
    /// A token for payments with streams.
    #[error(
        "a token with the role payments cannot be bound to streams: bind it to its merchant by --merchant ID"
    )]
    BoundToStreams,
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
    /// Nobody could let others in any more.
    #[error(
        "{id} is the last token of an admin who is not bound; make another one first: stampede token add"
    )]
    LastAdmin {
        /// What was to be revoked.
        id: String,
    },
    /// An invitation for something that is not the inviter's own.
    #[error("the invitation goes beyond the inviter's own {what}")]
    BeyondOwn {
        /// What it goes beyond.
        what: &'static str,
    },
    /// An invitation for too short or too long a time.
    #[error("an invitation may be good for {min} ms to {max} ms, not for {given} ms", min = min.get(), max = max.get(), given = given.get())]
    Validity {
        /// What was asked for.
        given: DurationMs,
        /// The shortest time.
        min: DurationMs,
        /// The longest time.
        max: DurationMs,
    },
    /// As many invitations as there may be.
    #[error("there are {max} invitations, which is the most; withdraw some first")]
    TooManyInvitations {
        /// The limit.
        max: usize,
    },
    /// No such invitation, or it was withdrawn, or its inviter's token was revoked.
    #[error("this invitation was never made or has been withdrawn; ask for another")]
    InvitationUnknown,
    /// Somebody came in by it.
    #[error("somebody came in by this invitation already, which works once; ask for another")]
    InvitationUsed,
    /// It was good until a moment ago.
    #[error("this invitation is over; ask for another")]
    InvitationOver,
    /// As many sessions as there may be.
    #[error("{max} browsers are signed in, which is the most; sign some out first")]
    SessionsFull {
        /// The limit.
        max: usize,
    },
    /// A label that is blank or too long, or has characters that are not seen.
    #[error("the label {0}")]
    Label(TextFault),
    /// A share for too short or too long a time.
    #[error("a share may be good for {min} ms to {max} ms, not for {given} ms", min = min.get(), max = max.get(), given = given.get())]
    ShareValidity {
        /// What was asked for.
        given: DurationMs,
        /// The shortest time.
        min: DurationMs,
        /// The longest time.
        max: DurationMs,
    },
    /// The key of a request for a share made another share a moment ago.
    #[error("this key made another share: make up a new key for each")]
    ShareKeyReused,
    /// As many shares as there may be.
    #[error("there are {max} shares in force, which is the most; revoke some first")]
    TooManyShares {
        /// The limit.
        max: usize,
    },
}
