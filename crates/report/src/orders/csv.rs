//! Orders as CSV, for spreadsheets and for programs. [`Line`] says in which form.

use std::fmt::Write as _;

use super::{Order, reader::ListedOrder};
use crate::{csv::Line, json};

/// The first line.
pub const CSV_HEADER: &str = "place,order,code,drop,stream,merchant,mode,state,confirmed_at,\
confirmed_at_ms,changed_at,changed_at_ms,sku,merchant_sku,title,options,units,cancelled_units,edition,currency,\
unit_price_minor,unit_price,goods_minor,goods,shipping_minor,shipping,tax_minor,tax,fee_minor,fee,paid_minor,paid,\
refunded_minor,refunded,refund_due_minor,refund_due,channel,viewer,order_reference,payments\r\n";

/// Appends the line of an order.
pub fn csv_line(listed: &ListedOrder, out: &mut Vec<u8>) {
    let mut line = Line::new(out);
    let ListedOrder { place, order } = listed;
    let (plan, sku, currency) = (&order.plan, order.sku_plan(), order.goods.currency());
    line.number(json::exact(*place));
    line.text(&order.id.to_string());
    line.text(&order.code.to_string());
    line.text(&order.code.drop_id().to_string());
    line.text(plan.stream.as_str());
    line.text(plan.merchant.as_str());
    line.text(json::mode(plan.mode));
    line.text(order.state.name());
    line.time(Some(order.confirmed_at));
    line.time(order.changed_at);
    line.text(sku.id.as_str());
    line.text(&sku.merchant_sku);
    line.text(&sku.title);
    let options = sku.options.iter().map(|option| format!("{}: {}", option.name, option.value));
    line.text(&options.collect::<Vec<_>>().join("; "));
    line.number(order.units.get().into());
    line.number(order.cancelled_units.into());
    line.text(&edition(order));
    line.text(currency.code());
    line.money(sku.price.minor(), currency);
    line.money(order.goods.minor(), currency);
    line.money(order.charges.shipping, currency);
    line.money(order.charges.tax, currency);
    line.money(order.charges.fee, currency);
    line.money(order.paid_minor, currency);
    line.money(order.refunded_minor, currency);
    line.money(order.refund_due_minor, currency);
    line.text(order.channel.as_ref().map_or("", |channel| channel.as_str()));
    line.text(order.viewer.as_ref().map_or("", |viewer| viewer.as_str()));
    line.text(order.reference.as_ref().map_or("", |reference| reference.as_str()));
    let payments = order.payments.iter().map(|part| {
        let mut text = format!("{} {}", part.payment, part.state.name());
        if let Some(amount) = part.amount {
            let _ = write!(text, " {amount}");
        }
        if let Some(refunded) = part.refunded() {
            let _ = write!(text, ", refunded {refunded}");
        }
        // With one alone, nobody asks which.
        if part.makes_order && order.payments.len() > 1 {
            text.push_str(", for the order");
        }
        text
    });
    line.text(&payments.collect::<Vec<_>>().join("; "));
    line.end();
}

/// `No. 37-38 of 80`; nothing for an order without numbers.
fn edition(order: &Order) -> String {
    let Some(edition) = &order.edition else { return String::new() };
    match edition.numbers.to_string() {
        none if none.is_empty() => none,
        numbers => format!("{numbers} of {}", edition.of),
    }
}
