//! Metrics in Prometheus' text format, read back.

/// The text that the server's scrape answers.
pub(super) struct Exposition<'a>(pub(super) &'a str);

impl Exposition<'_> {
    /// The values of a metric's series whose labels contain `label`.
    fn series(&self, name: &str, label: &str) -> impl Iterator<Item = f64> {
        let found = self.0.lines().filter_map(move |line| {
            let rest = line.strip_prefix(name)?;
            let (labels, value) = match rest.strip_prefix('{') {
                Some(labelled) => labelled.split_once("} ")?,
                None => ("", rest.strip_prefix(' ')?),
            };
            labels.contains(label).then(|| value.trim().parse().ok())?
        });
        found.collect::<Vec<_>>().into_iter()
    }

    /// The sum of a metric over its series; `None` if it is not told.
    pub(super) fn sum(&self, name: &str) -> Option<f64> {
        self.series(name, "").reduce(|sum, value| sum + value)
    }

    /// The largest quantile 0.99 of a summary, in seconds.
    pub(super) fn p99_of_summary(&self, name: &str) -> Option<f64> {
        self.series(name, "quantile=\"0.99\"").reduce(f64::max)
    }

    /// The least value of a metric's series.
    pub(super) fn least(&self, name: &str) -> Option<f64> {
        self.series(name, "").reduce(f64::min)
    }

    /// The bound below which 99 of 100 observations of a histogram lie, in seconds.
    pub(super) fn p99_of_histogram(&self, name: &str) -> Option<f64> {
        let prefix = format!("{name}_bucket{{");
        let mut buckets: Vec<(f64, f64)> = Vec::new();
        for line in self.0.lines() {
            let Some((labels, value)) =
                line.strip_prefix(&prefix).and_then(|rest| rest.split_once("} "))
            else {
                continue;
            };
            let bound = labels.split("le=\"").nth(1)?.split('"').next()?;
            let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().ok()? };
            buckets.push((bound, value.trim().parse().ok()?));
        }
        let all = buckets.last().filter(|(_, all)| *all > 0.0)?.1;
        buckets.iter().find(|(_, below)| *below >= all * 0.99).map(|(bound, _)| *bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# HELP a_connections of a core
a_connections{core=\"0\"} 3
a_connections{core=\"1\"} 4
a_connections_max 60
c_seconds{quantile=\"0.5\"} 0.001
c_seconds{quantile=\"0.99\"} 0.0033
h_seconds_bucket{le=\"0.001\"} 90
h_seconds_bucket{le=\"0.005\"} 99
h_seconds_bucket{le=\"+Inf\"} 100
";

    #[test]
    fn a_metric_is_summed_over_its_series_alone() {
        let told = Exposition(TEXT);
        assert_eq!(told.sum("a_connections"), Some(7.0));
        assert_eq!(told.sum("a_connections_max"), Some(60.0));
        assert_eq!(told.sum("a_missing"), None);
        assert_eq!(told.p99_of_summary("c_seconds"), Some(0.0033));
        assert_eq!(told.least("a_connections"), Some(3.0));
    }

    #[test]
    fn a_histogram_tells_the_bound_of_its_hundredth() {
        assert_eq!(Exposition(TEXT).p99_of_histogram("h_seconds"), Some(0.005));
        assert_eq!(Exposition("").p99_of_histogram("h_seconds"), None);
    }
}
