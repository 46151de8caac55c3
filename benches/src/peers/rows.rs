//! The rows: which server, which load.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use stampede_domain::DropId;
use stampede_swarm::{Web, WebSeat};
use tempfile::TempDir;

use crate::{
    drive::{Load, drive, sockets},
    echo::{Asked, TcpEcho, WebEcho},
    error::{PeersError, system},
    meter::Meter,
    postgres::Postgres,
    redis::{Buyer, Buyers, RedisServer},
    report::Row,
    server::{Server, pinned},
    stampede::{Stampede, buys, subprotocol},
    viewers::{Deed, Viewer, Viewers},
    wish::{self, Course},
};

/// One row of the table.
#[derive(Debug)]
pub(crate) struct RowKind {
    pub(crate) name: &'static str,
    /// The program that it needs.
    program: &'static str,
    work: Work,
}

#[derive(Clone, Copy, Debug)]
enum Work {
    /// The echo server of this crate, by its kind.
    TcpEcho,
    TungsteniteEcho,
    /// A script that a foreign program runs.
    ScriptEcho(&'static str),
    GatewayEcho,
    Sell,
    SoldOut,
    RedisSell,
    RedisSoldOut,
    HotRow,
}

const fn row(name: &'static str, program: &'static str, work: Work) -> RowKind {
    RowKind { name, program, work }
}

/// All rows, limits first.
pub(crate) const ROWS: [RowKind; 11] = [
    row("tcp_echo", "echo", Work::TcpEcho),
    row("ws_echo", "stampede", Work::GatewayEcho),
    row("ws_echo_tungstenite", "echo", Work::TungsteniteEcho),
    row("sold_out", "stampede", Work::SoldOut),
    row("redis_lua_sold_out", "redis", Work::RedisSoldOut),
    row("sell_durable", "stampede", Work::Sell),
    row("redis_lua_durable", "redis", Work::RedisSell),
    row("postgres_hot_row", "postgres", Work::HotRow),
    row("bun", "bun", Work::ScriptEcho("bun.js")),
    row("picows", "picows", Work::ScriptEcho("picows_echo.py")),
    row("ws", "ws", Work::ScriptEcho("ws.mjs")),
];

/// Where everything is.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) programs: Vec<(String, PathBuf)>,
    pub(crate) missing: Vec<(String, String)>,
    pub(crate) data: PathBuf,
}

impl Bench {
    /// Starts the row's server, measures it, ends it.
    pub(crate) fn measure(&self, kind: &RowKind, load: &Load) -> Result<Row, PeersError> {
        let folder = tempfile::Builder::new().prefix("peers-").tempdir_in(&self.data);
        let folder = folder.map_err(system("make a folder for the data"))?;
        let program = self.program(kind.program)?;
        match kind.work {
            Work::TcpEcho => Self::tcp_echo(kind, program, load, &folder),
            Work::TungsteniteEcho => {
                let mut command = pinned(program);
                command.arg("tungstenite");
                Self::web_echo(kind, command, load, &folder)
            }
            Work::ScriptEcho(script) => {
                let mut command = pinned(program);
                command.arg(self.program("scripts")?.join(script));
                if let Ok(modules) = self.program("node_modules") {
                    command.env("STAMPEDE_NODE_MODULES", modules);
                }
                Self::web_echo(kind, command, load, &folder)
            }
            Work::GatewayEcho => Self::gateway_echo(kind, program, load, &folder),
            Work::Sell => Self::sell(kind, program, load, &folder),
            Work::SoldOut => Self::sold_out(kind, program, load, &folder),
            Work::RedisSell => Self::redis_sell(kind, program, load, &folder),
            Work::RedisSoldOut => Self::redis_sold_out(kind, program, load, &folder),
            Work::HotRow => {
                let found = Postgres::start(program, folder.path())?.measure(load)?;
                let (promises_checked, clients) = (Some(found.promises), Some(found.clients));
                let row = Row::new(kind.name, load.connections, &found.measured);
                Ok(Row { promises_checked, clients, ..row })
            }
        }
    }

    fn program(&self, name: &str) -> Result<&Path, PeersError> {
        if let Some((_, why)) = self.missing.iter().find(|(missing, _)| missing == name) {
            return Err(PeersError::Missing(why.clone()));
        }
        let found = self.programs.iter().find(|(program, _)| program == name);
        found.map(|(_, path)| path.as_path()).ok_or(PeersError::NoProgram)
    }

    fn tcp_echo(
        kind: &RowKind,
        program: &Path,
        load: &Load,
        folder: &TempDir,
    ) -> Result<Row, PeersError> {
        let mut command = pinned(program);
        command.arg("tcp");
        let mut server = Server::start(kind.name, command, &folder.path().join("log"))?;
        let target = server.says_port()?;
        let mut player = TcpEcho { meter: Meter::default(), payload: message() };
        let load = &load.on(&server);
        let measured = drive(&mut sockets(target)?, &mut player, load, |_| Asked::default())?;
        Ok(Row::new(kind.name, load.connections, &measured))
    }

    fn web_echo(
        kind: &RowKind,
        command: Command,
        load: &Load,
        folder: &TempDir,
    ) -> Result<Row, PeersError> {
        let mut server = Server::start(kind.name, command, &folder.path().join("log"))?;
        let target = server.says_port()?;
        let talker = WebEcho { meter: Meter::default(), payload: message() };
        let mut player = Web::new(talker, target, None);
        let load = &load.on(&server);
        let measured = drive(&mut sockets(target)?, &mut player, load, |_| WebSeat::default())?;
        Ok(Row::new(kind.name, load.connections, &measured))
    }

    fn gateway_echo(
        kind: &RowKind,
        program: &Path,
        load: &Load,
        folder: &TempDir,
    ) -> Result<Row, PeersError> {
        let server = Stampede::start(program, folder.path())?;
        let deed = Deed::Ping(message());
        let (row, _) = visit(kind, &server, deed, Vec::new(), load)?;
        Ok(row)
    }

    fn sold_out(
        kind: &RowKind,
        program: &Path,
        load: &Load,
        folder: &TempDir,
    ) -> Result<Row, PeersError> {
        let server = Stampede::start(program, folder.path())?;
        let drops = server.open(Course { drops: 1, supply: 1 })?;
        let one = Load { connections: 1, warm_up: ONE_BUY, measured: ONE_BUY, ..*load };
        let (_, buyer) = visit(kind, &server, Deed::BuyOne, buys(&drops), &one)?;
        server.audit(&drops, &buyer.promises)?;
        let (row, _) = visit(kind, &server, Deed::BuySoldOut, buys(&drops), load)?;
        Ok(row)
    }

    fn sell(
        kind: &RowKind,
        program: &Path,
        load: &Load,
        folder: &TempDir,
    ) -> Result<Row, PeersError> {
        let server = Stampede::start(program, folder.path())?;
        let course = course(load);
        let drops = server.open(course)?;
        let (row, talker) = visit(kind, &server, Deed::Buy(course), buys(&drops), load)?;
        let promises_checked = Some(server.audit(&drops, &talker.promises)?);
        Ok(Row { promises_checked, busy_refusals: Some(talker.meter.refused), ..row })
    }

    fn redis_sell(
        kind: &RowKind,
        program: &Path,
        load: &Load,
        folder: &TempDir,
    ) -> Result<Row, PeersError> {
        let course = course(load);
        let server = RedisServer::start(program, folder.path(), course)?;
        let mut player = Buyers::new(&server, course, false);
        let row = buy_from_redis(kind, &server, &mut player, load)?;
        let promises_checked = Some(server.audit(&player.told, course)?);
        Ok(Row { promises_checked, ..row })
    }

    fn redis_sold_out(
        kind: &RowKind,
        program: &Path,
        load: &Load,
        folder: &TempDir,
    ) -> Result<Row, PeersError> {
        let course = Course { drops: 1, supply: 0 };
        let server = RedisServer::start(program, folder.path(), course)?;
        buy_from_redis(kind, &server, &mut Buyers::new(&server, course, true), load)
    }
}

/// What every echo carries: a usual buy.
pub(crate) fn message() -> Vec<u8> {
    wish::buy("d17".parse::<DropId>().expect("an id"))
}

/// Long enough for one buy.
const ONE_BUY: std::time::Duration = std::time::Duration::from_millis(100);

fn course(load: &Load) -> Course {
    Course::new(load.connections, (load.warm_up + load.measured).as_secs())
}

/// Lets viewers do their deed.
fn visit(
    kind: &RowKind,
    server: &Stampede,
    deed: Deed,
    buys: Vec<Vec<u8>>,
    load: &Load,
) -> Result<(Row, Viewers), PeersError> {
    let target: SocketAddr = server.viewers();
    let mut sockets = sockets(target)?;
    let talker = Viewers::new(deed, server.tickets()?, sockets.unix_now(), buys);
    let mut player = Web::new(talker, target, Some(subprotocol()));
    let load = &load.on(server.process());
    let measured = drive(&mut sockets, &mut player, load, |_| WebSeat::new(Viewer::default()))?;
    Ok((Row::new(kind.name, load.connections, &measured), player.talker))
}

fn buy_from_redis(
    kind: &RowKind,
    server: &RedisServer,
    player: &mut Buyers,
    load: &Load,
) -> Result<Row, PeersError> {
    let mut sockets = sockets(server.address)?;
    let load = &load.on(server.process());
    let measured = drive(&mut sockets, player, load, |_| Buyer::default())?;
    Ok(Row::new(kind.name, load.connections, &measured))
}
