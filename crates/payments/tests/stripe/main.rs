//! What Stripe says, read from bytes.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod amounts;
mod events;
mod metadata;
mod signature;
