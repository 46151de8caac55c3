//! A deserializer around another one, with a visitor around each visitor.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{EnumAccess, Error, MapAccess, SeqAccess, Unexpected, Visitor},
};

use crate::{
    access::{Around, Entries, Items, Variants},
    shape::Shape,
};

/// A value that is read by the schemas' rules, at any depth: objects by name alone, whole numbers however
/// they are written, fractions in no whole number's place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exact<T>(
    /// The value.
    pub T,
);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Exact<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        exact(from).map(Self)
    }
}

/// Reads a value by the schemas' rules.
///
/// # Errors
/// What the deserializer refuses, or what the rules refuse: its words name no type of this program.
pub fn exact<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    T::deserialize(Around(from))
}

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
                Shape::Other => self.visitor.$method($value),
                Shape::Object | Shape::Whole { .. } => Err(E::invalid_type($found, &self)),
            }
        }
    )*};
}

/// Forwards a whole number within the bounds that were asked for.
macro_rules! whole {
    ($($method:ident($type:ty) $found:ident;)*) => {$(
        fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            match self.shape {
                Shape::Object => Err(E::invalid_type(Unexpected::$found(value.into()), &self)),
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
        match (self.shape, Shape::whole(value)) {
            (Shape::Other, _) => self.visitor.visit_f64(value),
            (shape @ Shape::Whole { .. }, Some(whole)) if shape.holds(whole) => {
                match (u64::try_from(whole), i64::try_from(whole)) {
                    (Ok(whole), _) => self.visitor.visit_u64(whole),
                    (_, Ok(whole)) => self.visitor.visit_i64(whole),
                    _ => Err(E::invalid_value(Unexpected::Float(value), &self)),
                }
            }
            _ => Err(E::invalid_value(Unexpected::Float(value), &self)),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        match self.shape {
            Shape::Other => self.visitor.visit_unit(),
            Shape::Object | Shape::Whole { .. } => {
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
            Shape::Other => self.visitor.visit_seq(Items(items)),
            Shape::Object | Shape::Whole { .. } => {
                Err(Error::invalid_type(Unexpected::Other("a list"), &self))
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        match self.shape {
            Shape::Object | Shape::Other => self.visitor.visit_map(Entries(entries)),
            Shape::Whole { .. } => Err(Error::invalid_type(Unexpected::Other("an object"), &self)),
        }
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variants: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_enum(Variants(variants))
    }
}

#[cfg(test)]
mod tests {
    use serde::{Serialize, de::DeserializeOwned};
    use serde_json::json;

    use super::*;

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Order {
        units: u16,
        shift: i8,
        lines: Vec<Line>,
        note: Option<Line>,
        rate: f64,
    }

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Line {
        sku: String,
        #[serde(default)]
        units: u32,
    }

    fn json<T: DeserializeOwned>(text: &str) -> Result<T, String> {
        let read: Result<Exact<T>, _> = serde_json::from_str(text);
        read.map(|exact| exact.0).map_err(|error| error.to_string())
    }

    #[test]
    fn a_list_is_no_object_at_any_depth() {
        let line = r#"["mug", 2]"#;
        for list in
            ["[]", "[1]", &format!(r#"{{"lines": [{line}]}}"#), &format!(r#"{{"note": {line}}}"#)]
        {
            assert!(serde_json::from_str::<Order>(list).is_ok(), "serde takes {list}");
            let refused = json::<Order>(list).unwrap_err();
            let expected = "invalid type: a list, expected an object with fields by name";
            assert!(refused.starts_with(expected), "{refused}");
        }
        let sound = json::<Order>(r#"{"lines": [{"sku": "mug", "units": 2}], "note": null}"#);
        let lines = vec![Line { sku: "mug".into(), units: 2 }];
        assert_eq!(sound, Ok(Order { lines, ..Order::default() }));
        assert!(json::<Vec<Line>>(r#"[{"sku": "mug"}]"#).is_ok(), "a list where a list belongs");
    }

    #[test]
    fn what_is_integral_is_whole() {
        for units in ["3", "3.0", "3e0", "0.3e1", "30e-1"] {
            assert_eq!(json::<Order>(&format!(r#"{{"units": {units}}}"#)).unwrap().units, 3);
        }
        assert_eq!(json::<Order>(r#"{"shift": -2.0}"#).unwrap().shift, -2);
        assert_eq!(json::<Order>(r#"{"units": -0.0}"#).unwrap().units, 0);
        assert_eq!(json::<u64>("9007199254740991.0"), Ok(9_007_199_254_740_991));
        for none in ["3.5", "1e-1", "1e300", "9007199254740994.0", "\"3\"", "true", "{}", "[3]"] {
            let refused = json::<u64>(none).unwrap_err();
            assert!(refused.contains("expected a whole number from 0"), "{none}: {refused}");
        }
        let packed = rmp_serde::to_vec_named(&json!({"units": 2.0, "lines": []})).unwrap();
        let read: Exact<Order> = rmp_serde::from_slice(&packed).unwrap();
        assert_eq!(read.0.units, 2);
    }

    #[test]
    fn a_number_has_the_bounds_of_its_field() {
        for (given, expected) in [
            (r#"{"units": 65536}"#, "a whole number from 0 to 65535"),
            (r#"{"units": 65536.0}"#, "a whole number from 0 to 65535"),
            (r#"{"units": -1}"#, "a whole number from 0 to 65535"),
            (r#"{"shift": 128}"#, "a whole number from -128 to 127"),
        ] {
            let refused = json::<Order>(given).unwrap_err();
            assert!(refused.contains(expected), "{refused}");
        }
    }

    #[test]
    fn fractions_stay_where_they_belong() {
        assert_eq!(json::<Order>(r#"{"rate": 0.5}"#).unwrap().rate.to_bits(), 0.5_f64.to_bits());
        assert_eq!(json::<Order>(r#"{"rate": 1}"#).unwrap().rate.to_bits(), 1_f64.to_bits());
    }

    #[test]
    fn settings_are_read_in_the_same_way() {
        let read = |text: &str| toml::from_str::<Exact<Order>>(text).map(|exact| exact.0);
        assert_eq!(
            read(
                "units = 2
note = {sku = \"mug\"}\n"
            )
            .unwrap()
            .units,
            2
        );
        let refused = read(
            "units = 2
note = [\"mug\"]\n",
        )
        .unwrap_err()
        .to_string();
        assert!(refused.contains("line 2"), "the place is still named: {refused}");
    }
}
