//! The server's settings: one typed struct, read once, checked once.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use stampede_control::{ControlConfig, PublicUrl, PublicUrlError};
use stampede_domain::{
    DurationMs, IdError, NodeId,
    limits::{CORES_MAX, TICK_INTERVAL_MS_MAX, TICK_INTERVAL_MS_MIN},
};
use stampede_gateway::{GatewayConfig, OriginError, check_origin};
use stampede_intake::Exact;
use stampede_proxies::{ForwardingHeader, NetworkError, ProxyProtocol, TrustedProxies, networks};

use crate::payment_settings::{Payments, PaymentsError};

/// Port of the viewers' WebSocket listener.
pub(crate) const VIEWER_PORT: u16 = 7700;
/// Port of the control listener.
pub(crate) const CONTROL_PORT: u16 = 7701;

/// Most MiB that live drops may be allowed to need: 16 TiB.
const MEMORY_MIB_MAX: u64 = 1 << 24;

/// Everything that may be set. Unknown keys are refused.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) node: Node,
    pub(crate) viewers: Viewers,
    pub(crate) control: Control,
    pub(crate) assets: Assets,
    pub(crate) payments: Payments,
}

/// `[node]`: this server.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Node {
    /// Its name in the ledger.
    pub(crate) name: String,
    /// MiB that all live drops may come to need.
    pub(crate) sale_memory_mib_max: u64,
    /// MiB that one merchant's live drops may come to need.
    pub(crate) merchant_memory_mib_max: u64,
}

/// `[viewers]`: the WebSocket listener.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Viewers {
    /// Where it listens.
    pub(crate) listen: SocketAddr,
    /// Threads that serve viewers, at most 64; 0 takes one for each core of the machine.
    pub(crate) cores: usize,
    /// Connections in all.
    pub(crate) connections_max: usize,
    /// Connections of one viewer; the oldest is closed.
    pub(crate) connections_per_viewer_max: usize,
    /// Connections of one address; 0 for any number.
    pub(crate) connections_per_address_max: usize,
    /// Connections that one address may open, per second and at once; 0 per second for any number.
    pub(crate) connects_per_address_per_s: u32,
    pub(crate) connects_per_address_burst: u32,
    /// Messages of one connection, per second and at once.
    pub(crate) messages_per_s: u32,
    pub(crate) messages_burst: u32,
    /// Messages of one viewer, per second and at once; 0 per second for any number.
    pub(crate) messages_per_viewer_per_s: u32,
    pub(crate) messages_per_viewer_burst: u32,
    /// Messages of one address, per second and at once; 0 per second for any number.
    pub(crate) messages_per_address_per_s: u32,
    pub(crate) messages_per_address_burst: u32,
    /// Addresses without limits of their own.
    pub(crate) unlimited_addresses: Vec<String>,
    /// Bytes of a request for a connection.
    pub(crate) handshake_bytes_max: usize,
    /// Time for the handshake, in milliseconds.
    pub(crate) handshake_timeout_ms: u64,
    /// Time from the handshake to `hello`, in milliseconds.
    pub(crate) hello_timeout_ms: u64,
    /// Silence after which the server pings, in milliseconds.
    pub(crate) heartbeat_ms: u64,
    /// Bytes that wait for one connection.
    pub(crate) queue_bytes_max: usize,
    /// Time between two stock ticks of a drop, in milliseconds.
    pub(crate) tick_interval_ms: u64,
    /// What a `busy` answer names while every take is stopped, in milliseconds.
    pub(crate) stopped_retry_ms: u64,
    /// What a `busy` answer names at least when buys exceed the rate admitted, in milliseconds.
    pub(crate) limited_retry_ms: u64,
    /// Web origins that may connect; empty lets every page in. Programs without an origin always may.
    pub(crate) origins: Vec<String>,
    /// Span over which clients come back after a stop, in milliseconds; 0 leaves it to their backoff.
    pub(crate) reconnect_spread_ms: u64,
    /// Proxies in front, whose word about a client's address counts.
    pub(crate) trusted_proxies: Vec<String>,
    /// The one header in which they tell it.
    pub(crate) forwarding_header: HeaderName,
    /// Whether connections begin with a PROXY header.
    pub(crate) proxy_protocol: ProxyHeader,
    /// `[viewers.tls]`: without it connections are plain.
    pub(crate) tls: Option<TlsFiles>,
}

/// `[control]`: the HTTP listener.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Control {
    /// Where it listens.
    pub(crate) listen: SocketAddr,
    /// Where browsers find it; empty where it is on loopback, or for tools alone.
    pub(crate) public_url: String,
    /// Proxies in front, whose word about a client's address counts.
    pub(crate) trusted_proxies: Vec<String>,
    /// The one header in which they tell it.
    pub(crate) forwarding_header: HeaderName,
    /// Whether connections begin with a PROXY header.
    pub(crate) proxy_protocol: ProxyHeader,
    /// Streams that staff follow at a time: in all, with tokens of one merchant, of one name.
    pub(crate) followers_max: usize,
    pub(crate) followers_per_merchant_max: usize,
    pub(crate) followers_per_name_max: usize,
    /// `[control.tls]`: without it connections are plain.
    pub(crate) tls: Option<TlsFiles>,
}

/// A listener's certificate with its key, both PEM; relative paths start where the server does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TlsFiles {
    /// The certificate, then those that lead to a root.
    pub(crate) cert: PathBuf,
    /// Its private key.
    pub(crate) key: PathBuf,
}

/// Whether a listener's connections begin with a PROXY header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProxyHeader {
    #[default]
    Off,
    Required,
}

/// The header in which proxies tell the client's address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum HeaderName {
    #[default]
    XForwardedFor,
    Forwarded,
}

impl From<HeaderName> for ForwardingHeader {
    fn from(name: HeaderName) -> Self {
        match name {
            HeaderName::XForwardedFor => Self::XForwardedFor,
            HeaderName::Forwarded => Self::Forwarded,
        }
    }
}

impl From<ProxyHeader> for ProxyProtocol {
    fn from(header: ProxyHeader) -> Self {
        match header {
            ProxyHeader::Off => Self::Off,
            ProxyHeader::Required => Self::Required,
        }
    }
}

/// `[assets]`: the public files alone, apart from the control listener.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Assets {
    /// Where they are shown, if anywhere; an empty text in the file of settings.
    #[serde(with = "crate::address_or_empty")]
    pub(crate) listen: Option<SocketAddr>,
    /// Where people find them; empty where they find control.
    pub(crate) public_url: String,
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{}: {source}", path.display())]
    Parse { path: PathBuf, source: Box<toml::de::Error> },
    #[error("node.name: {0}")]
    Node(#[from] IdError),
    #[error("node.{name} is {given}; 1 to {MEMORY_MIB_MAX} are allowed")]
    Memory { name: &'static str, given: u64 },
    #[error("viewers.cores is {cores}; 0 to {max} are allowed")]
    Cores { cores: usize, max: usize },
    #[error(transparent)]
    Payments(#[from] PaymentsError),
    #[error(
        "viewers.tick_interval_ms is {given}; {TICK_INTERVAL_MS_MIN} to {TICK_INTERVAL_MS_MAX} are allowed"
    )]
    TickInterval { given: u64 },
    #[error("viewers.{name} is {given}; 100 to 600000 are allowed")]
    Retry { name: &'static str, given: u64 },
    #[error("control.{0}")]
    Control(#[from] stampede_control::ConfigError),
    #[error("{setting}: {source}")]
    Networks { setting: &'static str, source: NetworkError },
    #[error("viewers.origins: {0}")]
    Origin(#[from] OriginError),
    #[error(
        "{listener}.proxy_protocol is \"required\", but {listener}.trusted_proxies is empty, so \
         nobody could connect; list the proxies' addresses"
    )]
    NoTrustedProxy { listener: &'static str },
    #[error("{setting}: {source}")]
    PublicUrl { setting: &'static str, source: PublicUrlError },
    #[error("viewers.{0}")]
    Viewers(#[from] stampede_gateway::ConfigError),
}

impl Default for Node {
    fn default() -> Self {
        Self { name: "main".into(), sale_memory_mib_max: 4_096, merchant_memory_mib_max: 1_024 }
    }
}

impl Default for Viewers {
    fn default() -> Self {
        let gateway = GatewayConfig::default();
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), VIEWER_PORT),
            cores: 0,
            connections_max: 18_000,
            connections_per_viewer_max: 5,
            connections_per_address_max: gateway.connections_per_address_max,
            connects_per_address_per_s: gateway.connects_per_address_per_s,
            connects_per_address_burst: gateway.connects_per_address_burst,
            messages_per_s: gateway.messages_per_s,
            messages_burst: gateway.messages_burst,
            messages_per_viewer_per_s: gateway.messages_per_viewer_per_s,
            messages_per_viewer_burst: gateway.messages_per_viewer_burst,
            messages_per_address_per_s: gateway.messages_per_address_per_s,
            messages_per_address_burst: gateway.messages_per_address_burst,
            unlimited_addresses: gateway
                .unlimited_addresses
                .iter()
                .map(ToString::to_string)
                .collect(),
            handshake_bytes_max: gateway.handshake_bytes_max,
            handshake_timeout_ms: gateway.handshake_timeout.get(),
            hello_timeout_ms: gateway.hello_timeout.get(),
            heartbeat_ms: gateway.heartbeat.get(),
            queue_bytes_max: gateway.queue_bytes_max,
            tick_interval_ms: 100,
            stopped_retry_ms: 5_000,
            limited_retry_ms: 1_000,
            origins: Vec::new(),
            reconnect_spread_ms: gateway.reconnect_spread.get(),
            trusted_proxies: Vec::new(),
            forwarding_header: HeaderName::default(),
            proxy_protocol: ProxyHeader::Off,
            tls: None,
        }
    }
}

impl Viewers {
    /// These settings as the gateway takes them; what cannot be set keeps its default.
    pub(crate) fn gateway(&self) -> GatewayConfig {
        GatewayConfig {
            listen: self.listen,
            origins: self.origins.clone(),
            connections_max: self.connections_max,
            connections_per_address_max: self.connections_per_address_max,
            connects_per_address_per_s: self.connects_per_address_per_s,
            connects_per_address_burst: self.connects_per_address_burst,
            messages_per_s: self.messages_per_s,
            messages_burst: self.messages_burst,
            messages_per_viewer_per_s: self.messages_per_viewer_per_s,
            messages_per_viewer_burst: self.messages_per_viewer_burst,
            messages_per_address_per_s: self.messages_per_address_per_s,
            messages_per_address_burst: self.messages_per_address_burst,
            unlimited_addresses: networks(&self.unlimited_addresses).expect(CHECKED),
            handshake_bytes_max: self.handshake_bytes_max,
            handshake_timeout: DurationMs::new(self.handshake_timeout_ms),
            hello_timeout: DurationMs::new(self.hello_timeout_ms),
            heartbeat: DurationMs::new(self.heartbeat_ms),
            queue_bytes_max: self.queue_bytes_max,
            tick_interval: DurationMs::new(self.tick_interval_ms),
            reconnect_spread: DurationMs::new(self.reconnect_spread_ms),
            trusted_proxies: trusted(&self.trusted_proxies, self.forwarding_header),
            proxy_protocol: self.proxy_protocol.into(),
            ..GatewayConfig::default()
        }
    }
}

/// The address of a setting, if it is not empty.
fn public_url(setting: &'static str, given: &str) -> Result<Option<PublicUrl>, ConfigError> {
    let read = |text: &str| text.parse().map(Some);
    let read = if given.is_empty() { Ok(None) } else { read(given) };
    read.map_err(|source| ConfigError::PublicUrl { setting, source })
}

impl Assets {
    /// Where people find the public files, if that was said.
    pub(crate) fn public_url(&self) -> Result<Option<PublicUrl>, ConfigError> {
        public_url("assets.public_url", &self.public_url)
    }
}

impl Control {
    /// Where browsers find the interface, if that was said.
    pub(crate) fn public_url(&self) -> Result<Option<PublicUrl>, ConfigError> {
        public_url("control.public_url", &self.public_url)
    }

    /// These settings as the interface takes them; what cannot be set keeps its default.
    pub(crate) fn interface(&self) -> ControlConfig {
        ControlConfig {
            trusted_proxies: trusted(&self.trusted_proxies, self.forwarding_header),
            proxy_protocol: self.proxy_protocol.into(),
            followers_max: self.followers_max,
            followers_per_merchant_max: self.followers_per_merchant_max,
            followers_per_name_max: self.followers_per_name_max,
            ..ControlConfig::default()
        }
    }
}

/// Networks are checked before anything is made of the settings.
const CHECKED: &str = "the settings were checked";

fn trusted(given: &[String], header: HeaderName) -> TrustedProxies {
    TrustedProxies::parse(given).expect(CHECKED).with_header(header.into())
}

fn check_proxies(
    listener: &'static str,
    trusted: &[String],
    header: ProxyHeader,
) -> Result<(), ConfigError> {
    let setting = match listener {
        "control" => "control.trusted_proxies",
        _ => "viewers.trusted_proxies",
    };
    let trusted = networks(trusted).map_err(|source| ConfigError::Networks { setting, source })?;
    if header == ProxyHeader::Required && trusted.is_empty() {
        return Err(ConfigError::NoTrustedProxy { listener });
    }
    Ok(())
}

impl Default for Control {
    fn default() -> Self {
        let interface = ControlConfig::default();
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), CONTROL_PORT),
            public_url: String::new(),
            trusted_proxies: Vec::new(),
            forwarding_header: HeaderName::default(),
            proxy_protocol: ProxyHeader::Off,
            followers_max: interface.followers_max,
            followers_per_merchant_max: interface.followers_per_merchant_max,
            followers_per_name_max: interface.followers_per_name_max,
            tls: None,
        }
    }
}

impl Config {
    /// Reads a file of settings.
    pub(crate) fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        Self::parse(&text).map_err(|source| ConfigError::Parse {
            path: path.to_owned(),
            source: Box::new(source),
        })
    }

    /// Reads settings; a list is no table, whatever the order of its values.
    fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text).map(|Exact(config)| config)
    }

    /// Checks what the types cannot.
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        NodeId::new(&self.node.name)?;
        let Node { sale_memory_mib_max: all, merchant_memory_mib_max: one, .. } = self.node;
        for (name, given) in [("sale_memory_mib_max", all), ("merchant_memory_mib_max", one)] {
            if !(1..=MEMORY_MIB_MAX).contains(&given) {
                return Err(ConfigError::Memory { name, given });
            }
        }
        let cores = self.viewers.cores;
        if cores > CORES_MAX {
            return Err(ConfigError::Cores { cores, max: CORES_MAX });
        }
        let given = self.viewers.tick_interval_ms;
        if !(TICK_INTERVAL_MS_MIN..=TICK_INTERVAL_MS_MAX).contains(&given) {
            return Err(ConfigError::TickInterval { given });
        }
        let Viewers { stopped_retry_ms: stopped, limited_retry_ms: limited, .. } = self.viewers;
        for (name, given) in [("stopped_retry_ms", stopped), ("limited_retry_ms", limited)] {
            if !(100..=600_000).contains(&given) {
                return Err(ConfigError::Retry { name, given });
            }
        }
        let Self { viewers, control, assets, .. } = self;
        check_proxies("viewers", &viewers.trusted_proxies, viewers.proxy_protocol)?;
        check_proxies("control", &control.trusted_proxies, control.proxy_protocol)?;
        let setting = "viewers.unlimited_addresses";
        networks(&viewers.unlimited_addresses)
            .map_err(|source| ConfigError::Networks { setting, source })?;
        viewers.origins.iter().try_for_each(|origin| check_origin(origin))?;
        control.public_url()?;
        assets.public_url()?;
        viewers.gateway().validate()?;
        control.interface().validate()?;
        Ok(self.payments.validate()?)
    }

    /// Threads that serve viewers.
    pub(crate) fn cores(&self) -> usize {
        match self.viewers.cores {
            0 => std::thread::available_parallelism().map_or(1, usize::from).min(CORES_MAX),
            cores => cores,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_defaults_and_unknown_ones_are_refused() {
        let config = Config::parse("[viewers]\ncores = 2\n").unwrap();
        assert_eq!((config.cores(), config.viewers.listen.port()), (2, 7700));
        let at = [config.viewers.listen, config.control.listen];
        assert!(at.iter().all(|at| at.ip().is_loopback()));
        let refused = Config::parse("[viewers]\nport = 1\n").unwrap_err().to_string();
        assert!(refused.contains("unknown field `port`"), "{refused}");
    }

    #[test]
    fn a_list_is_no_table() {
        for list in ["node = [\"main\"]\n", "[[node]]\nname = \"main\"\n", "viewers = []\n"] {
            let refused = Config::parse(list).unwrap_err().to_string();
            assert!(refused.contains("a list, expected an object"), "{list}: {refused}");
        }
    }

    #[test]
    fn a_time_to_wait_has_a_range() {
        let mut config = Config::parse("[viewers]\nstopped_retry_ms = 99\n").unwrap();
        let refused = config.validate().unwrap_err().to_string();
        assert_eq!(refused, "viewers.stopped_retry_ms is 99; 100 to 600000 are allowed");
        config.viewers.stopped_retry_ms = 100;
        assert!(config.validate().is_ok());
    }

    #[test]
    fn proxies_are_networks_that_may_connect() {
        let refused = |text: &str| {
            let config = Config::parse(text).unwrap();
            config.validate().unwrap_err().to_string()
        };
        let why = refused("[control]\ntrusted_proxies = [\"proxy.example\"]\n");
        let named = "control.trusted_proxies: \"proxy.example\" is no network";
        assert!(why.starts_with(named), "{why}");
        let why = refused("[viewers]\nproxy_protocol = \"required\"\n");
        assert!(why.contains("viewers.trusted_proxies is empty, so nobody could connect"), "{why}");
        let sound =
            "[viewers]\nproxy_protocol = \"required\"\ntrusted_proxies = [\"10.0.0.0/8\"]\n";
        assert!(Config::parse(sound).unwrap().validate().is_ok());
    }

    #[test]
    fn what_never_matches_is_refused_at_start() {
        let refused = |text: &str| Config::parse(text).unwrap().validate().unwrap_err().to_string();
        let why = refused("[viewers]\norigins = [\"https://a.example\", \"https://b.example/\"]\n");
        let mend = "browsers write it \"https://b.example\"; write that";
        assert!(
            why.starts_with("viewers.origins: \"https://b.example/\"") && why.ends_with(mend),
            "{why}"
        );
        let why = refused("[viewers]\nunlimited_addresses = [\"shop.example\"]\n");
        assert!(
            why.starts_with("viewers.unlimited_addresses: \"shop.example\" is no network"),
            "{why}"
        );
        let why = refused("[control]\ntrusted_proxies = [\"0.0.0.0\"]\n");
        assert!(
            why.starts_with("control.trusted_proxies: \"0.0.0.0\" is nobody's address"),
            "{why}"
        );
        let sound = "[viewers]\nunlimited_addresses = [\"10.0.0.7\", \"::ffff:10.1.0.0/112\"]\n";
        let config = Config::parse(sound).unwrap();
        assert!(config.validate().is_ok(), "one notation for all");
        let ranges: Vec<_> =
            config.viewers.gateway().unlimited_addresses.iter().map(ToString::to_string).collect();
        assert_eq!(ranges, ["10.0.0.7/32", "10.1.0.0/16"]);
    }

    #[test]
    fn one_header_says_who_the_client_is() {
        let text = "[viewers]\nforwarding_header = \"forwarded\"\n";
        let config = Config::parse(text).unwrap();
        assert_eq!(config.viewers.gateway().trusted_proxies.header(), ForwardingHeader::Forwarded);
        let other = config.control.interface().trusted_proxies.header();
        assert_eq!(other, ForwardingHeader::XForwardedFor);
        assert!(Config::parse("[viewers]\nforwarding_header = \"x-real-ip\"\n").is_err());
    }

    #[test]
    fn the_documented_settings_are_the_defaults() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operating.md");
        let text = std::fs::read_to_string(path).unwrap();
        let (_, rest) = text.split_once("```toml\n").expect("the guide lists the settings");
        let (block, _) = rest.split_once("```").expect("the block ends");
        let documented = Config::parse(block).unwrap();
        let shown = |config: &Config| toml::to_string(config).unwrap();
        assert_eq!(shown(&documented), shown(&Config::default()));
        let keys = |text: &str| text.lines().filter(|line| line.contains(" = ")).count();
        assert_eq!(keys(block), keys(&shown(&Config::default())), "every setting is listed once");
    }

    #[test]
    fn the_public_files_may_have_an_address_of_their_own() {
        let config = Config::parse("[assets]\nlisten = \"127.0.0.1:0\"\n").unwrap();
        assert_eq!(config.assets.listen.map(|address| address.port()), Some(0));
        let config = Config::parse("[assets]\npublic_url = \"https://show.example/\"\n").unwrap();
        assert_eq!(
            config.assets.public_url().unwrap().unwrap().to_string(),
            "https://show.example"
        );
        let wrong = Config::parse("[assets]\npublic_url = \"show.example\"\n").unwrap();
        let refused = wrong.validate().unwrap_err().to_string();
        assert!(
            refused.starts_with("assets.public_url: \"show.example\" is no address"),
            "{refused}"
        );
        let refused = Config::parse("[assets]\nlisten = \"here\"\n").unwrap_err();
        assert!(refused.to_string().contains("\"here\" is no address like"), "{refused}");
    }

    #[test]
    fn values_out_of_range_are_named() {
        let mut config = Config::default();
        config.payments.failure_rate = 1.5;
        let refused = config.validate().unwrap_err().to_string();
        assert_eq!(refused, "payments.failure_rate is 1.5; 0 to 1 are allowed");
        let config = Config::parse("[viewers]\nmessages_per_s = 0\n").unwrap();
        let refused = config.validate().unwrap_err().to_string();
        assert_eq!(refused, "viewers.messages_per_s is 0; 1 to 1000000 are allowed");
    }
}
