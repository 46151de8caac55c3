//! Who may give which command.

use std::fmt;

use super::{Action, DropAction, StreamAction};

/// What a member of staff is trusted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Everything, for everybody.
    Admin,
    /// Runs drops: countdown, pause, resume, close, undo, restock, take back, limits and end, what is on air, the running
    /// order. Plans drops of merchants who let hosts plan in the stream.
    Host,
    /// Plans drops as well as running them, and gives money back.
    Merchant,
    /// Keeps the system up: may pause or close, gives holds more time, works the brake; never plans or opens.
    Ops,
    /// The platform's own machine: reports streams offline or online, says whose they are.
    Platform,
    /// Owns streams: admits merchants to them, runs what they sell there.
    Creator,
    /// Reads along for the person on camera: no commands, no money.
    Stage,
    /// The machine that reports payments: no commands, nothing of drops and streams.
    Payments,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 8] = [
        Self::Admin,
        Self::Host,
        Self::Merchant,
        Self::Ops,
        Self::Platform,
        Self::Creator,
        Self::Stage,
        Self::Payments,
    ];

    /// The name on every interface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Host => "host",
            Self::Merchant => "merchant",
            Self::Ops => "ops",
            Self::Platform => "platform",
            Self::Creator => "creator",
            Self::Stage => "stage",
            Self::Payments => "payments",
        }
    }

    /// The role with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Whether the role may give this command, for some drop or stream.
    pub const fn may(self, action: &Action) -> bool {
        match action {
            Action::Plan { .. } => matches!(self, Self::Admin | Self::Merchant | Self::Host),
            Action::Drop { action, .. } => self.may_run(action),
            Action::Brake(_) => self.may_brake(),
            Action::Stream { action, .. } => self.may_change(action),
            Action::CloseUnmatched { .. } => {
                matches!(self, Self::Admin | Self::Merchant | Self::Ops)
            }
        }
    }

    /// Whether the role may do this to a drop.
    pub const fn may_run(self, action: &DropAction) -> bool {
        match self {
            Self::Admin => true,
            // Who owns the goods answers a request; nobody asks for them but who runs the sale.
            Self::Merchant => !matches!(action, DropAction::WithdrawRequest { .. }),
            Self::Host => {
                (Self::is_hosting(action) || action.is_plans())
                    && !matches!(
                        action,
                        DropAction::GrantRequest { .. } | DropAction::DeclineRequest { .. }
                    )
            }
            Self::Creator => {
                Self::is_hosting(action)
                    && !matches!(
                        action,
                        DropAction::Restock { .. }
                            | DropAction::GrantRequest { .. }
                            | DropAction::DeclineRequest { .. }
                            | DropAction::WithdrawRequest { .. }
                            | DropAction::TakeBack(_)
                            | DropAction::Amend(_)
                    )
            }
            Self::Ops => matches!(
                action,
                DropAction::Pause
                    | DropAction::Close
                    | DropAction::CancelCountdown
                    | DropAction::Extend { .. }
            ),
            Self::Platform | Self::Stage | Self::Payments => false,
        }
    }

    /// Whether a restock beyond the reserve is a request that somebody else grants.
    pub const fn must_ask(self) -> bool {
        matches!(self, Self::Host)
    }

    /// What runs a sale, which is neither its plan nor its money.
    const fn is_hosting(action: &DropAction) -> bool {
        !action.is_edit()
            && !matches!(action, DropAction::CancelOrder(_) | DropAction::Extend { .. })
    }

    const fn may_brake(self) -> bool {
        matches!(self, Self::Admin | Self::Ops)
    }

    const fn may_change(self, action: &StreamAction) -> bool {
        match action {
            StreamAction::Offline | StreamAction::Online => {
                matches!(self, Self::Admin | Self::Ops | Self::Platform)
            }
            StreamAction::MakeRoom { .. } | StreamAction::MoveRoom { .. } => {
                matches!(self, Self::Admin | Self::Platform)
            }
            StreamAction::Admit { .. } | StreamAction::Dismiss { .. } | StreamAction::EndRoom => {
                matches!(self, Self::Admin | Self::Merchant | Self::Platform | Self::Creator)
            }
            StreamAction::AllowHosts { .. } | StreamAction::ForbidHosts { .. } => {
                matches!(self, Self::Admin | Self::Merchant)
            }
            StreamAction::SetVideoDelay { .. } => matches!(
                self,
                Self::Admin | Self::Host | Self::Merchant | Self::Platform | Self::Creator
            ),
            StreamAction::Rehearse { .. } => {
                matches!(self, Self::Admin | Self::Host | Self::Merchant | Self::Creator)
            }
            StreamAction::EndRehearsal => matches!(
                self,
                Self::Admin | Self::Host | Self::Merchant | Self::Ops | Self::Creator
            ),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_known_by_its_name_alone() {
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.name()), Some(role));
            assert_eq!(role.to_string(), role.name());
        }
        assert_eq!(Role::from_name("Admin"), None);
        assert_eq!(Role::Creator.to_string(), "creator");
    }
}
