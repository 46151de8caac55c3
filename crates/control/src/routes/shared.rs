//! What a share shows to whoever has its link: figures, and no name of a buyer or of staff.

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use stampede_report::ReportError;
use tokio::{sync::SemaphorePermit, task::spawn_blocking, time::timeout};

use super::shares::on_disk;
use crate::{
    by_address::Client,
    dto::{SharedFacts, SharedReport},
    problem::{Code, Problem, ProblemBody},
    staff::{Opened, Share, ShareSubject, hash},
    state::ControlState,
};

/// The report that was shared, as it stands now.
#[utoipa::path(
    get,
    path = "/shared/{secret}/{file}",
    tag = "shares",
    operation_id = "shared_file",
    params(
        ("secret" = String, Path, description = "The last part of the link."),
        ("file" = String, Path, description = "`report.json`; of a whole drop or show also other files."),
    ),
    responses(
        (status = 200, description = "The figures as far as they are durable.", content(
            (SharedReport = "application/json"),
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
) -> Result<Response, Problem> {
    let share = opened(&state, client, secret).await?;
    if file != "report.json" || share.channel.is_some() {
        return Err(not_shared(&file));
    }
    let ShareSubject::Drop(drop) = share.subject else { return Err(not_shared(&file)) };
    let _place = place(&state).await?;
    let reader = state.clone();
    let read = spawn_blocking(move || reader.reports().drop(&*reader.ledger().open()?, drop)).await;
    let report = read.map_err(|error| Problem::internal(&error))?.map_err(|e| unavailable(&e))?;
    state.shares().note_read(&share, state.engine().wall());
    Ok(Json(SharedReport { share: SharedFacts::of(&share), report: report.json() }).into_response())
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
async fn place(state: &ControlState) -> Result<SemaphorePermit<'_>, Problem> {
    let reads = state.shared_reads();
    match timeout(reads.wait.to_std(), reads.places.acquire()).await {
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
fn unavailable(error: &ReportError) -> Problem {
    let detail = "the figures cannot be shown now; whoever sent the link can say why";
    Problem::new(Code::ReportUnavailable, detail).because(error)
}
