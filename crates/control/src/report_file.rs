//! A report as it leaves the server: figures for programs, a text for people, tables to download.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// Figures.
    Json,
    /// A text for people.
    Text,
    /// A table.
    Csv,
    /// A workbook.
    Xlsx,
}

/// A report in one form.
#[derive(Clone, Debug)]
pub(crate) struct ReportFile {
    pub(crate) kind: FileKind,
    /// What it is called where it is kept; `None` for what is read at once. Ids of drops and names of tables alone, so
    /// that it is a header's value as it stands.
    pub(crate) name: Option<String>,
    pub(crate) bytes: Vec<u8>,
}

/// Tables of a drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DropTable {
    /// A line for each SKU.
    Sizes,
    /// A line for each channel.
    Channels,
    /// A line for each second in which something happened.
    Seconds,
}

impl DropTable {
    /// The table that a file has.
    pub(crate) fn of(file: &str) -> Option<Self> {
        match file {
            "sizes.csv" => Some(Self::Sizes),
            "channels.csv" => Some(Self::Channels),
            "seconds.csv" => Some(Self::Seconds),
            _ => None,
        }
    }

    /// The file that has it.
    pub(crate) const fn file(self) -> &'static str {
        match self {
            Self::Sizes => "sizes.csv",
            Self::Channels => "channels.csv",
            Self::Seconds => "seconds.csv",
        }
    }
}

impl IntoResponse for ReportFile {
    fn into_response(self) -> Response {
        let kind = match self.kind {
            FileKind::Json => "application/json",
            FileKind::Text => "text/plain; charset=utf-8",
            FileKind::Csv => "text/csv; charset=utf-8; header=present",
            FileKind::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        };
        let mut response = ([(header::CONTENT_TYPE, kind)], self.bytes).into_response();
        if let Some(name) = self.name {
            let value = HeaderValue::try_from(format!("attachment; filename=\"{name}\""));
            let value = value.expect("ids and names of tables are a header's value");
            response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
        }
        response
    }
}
