//! Primitive values of the record format: fixed-width integers, varints, texts.

use stampede_domain::{
    Currency, HoldId, KeyFingerprint, Money, PoolIndex, TakeNumber, Units, UnixMillis, ViewerNumber,
};

use super::{error::RecordError, text::Text};

/// Bytes that a varint of 64 bits has at most.
const VARINT_BYTES_MAX: usize = 10;

/// Appends 7 bits per byte, lowest first, the top bit set on all bytes but the last.
#[inline]
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    let mut buffer = [0; VARINT_BYTES_MAX];
    let mut used = 0;
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        buffer[used] = if value == 0 { low & 0x7f } else { low | 0x80 };
        used += 1;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&buffer[..used]);
}

pub(crate) fn put_len(out: &mut Vec<u8>, len: usize) {
    put_varint(out, u64::try_from(len).expect("lengths fit 64 bits"));
}

pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_len(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

pub(crate) fn put_money(out: &mut Vec<u8>, money: Money) {
    put_varint(out, money.minor());
    out.extend_from_slice(money.currency().code().as_bytes());
}

/// Absent: 0; present: 1, then the value.
pub(crate) fn put_option<V>(
    out: &mut Vec<u8>,
    value: Option<V>,
    put: impl FnOnce(&mut Vec<u8>, V),
) {
    match value {
        None => out.push(0),
        Some(value) => {
            out.push(1);
            put(out, value);
        }
    }
}

/// Reads values off a slice; never panics, never allocates more than the slice holds.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(crate) const fn offset(&self) -> usize {
        self.at
    }

    pub(crate) const fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    pub(crate) const fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub(crate) const fn invalid(&self, field: &'static str) -> RecordError {
        RecordError::Invalid { field, offset: self.at }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], RecordError> {
        let rest = &self.bytes[self.at..];
        let found = rest.get(..count).ok_or(RecordError::Truncated { offset: self.at })?;
        self.at += count;
        Ok(found)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], RecordError> {
        let bytes = self.take(N)?;
        Ok(bytes.try_into().expect("take returns as many bytes as asked for"))
    }

    pub(crate) fn u8(&mut self) -> Result<u8, RecordError> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// Reads a varint in its shortest form; a longer form of the same number is refused.
    #[inline]
    pub(crate) fn varint(&mut self, field: &'static str) -> Result<u64, RecordError> {
        let mut value = 0_u64;
        for place in 0..VARINT_BYTES_MAX {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            let shift = u32::try_from(place * 7).expect("at most 63");
            let overflows = place == VARINT_BYTES_MAX - 1 && bits > 1;
            let overlong = place > 0 && byte == 0;
            if overflows || overlong {
                return Err(self.invalid(field));
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.invalid(field))
    }

    /// Reads a varint that must fit a narrower type.
    pub(crate) fn int<V: TryFrom<u64>>(&mut self, field: &'static str) -> Result<V, RecordError> {
        let value = self.varint(field)?;
        V::try_from(value).map_err(|_| self.invalid(field))
    }

    pub(crate) fn str(&mut self, field: &'static str, max: usize) -> Result<&'a str, RecordError> {
        let len = self.int(field)?;
        self.str_of(field, len, max)
    }

    /// A text whose length is one byte, whatever its highest bit is.
    pub(crate) fn short_str(
        &mut self,
        field: &'static str,
        max: usize,
    ) -> Result<&'a str, RecordError> {
        let len = self.u8()?.into();
        self.str_of(field, len, max)
    }

    fn str_of(
        &mut self,
        field: &'static str,
        len: usize,
        max: usize,
    ) -> Result<&'a str, RecordError> {
        if len > max {
            return Err(self.invalid(field));
        }
        let bytes = self.take(len)?;
        std::str::from_utf8(bytes).map_err(|_| self.invalid(field))
    }

    pub(crate) fn text(&mut self, field: &'static str) -> Result<Text, RecordError> {
        self.str(field, Text::BYTES_MAX).map(Text::new)
    }

    pub(crate) fn option<V>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(&mut Self) -> Result<V, RecordError>,
    ) -> Result<Option<V>, RecordError> {
        match self.u8()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            _ => Err(self.invalid(field)),
        }
    }

    pub(crate) fn hold(&mut self) -> Result<HoldId, RecordError> {
        self.array().map(HoldId::from_bytes)
    }

    pub(crate) fn viewer(&mut self) -> Result<ViewerNumber, RecordError> {
        let number = u64::from_be_bytes(self.array()?);
        Ok(ViewerNumber::new(number).expect("a viewer number has 64 bits"))
    }

    pub(crate) fn pool(&mut self) -> Result<PoolIndex, RecordError> {
        Ok(PoolIndex::new(self.u8()?).expect("a pool index has 8 bits"))
    }

    pub(crate) fn fingerprint(&mut self) -> Result<KeyFingerprint, RecordError> {
        self.array().map(|bytes| KeyFingerprint::from_bits(u128::from_be_bytes(bytes)))
    }

    pub(crate) fn units(&mut self, field: &'static str) -> Result<Units, RecordError> {
        let count: u32 = self.int(field)?;
        Units::new(count).ok_or_else(|| self.invalid(field))
    }

    pub(crate) fn time(&mut self, field: &'static str) -> Result<UnixMillis, RecordError> {
        self.varint(field).map(UnixMillis::new)
    }

    pub(crate) fn take_number(&mut self, field: &'static str) -> Result<TakeNumber, RecordError> {
        let number = self.varint(field)?;
        TakeNumber::new(number).ok_or_else(|| self.invalid(field))
    }

    pub(crate) fn money(&mut self, field: &'static str) -> Result<Money, RecordError> {
        let minor = self.varint(field)?;
        let currency = self.currency(field)?;
        Money::new(minor, currency).ok_or_else(|| self.invalid(field))
    }

    pub(crate) fn currency(&mut self, field: &'static str) -> Result<Currency, RecordError> {
        let code = self.array::<3>()?;
        let code = std::str::from_utf8(&code).map_err(|_| self.invalid(field))?;
        Currency::new(code).map_err(|_| self.invalid(field))
    }
}
