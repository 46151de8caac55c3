//! Turns the message files into one method for each message.
//!
//! A key that one language lacks, or whose placeholders differ, ends the build.

use std::{
    collections::BTreeMap,
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// The file of each language with its variant of `Language`; the first is the pattern.
const FILES: [(&str, &str); 2] = [("en", "English"), ("zh-CN", "Chinese")];

type Messages = BTreeMap<String, String>;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=messages");
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("messages");
    let read = |name: &str| read(&folder.join(format!("{name}.txt")));
    let languages = [read(FILES[0].0)?, read(FILES[1].0)?];
    let faults = faults(&languages);
    if !faults.is_empty() {
        return Err(faults.join("\n").into());
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("messages.rs"), methods(&languages)?)?;
    for ((name, _), messages) in FILES.iter().zip(&languages) {
        fs::write(out.join(format!("words-{name}.mjs")), module(messages)?)?;
    }
    Ok(())
}

/// Lines like `key = text with {placeholder}`; `#` begins a comment.
fn read(path: &Path) -> Result<Messages, Box<dyn Error>> {
    let text = fs::read_to_string(path).map_err(|why| format!("{}: {why}", path.display()))?;
    let mut messages = Messages::new();
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
    Ok(messages)
}

/// What one language says and the other does not.
fn faults(languages: &[Messages; 2]) -> Vec<String> {
    let mut faults = Vec::new();
    for (one, other) in [(0, 1), (1, 0)] {
        for (key, said) in &languages[one] {
            let Some(there) = languages[other].get(key) else {
                faults.push(format!("messages/{}.txt lacks {key}", FILES[other].0));
                continue;
            };
            let (mut here, mut there) = (placeholders(said), placeholders(there));
            here.sort_unstable();
            there.sort_unstable();
            if one == 0 && here != there {
                faults.push(format!("{key} has the placeholders {here:?}, then {there:?}"));
            }
        }
    }
    faults
}

/// The names in braces, in the order of their first use.
fn placeholders(said: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for part in said.split('{').skip(1) {
        if let Some((name, _)) = part.split_once('}')
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    names
}

fn methods(languages: &[Messages; 2]) -> Result<String, std::fmt::Error> {
    let mut code = String::from("impl Language {\n");
    for (key, said) in &languages[0] {
        let names = placeholders(said);
        let mut list = String::new();
        for name in &names {
            write!(list, ", {name}: impl std::fmt::Display")?;
        }
        let is_plain = names.is_empty();
        let kind = if is_plain { "&'static str" } else { "String" };
        let said_as =
            |text: &str| if is_plain { format!("{text:?}") } else { format!("format!({text:?})") };
        writeln!(code, "    pub(crate) fn {key}(self{list}) -> {kind} {{")?;
        let texts = languages.each_ref().map(|all| said_as(&all[key]));
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

/// The same messages for the modules in the browser.
fn module(messages: &Messages) -> Result<String, std::fmt::Error> {
    let mut code = String::from("export const words = {\n");
    for (key, said) in messages {
        let text = said.replace('\\', "\\\\").replace('"', "\\\"");
        writeln!(code, "  {key}: \"{text}\",")?;
    }
    code.push_str("};\n");
    Ok(code)
}
