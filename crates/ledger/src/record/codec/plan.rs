//! The bytes of a drop's plan within its record.
//!
//! A plan that has any of the options stands in a record of another ordinal, where they follow: a plan without
//! them has the bytes that it always had.

use std::str::FromStr;

use stampede_domain::{
    DropId, DropPlan, DurationMs, Mode, PaymentTerms, Rehearsal, SkuOption, SkuPlan, StockDisplay,
    Units, WhenOffline,
    limits::{
        ADDRESS_BYTES_MAX, OPTIONS_PER_SKU_MAX, SKUS_PER_DROP_MAX, TEXT_ID_BYTES_MAX,
        TITLE_BYTES_MAX,
    },
};

use crate::record::{
    bytes::{Reader, put_len, put_money, put_option, put_text, put_varint},
    error::RecordError,
};

const STOCK_DISPLAY: u8 = 1;
const WHEN_OFFLINE: u8 = 2;
const PAYMENT_TERMS: u8 = 3;
/// SKUs whose units have numbers: one bit each, the first SKU's lowest.
const NUMBERED: u8 = 4;
/// SKUs that have a reserve: the place of each with its units.
const RESERVES: u8 = 5;
/// The tag says it all.
const HIDDEN: u8 = 6;
/// How long after its opening the drop ends.
const ENDS_AFTER_OPENING: u8 = 7;
/// A copy for a rehearsal by one press: of which drop, until when.
const REHEARSAL: u8 = 8;
/// The tag says it all.
const MORE_BY_REQUEST: u8 = 9;

/// Whether a plan needs the record that has room for options.
pub(crate) fn has_options(plan: &DropPlan) -> bool {
    plan.stock_display.is_some()
        || plan.when_offline.is_some()
        || plan.payment_terms.is_some()
        || numbered(plan) != 0
        || reserves(plan).next().is_some()
        || plan.hidden
        || plan.ends_after_opening.is_some()
        || plan.rehearsal.is_some()
        || plan.more_by_request
}

/// The places of the SKUs that have a reserve, with its units.
fn reserves(plan: &DropPlan) -> impl Iterator<Item = (u64, Units)> + '_ {
    let places = (0_u64..).zip(plan.skus.iter().map(|sku| sku.reserve));
    places.filter(|(_, reserve)| !reserve.is_zero())
}

/// The SKUs whose units have numbers.
fn numbered(plan: &DropPlan) -> u64 {
    const _: () = assert!(SKUS_PER_DROP_MAX <= 64, "each SKU has its bit");
    let places = (0_u32..).zip(&plan.skus);
    places.filter(|(_, sku)| sku.numbered).fold(0, |bits, (place, _)| bits | 1 << place)
}

pub(crate) fn encode(plan: &DropPlan, out: &mut Vec<u8>) {
    put_text(out, plan.stream.as_str());
    put_varint(out, u64::from(plan.running_order));
    put_text(out, &plan.title);
    put_text(out, plan.merchant.as_str());
    put_text(out, plan.host.as_str());
    out.push(match plan.mode {
        Mode::Live => 0,
        Mode::Rehearsal => 1,
    });
    put_varint(out, u64::from(plan.limit_per_viewer.get()));
    put_varint(out, u64::from(plan.holds_per_viewer_max));
    put_varint(out, plan.hold_ttl.get());
    put_varint(out, plan.countdown.get());
    put_option(out, plan.starts_at, |out, at| put_varint(out, at.get()));
    put_option(out, plan.ends_at, |out, at| put_varint(out, at.get()));
    put_len(out, plan.skus.len());
    plan.skus.iter().for_each(|sku| encode_sku(sku, out));
}

pub(crate) fn encode_options(plan: &DropPlan, out: &mut Vec<u8>) {
    let numbered = numbered(plan);
    let given = [
        plan.stock_display.is_some(),
        plan.when_offline.is_some(),
        plan.payment_terms.is_some(),
        numbered != 0,
        reserves(plan).next().is_some(),
        plan.hidden,
        plan.ends_after_opening.is_some(),
        plan.rehearsal.is_some(),
        plan.more_by_request,
    ];
    put_len(out, given.into_iter().filter(|given| *given).count());
    if let Some(StockDisplay { rounded_above, round_to }) = plan.stock_display {
        out.push(STOCK_DISPLAY);
        put_varint(out, u64::from(rounded_above.get()));
        put_varint(out, u64::from(round_to.get()));
    }
    if let Some(WhenOffline { pause_after, resume }) = plan.when_offline {
        out.push(WHEN_OFFLINE);
        put_varint(out, pause_after.get());
        out.push(u8::from(resume));
    }
    if let Some(PaymentTerms { grace, stretch }) = plan.payment_terms {
        out.push(PAYMENT_TERMS);
        put_varint(out, grace.get());
        put_varint(out, stretch.get());
    }
    if numbered != 0 {
        out.push(NUMBERED);
        put_varint(out, numbered);
    }
    if reserves(plan).next().is_some() {
        out.push(RESERVES);
        put_len(out, reserves(plan).count());
        for (place, reserve) in reserves(plan) {
            put_varint(out, place);
            put_varint(out, u64::from(reserve.get()));
        }
    }
    if plan.hidden {
        out.push(HIDDEN);
    }
    if let Some(span) = plan.ends_after_opening {
        out.push(ENDS_AFTER_OPENING);
        put_varint(out, span.get());
    }
    if let Some(Rehearsal { of, until }) = plan.rehearsal {
        out.push(REHEARSAL);
        put_varint(out, u64::from(of.get()));
        put_varint(out, until.get());
    }
    if plan.more_by_request {
        out.push(MORE_BY_REQUEST);
    }
}

fn encode_sku(sku: &SkuPlan, out: &mut Vec<u8>) {
    put_text(out, sku.id.as_str());
    put_text(out, &sku.title);
    put_len(out, sku.options.len());
    for option in &sku.options {
        put_text(out, &option.name);
        put_text(out, &option.value);
    }
    put_text(out, &sku.merchant_sku);
    put_option(out, sku.image.as_deref(), put_text);
    put_money(out, sku.price);
    put_varint(out, u64::from(sku.supply.get()));
    put_varint(out, u64::from(sku.limit_per_viewer.get()));
}

/// Reads a plan without options.
pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<DropPlan, RecordError> {
    let plan = decode_terms(reader)?;
    valid(plan, reader)
}

/// Reads a plan that has options.
pub(crate) fn decode_with_options(reader: &mut Reader<'_>) -> Result<DropPlan, RecordError> {
    let mut plan = decode_terms(reader)?;
    let count: usize = reader.int("options")?;
    let mut previous = 0;
    for _ in 0..count {
        let tag = reader.u8()?;
        if tag <= previous {
            return Err(reader.invalid("options"));
        }
        previous = tag;
        match tag {
            STOCK_DISPLAY => {
                let rounded_above = reader.units("rounded_above")?;
                let round_to = reader.units("round_to")?;
                plan.stock_display = Some(StockDisplay { rounded_above, round_to });
            }
            WHEN_OFFLINE => {
                let pause_after = DurationMs::new(reader.varint("pause_after")?);
                let resume = match reader.u8()? {
                    0 => false,
                    1 => true,
                    _ => return Err(reader.invalid("resume")),
                };
                plan.when_offline = Some(WhenOffline { pause_after, resume });
            }
            PAYMENT_TERMS => {
                let grace = DurationMs::new(reader.varint("grace")?);
                let stretch = DurationMs::new(reader.varint("stretch")?);
                plan.payment_terms = Some(PaymentTerms { grace, stretch });
            }
            NUMBERED => {
                let bits = reader.varint("numbered")?;
                let places = (0_u32..).zip(&mut plan.skus);
                places.for_each(|(place, sku)| sku.numbered = bits >> place & 1 == 1);
                if numbered(&plan) != bits || bits == 0 {
                    return Err(reader.invalid("numbered"));
                }
            }
            RESERVES => decode_reserves(&mut plan, reader)?,
            HIDDEN => plan.hidden = true,
            ENDS_AFTER_OPENING => {
                let span = DurationMs::new(reader.varint("ends_after_opening")?);
                plan.ends_after_opening = Some(span);
            }
            REHEARSAL => {
                let of = DropId::new(reader.int("rehearsal")?);
                let until = reader.time("rehearsal")?;
                plan.rehearsal = Some(Rehearsal { of, until });
            }
            MORE_BY_REQUEST => plan.more_by_request = true,
            _ => return Err(reader.invalid("options")),
        }
    }
    if previous == 0 {
        return Err(reader.invalid("options"));
    }
    valid(plan, reader)
}

fn decode_reserves(plan: &mut DropPlan, reader: &mut Reader<'_>) -> Result<(), RecordError> {
    let count: usize = reader.int("reserves")?;
    let mut next = 0;
    for _ in 0..count {
        let place: usize = reader.int("reserves")?;
        let reserve = reader.units("reserve")?;
        let sku = plan.skus.get_mut(place).filter(|_| place >= next && !reserve.is_zero());
        sku.ok_or_else(|| reader.invalid("reserves"))?.reserve = reserve;
        next = place + 1;
    }
    if count == 0 { Err(reader.invalid("reserves")) } else { Ok(()) }
}

fn valid(plan: DropPlan, reader: &Reader<'_>) -> Result<DropPlan, RecordError> {
    match plan.check_format() {
        Ok(()) => Ok(plan),
        Err(source) => Err(RecordError::Plan { offset: reader.offset(), source }),
    }
}

fn decode_terms(reader: &mut Reader<'_>) -> Result<DropPlan, RecordError> {
    let mut plan = DropPlan {
        stream: id(reader, "stream")?,
        running_order: reader.int("running_order")?,
        title: string(reader, "title", TITLE_BYTES_MAX)?,
        merchant: id(reader, "merchant")?,
        host: id(reader, "host")?,
        mode: match reader.u8()? {
            0 => Mode::Live,
            1 => Mode::Rehearsal,
            _ => return Err(reader.invalid("mode")),
        },
        limit_per_viewer: reader.units("limit_per_viewer")?,
        holds_per_viewer_max: reader.int("holds_per_viewer_max")?,
        hold_ttl: DurationMs::new(reader.varint("hold_ttl")?),
        countdown: DurationMs::new(reader.varint("countdown")?),
        starts_at: reader.option("starts_at", |reader| reader.time("starts_at"))?,
        ends_at: reader.option("ends_at", |reader| reader.time("ends_at"))?,
        ends_after_opening: None,
        stock_display: None,
        when_offline: None,
        payment_terms: None,
        hidden: false,
        more_by_request: false,
        rehearsal: None,
        skus: Vec::new(),
    };
    let count: usize = reader.int("skus")?;
    if count > SKUS_PER_DROP_MAX {
        return Err(reader.invalid("skus"));
    }
    for _ in 0..count {
        plan.skus.push(decode_sku(reader)?);
    }
    Ok(plan)
}

fn decode_sku(reader: &mut Reader<'_>) -> Result<SkuPlan, RecordError> {
    let id = id(reader, "sku.id")?;
    let title = string(reader, "sku.title", TITLE_BYTES_MAX)?;
    let count: usize = reader.int("sku.options")?;
    if count > OPTIONS_PER_SKU_MAX {
        return Err(reader.invalid("sku.options"));
    }
    let mut options = Vec::with_capacity(count);
    for _ in 0..count {
        options.push(SkuOption {
            name: string(reader, "sku.options.name", TITLE_BYTES_MAX)?,
            value: string(reader, "sku.options.value", TITLE_BYTES_MAX)?,
        });
    }
    Ok(SkuPlan {
        id,
        title,
        options,
        merchant_sku: string(reader, "sku.merchant_sku", TITLE_BYTES_MAX)?,
        image: reader.option("sku.image", |r| string(r, "sku.image", ADDRESS_BYTES_MAX))?,
        price: reader.money("sku.price")?,
        supply: reader.units("sku.supply")?,
        limit_per_viewer: reader.units("sku.limit_per_viewer")?,
        reserve: Units::ZERO,
        numbered: false,
    })
}

fn string(reader: &mut Reader<'_>, field: &'static str, max: usize) -> Result<String, RecordError> {
    reader.str(field, max).map(str::to_owned)
}

fn id<V: FromStr>(reader: &mut Reader<'_>, field: &'static str) -> Result<V, RecordError> {
    let text = reader.str(field, TEXT_ID_BYTES_MAX)?;
    text.parse().map_err(|_| reader.invalid(field))
}
