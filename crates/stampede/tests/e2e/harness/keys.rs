//! Keys by their names, as the `DevTools` protocol wants them.

/// A key: its name, its code, the number that old pages know, the text that it types.
pub(super) struct Key {
    pub(super) name: String,
    pub(super) code: String,
    pub(super) number: u32,
    pub(super) text: String,
}

/// A key by its name: a letter, a digit, a sign, or `Tab`, `Enter`, `Escape`, `Space`, arrows.
pub(super) fn key(name: &str) -> Key {
    let named = |code: &str, number, text: &str| Key {
        name: if name == "Space" { " ".to_owned() } else { name.to_owned() },
        code: code.to_owned(),
        number,
        text: text.to_owned(),
    };
    match name {
        "Tab" => named("Tab", 9, ""),
        "Enter" => named("Enter", 13, "\r"),
        "Escape" => named("Escape", 27, ""),
        "Space" => named("Space", 32, " "),
        "ArrowDown" => named("ArrowDown", 40, ""),
        "ArrowUp" => named("ArrowUp", 38, ""),
        other => {
            let sign = other.chars().next().unwrap();
            let upper = sign.to_ascii_uppercase();
            let code = match sign {
                '0'..='9' => format!("Digit{sign}"),
                'a'..='z' | 'A'..='Z' => format!("Key{upper}"),
                _ => "Slash".to_owned(),
            };
            named(&code, u32::from(upper), other)
        }
    }
}
