//! The money of one hold, for whoever asks.

use stampede_settlement::{HoldAccount, Matter};

use crate::HoldLook;

/// The money of one hold with how the hold stands; all of it is durable.
#[derive(Clone, Debug)]
pub struct HoldMoney {
    /// Where the hold's id leads.
    pub look: HoldLook,
    /// Whether its drop has left memory.
    pub is_over: bool,
    /// What was heard of its money, if anything.
    pub account: Option<HoldAccount>,
    /// What is to be done about it.
    pub matters: Vec<Matter>,
}
