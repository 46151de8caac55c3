//! Reading what strace writes with `-f -ttt -y -xx`: one system call after the other.
//!
//! The order of the lines is the order of what happened: a thread that a call woke up cannot be seen
//! before the end of that call, because the caller stands still until strace has noted it.

/// A system call, its parts joined if strace had to tell them apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) thread: u32,
    pub(super) name: String,
    /// The file or socket behind the first argument.
    pub(super) file: String,
    /// Every buffer among the arguments.
    pub(super) bytes: Vec<u8>,
    /// The line on which it began.
    pub(super) began: usize,
    /// The line on which it ended.
    pub(super) ended: usize,
    /// Microseconds since 1970 at its beginning.
    pub(super) at_us: u64,
    /// What it returned.
    pub(super) result: i64,
    /// Whether strace put the result in its place.
    pub(super) injected: bool,
}

/// Every call that has ended, in the order of their beginnings.
pub(super) fn calls(trace: &str) -> Vec<Call> {
    let mut calls = Vec::new();
    let mut open: Vec<(u32, usize, u64, String)> = Vec::new();
    for (number, line) in trace.lines().enumerate() {
        let Some((thread, at_us, rest)) = head(line) else { continue };
        if let Some(part) = rest.strip_suffix(" <unfinished ...>") {
            open.push((thread, number, at_us, part.to_owned()));
        } else if rest.starts_with("<... ") {
            let Some(place) = open.iter().position(|(other, ..)| *other == thread) else {
                continue;
            };
            let (_, began, at_us, mut text) = open.swap_remove(place);
            text.push_str(rest.split_once("resumed>").map_or("", |(_, tail)| tail));
            calls.extend(call(thread, began, number, at_us, &text));
        } else {
            calls.extend(call(thread, number, number, at_us, rest));
        }
    }
    calls.sort_by_key(|call| call.began);
    calls
}

fn head(line: &str) -> Option<(u32, u64, &str)> {
    let (thread, rest) = line.split_once(' ')?;
    let (at, rest) = rest.trim_start().split_once(' ')?;
    let (seconds, micros) = at.split_once('.')?;
    let at_us = seconds.parse::<u64>().ok()? * 1_000_000 + micros.parse::<u64>().ok()?;
    Some((thread.parse().ok()?, at_us, rest.trim_start()))
}

fn call(thread: u32, began: usize, ended: usize, at_us: u64, text: &str) -> Option<Call> {
    let (name, rest) = text.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(" = ")?;
    let file = arguments.split_once('<').and_then(|(_, tail)| tail.split_once('>'));
    let file = file.map_or_else(Vec::new, |(file, _)| unescape(file));
    let bytes = arguments.split('"').skip(1).step_by(2).flat_map(unescape).collect();
    Some(Call {
        thread,
        name: name.to_owned(),
        file: String::from_utf8_lossy(&file).into_owned(),
        bytes,
        began,
        ended,
        at_us,
        result: result.split_whitespace().next()?.parse().ok()?,
        injected: result.ends_with("(INJECTED)"),
    })
}

/// Bytes from `\x61\x62`; what is not escaped stands for itself.
fn unescape(text: &str) -> Vec<u8> {
    let mut parts = text.split("\\x");
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        bytes.extend(u8::from_str_radix(digits, 16));
        bytes.extend_from_slice(rest.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_on_one_line_is_read() {
        let line = r#"17 1795358616.562804 writev(6<\x61\x2d\x77>, [{iov_base="\x00\x22", iov_len=2}, {iov_base="\x3d", iov_len=1}], 2) = 3"#;
        let [call] = &calls(line)[..] else { panic!("one call") };
        assert_eq!((call.thread, call.name.as_str(), call.file.as_str()), (17, "writev", "a-w"));
        assert_eq!((call.bytes.as_slice(), call.result), (&b"\x00\"="[..], 3));
        assert_eq!(call.at_us, 1_795_358_616_562_804);
    }

    #[test]
    fn a_call_in_two_parts_lies_around_what_came_between() {
        let trace = "1 5.000001 fdatasync(6<\\x61> <unfinished ...>\n\
                     2 5.000002 sendto(7<\\x62>, \"\\x63\", 1, 0, NULL, 0) = 1\n\
                     1 5.000003 <... fdatasync resumed>) = 0\n";
        let calls = calls(trace);
        assert_eq!(calls[0].name, "fdatasync");
        assert_eq!((calls[0].began, calls[0].ended), (0, 2));
        assert_eq!((calls[1].began, calls[1].ended), (1, 1));
    }

    #[test]
    fn a_failure_is_read_with_who_caused_it() {
        let line = "1 5.000001 fdatasync(6<\\x61>) = -1 EIO (Input/output error) (INJECTED)";
        let [call] = &calls(line)[..] else { panic!("one call") };
        assert_eq!((call.result, call.injected), (-1, true));
    }

    #[test]
    fn ends_signals_calls_without_an_end_are_passed_over() {
        let trace = "1 5.000001 +++ exited with 0 +++\n\
                     1 5.000002 --- SIGTERM {si_signo=SIGTERM} ---\n\
                     1 5.000003 read(3<\\x61>, <unfinished ...>\n\
                     \n";
        assert_eq!(calls(trace), []);
    }
}
