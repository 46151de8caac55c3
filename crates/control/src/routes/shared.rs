//! What a share shows to whoever has its link: figures, and no name of a buyer or of staff.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tokio::{sync::OwnedSemaphorePermit, task::spawn_blocking, time::timeout};

use super::{
    reports::{
        FileError, drop_figures, drop_table, drop_workbook, json, show_report, show_workbook,
    },
    shares::on_disk,
    show_groups::{DropsOfShow, show_among},
};
use crate::{
    by_address::Client,
    dto::{SharedFacts, SharedParams, SharedReport},
    extract::Params,
    problem::{Code, Problem, ProblemBody},
    report_file::{DropTable, ReportFile},
    staff::{Opened, Share, ShareSubject, hash},
    state::ControlState,
};

/// The report that was shared, as it stands now. Of a whole drop also as tables and as a workbook, of a whole show also
/// as a workbook.
#[utoipa::path(
    get,
    path = "/shared/{secret}/{file}",
    tag = "shares",
    operation_id = "shared_file",
    params(
        ("secret" = String, Path, description = "The last part of the link."),
        ("file" = String, Path, description = "What to read."),
        SharedParams,
    ),
    responses(
        (status = 200, description = "The figures as far as they are durable.", content(
            (SharedReport<serde_json::Value> = "application/json"),
            (String = "text/csv"),
            (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ), headers(("X-Robots-Tag", description = "`noindex, nofollow`."))),
        (status = 404, description = "No such share, or it does not have this file.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "The share is over or was revoked.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "This address asks too often.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The ledger is being read by as many as may.",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn file(
    State(state): State<ControlState>,
    client: Client,
    Path((secret, file)): Path<(String, String)>,
    Params(params): Params<SharedParams>,
) -> Result<Response, Problem> {
    let share = opened(&state, client, secret).await?;
    let wanted = Wanted::of(&share, &file, &params).ok_or_else(|| not_shared(&file))?;
    let place = place(&state).await?;
    let (reader, subject) = (state.clone(), share.clone());
    let read = spawn_blocking(move || {
        // The place is free when the reading ends, whether or not anybody still waits for it.
        let _place = place;
        made(&reader, &subject, wanted)
    });
    let made = read.await.map_err(|error| Problem::internal(&error))?;
    let made = made.map_err(|error| match error {
        FileError::NoShow { .. } => not_shared(&file),
        error => unavailable(&error),
    })?;
    state.shares().note_read(&share, state.engine().wall());
    Ok(made.into_response())
}

/// What a reader may ask a share for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Figures { with_seconds: bool },
    Workbook,
    Table(DropTable),
}

impl Wanted {
    /// What a file of this share has, if it has the file.
    fn of(share: &Share, file: &str, params: &SharedParams) -> Option<Self> {
        if file == "report.json" {
            return Some(Self::Figures { with_seconds: params.seconds });
        }
        // Cut to a channel there is nothing but its figures: tables and workbooks have everybody's.
        if share.channel.is_some() {
            return None;
        }
        match (file, share.subject) {
            ("report.xlsx", _) => Some(Self::Workbook),
            (file, ShareSubject::Drop(_)) => DropTable::of(file).map(Self::Table),
            (_, ShareSubject::Show(_)) => None,
        }
    }
}

/// Makes what is wanted of a share.
fn made(state: &ControlState, share: &Share, wanted: Wanted) -> Result<ReportFile, FileError> {
    let journal = state.ledger().open()?;
    match share.subject {
        ShareSubject::Drop(drop) => {
            let report = state.reports().drop(&*journal, drop)?;
            match (wanted, &share.channel) {
                (_, Some(channel)) => figures(share, report.of_channel(channel)),
                (Wanted::Figures { with_seconds }, None) => {
                    figures(share, drop_figures(&report, with_seconds))
                }
                (Wanted::Workbook, None) => drop_workbook(&report),
                (Wanted::Table(table), None) => Ok(drop_table(&report, table)),
            }
        }
        ShareSubject::Show(drop) => {
            let merchant = share.merchant.as_ref();
            let show =
                show_among(state, drop, |found| merchant.is_none_or(|own| own == found.merchant()));
            // Whoever has the link may be a viewer as well.
            let show = show.and_then(DropsOfShow::without_hidden);
            let report = show_report(state, &*journal, drop, show.as_ref())?;
            match (wanted, &share.channel) {
                (_, Some(channel)) => figures(share, report.of_channel(channel)),
                (Wanted::Workbook, None) => show_workbook(&report),
                (Wanted::Figures { .. } | Wanted::Table(_), None) => figures(share, report.json()),
            }
        }
    }
}

fn figures(share: &Share, report: impl Serialize) -> Result<ReportFile, FileError> {
    json(&SharedReport { share: SharedFacts::of(share), report })
}

/// The share that a secret opens.
async fn opened(state: &ControlState, client: Client, secret: String) -> Result<Share, Problem> {
    let (reads, now) = (state.shared_reads(), state.engine().now());
    reads.pace.count(client, now).map_err(|wait| {
        let detail = "this address asks for shared reports more often than it may; wait a moment";
        Problem::new(Code::TooManyReads, detail).retry_after(wait)
    })?;
    let hash = hash(&secret);
    reads.guesses.check(client, hash, now)?;
    let wall = state.engine().wall();
    let found = on_disk(state, move |shares| shares.find(&secret, wall)).await?;
    match found {
        Opened::Share(share) => {
            reads.guesses.right(client, hash, now);
            Ok(*share)
        }
        Opened::Over => {
            let detail = "this link is over, or was taken back; ask whoever sent it for another";
            Err(Problem::new(Code::ShareOver, detail))
        }
        Opened::Unknown => {
            let detail = "this link was never made, or was altered on its way; ask whoever sent it \
                          for the whole link";
            Err(reads.guesses.wrong(client, now, Problem::new(Code::UnknownShare, detail)))
        }
    }
}

/// A place among those who read the ledger by a link, as soon as there is one: however many they are, staff keep
/// theirs.
async fn place(state: &ControlState) -> Result<OwnedSemaphorePermit, Problem> {
    let reads = state.shared_reads();
    match timeout(reads.wait.to_std(), Arc::clone(&reads.places).acquire_owned()).await {
        Ok(Ok(place)) => Ok(place),
        Ok(Err(_)) | Err(_) => {
            Err(Problem::retry(Code::Busy, "many are reading shared reports; try again soon"))
        }
    }
}

fn not_shared(file: &str) -> Problem {
    Problem::new(Code::NotShared, format!("this link has no {file:?}"))
}

/// A stranger is not told what is wrong with the ledger: the log is.
fn unavailable(error: &FileError) -> Problem {
    let detail = "the figures cannot be shown now; whoever sent the link can say why";
    Problem::new(Code::ReportUnavailable, detail).because(error)
}
