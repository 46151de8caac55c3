//! A value of any type, read by the schemas' rules.

use serde::{Deserialize, Deserializer};

use crate::shaped::Around;

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
    fn what_stands_in_the_place_of_a_list_or_a_text_is_named_in_words_of_json() {
        for (given, expected) in [
            (r#"{"lines": {}}"#, "invalid type: an object, expected a list"),
            (r#"{"lines": "x"}"#, "invalid type: string \"x\", expected a list"),
            (r#"{"lines": 5}"#, "invalid type: integer `5`, expected a list"),
            (r#"{"lines": null}"#, "invalid type: null, expected a list"),
            (r#"{"units": {}}"#, "invalid type: an object, expected a whole number"),
            (r#"{"units": []}"#, "invalid type: a list, expected a whole number"),
            (r#"{"rate": {}}"#, "invalid type: an object, expected f64"),
            (r#"{"lines": [{"sku": {}}]}"#, "invalid type: an object, expected a string"),
            (r#"{"lines": [{"sku": []}]}"#, "invalid type: a list, expected a string"),
            (r#"{"lines": [{"sku": 5}]}"#, "invalid type: integer `5`, expected a string"),
        ] {
            let refused = json::<Order>(given).unwrap_err();
            assert!(refused.starts_with(expected), "{given}: {refused}");
        }
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
