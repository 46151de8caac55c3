//! Redis' protocol, as far as the rows need it.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
};

use crate::error::{PeersError, system};

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Text(String),
    Number(i64),
    Nothing,
    List(Vec<Answer>),
    Error(String),
}

/// A connection for set-up and checks.
#[derive(Debug)]
pub(crate) struct Redis {
    stream: BufReader<TcpStream>,
}

impl Redis {
    pub(crate) fn connect(address: SocketAddr) -> Result<Self, PeersError> {
        let stream = TcpStream::connect(address).map_err(system("connect to Redis"))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    pub(crate) fn call(&mut self, words: &[&str]) -> Result<Answer, PeersError> {
        let mut request = Vec::new();
        put_command(&mut request, words);
        self.stream.get_mut().write_all(&request).map_err(system("ask Redis"))?;
        match self.answer()? {
            Answer::Error(answer) => {
                Err(PeersError::Redis { command: words.first().unwrap_or(&"").to_string(), answer })
            }
            answer => Ok(answer),
        }
    }

    fn answer(&mut self) -> Result<Answer, PeersError> {
        let mut line = String::new();
        self.stream.read_line(&mut line).map_err(system("hear Redis"))?;
        let line = line.trim_end();
        let (kind, rest) = line.split_at_checked(1).unwrap_or(("", ""));
        let odd = || PeersError::Redis { command: "something".into(), answer: line.to_owned() };
        let number = || rest.parse::<i64>().map_err(|_| odd());
        match kind {
            "+" => Ok(Answer::Text(rest.to_owned())),
            "-" => Ok(Answer::Error(rest.to_owned())),
            ":" => Ok(Answer::Number(number()?)),
            "$" | "*" if rest == "-1" => Ok(Answer::Nothing),
            "$" => {
                let bytes = usize::try_from(number()?).map_err(|_| odd())?;
                let mut text = vec![0; bytes + 2];
                self.stream.read_exact(&mut text).map_err(system("hear Redis"))?;
                text.truncate(bytes);
                Ok(Answer::Text(String::from_utf8_lossy(&text).into_owned()))
            }
            "*" => {
                (0..number()?).map(|_| self.answer()).collect::<Result<_, _>>().map(Answer::List)
            }
            _ => Err(odd()),
        }
    }
}

/// Appends a command.
pub(crate) fn put_command(out: &mut Vec<u8>, words: &[&str]) {
    out.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        out.extend_from_slice(format!("${}\r\n{word}\r\n", word.len()).as_bytes());
    }
}

/// The text that `bytes` begin with, with the length of all of it; `None` if more bytes are needed.
/// An error of the server is a text too, with its minus sign.
pub(crate) fn text(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let end = bytes.windows(2).position(|two| two == b"\r\n")?;
    let (kind, head) = bytes[..end].split_first()?;
    if *kind != b'$' {
        return Some((&bytes[..end], end + 2));
    }
    let len = std::str::from_utf8(head).ok()?.parse::<usize>().ok()?;
    let (from, to) = (end + 2, end + 2 + len);
    (bytes.len() >= to + 2).then(|| (&bytes[from..to], to + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_whole_or_nothing() {
        assert_eq!(text(b"$4\r\nheld\r\n$1"), Some((&b"held"[..], 10)));
        assert_eq!(text(b"$4\r\nheld\r"), None);
        assert_eq!(text(b"$4"), None);
        assert_eq!(text(b"-ERR no\r\n"), Some((&b"-ERR no"[..], 9)));
    }

    #[test]
    fn commands_are_lists_of_texts() {
        let mut out = Vec::new();
        put_command(&mut out, &["GET", "stock"]);
        assert_eq!(out, b"*2\r\n$3\r\nGET\r\n$5\r\nstock\r\n");
    }
}
