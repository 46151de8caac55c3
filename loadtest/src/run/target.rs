//! What the crowd buys, and where: the server is reached, the drop made or looked up, one viewer let in.

use std::{io, net::SocketAddr, time::Duration};

use serde_json::json;
use stampede_client::{ClientError, ConnectOptions, Connection, Reconnect, Subprotocol};
use stampede_domain::{DurationMs, Mode, StreamId, ViewerId};
use stampede_swarm::Clock;
use stampede_wire::ticket::{KeySpec, Ticket, TicketMinter};
use url::Url;

use super::{LoadArgs, LoadError};
use crate::{
    control::{ControlClient, ControlError, PlannedDrop},
    plan::Roots,
};

/// The metric that says how many viewers the server lets in.
const CONNECTIONS_MAX: &str = "stampede_gateway_connections_max ";
/// Longest time for the first viewer of an address to be welcomed.
const WELCOME_MAX: Duration = Duration::from_secs(10);
/// From the command to the opening of a rehearsal of our own.
const COUNTDOWN_MS: u64 = 3_000;
/// Units that one viewer may have in it.
const LIMIT_PER_VIEWER: u32 = 2;
/// The SKU of it.
const SKU: &str = "load-test-unit";

/// What is bought.
#[derive(Clone, Debug)]
pub(super) struct Goods {
    /// Names this run: viewers' ids and keys begin with it.
    pub(super) run: String,
    pub(super) stream: String,
    pub(super) drop: String,
    pub(super) sku: String,
    /// Whether the load test planned the drop for itself.
    pub(super) is_own: bool,
    pub(super) is_rehearsal: bool,
    pub(super) limit_per_viewer: u32,
    pub(super) hold_ttl_ms: u64,
    pub(super) countdown_ms: u64,
}

/// A server that answered.
#[derive(Clone, Debug)]
pub(super) struct Reached {
    /// Those of the viewers' addresses that answer.
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) roots: Roots,
    pub(super) ticket_key: KeySpec,
}

/// The certificates that the option means.
pub(super) fn roots(which: &str) -> Result<Roots, LoadError> {
    match which {
        "mozilla" => Ok(Roots::Mozilla),
        "system" => Ok(Roots::System),
        path => std::fs::read_to_string(path)
            .map(Roots::Pem)
            .map_err(|source| LoadError::RootsFile { path: path.into(), source }),
    }
}

/// The addresses of a URL's host. Nothing is dialled: a connection that says nothing would count as a failed
/// handshake at the server.
pub(super) async fn resolve(url: &str, schemes: [&str; 2]) -> Result<Vec<SocketAddr>, LoadError> {
    let wrong =
        |why: String| LoadError::Url { url: url.to_owned(), schemes: schemes.join(" or "), why };
    let parsed = Url::parse(url).map_err(|error| wrong(error.to_string()))?;
    if !schemes.contains(&parsed.scheme()) {
        return Err(wrong(format!("its scheme is {:?}", parsed.scheme())));
    }
    let host = parsed.host_str().ok_or_else(|| wrong("it has no host".to_owned()))?;
    let host = host.trim_matches(['[', ']']);
    let known = if matches!(parsed.scheme(), "wss" | "https") { 443 } else { 80 };
    let port = parsed.port().unwrap_or(known);
    let unresolved = |source| LoadError::Unresolved { url: url.to_owned(), source };
    let found: Vec<_> = tokio::net::lookup_host((host, port)).await.map_err(unresolved)?.collect();
    if found.is_empty() {
        return Err(unresolved(io::Error::other("its name has no address")));
    }
    Ok(found)
}

/// Asks the server how many viewers it lets in; a token that may not know is no error.
pub(super) async fn check_room(control: &ControlClient, connected: u32) -> Result<(), LoadError> {
    let Ok(metrics) = control.metrics().await else { return Ok(()) };
    let max =
        metrics.lines().find_map(|line| line.strip_prefix(CONNECTIONS_MAX)?.trim().parse().ok());
    match max {
        Some(connections_max) if u64::from(connected) > connections_max => {
            Err(LoadError::ServerFull { connected, connections_max })
        }
        _ => Ok(()),
    }
}

/// Takes the drop that is named, or plans a rehearsal.
pub(super) async fn goods(args: &LoadArgs, control: &ControlClient) -> Result<Goods, LoadError> {
    let run = format!("load-{:08x}", rand::random::<u32>());
    let Some(drop) = &args.drop else { return rehearsal(args, control, run).await };
    let (planned, phase) = control.planned(drop).await.map_err(LoadError::from_control)?;
    let PlannedDrop { stream, mode, limit_per_viewer, hold_ttl_ms, countdown_ms, skus } = planned;
    if phase != "scheduled" {
        return Err(LoadError::NotScheduled { drop: drop.clone(), phase });
    }
    let is_rehearsal = mode == "rehearsal";
    if !is_rehearsal && !args.live {
        return Err(LoadError::Live { drop: drop.clone() });
    }
    let ids: Vec<String> = skus.into_iter().map(|sku| sku.id).collect();
    let sku = match &args.sku {
        Some(sku) if ids.contains(sku) => sku.clone(),
        Some(sku) => {
            return Err(LoadError::NoSku {
                sku: sku.clone(),
                drop: drop.clone(),
                skus: ids.join(", "),
            });
        }
        None => ids.first().expect("a plan has at least one SKU").clone(),
    };
    let drop = drop.clone();
    let is_own = false;
    Ok(Goods {
        run,
        stream,
        drop,
        sku,
        is_own,
        is_rehearsal,
        limit_per_viewer,
        hold_ttl_ms,
        countdown_ms,
    })
}

async fn rehearsal(
    args: &LoadArgs,
    control: &ControlClient,
    run: String,
) -> Result<Goods, LoadError> {
    let stream = args.stream.clone().unwrap_or_else(|| run.clone());
    let hold_ttl_ms = u64::from(args.hold_ttl_s) * 1_000;
    let terms = json!({
        "mode": "rehearsal", "stream": stream, "title": format!("Load test {run}"),
        "merchant": args.merchant, "host": "load-test",
        // XTS is the code that ISO 4217 keeps for tests.
        "skus": [{ "id": SKU, "title": "Load test unit", "supply": args.units,
                   "price": { "minor": 1_000, "currency": "XTS" } }],
        "limit_per_viewer": LIMIT_PER_VIEWER, "holds_per_viewer_max": 16,
        "hold_ttl_ms": hold_ttl_ms, "countdown_ms": COUNTDOWN_MS,
        // What is not paid in time is on sale again at once.
        "payment": { "grace_ms": 0, "stretch_ms": 0 },
    });
    let drop = control.plan_value(&terms).await.map_err(LoadError::from_control)?;
    Ok(Goods {
        run,
        stream,
        drop,
        sku: SKU.to_owned(),
        is_own: true,
        is_rehearsal: true,
        limit_per_viewer: LIMIT_PER_VIEWER,
        hold_ttl_ms,
        countdown_ms: COUNTDOWN_MS,
    })
}

/// Lets one viewer in and out again at each address, so that what would keep everybody out is told in one
/// sentence. Addresses where nobody gets in are left out, if there are others.
///
/// # Errors
/// [`LoadError::NoWelcome`], [`LoadError::NotLetIn`].
pub(super) async fn try_viewers(
    args: &LoadArgs,
    server: &mut Reached,
    goods: &Goods,
) -> Result<(), LoadError> {
    let mut options = ConnectOptions::new(&args.url, Subprotocol::MsgPack);
    options.connect_timeout = WELCOME_MAX;
    options.tls = Some(server.roots.tls().map_err(LoadError::Roots)?);
    let minter =
        TicketMinter::new(&server.ticket_key).expect("the key was chosen because it signs");
    let now = Clock::start().unix_now();
    let ticket = Ticket {
        viewer: ViewerId::new(&format!("{}-first", goods.run)).expect("a run's name is short"),
        stream: StreamId::new(&goods.stream).map_err(LoadError::Id)?,
        channel: None,
        mode: if goods.is_rehearsal { Mode::Rehearsal } else { Mode::Live },
        expires_at: now.plus(DurationMs::from_secs(60)),
    };
    let ticket = minter.mint(&ticket, now);
    let (mut good, mut last) = (Vec::new(), None);
    for address in &server.addresses {
        options.address = Some(*address);
        match Box::pin(Connection::open(&options, &ticket)).await {
            Ok((connection, _)) => {
                good.push(*address);
                // It was let in; whether it is also seen off matters to nobody.
                let _closed = connection.close().await;
            }
            Err(error) => last = Some(error),
        }
    }
    match last {
        Some(error) if good.is_empty() => Err(not_let_in(&args.url, error)),
        _ => {
            server.addresses = good;
            Ok(())
        }
    }
}

fn not_let_in(url: &str, error: ClientError) -> LoadError {
    let url = url.to_owned();
    match error.reconnect() {
        Reconnect::WithBackoff => LoadError::NoWelcome { url, source: Box::new(error) },
        _ => LoadError::NotLetIn { url, source: Box::new(error) },
    }
}

/// Leaves no drop of our own behind that could still sell. A drop that others run is left as it is; its phase,
/// if it can still sell.
pub(super) async fn put_away(
    control: &ControlClient,
    goods: &Goods,
) -> Result<Option<String>, ControlError> {
    let (_, phase) = control.planned(&goods.drop).await?;
    if !goods.is_own {
        return Ok(["countdown", "open", "paused"].contains(&phase.as_str()).then_some(phase));
    }
    match phase.as_str() {
        "scheduled" => control.cancel(&goods.drop).await?,
        "countdown" => {
            let reason = "the load test ends";
            control.command_with_reason(&goods.drop, "cancel-countdown", reason).await?;
            control.cancel(&goods.drop).await?;
        }
        "open" | "paused" => control.close(&goods.drop).await?,
        _ => {}
    }
    Ok(None)
}

#[cfg(test)]
impl Goods {
    /// A rehearsal, for tests.
    pub(super) fn example() -> Self {
        Self {
            run: "load-1".into(),
            stream: "load-1".into(),
            drop: "d1".into(),
            sku: "unit".into(),
            is_own: true,
            is_rehearsal: true,
            limit_per_viewer: 2,
            hold_ttl_ms: 10_000,
            countdown_ms: 3_000,
        }
    }
}
