//! Reports: what a merchant shows the boss, and what a link shows to somebody who does not sign in.

mod changes;
mod channel_view;
mod channels;
mod charts;
mod drop_view;
mod findings;
#[cfg(test)]
mod fixtures;
mod links;
mod list;
mod page;
mod parts;
mod places;
mod print;
mod share;
mod shared;
mod show_view;
mod sizes;
mod sound;
mod story;
mod told;

pub(crate) use self::{
    list::reports,
    page::{drop, show},
    print::{drop as print_drop, show as print_show},
    shared::{print as print_shared, shared},
};

/// Roles that may read figures of money.
pub(crate) fn may_read(role: &str) -> bool {
    !matches!(role, "stage" | "platform" | "payments")
}

/// Roles that may give a link to a report away.
fn may_share(role: &str) -> bool {
    matches!(role, "admin" | "merchant")
}

/// Whether a drop can be called this: nothing else is put into a path.
fn is_drop(name: &str) -> bool {
    name.len() <= 21
        && name
            .strip_prefix('d')
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
}
