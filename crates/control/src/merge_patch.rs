//! JSON merge patches, RFC 7396.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};
use stampede_domain::KeyFingerprint;

/// Fields that replace those of an object. No object in it names a field twice: nobody could tell which is meant.
#[derive(Clone, Debug)]
pub(crate) struct MergePatch(Map<String, Value>);

impl MergePatch {
    /// The patch, if it is an object.
    ///
    /// # Errors
    /// What it is instead.
    pub(crate) fn new(Distinct(value): Distinct) -> Result<Self, &'static str> {
        match value {
            Value::Object(fields) => Ok(Self(fields)),
            Value::Array(_) => Err("a list"),
            _ => Err("a single value"),
        }
    }

    /// Applies it, section 2.
    pub(crate) fn apply_to(&self, target: &mut Map<String, Value>) {
        merge(target, &self.0);
    }

    /// Fingerprint of what is asked for of `terms`: of every field but `left_out`, whatever the order and the blanks
    /// between them.
    pub(crate) fn fingerprint(&self, terms: &str, left_out: &str) -> KeyFingerprint {
        let mut fields = self.0.clone();
        fields.remove(left_out);
        KeyFingerprint::of(format!("{terms} {}", Value::Object(fields)).as_bytes())
    }
}

fn merge(target: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (name, change) in patch {
        match change {
            Value::Null => {
                target.remove(name);
            }
            Value::Object(inner) => {
                let place = target.entry(name).or_insert(Value::Null);
                let mut fields = match place.take() {
                    Value::Object(fields) => fields,
                    _ => Map::new(),
                };
                merge(&mut fields, inner);
                *place = Value::Object(fields);
            }
            other => {
                target.insert(name.clone(), other.clone());
            }
        }
    }
}

/// A value whose objects name each field once. `Value` itself takes the last of two.
#[derive(Clone, Debug)]
pub(crate) struct Distinct(Value);

impl<'de> Deserialize<'de> for Distinct {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyValue).map(Self)
    }
}

struct AnyValue;

/// Takes a value that is not made of others.
macro_rules! plain {
    ($($method:ident($type:ty))*) => {$(
        fn $method<E: Error>(self, value: $type) -> Result<Value, E> {
            Ok(Value::from(value))
        }
    )*};
}

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    plain! {
        visit_bool(bool)
        visit_i64(i64)
        visit_u64(u64)
        visit_f64(f64)
        visit_str(&str)
        visit_string(String)
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Distinct(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if fields.contains_key(&name) {
                return Err(A::Error::custom(format!("duplicate field `{name}`")));
            }
            let Distinct(value) = entries.next_value()?;
            fields.insert(name, value);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::extract::value;

    fn patch(text: &str) -> MergePatch {
        MergePatch::new(value(text).unwrap()).unwrap()
    }

    #[test]
    fn patches_merge_as_the_standard_says() {
        for (target, change, merged) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
            (json!({}), json!({"a": [true, -1, 0.5, "x"]}), json!({"a": [true, -1, 0.5, "x"]})),
        ] {
            let Value::Object(mut target) = target else { panic!() };
            patch(&change.to_string()).apply_to(&mut target);
            assert_eq!(Value::Object(target), merged);
        }
    }

    #[test]
    fn a_field_is_named_once_at_any_depth() {
        for (text, why) in [
            (r#"{"a": 1, "a": 1}"#, "duplicate field `a`"),
            (r#"{"a": {"b": 1, "b": null}}"#, "a: duplicate field `b`"),
            (r#"{"a": [0, {"b": 1, "c": 2, "b": 3}]}"#, "a[1]: duplicate field `b`"),
        ] {
            let refused = value::<Distinct>(text).unwrap_err().detail;
            assert!(refused.starts_with(why), "{refused}");
        }
        assert_eq!(MergePatch::new(value("[]").unwrap()).unwrap_err(), "a list");
        assert_eq!(MergePatch::new(value("3").unwrap()).unwrap_err(), "a single value");
    }

    #[test]
    fn a_request_is_known_by_what_it_changes_and_of_which_terms() {
        let print = |terms: &str, text: &str| patch(text).fingerprint(terms, "reason");
        let one = print("r1", r#"{"title": "Cups", "ends_at_ms": null}"#);
        assert_eq!(one, print("r1", r#"{ "ends_at_ms":null,"title":"Cups", "reason": "x" }"#));
        assert_ne!(one, print("r2", r#"{"title": "Cups", "ends_at_ms": null}"#));
        assert_ne!(one, print("r1", r#"{"title": "Cups"}"#));
        assert_ne!(one, print("r1", r#"{"title": "Mugs", "ends_at_ms": null}"#));
    }
}
