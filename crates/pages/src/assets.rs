//! Styles with scripts, found under names that carry their contents' hash.
//!
//! A page runs one script. It is put together here from our modules, each in a function of its own, so
//! that a phone asks once and not eighteen times.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
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

/// Every file that is sent as it is.
const FILES: &[(&str, &str, &str)] = &[
    (
        "page.css",
        CSS,
        concat!(include_str!("../assets/base.css"), include_str!("../assets/page.css")),
    ),
    ("live.css", CSS, include_str!("../assets/live.css")),
    ("report.css", CSS, include_str!("../assets/report.css")),
    ("accounts.css", CSS, include_str!("../assets/accounts.css")),
    ("demo.css", CSS, include_str!("../assets/demo.css")),
    ("plan.css", CSS, include_str!("../assets/plan.css")),
    ("icon.svg", SVG, include_str!("../assets/icon.svg")),
    ("words-en.mjs", MODULE, words::module(Language::English)),
    ("words-zh-CN.mjs", MODULE, words::module(Language::Chinese)),
    ("words-plan-en.mjs", MODULE, words::plan_module(Language::English)),
    ("words-plan-zh-CN.mjs", MODULE, words::plan_module(Language::Chinese)),
];

/// Every module, one that is imported before those that import it.
const MODULES: &[(&str, &str)] = &[
    ("words.mjs", include_str!("../assets/words.mjs")),
    ("numbers.mjs", include_str!("../assets/numbers.mjs")),
    ("typed.mjs", include_str!("../assets/typed.mjs")),
    ("why.mjs", include_str!("../assets/why.mjs")),
    ("chart.mjs", include_str!("../assets/chart.mjs")),
    ("cue.mjs", include_str!("../assets/cue.mjs")),
    ("view.mjs", include_str!("../assets/view.mjs")),
    ("others.mjs", include_str!("../assets/others.mjs")),
    ("seen.mjs", include_str!("../assets/seen.mjs")),
    ("stage-view.mjs", include_str!("../assets/stage-view.mjs")),
    ("session.mjs", include_str!("../assets/session.mjs")),
    ("state.mjs", include_str!("../assets/state.mjs")),
    ("follower.mjs", include_str!("../assets/follower.mjs")),
    ("worker.mjs", include_str!("../assets/worker.mjs")),
    ("follow.mjs", include_str!("../assets/follow.mjs")),
    ("commands.mjs", include_str!("../assets/commands.mjs")),
    ("frame.mjs", include_str!("../assets/frame.mjs")),
    ("copy.mjs", include_str!("../assets/copy.mjs")),
    ("paint.mjs", include_str!("../assets/paint.mjs")),
    ("speech.mjs", include_str!("../assets/speech.mjs")),
    ("hold.mjs", include_str!("../assets/hold.mjs")),
    ("stage-link.mjs", include_str!("../assets/stage-link.mjs")),
    ("units-form.mjs", include_str!("../assets/units-form.mjs")),
    ("restock-offer.mjs", include_str!("../assets/restock-offer.mjs")),
    ("left-over.mjs", include_str!("../assets/left-over.mjs")),
    ("plan-places.mjs", include_str!("../assets/plan-places.mjs")),
    ("next-drop.mjs", include_str!("../assets/next-drop.mjs")),
    ("rehearsal.mjs", include_str!("../assets/rehearsal.mjs")),
    ("live.mjs", include_str!("../assets/live.mjs")),
    ("strip.mjs", include_str!("../assets/strip.mjs")),
    ("demo.mjs", include_str!("../assets/demo.mjs")),
    ("sign-in.mjs", include_str!("../assets/sign-in.mjs")),
    ("stage.mjs", include_str!("../assets/stage.mjs")),
    ("ops.mjs", include_str!("../assets/ops.mjs")),
    ("cancel-view.mjs", include_str!("../assets/cancel-view.mjs")),
    ("cancel.mjs", include_str!("../assets/cancel.mjs")),
    ("closing.mjs", include_str!("../assets/closing.mjs")),
    ("orders.mjs", include_str!("../assets/orders.mjs")),
    ("shows.mjs", include_str!("../assets/shows.mjs")),
    ("invite.mjs", include_str!("../assets/invite.mjs")),
    ("accounts.mjs", include_str!("../assets/accounts.mjs")),
    ("report-live.mjs", include_str!("../assets/report-live.mjs")),
    ("shares.mjs", include_str!("../assets/shares.mjs")),
    ("report.mjs", include_str!("../assets/report.mjs")),
    ("shared.mjs", include_str!("../assets/shared.mjs")),
    ("print.mjs", include_str!("../assets/print.mjs")),
    ("plan-words.mjs", include_str!("../assets/plan-words.mjs")),
    ("plan-typed.mjs", include_str!("../assets/plan-typed.mjs")),
    ("plan-zone.mjs", include_str!("../assets/plan-zone.mjs")),
    ("plan-codes.mjs", include_str!("../assets/plan-codes.mjs")),
    ("plan-terms.mjs", include_str!("../assets/plan-terms.mjs")),
    ("plan-short.mjs", include_str!("../assets/plan-short.mjs")),
    ("plan-clash.mjs", include_str!("../assets/plan-clash.mjs")),
    ("plan-table.mjs", include_str!("../assets/plan-table.mjs")),
    ("plan-drafts.mjs", include_str!("../assets/plan-drafts.mjs")),
    ("plan-order.mjs", include_str!("../assets/plan-order.mjs")),
    ("plan-send.mjs", include_str!("../assets/plan-send.mjs")),
    ("plan-fields.mjs", include_str!("../assets/plan-fields.mjs")),
    ("plan-bar.mjs", include_str!("../assets/plan-bar.mjs")),
    ("plan-show.mjs", include_str!("../assets/plan-show.mjs")),
    ("plan-drop.mjs", include_str!("../assets/plan-drop.mjs")),
    ("plan-paste.mjs", include_str!("../assets/plan-paste.mjs")),
];

/// The modules that pages run, or run as workers: each becomes a script with all that it imports.
const ENTRIES: [&str; 16] = [
    "frame.mjs",
    "live.mjs",
    "demo.mjs",
    "sign-in.mjs",
    "stage.mjs",
    "ops.mjs",
    "orders.mjs",
    "shows.mjs",
    "accounts.mjs",
    "report.mjs",
    "shared.mjs",
    "print.mjs",
    "worker.mjs",
    "plan-show.mjs",
    "plan-drop.mjs",
    "plan-paste.mjs",
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
    /// The entries whose scripts ask for messages.
    speaking: HashSet<&'static str>,
}

static ASSETS: LazyLock<Assets> = LazyLock::new(|| {
    let mut assets =
        Assets { files: HashMap::new(), named: HashMap::new(), speaking: HashSet::new() };
    for (name, kind, text) in FILES {
        assets.add(name, kind, text);
    }
    for entry in ENTRIES {
        let modules = closure(entry);
        if modules.iter().any(|(name, _)| *name == "words.mjs") {
            assets.speaking.insert(entry);
        }
        assets.add(entry, MODULE, &script(&modules));
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

/// A module with all that it imports, in the order in which they run.
fn closure(entry: &str) -> Vec<(&'static str, &'static str)> {
    let mut wanted = HashSet::from([entry]);
    // Whoever imports stands behind what is imported.
    for (name, text) in MODULES.iter().rev() {
        if wanted.contains(name) {
            let imported = MODULES.iter().map(|(known, _)| *known);
            wanted.extend(imported.filter(|known| text.contains(&format!("\"./{known}\";"))));
        }
    }
    MODULES.iter().copied().filter(|(name, _)| wanted.contains(name)).collect()
}

/// One script of modules that stand in the order in which they run.
fn script(modules: &[(&str, &str)]) -> String {
    modules.iter().map(|(name, text)| scoped(name, text)).collect()
}

/// A module as a function that runs at once; a constant has what it exports.
fn scoped(name: &str, text: &str) -> String {
    let (mut body, mut exports) = (String::new(), Vec::new());
    for line in without_comments(text) {
        if let Some(import) = line.strip_prefix("import ") {
            let (names, from) = import.split_once(" from ").unwrap_or(("", import));
            if !names.is_empty() {
                let from = scope(from.trim_start_matches("\"./").trim_end_matches("\";"));
                writeln!(body, "const {} = {from};", names.replace(" as ", ": "))
                    .expect("memory takes what is written");
            }
            continue;
        }
        let exported = line.strip_prefix("export ");
        if let Some(item) = exported {
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let words = item.split(|c| !is_name(c));
            let word = words.into_iter().find(|word| !KEYWORDS.contains(word));
            exports.push(word.expect("what is exported has a name"));
        }
        body.push_str(exported.unwrap_or(line));
        body.push('\n');
    }
    let (waits, is_async) = if text.contains("\nawait ") { ("await ", "async ") } else { ("", "") };
    let (scope, exports) = (scope(name), exports.join(", "));
    format!("const {scope} = {waits}({is_async}() => {{\n{body}return {{ {exports} }};\n}})();\n")
}

/// The lines of a module without those that are comments: no browser reads them.
fn without_comments(text: &str) -> impl Iterator<Item = &str> {
    let mut is_block = false;
    text.lines().filter(move |line| {
        let line = line.trim();
        let begins = line.starts_with("/**");
        let is_comment = is_block || begins || line.starts_with("//");
        is_block = (is_block || begins) && !line.ends_with("*/");
        !is_comment
    })
}

/// What stands before the name of what is exported.
const KEYWORDS: [&str; 4] = ["async", "function", "const", "class"];

/// The constant with what a module exports.
fn scope(name: &str) -> String {
    format!("{}$", name.trim_end_matches(".mjs").replace('-', "_"))
}

/// The messages that a page's script will ask for, so that the browser asks for both at once.
pub(crate) fn messages(entry: &str, language: Language) -> Option<String> {
    ASSETS.speaking.contains(entry).then(|| path(&format!("words-{}.mjs", language.tag())))
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
    fn a_script_has_each_module_after_what_it_imports() {
        for entry in ENTRIES {
            let text = script(&closure(entry));
            for line in text.lines() {
                assert!(!line.starts_with("import ") && !line.starts_with("export "), "{line}");
            }
            let mut known = HashSet::new();
            for (name, module) in closure(entry) {
                let imports = module.lines().filter(|line| line.starts_with("import "));
                for import in imports {
                    let from = import.split("\"./").nth(1).unwrap().trim_end_matches("\";");
                    assert!(known.contains(from), "{entry}: {name} runs before {from}");
                }
                known.insert(name);
            }
            assert!(known.contains(entry));
        }
    }

    #[test]
    fn a_module_becomes_a_function() {
        let module = "import { a, b as c } from \"./stage-view.mjs\";\nimport \"./frame.mjs\";\n\
             export const X = 1;\nexport async function f() {}\nawait c(a);\n";
        let expected = "const sign_in$ = await (async () => {\nconst { a, b: c } = stage_view$;\n\
             const X = 1;\nasync function f() {}\nawait c(a);\nreturn { X, f };\n})();\n";
        assert_eq!(scoped("sign-in.mjs", module), expected);
    }

    #[test]
    fn comments_are_sent_to_no_browser() {
        let module = "// One.\n/** Two,\n * three. */\nconst a = 1; // four\n  // five\n/** Six. */\n\
             const b = \"//\";\n";
        let left: Vec<&str> = without_comments(module).collect();
        assert_eq!(left, ["const a = 1; // four", "const b = \"//\";"]);
    }

    #[test]
    fn a_script_names_the_messages_by_their_hashes() {
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
        for (name, text) in MODULES {
            for sink in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("]
            {
                assert!(!text.contains(sink), "{name} uses {sink}");
            }
        }
    }

    #[test]
    fn what_only_reports_say_is_sent_to_no_browser() {
        for language in Language::ALL {
            for key in ["finding_", "story_all_taken", "report_col_", "reason_"] {
                assert!(!words::module(language).contains(&format!("\n  {key}")), "{key}");
            }
        }
    }

    #[test]
    fn what_no_module_says_is_sent_to_no_browser() {
        // Of a dialog that the server draws, of a form, of a page for operations.
        for language in Language::ALL {
            for key in ["close_final", "cancel_reason", "ops_did_plan", "may_host", "theme_dark"] {
                assert!(!words::module(language).contains(&format!("\n  {key}: ")), "{key}");
            }
            // Begun by a module, completed by what the server tells.
            for key in ["problem_not_free", "problem_other", "role_host"] {
                assert!(words::module(language).contains(&format!("\n  {key}: ")), "{key}");
            }
        }
    }

    #[test]
    fn every_word_that_a_module_says_is_there() {
        let english = words::module(Language::English);
        let all = format!("{english}{}", words::plan_module(Language::English));
        let is_key = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        for (name, text) in MODULES {
            for part in text.split("say(\"").skip(1) {
                let key: String = part.chars().take_while(|c| is_key(*c)).collect();
                let english = if name.starts_with("plan-") { &all } else { english };
                assert!(english.contains(&format!("\n  {key}: ")), "{name} says {key}");
            }
        }
    }
}
