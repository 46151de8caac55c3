//! The bytes of what became of money.

use stampede_domain::{
    Charges, DurationMs, OrderReference, PaymentAccount, PaymentId, PaymentReference, RefundReason,
    limits::{ORDER_REFERENCE_BYTES_MAX, PAYMENT_REFERENCE_BYTES_MAX, TEXT_ID_BYTES_MAX},
};

use crate::record::{
    Cancelled, DeadlineRecord, PaymentChange, PaymentRecord, ProviderRequest, Record,
    UnmatchedDone, UnmatchedEnd, UnmatchedPayment, UnmatchedRecord,
    bytes::{Reader, put_money, put_option, put_text, put_varint},
    error::RecordError,
    ordinal::Ordinal,
};

/// What became of unmatched money, as a byte.
const MATCHED: u8 = 0;
const GIVEN_BACK: u8 = 1;
const CLOSED: u8 = 2;

pub(crate) fn encode(record: &PaymentRecord, out: &mut Vec<u8>) {
    let PaymentRecord { hold, change } = record;
    out.push(change.ordinal().byte());
    out.extend_from_slice(&hold.to_bytes());
    match change {
        PaymentChange::Charged(Charges { shipping, tax, fee }) => {
            for charge in [shipping, tax, fee] {
                put_varint(out, *charge);
            }
        }
        PaymentChange::Referenced(reference) => put_text(out, reference.as_str()),
        PaymentChange::Begun { payment } | PaymentChange::Voided { payment } => {
            put_payment(out, payment);
        }
        PaymentChange::Authorized { payment, amount } | PaymentChange::Paid { payment, amount } => {
            put_payment(out, payment);
            put_money(out, *amount);
        }
        PaymentChange::Failed { payment, reason } => {
            put_payment(out, payment);
            put_text(out, reason.as_str());
        }
        PaymentChange::RefundDue { payment, amount, reason } => {
            put_payment(out, payment);
            put_money(out, *amount);
            out.push(reason.number());
        }
        PaymentChange::Refunded { payment, total } => {
            put_payment(out, payment);
            put_money(out, *total);
        }
        PaymentChange::Asked { payment, request } => {
            put_payment(out, payment);
            out.push(*request as u8);
        }
        PaymentChange::Declined { payment, request, reason } => {
            put_payment(out, payment);
            out.push(*request as u8);
            put_text(out, reason.as_str());
        }
        PaymentChange::Cancelled(cancelled) => {
            let Cancelled { units, amount, waived, lot, actor, reason } = &**cancelled;
            put_varint(out, u64::from(*units));
            put_money(out, *amount);
            put_money(out, *waived);
            put_option(out, *lot, |out, lot| put_varint(out, u64::from(lot)));
            put_text(out, actor.as_str());
            put_text(out, reason.as_str());
        }
        PaymentChange::Retaken { payment, into } => {
            put_payment(out, payment);
            out.extend_from_slice(&into.to_bytes());
        }
    }
}

/// Reads what follows one of the ordinals of a payment record.
pub(crate) fn decode(ordinal: Ordinal, reader: &mut Reader<'_>) -> Result<Record, RecordError> {
    let hold = reader.hold()?;
    let change = match ordinal {
        Ordinal::Charged => PaymentChange::Charged(Charges {
            shipping: reader.varint("shipping")?,
            tax: reader.varint("tax")?,
            fee: reader.varint("fee")?,
        }),
        Ordinal::Referenced => PaymentChange::Referenced(order_reference(reader)?),
        Ordinal::PaymentBegun => PaymentChange::Begun { payment: payment(reader)? },
        Ordinal::Authorized => {
            PaymentChange::Authorized { payment: payment(reader)?, amount: reader.money("amount")? }
        }
        Ordinal::Paid => {
            PaymentChange::Paid { payment: payment(reader)?, amount: reader.money("amount")? }
        }
        Ordinal::PaymentFailed => PaymentChange::Failed {
            payment: payment(reader)?,
            reason: reference(reader, "reason")?,
        },
        Ordinal::Voided => PaymentChange::Voided { payment: payment(reader)? },
        Ordinal::RefundDue => PaymentChange::RefundDue {
            payment: payment(reader)?,
            amount: reader.money("amount")?,
            reason: RefundReason::from_number(reader.u8()?)
                .ok_or_else(|| reader.invalid("reason"))?,
        },
        Ordinal::Refunded => {
            PaymentChange::Refunded { payment: payment(reader)?, total: reader.money("total")? }
        }
        Ordinal::ProviderAsked => {
            PaymentChange::Asked { payment: payment(reader)?, request: request(reader)? }
        }
        Ordinal::ProviderDeclined => PaymentChange::Declined {
            payment: payment(reader)?,
            request: request(reader)?,
            reason: reader.text("reason")?,
        },
        Ordinal::UnitsCancelled => PaymentChange::Cancelled(Box::new(Cancelled {
            units: reader.int("units")?,
            amount: reader.money("amount")?,
            waived: reader.money("waived")?,
            lot: reader.option("lot", |reader| reader.int("lot"))?,
            actor: reader.text("actor")?,
            reason: reader.text("reason")?,
        })),
        Ordinal::Retaken => {
            PaymentChange::Retaken { payment: payment(reader)?, into: reader.hold()? }
        }
        _ => return Err(reader.invalid("ordinal")),
    };
    Ok(PaymentRecord { hold, change }.into())
}

pub(crate) fn encode_deadline(record: DeadlineRecord, out: &mut Vec<u8>) {
    match record {
        DeadlineRecord::Stretched { hold, span } => {
            out.push(Ordinal::Stretched.byte());
            out.extend_from_slice(&hold.to_bytes());
            put_varint(out, span.get());
        }
        DeadlineRecord::Extended { span, until } => {
            out.push(Ordinal::Extended.byte());
            put_varint(out, span.get());
            put_varint(out, until.get());
        }
    }
}

pub(crate) fn decode_stretched(reader: &mut Reader<'_>) -> Result<DeadlineRecord, RecordError> {
    let (hold, span) = (reader.hold()?, DurationMs::new(reader.varint("span")?));
    Ok(DeadlineRecord::Stretched { hold, span })
}

pub(crate) fn decode_extended(reader: &mut Reader<'_>) -> Result<DeadlineRecord, RecordError> {
    let (span, until) = (DurationMs::new(reader.varint("span")?), reader.time("until")?);
    Ok(DeadlineRecord::Extended { span, until })
}

pub(crate) fn encode_unmatched(record: &UnmatchedRecord, out: &mut Vec<u8>) {
    match record {
        UnmatchedRecord::Found(found) => {
            let UnmatchedPayment { payment, amount, named } = &**found;
            out.push(Ordinal::PaymentUnmatched.byte());
            put_payment(out, payment);
            put_money(out, *amount);
            put_text(out, named.as_str());
        }
        UnmatchedRecord::Done(done) => {
            let UnmatchedDone { payment, end } = &**done;
            out.push(Ordinal::UnmatchedDone.byte());
            put_payment(out, payment);
            match end {
                UnmatchedEnd::Matched { hold } => {
                    out.push(MATCHED);
                    out.extend_from_slice(&hold.to_bytes());
                }
                UnmatchedEnd::GivenBack => out.push(GIVEN_BACK),
                UnmatchedEnd::Closed { actor, reason } => {
                    out.push(CLOSED);
                    put_text(out, actor.as_str());
                    put_text(out, reason.as_str());
                }
            }
        }
    }
}

pub(crate) fn decode_unmatched(reader: &mut Reader<'_>) -> Result<UnmatchedPayment, RecordError> {
    Ok(UnmatchedPayment {
        payment: payment(reader)?,
        amount: reader.money("amount")?,
        named: reader.text("named")?,
    })
}

pub(crate) fn decode_unmatched_done(reader: &mut Reader<'_>) -> Result<UnmatchedDone, RecordError> {
    let payment = payment(reader)?;
    let end = match reader.u8()? {
        MATCHED => UnmatchedEnd::Matched { hold: reader.hold()? },
        GIVEN_BACK => UnmatchedEnd::GivenBack,
        CLOSED => {
            UnmatchedEnd::Closed { actor: reader.text("actor")?, reason: reader.text("reason")? }
        }
        _ => return Err(reader.invalid("end")),
    };
    Ok(UnmatchedDone { payment, end })
}

fn put_payment(out: &mut Vec<u8>, payment: &PaymentId) {
    put_text(out, payment.account.as_str());
    put_text(out, payment.reference.as_str());
}

fn payment(reader: &mut Reader<'_>) -> Result<PaymentId, RecordError> {
    let account = reader.str("account", TEXT_ID_BYTES_MAX)?;
    let account = PaymentAccount::new(account).map_err(|_| reader.invalid("account"))?;
    Ok(PaymentId { account, reference: reference(reader, "payment")? })
}

fn reference(
    reader: &mut Reader<'_>,
    field: &'static str,
) -> Result<PaymentReference, RecordError> {
    let text = reader.str(field, PAYMENT_REFERENCE_BYTES_MAX)?;
    PaymentReference::new(text).map_err(|_| reader.invalid(field))
}

fn order_reference(reader: &mut Reader<'_>) -> Result<OrderReference, RecordError> {
    let text = reader.str("reference", ORDER_REFERENCE_BYTES_MAX)?;
    OrderReference::recorded(text).map_err(|_| reader.invalid("reference"))
}

fn request(reader: &mut Reader<'_>) -> Result<ProviderRequest, RecordError> {
    ProviderRequest::from_number(reader.u8()?).ok_or_else(|| reader.invalid("request"))
}
