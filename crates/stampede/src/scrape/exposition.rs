//! Prometheus' text format, as far as it is needed here.

use std::fmt::{Display, Write};

/// What kind of figure a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// A text that metrics are added to, each with all its series at once.
pub(super) struct Exposition {
    text: String,
    /// The metric that series are added to.
    name: &'static str,
}

impl Exposition {
    /// Goes on behind what somebody else has written.
    pub(super) const fn after(text: String) -> Self {
        Self { text, name: "" }
    }

    /// Begins a metric; its series follow.
    pub(super) fn begin(&mut self, name: &'static str, kind: Kind, help: &str) -> &mut Self {
        self.name = name;
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
        self
    }

    /// Adds a series.
    pub(super) fn series(&mut self, labels: &[(&str, &str)], value: impl Display) -> &mut Self {
        self.suffixed("", labels, value)
    }

    /// Adds a series whose name goes on with `suffix`, as those of a histogram do.
    pub(super) fn suffixed(
        &mut self,
        suffix: &str,
        labels: &[(&str, &str)],
        value: impl Display,
    ) -> &mut Self {
        let name = self.name;
        let labels: Vec<String> =
            labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
        if labels.is_empty() {
            self.line(format_args!("{name}{suffix} {value}"));
        } else {
            self.line(format_args!("{name}{suffix}{{{}}} {value}", labels.join(",")));
        }
        self
    }

    /// Adds a metric without labels.
    pub(super) fn gauge(&mut self, name: &'static str, help: &str, value: impl Display) {
        self.begin(name, Kind::Gauge, help).series(&[], value);
    }

    /// What was written.
    pub(super) fn into_text(self) -> String {
        self.text
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.text, "{line}").expect("a string takes every line");
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_its_help_its_type_its_series() {
        let mut text = Exposition::after("before 1\n".into());
        text.begin("units", Kind::Gauge, "what there is")
            .series(&[("drop", "d1"), ("name", "a \"b\"\\\n")], 3)
            .series(&[], 0.5);
        text.begin("seconds", Kind::Histogram, "how long").suffixed("_count", &[], 7);
        let expected = "before 1\n\
            # HELP units what there is\n# TYPE units gauge\n\
            units{drop=\"d1\",name=\"a \\\"b\\\"\\\\\\n\"} 3\nunits 0.5\n\
            # HELP seconds how long\n# TYPE seconds histogram\nseconds_count 7\n";
        assert_eq!(text.into_text(), expected);
    }
}
