//! Turns the message files into one method for each message.
//!
//! Messages of `reports-*.txt` and `accounts-*.txt` are said by the server alone. Of the others browsers load those that a
//! script says, those of `plan-*.txt` with the pages for planning alone.
//!
//! A key that one language lacks, or whose placeholders differ, ends the build; so does a count without
//! a form for one, where its language has one.

#[path = "build/forms.rs"]
mod forms;
#[path = "build/spoken.rs"]
mod spoken;

use std::{
    collections::BTreeMap,
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use forms::Part;
use spoken::Spoken;

/// The file of each language with its variant of `Language`; the first is the pattern.
const FILES: [(&str, &str); 2] = [("en", "English"), ("zh-CN", "Chinese")];

/// Parts of the messages that not every page's script needs.
const NOT_EVERYWHERE: [&str; 3] = ["plan", "reports", "accounts"];

/// Whether a language has a form of its own for one.
const HAS_FORMS: [bool; 2] = [true, false];

type Messages = BTreeMap<String, String>;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=messages");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=assets");
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let folder = here.join("messages");
    let read =
        |name: &str, messages: &mut Messages| read(&folder.join(format!("{name}.txt")), messages);
    let (mut sent, mut plan) = (<[Messages; 2]>::default(), <[Messages; 2]>::default());
    let mut languages = <[Messages; 2]>::default();
    for (place, (name, _)) in FILES.iter().enumerate() {
        read(name, &mut sent[place])?;
        read(&format!("plan-{name}"), &mut plan[place])?;
        languages[place] = sent[place].clone();
        for part in NOT_EVERYWHERE {
            read(&format!("{part}-{name}"), &mut languages[place])?;
        }
    }
    let faults = faults(&languages);
    if !faults.is_empty() {
        return Err(faults.join("\n").into());
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("messages.rs"), methods(&languages)?)?;
    let spoken = spoken(&here.join("assets"))?;
    for (kind, all) in [("words", &sent), ("words-plan", &plan)] {
        for ((name, _), messages) in FILES.iter().zip(all) {
            fs::write(out.join(format!("{kind}-{name}.mjs")), module(messages, &spoken)?)?;
        }
    }
    Ok(())
}

/// Lines like `key = text with {placeholder}`; `#` begins a comment.
fn read(path: &Path, messages: &mut Messages) -> Result<(), Box<dyn Error>> {
    let text = fs::read_to_string(path).map_err(|why| format!("{}: {why}", path.display()))?;
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let at = || format!("{}:{}", path.display(), index + 1);
        let (key, said) =
            line.split_once(" = ").ok_or_else(|| format!("{}: no ` = ` in the line", at()))?;
        let is_key = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if key.is_empty() || !key.chars().all(is_key) {
            return Err(format!("{}: {key:?} is no key", at()).into());
        }
        if messages.insert(key.to_owned(), said.trim().to_owned()).is_some() {
            return Err(format!("{}: {key} is there twice", at()).into());
        }
    }
    Ok(())
}

/// What one language says and the other does not, and what is said wrongly.
fn faults(languages: &[Messages; 2]) -> Vec<String> {
    let mut faults = Vec::new();
    for (one, other) in [(0, 1), (1, 0)] {
        for (key, said) in &languages[one] {
            let at = format!("messages of {}: {key}", FILES[one].0);
            let here = match forms::parts(said) {
                Ok(parts) => parts,
                Err(why) => {
                    faults.push(format!("{at}: {why}"));
                    continue;
                }
            };
            faults.extend(wrong_forms(&here, HAS_FORMS[one]).map(|why| format!("{at}: {why}")));
            let Some(there) = languages[other].get(key) else {
                faults.push(format!("messages of {} lack {key}", FILES[other].0));
                continue;
            };
            let sorted = |parts: &[Part<'_>]| {
                let mut names: Vec<_> =
                    forms::names(parts).into_iter().map(str::to_owned).collect();
                names.sort_unstable();
                names
            };
            let there = forms::parts(there).map(|parts| sorted(&parts)).unwrap_or_default();
            if one == 0 && sorted(&here) != there {
                faults.push(format!("{at}: placeholders {:?}, then {there:?}", sorted(&here)));
            }
        }
    }
    faults
}

/// What is wrong with the forms of a message.
fn wrong_forms(parts: &[Part<'_>], has_forms: bool) -> Option<String> {
    if !has_forms {
        let found = parts.iter().any(|part| matches!(part, Part::Forms { .. }));
        return found.then(|| "the language has one form for every number".to_owned());
    }
    let name = forms::always_many(parts)?;
    Some(format!("of 1 it says the word for many: write {{{name}: # … | # …}}"))
}

fn methods(languages: &[Messages; 2]) -> Result<String, Box<dyn Error>> {
    let mut code = String::from("impl Language {\n");
    for (key, said) in &languages[0] {
        let english = forms::parts(said)?;
        let names = forms::names(&english);
        let mut list = String::new();
        for name in &names {
            write!(list, ", {name}: impl std::fmt::Display")?;
        }
        let kind = if names.is_empty() { "&'static str" } else { "String" };
        writeln!(code, "    pub(crate) fn {key}(self{list}) -> {kind} {{")?;
        let decides = |name: &&&str| {
            english.iter().any(|part| matches!(part, Part::Forms { name: of, .. } if of == *name))
        };
        for name in names.iter().filter(decides) {
            writeln!(code, "        let {name} = {name}.to_string();")?;
        }
        let mut texts = Vec::new();
        for all in languages {
            let parts = forms::parts(&all[key])?;
            texts.push(if names.is_empty() { format!("{:?}", all[key]) } else { said_as(&parts)? });
        }
        code.push_str("        match self {\n");
        if texts[0] == texts[1] {
            let variants = FILES.map(|(_, variant)| format!("Self::{variant}")).join(" | ");
            writeln!(code, "            {variants} => {},", texts[0])?;
        } else {
            for ((_, variant), text) in FILES.iter().zip(&texts) {
                writeln!(code, "            Self::{variant} => {text},")?;
            }
        }
        code.push_str("        }\n");
        code.push_str("    }\n");
    }
    code.push_str("}\n");
    Ok(code)
}

/// The expression that says a message with values.
fn said_as(parts: &[Part<'_>]) -> Result<String, std::fmt::Error> {
    if let [Part::Forms { name, one, other }] = parts {
        return Ok(format!("form(&{name}, {one:?}, {other:?})"));
    }
    let (mut text, mut chosen) = (String::new(), String::new());
    for (place, part) in parts.iter().enumerate() {
        match part {
            Part::Text(plain) => text.push_str(plain),
            Part::Value(name) => write!(text, "{{{name}}}")?,
            Part::Forms { name, one, other } => {
                write!(text, "{{form_{place}}}")?;
                write!(chosen, ", form_{place} = form(&{name}, {one:?}, {other:?})")?;
            }
        }
    }
    Ok(format!("format!({text:?}{chosen})"))
}

/// What the scripts of pages say.
fn spoken(folder: &Path) -> Result<Spoken, Box<dyn Error>> {
    let mut spoken = Spoken::default();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind == "mjs") {
            spoken.read(&fs::read_to_string(path)?);
        }
    }
    Ok(spoken)
}

/// The same messages for the modules in the browser, as far as these say them.
fn module(messages: &Messages, spoken: &Spoken) -> Result<String, std::fmt::Error> {
    let mut code = String::from("export const words = {\n");
    for (key, said) in messages.iter().filter(|(key, _)| spoken.has(key)) {
        let text = said.replace('\\', "\\\\").replace('"', "\\\"");
        writeln!(code, "  {key}: \"{text}\",")?;
    }
    code.push_str("};\n");
    Ok(code)
}
