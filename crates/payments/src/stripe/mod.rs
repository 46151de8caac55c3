//! What Stripe says: whether it was Stripe ([`signature`]), what it says ([`event`]), in which units
//! ([`amounts`]), for which holds ([`metadata`]).
//!
//! Stripe reports one payment several times, in any order. All reports of it name the same payment intent, so
//! they meet in one [`PaymentId`](stampede_domain::PaymentId).

pub mod amounts;
pub mod event;
pub mod metadata;
pub mod signature;

pub use event::{Ignorance, StripeEvent, StripeEventError, StripeEventKind};
pub use signature::{SignatureError, SignatureRules, SignatureRulesError, Signed};
