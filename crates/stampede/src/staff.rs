//! Staff tokens from the command line.

use std::{path::Path, process::ExitCode};

use stampede_control::{NewStaff, StaffToken, StaffTokens};
use stampede_domain::StreamId;
use stampede_engine::{Clock, Role, StreamScope};

use crate::{
    cli::{StaffRole, TokenCommand},
    clock::SystemClock,
    failure::Failure,
};

impl From<StaffRole> for Role {
    fn from(role: StaffRole) -> Self {
        match role {
            StaffRole::Admin => Self::Admin,
            StaffRole::Host => Self::Host,
            StaffRole::Merchant => Self::Merchant,
            StaffRole::Ops => Self::Ops,
            StaffRole::Platform => Self::Platform,
            StaffRole::Creator => Self::Creator,
            StaffRole::Stage => Self::Stage,
            StaffRole::Payments => Self::Payments,
        }
    }
}

pub(crate) fn run(command: TokenCommand) -> Result<ExitCode, Failure> {
    match command {
        TokenCommand::Add { data, name, role, merchant, streams } => {
            let merchant = merchant.as_deref().map(str::parse).transpose()?;
            let streams = scope(&streams)?;
            let staff = NewStaff { name, role: role.into(), merchant, streams };
            let issued = open(&data)?.add(staff, SystemClock::start().wall())?;
            println!("{}", issued.secret.reveal());
        }
        TokenCommand::List { data } => {
            print!("{}", table(&open(&data)?.list()?));
        }
        TokenCommand::Revoke { data, id } => open(&data)?.revoke(&id)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// A line for each token; every column is as wide as its widest value.
fn table(tokens: &[StaffToken]) -> String {
    let rows: Vec<[String; 5]> = tokens
        .iter()
        .map(|StaffToken { id, staff, .. }| {
            let merchant =
                staff.merchant.as_ref().map_or("every merchant".into(), ToString::to_string);
            let role = staff.role.to_string();
            [id.clone(), role, merchant, shown(&staff.streams), staff.name.clone()]
        })
        .collect();
    let widths: [usize; 4] = std::array::from_fn(|column| {
        rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)
    });
    let line = |row: &[String; 5]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}  "));
        cells.collect::<String>() + &row[4] + "\n"
    };
    rows.iter().map(line).collect()
}

/// The scope of these streams, of every one if none is named.
pub(crate) fn scope(streams: &[String]) -> Result<StreamScope, Failure> {
    let parsed: Result<Vec<StreamId>, _> = streams.iter().map(|stream| stream.parse()).collect();
    Ok(StreamScope::of(parsed?))
}

/// A scope as people read it.
fn shown(scope: &StreamScope) -> String {
    let streams: Vec<&str> = scope.streams().iter().map(StreamId::as_str).collect();
    if scope.is_all() { "every stream".to_owned() } else { streams.join(" ") }
}

fn open(data: &Path) -> Result<StaffTokens, Failure> {
    if !data.is_dir() {
        return Err(Failure::NoDataDir { path: data.to_owned() });
    }
    Ok(StaffTokens::open(data)?)
}

/// Makes the first token of a new directory; `None` if there are some.
pub(crate) fn first_token(tokens: &StaffTokens) -> Result<Option<String>, Failure> {
    if !tokens.is_empty()? {
        return Ok(None);
    }
    let staff = NewStaff {
        name: "first admin".into(),
        role: Role::Admin,
        merchant: None,
        streams: StreamScope::All,
    };
    let issued = tokens.add(staff, SystemClock::start().wall())?;
    Ok(Some(issued.secret.reveal().to_owned()))
}
