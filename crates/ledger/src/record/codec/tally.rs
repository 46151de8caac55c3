//! The bytes of tallies.

use stampede_domain::{
    ChannelId, RefusalCode, SkuIndex,
    limits::{CHANNELS_PER_TALLY_MAX, SKUS_PER_DROP_MAX, TEXT_ID_BYTES_MAX},
};

use crate::record::{
    Record,
    answer_times::AnswerTimes,
    bytes::{Reader, put_len, put_text, put_varint},
    error::RecordError,
    ordinal::Ordinal,
    tally::{ChannelClicks, RefusalCounts, Tally, TallySources},
};

pub(crate) fn encode(tally: &Tally, out: &mut Vec<u8>) {
    let ordinal = if tally.sources.is_some() {
        Ordinal::TallyWithSources
    } else if tally.answers.total() > 0 {
        Ordinal::TallyWithAnswers
    } else {
        Ordinal::Tally
    };
    out.push(ordinal.byte());
    put_varint(out, tally.held);
    put_varint(out, tally.retries);
    put_varint(out, tally.connected);
    put_len(out, tally.refusals.iter().count());
    for (code, times) in tally.refusals.iter() {
        out.push(code.ordinal());
        put_varint(out, times);
    }
    if ordinal == Ordinal::Tally {
        return;
    }
    put_len(out, tally.answers.iter().count());
    for (bucket, times) in tally.answers.iter() {
        out.push(u8::try_from(bucket).expect("there are fewer than 256 buckets"));
        put_varint(out, times);
    }
    if let Some(sources) = &tally.sources {
        encode_sources(sources, out);
    }
}

fn encode_sources(TallySources { skus, channels }: &TallySources, out: &mut Vec<u8>) {
    put_len(out, skus.len());
    for (sku, times) in skus {
        out.push(sku.get());
        put_varint(out, *times);
    }
    put_len(out, channels.named.len());
    for (channel, times) in &channels.named {
        put_text(out, channel.as_str());
        put_varint(out, *times);
    }
    put_varint(out, channels.other);
}

pub(crate) fn decode(ordinal: Ordinal, reader: &mut Reader<'_>) -> Result<Record, RecordError> {
    let mut tally = read(reader)?;
    if ordinal != Ordinal::Tally {
        tally.answers = read_answers(reader)?;
    }
    match ordinal {
        // Without answers it has another ordinal.
        Ordinal::TallyWithAnswers if tally.answers.total() == 0 => {
            return Err(reader.invalid("buckets"));
        }
        Ordinal::TallyWithSources => {
            let skus = read_skus(reader)?;
            tally.sources = Some(TallySources { skus, channels: read_channels(reader)? });
        }
        _ => {}
    }
    Ok(Record::Tally(tally.into()))
}

fn read_answers(reader: &mut Reader<'_>) -> Result<AnswerTimes, RecordError> {
    let count: usize = reader.int("buckets")?;
    let mut answers = AnswerTimes::default();
    let mut previous = None;
    for _ in 0..count {
        let bucket = usize::from(reader.u8()?);
        let times = reader.varint("times")?;
        if Some(bucket) <= previous || bucket >= AnswerTimes::BUCKETS || times == 0 {
            return Err(reader.invalid("buckets"));
        }
        answers.add(bucket, times);
        previous = Some(bucket);
    }
    Ok(answers)
}

fn read_skus(reader: &mut Reader<'_>) -> Result<Vec<(SkuIndex, u64)>, RecordError> {
    let count: usize = reader.int("skus")?;
    if count > SKUS_PER_DROP_MAX {
        return Err(reader.invalid("skus"));
    }
    let mut skus: Vec<(SkuIndex, u64)> = Vec::with_capacity(count);
    for _ in 0..count {
        let sku = SkuIndex::new(reader.u8()?).expect("a SKU index has 8 bits");
        let times = reader.varint("times")?;
        let is_bounded = usize::from(sku.get()) < SKUS_PER_DROP_MAX;
        let ascends = skus.last().is_none_or(|(previous, _)| *previous < sku);
        if !is_bounded || !ascends || times == 0 {
            return Err(reader.invalid("skus"));
        }
        skus.push((sku, times));
    }
    Ok(skus)
}

fn read_channels(reader: &mut Reader<'_>) -> Result<ChannelClicks, RecordError> {
    let count: usize = reader.int("channels")?;
    if count > CHANNELS_PER_TALLY_MAX {
        return Err(reader.invalid("channels"));
    }
    let mut named: Vec<(ChannelId, u64)> = Vec::with_capacity(count);
    for _ in 0..count {
        let channel = ChannelId::new(reader.str("channels", TEXT_ID_BYTES_MAX)?)
            .map_err(|_| reader.invalid("channels"))?;
        let times = reader.varint("times")?;
        let ascends = named.last().is_none_or(|(previous, _)| *previous < channel);
        if !ascends || times == 0 {
            return Err(reader.invalid("channels"));
        }
        named.push((channel, times));
    }
    Ok(ChannelClicks { named, other: reader.varint("other")? })
}

fn read(reader: &mut Reader<'_>) -> Result<Tally, RecordError> {
    let held = reader.varint("held")?;
    let retries = reader.varint("retries")?;
    let connected = reader.varint("connected")?;
    let count: usize = reader.int("reasons")?;
    let mut refusals = RefusalCounts::default();
    let mut previous = None;
    for _ in 0..count {
        let code = RefusalCode::from_ordinal(reader.u8()?);
        let times = reader.varint("times")?;
        let ascends = code > previous;
        match code {
            Some(code) if ascends && times > 0 => refusals.add(code, times),
            _ => return Err(reader.invalid("reasons")),
        }
        previous = code;
    }
    Ok(Tally { held, retries, refusals, connected, ..Tally::default() })
}
