//! Why a command could not be carried out.

use std::{io, net::SocketAddr, path::PathBuf};

use crate::{config::ConfigError, ticket_keys::KeyFileError};

/// One sentence for the person at the terminal; the variants carry what the crates report.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    #[error(transparent)]
    Tls(#[from] crate::tls::TlsError),
    #[error(transparent)]
    Secrets(#[from] crate::webhooks::SecretsError),
    #[error(transparent)]
    Id(#[from] stampede_domain::IdError),
    #[error(transparent)]
    Lock(#[from] stampede_ledger::LockError),
    #[error(transparent)]
    Ledger(#[from] stampede_ledger::OpenError),
    #[error(transparent)]
    Read(#[from] stampede_ledger::ReadError),
    #[error(transparent)]
    Report(#[from] stampede_report::ReportError),
    #[error(transparent)]
    Lineage(#[from] stampede_report::lineage::LineageError),
    #[error("{0}; an order has an id as well, of 32 hexadecimal digits")]
    OrderName(#[from] stampede_domain::OrderCodeError),
    #[error(transparent)]
    Staff(#[from] stampede_control::StaffError),
    #[error(transparent)]
    Engine(#[from] stampede_engine::StartError),
    #[error(transparent)]
    Payments(#[from] stampede_payments::StartError),
    #[error(transparent)]
    Gateway(#[from] stampede_gateway::StartError),
    #[error("no data directory {}; start the server once, or check --data", path.display())]
    NoDataDir { path: PathBuf },
    #[error(
        "no phone can open {url}, which is this machine alone: set control.public_url to the address \
         that browsers use, like \"https://sale.example\", in the file of --config, and give control a \
         certificate ([control.tls]) or put a proxy that ends TLS in front; --here makes a link for a \
         browser on this machine"
    )]
    OnlyHere { url: Box<stampede_control::PublicUrl> },
    #[error(
        "where browsers find this server is not known: set control.public_url in the file of \
         --config, like \"https://sale.example\""
    )]
    NoPublicUrl,
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error(
        "--staged is for the demo: {why}; run `stampede demo --stage` instead, or leave --staged out"
    )]
    Staged { why: String },
    #[error("metrics: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
    #[error(transparent)]
    Demo(#[from] crate::demo::DemoError),
    #[error("the system refused: {0}")]
    Io(#[from] io::Error),
    #[error("cannot write the result: {0}")]
    Json(#[from] serde_json::Error),
}
