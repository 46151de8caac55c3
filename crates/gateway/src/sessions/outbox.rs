//! The bytes that wait to be written to one connection's socket.

use stampede_wire::{Subprotocol, frame};

/// Bytes that the socket has taken are kept until there are this many of them.
const TAKEN_BYTES_MAX: usize = 16 << 10;

/// Frames in order, the last one perhaps a close; bounded in bytes by who adds.
///
/// An idle connection keeps no memory for it: once everything is taken, the buffer is given back.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    frames: Vec<u8>,
    /// Bytes at the front that the socket has taken.
    taken: usize,
    /// Where the welcome ends, which does not count.
    welcome: usize,
    has_close: bool,
}

impl Outbox {
    /// Bytes that wait behind the welcome.
    pub(crate) fn bytes(&self) -> usize {
        self.frames.len() - self.taken.max(self.welcome)
    }

    /// Adds an encoded message.
    pub(crate) fn push(&mut self, subprotocol: Subprotocol, message: &[u8]) {
        frame::put_message(&mut self.frames, subprotocol, message);
    }

    /// Adds frames that are encoded already.
    pub(crate) fn push_frames(&mut self, frames: &[u8]) {
        self.frames.extend_from_slice(frames);
    }

    /// Adds a part of the welcome, which comes before everything else. Its size is the server's own
    /// doing, so it says nothing about how slowly the client reads.
    pub(crate) fn push_welcome(&mut self, subprotocol: Subprotocol, message: &[u8]) {
        self.push(subprotocol, message);
        self.welcome = self.frames.len();
    }

    pub(crate) fn ping(&mut self) {
        frame::put_ping(&mut self.frames);
    }

    pub(crate) fn pong(&mut self, content: &[u8]) {
        frame::put_pong(&mut self.frames, content);
    }

    /// Adds the last frame.
    pub(crate) fn close(&mut self, code: Option<u16>, reason: &str) {
        frame::put_close(&mut self.frames, code, reason);
        self.has_close = true;
    }

    /// Whether the last frame is among those that wait or were taken.
    pub(crate) fn has_close(&self) -> bool {
        self.has_close
    }

    /// Forgets what waits, because the reader takes nothing anyway; a frame that the socket has
    /// begun to take stays whole.
    pub(crate) fn discard(&mut self) {
        let mut end = 0;
        while end < self.taken {
            end += frame::length(&self.frames[end..]);
        }
        self.frames.truncate(end);
        self.welcome = self.welcome.min(end);
    }

    /// What the socket takes next; empty if nothing waits.
    pub(crate) fn waiting(&self) -> &[u8] {
        &self.frames[self.taken..]
    }

    /// The socket has taken `count` more bytes.
    pub(crate) fn took(&mut self, count: usize) {
        self.taken += count;
        debug_assert!(self.taken <= self.frames.len(), "no more is taken than waits");
        if self.taken == self.frames.len() {
            (self.frames, self.taken, self.welcome) = (Vec::new(), 0, 0);
        } else if self.taken > TAKEN_BYTES_MAX {
            self.forget_taken();
        }
    }

    /// A reader that is always a little behind never empties the buffer: what it has taken goes, up to
    /// the frame that it is in the middle of.
    fn forget_taken(&mut self) {
        let mut start = 0;
        loop {
            let end = start + frame::length(&self.frames[start..]);
            if end > self.taken {
                break;
            }
            start = end;
        }
        self.frames.drain(..start);
        (self.taken, self.welcome) = (self.taken - start, self.welcome.saturating_sub(start));
    }

    /// Keeps a frame like [`Outbox::keep`], as a part of the welcome: it does not count.
    pub(crate) fn keep_welcome(&mut self, frame: &[u8], taken: usize) {
        self.keep(frame, taken);
        self.welcome = self.frames.len();
    }

    /// Keeps a frame of which the socket has taken the first bytes only; nothing else may wait.
    pub(crate) fn keep(&mut self, frame: &[u8], taken: usize) {
        debug_assert!(self.frames.is_empty(), "a frame is written past the outbox if it is empty");
        self.frames.extend_from_slice(frame);
        self.taken = taken;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: Subprotocol = Subprotocol::Json;

    #[test]
    fn frames_leave_in_order_in_pieces_of_any_size() {
        let mut outbox = Outbox::default();
        outbox.push(JSON, b"first");
        outbox.push(JSON, b"second");
        outbox.ping();
        outbox.close(Some(4000), "over");
        let whole = b"\x81\x05first\x81\x06second\x89\x00\x88\x06\x0f\xa0over".to_vec();
        assert_eq!((outbox.bytes(), outbox.has_close()), (whole.len(), true));
        let mut left = Vec::new();
        while !outbox.waiting().is_empty() {
            let piece = outbox.waiting().len().min(3);
            left.extend_from_slice(&outbox.waiting()[..piece]);
            outbox.took(piece);
        }
        assert_eq!((left, outbox.bytes()), (whole, 0));
    }

    #[test]
    fn a_welcome_does_not_count() {
        let mut outbox = Outbox::default();
        outbox.push_welcome(JSON, b"welcome");
        outbox.push_welcome(JSON, b"drop");
        assert_eq!(outbox.bytes(), 0);
        outbox.push(JSON, b"held");
        assert_eq!(outbox.bytes(), 6);
        outbox.took(10);
        assert_eq!(outbox.bytes(), 6, "still within the welcome");
        outbox.took(5 + 3);
        assert_eq!(outbox.bytes(), 3);
    }

    #[test]
    fn a_late_part_of_the_welcome_does_not_count_either() {
        let mut outbox = Outbox::default();
        outbox.keep_welcome(b"\x81\x04drop", 3);
        outbox.push(JSON, b"held");
        assert_eq!((outbox.bytes(), outbox.waiting().len()), (6, 9));
    }

    #[test]
    fn what_is_discarded_ends_between_two_frames() {
        for (taken, left) in [(0, 0), (1, 7), (7, 7), (8, 15), (20, 266), (266, 266)] {
            let mut outbox = Outbox::default();
            outbox.push(JSON, b"first");
            outbox.push(JSON, b"second");
            outbox.push(JSON, &[b'x'; 247]);
            outbox.push(JSON, b"last");
            outbox.took(taken);
            outbox.discard();
            assert_eq!(outbox.waiting().len(), left - taken, "{taken} were taken");
        }
    }

    #[test]
    fn a_reader_that_is_always_behind_costs_no_more_than_what_waits() {
        let mut outbox = Outbox::default();
        outbox.push_welcome(JSON, &vec![b'w'; 40_000]);
        let message = [b'x'; 500];
        for _ in 0..1_000 {
            outbox.push(JSON, &message);
            outbox.took(499);
        }
        let sent = 40_010 + 1_000 * 504 - 1_000 * 499;
        assert_eq!(outbox.waiting().len(), sent - 6, "a header of four bytes up to 64 KiB");
        assert!(outbox.frames.len() <= outbox.waiting().len() + TAKEN_BYTES_MAX + 40_004);
        outbox.discard();
        assert!(outbox.waiting().len() < 504, "the frame under way is whole");
    }

    #[test]
    fn a_frame_that_was_written_in_part_goes_on() {
        let mut outbox = Outbox::default();
        outbox.keep(b"\x81\x04tick", 3);
        outbox.push(JSON, b"held");
        assert_eq!(outbox.waiting(), b"ick\x81\x04held");
        outbox.discard();
        assert_eq!(outbox.waiting(), b"ick");
    }
}
