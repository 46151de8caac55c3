//! What usually is behind the words of a library.

/// The likely cause of an error that a library put into its own words, with what to do; empty if it is not
/// known.
pub(super) fn hint(error: &str) -> &'static str {
    let known = [
        ("InvalidContentType", "there is no TLS on that port: use ws:// and http://"),
        ("invalid HTTP version", "there is TLS on that port: use wss:// and https://"),
        (
            "CaUsedAsEndEntity",
            "the certificate is marked as an authority (CA:TRUE) and cannot be a server's own: make it \
             with basicConstraints=CA:FALSE",
        ),
        ("UnknownIssuer", "if the certificate is one of your own, name it with --roots"),
        ("BadSignature", "the server's certificate is not the one in --roots"),
        ("not valid for name", "the address is not among the names of the certificate"),
        (
            "error decoding response body",
            "that is not the control API; the server prints `control on`",
        ),
        ("HTTP status 303", "that is not the viewers' port; the server prints `viewers on`"),
        ("HTTP status 404", "that is not the viewers' port, or the address has a path too much"),
        ("onnection reset", "does that port require a PROXY header?"),
    ];
    known.iter().find(|(words, _)| error.contains(words)).map_or("", |(_, hint)| hint)
}

/// The error with its hint.
pub(super) fn with_hint(error: &str) -> String {
    match hint(error) {
        "" => error.to_owned(),
        hint => format!("{error} ({hint})"),
    }
}
