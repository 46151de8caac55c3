//! Styles with modules, found under names that carry their contents' hash.
//!
//! A module names its imports plainly, `"./numbers.mjs"`; what is sent names them with their hashes, so
//! everything may be kept for ever.

use std::{
    collections::{HashMap, HashSet},
    io::Write as _,
    sync::LazyLock,
};

use axum::{
    body::Body,
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use flate2::{Compression, write::GzEncoder};

use crate::words::{self, Language};

/// Kept for a year, never asked for again.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

const CSS: &str = "text/css; charset=utf-8";
const MODULE: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Every file, one that is imported before those that import it.
const SOURCES: &[(&str, &str, &str)] = &[
    (
        "page.css",
        CSS,
        concat!(include_str!("../assets/base.css"), include_str!("../assets/page.css")),
    ),
    ("live.css", CSS, include_str!("../assets/live.css")),
    ("demo.css", CSS, include_str!("../assets/demo.css")),
    ("icon.svg", SVG, include_str!("../assets/icon.svg")),
    ("words-en.mjs", MODULE, words::module(Language::English)),
    ("words-zh-CN.mjs", MODULE, words::module(Language::Chinese)),
    ("words.mjs", MODULE, include_str!("../assets/words.mjs")),
    ("numbers.mjs", MODULE, include_str!("../assets/numbers.mjs")),
    ("chart.mjs", MODULE, include_str!("../assets/chart.mjs")),
    ("cue.mjs", MODULE, include_str!("../assets/cue.mjs")),
    ("view.mjs", MODULE, include_str!("../assets/view.mjs")),
    ("others.mjs", MODULE, include_str!("../assets/others.mjs")),
    ("seen.mjs", MODULE, include_str!("../assets/seen.mjs")),
    ("stage-view.mjs", MODULE, include_str!("../assets/stage-view.mjs")),
    ("session.mjs", MODULE, include_str!("../assets/session.mjs")),
    ("state.mjs", MODULE, include_str!("../assets/state.mjs")),
    ("follower.mjs", MODULE, include_str!("../assets/follower.mjs")),
    ("worker.mjs", MODULE, include_str!("../assets/worker.mjs")),
    ("follow.mjs", MODULE, include_str!("../assets/follow.mjs")),
    ("commands.mjs", MODULE, include_str!("../assets/commands.mjs")),
    ("frame.mjs", MODULE, include_str!("../assets/frame.mjs")),
    ("paint.mjs", MODULE, include_str!("../assets/paint.mjs")),
    ("hold.mjs", MODULE, include_str!("../assets/hold.mjs")),
    ("live.mjs", MODULE, include_str!("../assets/live.mjs")),
    ("strip.mjs", MODULE, include_str!("../assets/strip.mjs")),
    ("demo.mjs", MODULE, include_str!("../assets/demo.mjs")),
    ("sign-in.mjs", MODULE, include_str!("../assets/sign-in.mjs")),
    ("stage.mjs", MODULE, include_str!("../assets/stage.mjs")),
    ("ops.mjs", MODULE, include_str!("../assets/ops.mjs")),
];

/// One file as it is sent.
struct Asset {
    kind: HeaderValue,
    plain: &'static [u8],
    gzipped: Vec<u8>,
}

/// All files by their names with hashes, and how to find those.
struct Assets {
    files: HashMap<String, Asset>,
    /// From the plain name.
    named: HashMap<&'static str, String>,
}

static ASSETS: LazyLock<Assets> = LazyLock::new(|| {
    let mut assets = Assets { files: HashMap::new(), named: HashMap::new() };
    for (name, kind, text) in SOURCES {
        assets.add(name, kind, text);
    }
    assets
});

impl Assets {
    fn add(&mut self, name: &'static str, kind: &'static str, text: &str) {
        let mut text = text.to_owned();
        for (plain, hashed) in &self.named {
            text = text.replace(&format!("\"./{plain}\""), &format!("\"./{hashed}\""));
        }
        let hash = blake3::hash(text.as_bytes()).to_hex();
        let (stem, extension) = name.rsplit_once('.').expect("every source has an extension");
        let hashed = format!("{stem}-{}.{extension}", &hash[..16]);
        let plain: &'static [u8] = Box::leak(text.into_bytes().into_boxed_slice());
        let asset = Asset {
            kind: HeaderValue::from_static(kind),
            plain,
            gzipped: gzip(plain, Compression::best()),
        };
        self.files.insert(hashed.clone(), asset);
        self.named.insert(name, hashed);
    }
}

/// `bytes` compressed.
pub(crate) fn gzip(bytes: &[u8], level: Compression) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), level);
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.expect("memory takes what is written")
}

/// Where a file is found.
///
/// # Panics
/// If there is no such file: templates name them, a test renders every template.
pub(crate) fn path(name: &str) -> String {
    let hashed = ASSETS.named.get(name).expect("a page names only files that there are");
    format!("/assets/{hashed}")
}

/// What a module imports, itself included, so that a browser asks for all at once.
pub(crate) fn modules(entry: &'static str, language: Language) -> Vec<String> {
    let other = Language::ALL.into_iter().find(|one| *one != language);
    let unspoken = other.map(|other| format!("words-{}.mjs", other.tag()));
    let (mut found, mut seen, mut open) = (Vec::new(), HashSet::new(), vec![entry]);
    while let Some(name) = open.pop() {
        if !seen.insert(name) || Some(name) == unspoken.as_deref() || name == "worker.mjs" {
            continue;
        }
        found.push(path(name));
        let text = SOURCES.iter().find(|(known, ..)| *known == name).map_or("", |(.., text)| text);
        let imported = SOURCES.iter().map(|(known, ..)| *known);
        open.extend(imported.filter(|known| text.contains(&format!("\"./{known}\""))));
    }
    found
}

/// Answers one file.
pub(crate) async fn answer(Path(name): Path<String>, request: HeaderMap) -> Response {
    let Some(asset) = ASSETS.files.get(&name) else {
        return (StatusCode::NOT_FOUND, "no such file\n").into_response();
    };
    let accepted = request.get(header::ACCEPT_ENCODING).and_then(|list| list.to_str().ok());
    let headers = [
        (header::CONTENT_TYPE, asset.kind.clone()),
        (header::CACHE_CONTROL, FOREVER),
        (header::VARY, HeaderValue::from_static("accept-encoding")),
    ];
    if accepted.is_some_and(|list| list.contains("gzip")) {
        let encoding = [(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))];
        return (headers, encoding, Body::from(asset.gzipped.clone())).into_response();
    }
    (headers, asset.plain).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_names_its_imports_by_their_hashes() {
        for (name, asset) in &ASSETS.files {
            let text = std::str::from_utf8(asset.plain).unwrap();
            for part in text.split("\"./").skip(1) {
                let imported = part.split('"').next().unwrap();
                assert!(ASSETS.files.contains_key(imported), "{name} imports {imported}");
            }
        }
    }

    #[test]
    fn no_module_writes_markup_or_reads_code() {
        for (name, _, text) in SOURCES {
            for sink in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("]
            {
                assert!(!text.contains(sink), "{name} uses {sink}");
            }
        }
    }

    #[test]
    fn every_word_that_a_module_says_is_there() {
        let english = words::module(Language::English);
        let is_key = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        for (name, _, text) in SOURCES {
            for part in text.split("say(\"").skip(1) {
                let key: String = part.chars().take_while(|c| is_key(*c)).collect();
                assert!(english.contains(&format!("\n  {key}: ")), "{name} says {key}");
            }
        }
    }
}
