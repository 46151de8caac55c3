//! The sentences.

use std::fmt::{self, Write as _};

use stampede_domain::{
    ChannelId, Currency, HoldId, Money, OrderCode, PaymentId, RefundReason, SkuId, Units,
    UnixMillis, ViewerId,
};
use stampede_ledger::{Cancelled, PaymentChange, ProviderRequest};

use super::{Happening, Lineage, MoveCause, Standing};
use crate::{
    orders::{Order, UnitEdition},
    times::iso_utc,
};

impl fmt::Display for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&sentence(self))
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held { until } => write!(f, "It is held until {}.", iso_utc(*until)),
            Self::Ordered(order) => f.write_str(&order_stands(order)),
            Self::Ended => f.write_str("The hold has ended without an order."),
            Self::Unknown => f.write_str("The journal does not have its take."),
        }
    }
}

fn sentence(what: &Happening) -> String {
    match what {
        Happening::Taken { hold, viewer, units, title, channel, until } => {
            let title = titled(*hold, title.as_ref().map(|(title, sku)| (title.as_str(), sku)));
            taken(viewer.as_ref(), *units, &title, channel.as_ref(), *until)
        }
        Happening::Ordered { named, units, amount } => ordered(
            named.as_ref().map(|(code, edition)| (*code, edition.as_ref())),
            *units,
            *amount,
        ),
        Happening::GivenBack { units } => {
            format!("{} given back before the deadline.", were(units.get()))
        }
        Happening::Expired { units } => {
            format!("The deadline passed without an order: {} given back.", were(units.get()))
        }
        Happening::Moved { cause, span, until } => moved(*cause, span.get(), *until),
        Happening::PaidByAnother { payment, hold } => retaken_from(payment, *hold),
        Happening::Cancelled { cancelled: decided, more, of } => cancelled(decided, *more, *of),
        Happening::Money { change, currency } => payment(change, *currency),
    }
}

/// `Hold ... of ..., drop d1, stream friday, merchant acme, live`.
pub(super) fn about(lineage: &Lineage) -> String {
    let Lineage { hold, sku, plan, .. } = lineage;
    let found = plan.as_ref().zip(*sku).and_then(|(plan, sku)| plan.sku(sku));
    let title = titled(*hold, found.map(|sku| (sku.title.as_str(), &sku.id)));
    let drop = hold.drop_id().sale();
    let terms = plan.as_ref().map(|plan| {
        let mode = crate::json::mode(plan.mode);
        format!(", stream {}, merchant {}, {mode}", plan.stream, plan.merchant)
    });
    format!("Hold {hold} of {title}, drop {drop}{}", terms.unwrap_or_default())
}

/// The title of a hold's SKU with its id.
fn titled(hold: HoldId, sku: Option<(&str, &SkuId)>) -> String {
    sku.map_or_else(
        || format!("pool {}", hold.pool()),
        |(title, sku)| format!("{} ({sku})", shown(title)),
    )
}

/// An amount in the currency of a sale; only a damaged ledger has one that cannot be written.
fn money(minor: u64, currency: Currency) -> String {
    Money::new(minor, currency).map_or_else(|| format!("{minor} {currency}"), |of| of.to_string())
}

/// `1 unit`, `2 units`.
fn units(count: u32) -> String {
    if count == 1 { "1 unit".to_owned() } else { format!("{count} units") }
}

/// `1 unit was`, `2 units were`.
fn were(count: u32) -> String {
    format!("{} {}", units(count), if count == 1 { "was" } else { "were" })
}

/// A text that somebody wrote, without what could move a terminal's cursor, hide or turn other text.
fn shown(text: &str) -> String {
    let is_hidden = |c: char| {
        c.is_control()
            || matches!(c,
                '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}'
                | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
    };
    text.chars().map(|c| if is_hidden(c) { '\u{FFFD}' } else { c }).collect()
}

fn taken(
    viewer: Option<&ViewerId>,
    count: Units,
    title: &str,
    channel: Option<&ChannelId>,
    deadline: UnixMillis,
) -> String {
    let who = viewer.map_or_else(
        || "A viewer whose name was erased".to_owned(),
        |viewer| format!("Viewer {}", shown(viewer.as_str())),
    );
    let by = channel.map(|channel| format!(", by channel {channel}")).unwrap_or_default();
    let (units, until) = (units(count.get()), iso_utc(deadline));
    format!("{who} took {units} of {title}{by}, held until {until}.")
}

fn ordered(
    named: Option<(OrderCode, Option<&UnitEdition>)>,
    count: Units,
    amount: Money,
) -> String {
    let Some((code, edition)) = named else {
        return format!("The hold became an order of {amount}.");
    };
    let edition = edition.map(|edition| {
        let numbers = edition.numbers.to_string();
        if numbers.is_empty() { numbers } else { format!(", {numbers} of {}", edition.of) }
    });
    let units = units(count.get());
    format!("The hold became order {code}: {units} for {amount}{}.", edition.unwrap_or_default())
}

fn moved(cause: MoveCause, span_ms: u64, deadline: UnixMillis) -> String {
    let why = match cause {
        MoveCause::Attempt => "An attempt to pay began",
        MoveCause::Staff => "Staff gave every live hold more time",
        MoveCause::Pause => "Nobody was served for a while",
        MoveCause::Outage => "The server came back after an outage",
    };
    let (seconds, millis) = (span_ms / 1_000, span_ms % 1_000);
    let until = iso_utc(deadline);
    format!("{why}: the deadline moved by {seconds}.{millis:03} s, to {until}.")
}

fn retaken_from(payment: &PaymentId, hold: HoldId) -> String {
    format!(
        "Payment {payment}, which was for hold {hold} until that had ended, paid for these units."
    )
}

fn cancelled(cancelled: &Cancelled, more: u32, of: u32) -> String {
    let Cancelled { units: total, amount, waived, lot, actor, reason } = cancelled;
    let who = match shown(actor.as_str()) {
        none if none.is_empty() => "Somebody".to_owned(),
        actor => actor,
    };
    let why = match shown(reason.as_str()) {
        none if none.is_empty() => none,
        reason => format!(": \"{reason}\""),
    };
    if more == 0 {
        return format!("{who} gave {amount} back without cancelling a unit{why}.");
    }
    let so_far = if *total == more && *total == of {
        "all of the order".to_owned()
    } else {
        format!("{total} of {of} by now")
    };
    let again = match lot {
        Some(lot) => format!("they are on sale again as lot {lot}"),
        None => "they do not go on sale again".to_owned(),
    };
    let back = if waived.minor() > amount.minor() {
        format!("{waived} less is owed, of which {amount} go back")
    } else {
        format!("{amount} go back")
    };
    format!("{who} cancelled {}, {so_far}; {back}, {again}{why}.", units(more))
}

/// A change that is not about units. `currency` is the drop's.
fn payment(change: &PaymentChange, currency: Option<Currency>) -> String {
    match change {
        PaymentChange::Charged(charges) if charges.is_none() => {
            "Nothing is owed beyond the goods.".to_owned()
        }
        PaymentChange::Charged(charges) => {
            let of = |minor| match currency {
                Some(currency) => money(minor, currency),
                None => format!("{minor} minor units"),
            };
            let (shipping, tax, fee) = (of(charges.shipping), of(charges.tax), of(charges.fee));
            format!("Beyond the goods {shipping} shipping, {tax} tax and {fee} fees are owed.")
        }
        PaymentChange::Referenced(reference) => {
            format!("The platform calls the order {}.", shown(reference.as_str()))
        }
        PaymentChange::Begun { payment } => format!("Payment {payment} began."),
        PaymentChange::Authorized { payment, amount } => {
            format!("Payment {payment} keeps {amount} ready.")
        }
        PaymentChange::Paid { payment, amount } => format!("Payment {payment} paid {amount}."),
        PaymentChange::Failed { payment, reason } => {
            format!("Payment {payment} failed: {}.", shown(reason.as_str()))
        }
        PaymentChange::Voided { payment } => {
            format!("Payment {payment} let go of what it kept ready, or of its attempt.")
        }
        PaymentChange::RefundDue { payment, amount, reason } => {
            format!("{amount} of payment {payment} has to go back: {}.", because(*reason))
        }
        PaymentChange::Refunded { payment, total } => {
            format!("{total} of payment {payment} has gone back so far.")
        }
        PaymentChange::Asked { payment, request } => {
            format!("The provider was asked to {} payment {payment}.", asked(*request))
        }
        PaymentChange::Declined { payment, request, reason } => {
            let (what, why) = (asked(*request), shown(reason.as_str()));
            format!("The provider refused to {what} payment {payment}: \"{why}\".")
        }
        PaymentChange::Retaken { payment, into } => {
            format!("Its units were taken again for payment {payment}, by hold {into}.")
        }
        // The caller knows how many came before.
        PaymentChange::Cancelled(change) => cancelled(change, change.units, change.units),
    }
}

const fn because(reason: RefundReason) -> &'static str {
    match reason {
        RefundReason::HoldEnded => "the hold had ended, and its units could not be taken again",
        RefundReason::SecondPayment => "the order is paid for by another payment",
        RefundReason::WrongAmount => "it is not the amount that was owed",
        RefundReason::WrongMode => "real money came for a rehearsal",
        RefundReason::Cancelled => "staff decided so",
    }
}

const fn asked(request: ProviderRequest) -> &'static str {
    match request {
        ProviderRequest::Capture => "take the money of",
        ProviderRequest::Void => "let go of",
        ProviderRequest::Refund => "refund",
    }
}

fn order_stands(order: &Order) -> String {
    let currency = order.goods.currency();
    let of = |minor| money(minor, currency);
    let mut text = format!(
        "Order {} is {}: {} paid",
        order.code,
        order.state.name().replace('_', " "),
        of(order.paid_minor)
    );
    if order.refunded_minor > 0 {
        let _ = write!(text, ", {} refunded", of(order.refunded_minor));
    }
    if order.refund_due_minor > 0 {
        let _ = write!(text, ", {} still to go back", of(order.refund_due_minor));
    }
    text + "."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_move_the_cursor_or_turn_what_follows() {
        assert_eq!(shown("red\u{1b}[2J mug\r\n"), "red\u{FFFD}[2J mug\u{FFFD}\u{FFFD}");
        assert_eq!(shown("\u{202E}gum"), "\u{FFFD}gum");
        assert_eq!(shown("caf\u{e9} \u{5D0}"), "caf\u{e9} \u{5D0}");
    }

    #[test]
    fn one_unit_is_not_several() {
        assert_eq!([were(1), were(2)], ["1 unit was", "2 units were"]);
    }
}
