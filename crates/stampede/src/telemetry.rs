//! Log lines on standard error with metrics for the control interface.

use std::io::IsTerminal;

use metrics::{Unit, describe_gauge, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

/// Starts logging; `RUST_LOG` chooses what, `info` by default.
pub(crate) fn log(json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    if json { lines.json().init() } else { lines.init() }
}

/// What runs: always 1, with the version as a label.
const BUILD_INFO: &str = "stampede_build_info";

/// Installs the recorder, then tells it what each metric means.
pub(crate) fn metrics() -> Result<PrometheusHandle, BuildError> {
    let requests = Matcher::Full(stampede_control::metrics::REQUEST_SECONDS.to_owned());
    let bounds = &stampede_control::metrics::REQUEST_SECONDS_BOUNDS;
    let webhooks = Matcher::Full(stampede_payments::metrics::WEBHOOK_SECONDS.to_owned());
    let webhook_bounds = &stampede_payments::metrics::WEBHOOK_SECONDS_BOUNDS;
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(requests, bounds)?
        .set_buckets_for_metric(webhooks, webhook_bounds)?;
    let handle = builder.install_recorder()?;
    stampede_engine::metrics::describe();
    stampede_ledger::metrics::describe();
    stampede_payments::metrics::describe();
    stampede_gateway::metrics::describe();
    stampede_control::metrics::describe();
    crate::tls::describe();
    describe_gauge!(BUILD_INFO, Unit::Count, "what runs: always 1, with the version as a label");
    gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Ok(handle)
}
