//! Invitations from the command line: a link with its QR code.

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
    sync::Arc,
};

use stampede_control::{
    Inviter, NewInvitation, NewStaff, PublicUrl, SessionLimits, Sessions, Site, StaffTokens,
    join_path,
};
use stampede_domain::DurationMs;
use stampede_engine::Clock;

use crate::{
    cli::InviteArgs,
    clock::SystemClock,
    config::{Config, Control},
    failure::Failure,
    qr,
    staff::scope,
};

pub(crate) fn run(args: &InviteArgs) -> Result<ExitCode, Failure> {
    let config = match &args.config {
        Some(path) => Config::read(path)?,
        None => Config::default(),
    };
    config.validate()?;
    let url = address(&config.control, args.here)?;
    if !args.data.is_dir() {
        return Err(Failure::NoDataDir { path: args.data.clone() });
    }
    let tokens = Arc::new(StaffTokens::open(&args.data)?);
    let sessions = Sessions::open(&args.data, tokens, SessionLimits::default())?;
    let staff = NewStaff {
        name: args.name.clone(),
        role: args.role.into(),
        merchant: args.merchant.as_deref().map(str::parse).transpose()?,
        streams: scope(&args.streams)?,
    };
    let now = SystemClock::start().wall();
    let NewInvitation { secret, invitation } =
        sessions.invite(&Inviter::Machine, staff, args.valid, now)?;
    let link = format!("{url}{}", join_path(&secret));
    let drawn = qr::drawn(&link, io::stdout().is_terminal());
    writeln!(io::stdout().lock(), "{link}\n\n{drawn}")?;
    eprintln!(
        "good for one browser, for {}; withdraw it by DELETE /v1/invitations/{}",
        spoken(args.valid),
        invitation.id
    );
    if !url.is_https() && !url.is_loopback() {
        eprintln!(
            "{url} is not https: everybody on the way can read the link; give control a \
             certificate ([control.tls]) or put a proxy that ends TLS in front"
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// A length of time in its largest whole unit.
fn spoken(time: DurationMs) -> String {
    const UNITS: [(u64, &str); 3] = [(3_600_000, "h"), (60_000, "min"), (1_000, "s")];
    let whole = UNITS.into_iter().find(|(unit, _)| time.get().is_multiple_of(*unit));
    whole.map_or_else(|| time.to_string(), |(unit, name)| format!("{} {name}", time.get() / unit))
}

/// Where the invited find the server: never an address that only this machine can open, unless that is
/// what is wanted.
fn address(control: &Control, here: bool) -> Result<PublicUrl, Failure> {
    let site = Site::of(control.public_url()?, control.listen, control.tls.is_some());
    let url = site.url().ok_or(Failure::NoPublicUrl)?;
    if url.is_loopback() && !here {
        return Err(Failure::OnlyHere { url: Box::new(url) });
    }
    Ok(url)
}
