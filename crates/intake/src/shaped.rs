//! A visitor around each visitor, and around what leads from a value to the values in it: the one cannot be without
//! the other.

use std::fmt;

use serde::{
    Deserializer,
    de::{
        DeserializeSeed, EnumAccess, Error, MapAccess, SeqAccess, Unexpected, VariantAccess,
        Visitor,
    },
};

use crate::shape::{Shape, whole};

/// A visitor that sees a value only if it has the shape that was asked for.
pub(crate) struct Shaped<V> {
    visitor: V,
    shape: Shape,
}

impl<V> Shaped<V> {
    pub(crate) const fn new(visitor: V, shape: Shape) -> Self {
        Self { visitor, shape }
    }
}

/// Forwards a value that is neither a number nor made of others.
macro_rules! plain {
    ($($method:ident($value:ident: $type:ty) $found:expr;)*) => {$(
        fn $method<E: Error>(self, $value: $type) -> Result<V::Value, E> {
            match self.shape {
                Shape::Single | Shape::Other => self.visitor.$method($value),
                Shape::Object | Shape::List | Shape::Whole { .. } => Err(E::invalid_type($found, &self)),
            }
        }
    )*};
}

/// Forwards a whole number within the bounds that were asked for.
macro_rules! whole {
    ($($method:ident($type:ty) $found:ident;)*) => {$(
        fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            match self.shape {
                Shape::Object | Shape::List => {
                    Err(E::invalid_type(Unexpected::$found(value.into()), &self))
                }
                shape if shape.holds(value.into()) => self.visitor.$method(value),
                _ => Err(E::invalid_value(Unexpected::$found(value.into()), &self)),
            }
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Shaped<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shape.expecting(f).unwrap_or_else(|| self.visitor.expecting(f))
    }

    plain! {
        visit_bool(value: bool) Unexpected::Bool(value);
        visit_char(value: char) Unexpected::Char(value);
        visit_str(value: &str) Unexpected::Str(value);
        visit_borrowed_str(value: &'de str) Unexpected::Str(value);
        visit_string(value: String) Unexpected::Str(&value);
        visit_bytes(value: &[u8]) Unexpected::Bytes(value);
        visit_borrowed_bytes(value: &'de [u8]) Unexpected::Bytes(value);
        visit_byte_buf(value: Vec<u8>) Unexpected::Bytes(&value);
    }

    whole! {
        visit_i8(i8) Signed;
        visit_i16(i16) Signed;
        visit_i32(i32) Signed;
        visit_i64(i64) Signed;
        visit_u8(u8) Unsigned;
        visit_u16(u16) Unsigned;
        visit_u32(u32) Unsigned;
        visit_u64(u64) Unsigned;
    }

    fn visit_f32<E: Error>(self, value: f32) -> Result<V::Value, E> {
        self.visit_f64(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<V::Value, E> {
        match (self.shape, whole(value)) {
            (Shape::Single | Shape::Other, _) => self.visitor.visit_f64(value),
            (shape @ Shape::Whole { .. }, Some(whole)) if shape.holds(whole.into()) => {
                match u64::try_from(whole) {
                    Ok(whole) => self.visitor.visit_u64(whole),
                    Err(_) => self.visitor.visit_i64(whole),
                }
            }
            _ => Err(E::invalid_value(Unexpected::Float(value), &self)),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        match self.shape {
            Shape::Single | Shape::Other => self.visitor.visit_unit(),
            Shape::Object | Shape::List | Shape::Whole { .. } => {
                Err(E::invalid_type(Unexpected::Other("null"), &self))
            }
        }
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(Around(from))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, from: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_newtype_struct(Around(from))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        match self.shape {
            Shape::List | Shape::Other => self.visitor.visit_seq(Items(items)),
            Shape::Object | Shape::Single | Shape::Whole { .. } => {
                Err(Error::invalid_type(Unexpected::Other("a list"), &self))
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        match self.shape {
            Shape::Object | Shape::Other => self.visitor.visit_map(Entries(entries)),
            Shape::List | Shape::Single | Shape::Whole { .. } => {
                Err(Error::invalid_type(Unexpected::Other("an object"), &self))
            }
        }
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variants: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_enum(Variants(variants))
    }
}

/// A deserializer or a seed whose values are read by the rules.
pub(crate) struct Around<T>(pub(crate) T);

/// Forwards a request for a value of one kind, with the shape that such a value has.
macro_rules! ask {
    ($($method:ident($($arg:ident: $type:ty),*) $shape:expr;)*) => {$(
        fn $method<V: Visitor<'de>>(
            self,
            $($arg: $type,)*
            visitor: V,
        ) -> Result<V::Value, D::Error> {
            self.0.$method($($arg,)* Shaped::new(visitor, $shape))
        }
    )*};
}

/// Forwards a request for a value of one kind as one for any value: where readers look at the kind themselves, they
/// name what stands there in Rust's words.
macro_rules! ask_for_any {
    ($($method:ident $shape:expr;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.0.deserialize_any(Shaped::new(visitor, $shape))
        }
    )*};
}

const fn between(min: i128, max: i128) -> Shape {
    Shape::Whole { min, max }
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Around<D> {
    type Error = D::Error;

    ask_for_any! {
        deserialize_bool Shape::Single;
        deserialize_i8 between(i128::from(i8::MIN), i128::from(i8::MAX));
        deserialize_i16 between(i128::from(i16::MIN), i128::from(i16::MAX));
        deserialize_i32 between(i128::from(i32::MIN), i128::from(i32::MAX));
        deserialize_i64 between(i128::from(i64::MIN), i128::from(i64::MAX));
        deserialize_u8 between(0, i128::from(u8::MAX));
        deserialize_u16 between(0, i128::from(u16::MAX));
        deserialize_u32 between(0, i128::from(u32::MAX));
        deserialize_u64 between(0, i128::from(u64::MAX));
        deserialize_f32 Shape::Single;
        deserialize_f64 Shape::Single;
        deserialize_char Shape::Single;
        deserialize_str Shape::Single;
        deserialize_string Shape::Single;
        deserialize_seq Shape::List;
    }

    ask! {
        deserialize_any() Shape::Other;
        deserialize_bytes() Shape::Other;
        deserialize_byte_buf() Shape::Other;
        deserialize_option() Shape::Other;
        deserialize_unit() Shape::Other;
        deserialize_unit_struct(name: &'static str) Shape::Other;
        deserialize_newtype_struct(name: &'static str) Shape::Other;
        deserialize_tuple(len: usize) Shape::Other;
        deserialize_tuple_struct(name: &'static str, len: usize) Shape::Other;
        deserialize_map() Shape::Other;
        deserialize_struct(name: &'static str, fields: &'static [&'static str]) Shape::Object;
        deserialize_enum(name: &'static str, variants: &'static [&'static str]) Shape::Other;
        deserialize_identifier() Shape::Other;
        deserialize_ignored_any() Shape::Other;
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Around<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Around(from))
    }
}

/// The values of a list.
pub(crate) struct Items<A>(pub(crate) A);

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Items<A> {
    type Error = A::Error;

    fn next_element_seed<S>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error>
    where
        S: DeserializeSeed<'de>,
    {
        self.0.next_element_seed(Around(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

/// The entries of an object. Their names are texts in every encoding that is read here.
pub(crate) struct Entries<A>(pub(crate) A);

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Entries<A> {
    type Error = A::Error;

    fn next_key_seed<S>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error>
    where
        S: DeserializeSeed<'de>,
    {
        self.0.next_key_seed(seed)
    }

    fn next_value_seed<S>(&mut self, seed: S) -> Result<S::Value, A::Error>
    where
        S: DeserializeSeed<'de>,
    {
        self.0.next_value_seed(Around(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

/// One of several kinds of value.
pub(crate) struct Variants<A>(pub(crate) A);

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Variants<A> {
    type Error = A::Error;
    type Variant = Variants<A::Variant>;

    fn variant_seed<S>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error>
    where
        S: DeserializeSeed<'de>,
    {
        self.0.variant_seed(seed).map(|(value, variant)| (value, Variants(variant)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Variants<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.unit_variant()
    }

    fn newtype_variant_seed<S>(self, seed: S) -> Result<S::Value, A::Error>
    where
        S: DeserializeSeed<'de>,
    {
        self.0.newtype_variant_seed(Around(seed))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.0.tuple_variant(len, Shaped::new(visitor, Shape::Other))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.0.struct_variant(fields, Shaped::new(visitor, Shape::Object))
    }
}
