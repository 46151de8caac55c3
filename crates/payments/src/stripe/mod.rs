//! What Stripe says: whether it was Stripe ([`signature`]), in which units ([`amounts`]).

pub mod amounts;
pub mod signature;

pub use signature::{SignatureError, SignatureRules, SignatureRulesError, Signed};
