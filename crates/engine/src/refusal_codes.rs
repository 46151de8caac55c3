//! What refusals are called on every interface.

use crate::command_refusal::CommandRefusal;

impl CommandRefusal {
    /// The stable code on every interface.
    pub fn code(&self) -> &str {
        match self {
            Self::UnknownDrop => "unknown_drop",
            Self::Forbidden { .. }
            | Self::OtherMerchant { .. }
            | Self::OtherStream { .. }
            | Self::BoundToStreams { .. }
            | Self::BoundToken { .. }
            | Self::ForeignDrop { .. } => "forbidden",
            Self::StreamNotYours { .. } | Self::RoomNotYours { .. } => "stream_not_yours",
            Self::ShareFull { .. } => "share_full",
            Self::UnknownRoom { .. } => "unknown_room",
            Self::RoomExists { .. } => "room_exists",
            Self::RoomUnchanged { .. } => "room_unchanged",
            Self::RoomInUse { .. } => "room_in_use",
            Self::RoomsFull { .. } => "rooms_full",
            Self::RoomFull { .. } => "room_full",
            Self::Account { .. } => "invalid_account",
            Self::KeyReused => "key_reused",
            Self::WrongPhase { .. } => "wrong_phase",
            Self::Changed { .. } => "drop_changed",
            Self::Plan(_) => "invalid_plan",
            Self::Fixed { .. } => "fixed_field",
            Self::AlreadySupplied => "already_supplied",
            Self::UnknownSku { .. } => "unknown_sku",
            Self::LotOutOfRange { .. } => "lot_out_of_range",
            Self::StreamFull { .. } => "stream_full",
            Self::MemoryFull { .. } => "memory_full",
            Self::InThePast { .. } => "in_the_past",
            Self::TooFarAhead { .. } => "too_far_ahead",
            Self::EndsTooSoon { .. } => "ends_too_soon",
            Self::Reason { .. } => "invalid_reason",
            Self::Rates(_) => "rate_out_of_range",
            Self::BanRange(_) => "range_too_wide",
            Self::Expiry { .. } => "expiry_out_of_range",
            Self::NotInForce { .. } => "not_in_force",
            Self::UnknownBan { .. } => "unknown_ban",
            Self::BansFull { .. } => "bans_full",
            Self::UnknownStream { .. } => "unknown_stream",
            Self::CommandsFull { .. } => "commands_full",
            Self::Video(refusal) => refusal.code(),
        }
    }
}
