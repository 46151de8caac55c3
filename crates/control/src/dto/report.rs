//! How a report is asked for.

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

/// For whom the report is meant.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReportParams {
    /// Wins over the header `Accept`, which may ask for `text/plain`.
    #[serde(default)]
    #[param(inline)]
    pub(crate) format: Option<ReportForm>,
    /// `false` leaves the JSON's list of seconds empty, which is most of its bytes; the other curves stay.
    #[serde(default = "with_seconds")]
    #[param(default = true)]
    pub(crate) seconds: bool,
}

/// How much of a shared report is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SharedParams {
    /// `false` leaves the list of seconds in `report.json` empty, which is most of its bytes; the other curves stay.
    #[serde(default = "with_seconds")]
    #[param(default = true)]
    pub(crate) seconds: bool,
}

const fn with_seconds() -> bool {
    true
}

/// The forms of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReportForm {
    /// For machines.
    Json,
    /// For people.
    Text,
    /// A workbook for spreadsheets.
    Xlsx,
}

/// In which form the report of a show is wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ShowReportParams {
    /// JSON if left out.
    #[serde(default)]
    #[param(inline)]
    pub(crate) format: Option<ShowReportForm>,
}

/// The forms of the report of a show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ShowReportForm {
    /// For machines.
    #[default]
    Json,
    /// A workbook for spreadsheets.
    Xlsx,
}
