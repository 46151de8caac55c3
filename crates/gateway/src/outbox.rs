//! What waits to be written to one connection.

use std::collections::VecDeque;

use bytes::Bytes;

/// Something for the frame layer to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// One message; text or binary as the subprotocol says.
    Message(Bytes),
    /// A ping without content.
    Ping,
    /// The last thing: a close frame.
    Close(Closing),
}

/// Why a connection is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Closing {
    /// The code in the close frame.
    pub(crate) code: u16,
    /// The sentence in the close frame.
    pub(crate) reason: String,
}

/// Messages in order, then a ping, then a close; bounded in bytes by who adds.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    messages: VecDeque<Bytes>,
    /// Messages at the front that belong to the welcome.
    welcome: usize,
    bytes: usize,
    ping: bool,
    close: Option<Closing>,
}

impl Outbox {
    /// Bytes of the messages that wait behind the welcome.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn push(&mut self, message: Bytes) {
        self.bytes += message.len();
        self.messages.push_back(message);
    }

    /// Adds a part of the welcome, which comes before everything else. Its size is the server's own
    /// doing, so it says nothing about how slowly the client reads.
    pub(crate) fn push_welcome(&mut self, message: Bytes) {
        debug_assert_eq!(self.welcome, self.messages.len(), "the welcome comes first");
        self.welcome += 1;
        self.messages.push_back(message);
    }

    pub(crate) fn ping(&mut self) {
        self.ping = true;
    }

    /// Closes once everything before it is written.
    pub(crate) fn close(&mut self, closing: Closing) {
        self.close = Some(closing);
    }

    /// Forgets what waits: the reader takes nothing anyway.
    pub(crate) fn discard(&mut self) {
        (self.messages, self.welcome, self.bytes, self.ping) = (VecDeque::new(), 0, 0, false);
    }

    pub(crate) fn next(&mut self) -> Option<Output> {
        if let Some(message) = self.messages.pop_front() {
            match self.welcome.checked_sub(1) {
                Some(left) => self.welcome = left,
                None => self.bytes -= message.len(),
            }
            return Some(Output::Message(message));
        }
        if std::mem::take(&mut self.ping) {
            return Some(Output::Ping);
        }
        self.close.take().map(Output::Close)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_leaves_last() {
        let mut outbox = Outbox::default();
        let closing = Closing { code: 4000, reason: "over".to_owned() };
        outbox.close(closing.clone());
        outbox.ping();
        outbox.push(Bytes::from_static(b"first"));
        outbox.push(Bytes::from_static(b"second"));
        assert_eq!(outbox.bytes(), 11);
        let left: Vec<Output> = std::iter::from_fn(|| outbox.next()).collect();
        assert_eq!(
            left,
            [
                Output::Message(Bytes::from_static(b"first")),
                Output::Message(Bytes::from_static(b"second")),
                Output::Ping,
                Output::Close(closing),
            ]
        );
        assert_eq!(outbox.bytes(), 0);
    }

    #[test]
    fn a_welcome_does_not_count() {
        let mut outbox = Outbox::default();
        outbox.push_welcome(Bytes::from_static(b"welcome"));
        outbox.push_welcome(Bytes::from_static(b"drop"));
        assert_eq!(outbox.bytes(), 0);
        outbox.push(Bytes::from_static(b"held"));
        for left in [4, 4, 0] {
            assert!(matches!(outbox.next(), Some(Output::Message(_))));
            assert_eq!(outbox.bytes(), left);
        }
        outbox.push_welcome(Bytes::from_static(b"welcome"));
        outbox.push(Bytes::from_static(b"held"));
        outbox.discard();
        assert_eq!((outbox.next(), outbox.bytes()), (None, 0));
        outbox.push(Bytes::from_static(b"error"));
        assert_eq!(outbox.bytes(), 5);
    }
}
