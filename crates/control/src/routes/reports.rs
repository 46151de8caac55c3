//! Reports of drops and shows, for staff.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use stampede_domain::DropId;
use stampede_report::{DropReport, Journal, ReportError, ReportJson, ShowReport, XlsxError};
use utoipa::IntoResponses;

use super::{
    ledger::place,
    show_groups::{DropsOfShow, show_of},
    standing::{Standing, visible},
};
use crate::{
    auth::Staff,
    dto::{ReportForm, ReportParams, ShowReportForm, ShowReportParams},
    extract::{DropPath, DropTablePath, Params},
    problem::{Problem, ProblemBody},
    report_file::{DropTable, FileKind, ReportFile},
    state::ControlState,
};

/// Why a file of a report cannot be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error("the figures are no JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Xlsx(#[from] XlsxError),
    /// The drops are gone that the report was to be of.
    #[error("no drop is left of the show of {drop}")]
    NoShow { drop: DropId },
}

impl From<stampede_report::ReadError> for FileError {
    fn from(error: stampede_report::ReadError) -> Self {
        Self::Report(error.into())
    }
}

impl From<FileError> for Problem {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Report(error) => error.into(),
            FileError::NoShow { .. } => Self::unknown_drop(),
            FileError::Json(_) | FileError::Xlsx(_) => Self::internal(&error),
        }
    }
}

/// Why there is no report.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers in the OpenAPI document, is never made")]
enum ReportProblems {
    /// The id or the query is malformed, or there is no such table.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(ProblemBody),
    /// No staff token, or one that is not known.
    #[response(status = 401, content_type = "application/problem+json")]
    Unknown(ProblemBody),
    /// The platform reads nobody's money.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(ProblemBody),
    /// No such drop, or another merchant's.
    #[response(status = 404, content_type = "application/problem+json")]
    NoSuch(ProblemBody),
    /// The ledger is being read by as many as may.
    #[response(status = 503, content_type = "application/problem+json")]
    Busy(ProblemBody),
}

/// The sell-out report, folded from the journal.
#[utoipa::path(
    get,
    path = "/v1/drops/{drop}/report",
    tag = "ledger",
    operation_id = "drop_report",
    params(("drop" = String, Path, description = "The drop's id, like `d17`."), ReportParams),
    security(("staff" = [])),
    responses(
        (status = 200, description = "The figures as far as they are durable.", content(
            (serde_json::Value = "application/json"),
            (String = "text/plain"),
            (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        )),
        ReportProblems,
    )
)]
pub(super) async fn of_drop(
    State(state): State<ControlState>,
    staff: Staff,
    DropPath(drop): DropPath,
    Params(params): Params<ReportParams>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    visible(&state, &staff, drop)?;
    let form = params.format.unwrap_or_else(|| accepted(&headers));
    made(&state, &staff, move |state, journal| {
        let report = state.reports().drop(journal, drop)?;
        match form {
            ReportForm::Json => json(&drop_figures(&report, params.seconds)),
            ReportForm::Text => Ok(ReportFile {
                kind: FileKind::Text,
                name: None,
                bytes: report.to_string().into_bytes(),
            }),
            ReportForm::Xlsx => drop_workbook(&report),
        }
    })
    .await
}

/// The figures of a drop as a table: of each size, each channel, each second.
#[utoipa::path(
    get,
    path = "/v1/drops/{drop}/report/{table}",
    tag = "ledger",
    operation_id = "drop_table",
    params(
        ("drop" = String, Path, description = "The drop's id, like `d17`."),
        ("table" = String, Path, description = "The table's file."),
    ),
    security(("staff" = [])),
    responses(
        (status = 200, description = "The table, with a header.", body = String, content_type = "text/csv"),
        ReportProblems,
    )
)]
pub(super) async fn table(
    State(state): State<ControlState>,
    staff: Staff,
    DropTablePath(drop, table): DropTablePath,
) -> Result<Response, Problem> {
    visible(&state, &staff, drop)?;
    made(&state, &staff, move |state, journal| {
        Ok(drop_table(&*state.reports().drop(journal, drop)?, table))
    })
    .await
}

/// The report of the show that a drop belongs to, of those drops that the caller sees.
#[utoipa::path(
    get,
    path = "/v1/shows/{drop}/report",
    tag = "ledger",
    operation_id = "show_report",
    params(("drop" = String, Path, description = "Any drop of the show, like `d17`."), ShowReportParams),
    security(("staff" = [])),
    responses(
        (status = 200, description = "The figures as far as they are durable.", content(
            (serde_json::Value = "application/json"),
            (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        )),
        ReportProblems,
    )
)]
pub(super) async fn of_show(
    State(state): State<ControlState>,
    staff: Staff,
    DropPath(drop): DropPath,
    Params(params): Params<ShowReportParams>,
) -> Result<Response, Problem> {
    visible(&state, &staff, drop)?;
    let show = show_of(&state, &staff, drop);
    let form = params.format.unwrap_or_default();
    made(&state, &staff, move |state, journal| {
        let report = show_report(state, journal, drop, show.as_ref())?;
        match form {
            ShowReportForm::Json => json(&report.json()),
            ShowReportForm::Xlsx => show_workbook(&report),
        }
    })
    .await
}

/// Makes a file of what the ledger has, on a thread that may wait for the disk.
async fn made(
    state: &ControlState,
    staff: &Staff,
    make: impl FnOnce(&ControlState, &dyn Journal) -> Result<ReportFile, FileError> + Send + 'static,
) -> Result<Response, Problem> {
    staff.must_read_money("a report has what was paid")?;
    let place = place(state, staff)?;
    let state = state.clone();
    let read = tokio::task::spawn_blocking(move || {
        // The place is free when the reading ends, whether or not anybody still waits for it.
        let _place = place;
        make(&state, &*state.ledger().open()?)
    });
    Ok(read.await.map_err(|error| Problem::internal(&error))??.into_response())
}

/// The report of a show, of these drops.
pub(super) fn show_report(
    state: &ControlState,
    journal: &dyn Journal,
    drop: DropId,
    show: Option<&DropsOfShow>,
) -> Result<ShowReport, FileError> {
    let drops = show.into_iter().flat_map(DropsOfShow::drops).map(Standing::id);
    let reports: Result<Vec<Arc<DropReport>>, ReportError> =
        drops.map(|drop| state.reports().drop(journal, drop)).collect();
    ShowReport::new(reports?).ok_or(FileError::NoShow { drop })
}

/// The figures of a drop, with or without its list of seconds.
pub(super) fn drop_figures(report: &DropReport, with_seconds: bool) -> ReportJson {
    let mut figures = report.json();
    if !with_seconds {
        figures.curves.seconds = Vec::new();
    }
    figures
}

/// Figures for programs.
pub(super) fn json(figures: &impl Serialize) -> Result<ReportFile, FileError> {
    let bytes = serde_json::to_vec(figures)?;
    Ok(ReportFile { kind: FileKind::Json, name: None, bytes })
}

/// A table of a drop.
pub(super) fn drop_table(report: &DropReport, table: DropTable) -> ReportFile {
    let mut bytes = Vec::new();
    match table {
        DropTable::Sizes => report.sizes_csv(&mut bytes),
        DropTable::Channels => report.channels_csv(&mut bytes),
        DropTable::Seconds => report.seconds_csv(&mut bytes),
    }
    let name = Some(format!("{}-{}", report.drop, table.file()));
    ReportFile { kind: FileKind::Csv, name, bytes }
}

/// The workbook of a drop.
pub(super) fn drop_workbook(report: &DropReport) -> Result<ReportFile, FileError> {
    let name = Some(format!("{}-report.xlsx", report.drop));
    Ok(ReportFile { kind: FileKind::Xlsx, name, bytes: report.xlsx()? })
}

/// The workbook of a show.
pub(super) fn show_workbook(report: &ShowReport) -> Result<ReportFile, FileError> {
    let name = Some(format!("{}-show.xlsx", report.id()));
    Ok(ReportFile { kind: FileKind::Xlsx, name, bytes: report.xlsx()? })
}

/// What the client asks for first.
fn accepted(headers: &HeaderMap) -> ReportForm {
    let lines = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut kinds = lines.flat_map(|line| line.split(','));
    let kind = |part: &str| part.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let first = kinds.find_map(|part| match kind(part).as_str() {
        "text/plain" => Some(ReportForm::Text),
        "application/json" => Some(ReportForm::Json),
        _ => None,
    });
    first.unwrap_or(ReportForm::Json)
}
