//! Who may give commands: staff tokens with their roles.

mod file;
mod secret;
mod tokens;

use stampede_domain::{MerchantId, UnixMillis};
use stampede_engine::Role;

pub use secret::StaffSecret;
pub use tokens::{IssuedToken, StaffError, StaffTokens};

/// Bytes of a staff member's name.
pub const STAFF_NAME_BYTES_MAX: usize = 64;
/// Tokens that one data directory may have.
pub const STAFF_TOKENS_MAX: usize = 1_000;

/// What a new token is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewStaff {
    /// The actor's name, as it is recorded with each command.
    pub name: String,
    /// What the token is trusted with.
    pub role: Role,
    /// The merchant that the token is bound to; `None` sees every merchant's drops.
    pub merchant: Option<MerchantId>,
}

/// A token as it may be shown: everything but the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaffToken {
    /// Names the token for revoking.
    pub id: String,
    /// Whose it is.
    pub staff: NewStaff,
    /// When it was made.
    pub created_at: UnixMillis,
}
