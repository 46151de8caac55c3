//! Log lines on standard error with metrics for the control interface.

use std::io::IsTerminal;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
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

/// Installs the recorder, then tells it what each metric means.
pub(crate) fn metrics() -> Result<PrometheusHandle, metrics_exporter_prometheus::BuildError> {
    let handle = PrometheusBuilder::new().install_recorder()?;
    stampede_engine::metrics::describe();
    stampede_ledger::metrics::describe();
    stampede_settlement::metrics::describe();
    stampede_gateway::metrics::describe();
    stampede_control::metrics::describe();
    crate::tls::describe();
    Ok(handle)
}
