//! Collects an HTTP/1.1 head from whatever pieces the network delivers (RFC 9112 §2).
//!
//! Each byte is looked at once, when it arrives: its limits are checked, the form of its line is checked, and it is
//! stored. So the cost is linear in the bytes however they are cut, and the result does not depend on the cuts.
//! The grammar of the collected lines is then read once, by [`super::head_parser`].
//!
//! Lines end with CR LF and nothing else. RFC 9112 §2.2 lets a recipient take a bare LF for a line end, but does not
//! ask for it; two parties that disagree on where a line ends can be made to see two different messages, and no
//! WebSocket peer sends one. For the same reason a bare CR, a folded line (§5.2), a control character and an empty
//! line before the first one are refused.

use std::fmt;

use super::error::HeadError;
use super::excerpt::Excerpt;

/// How much of a head is taken from a peer.
///
/// A peer may send without end, and before the handshake nobody knows who it is: each limit bounds what one
/// connection can cost.
///
/// ```
/// use twinsock_proto::handshake::HeadLimits;
///
/// let limits = HeadLimits { total: 16 * 1024, ..HeadLimits::default() };
/// assert_eq!((limits.line, limits.headers), (8192, 128));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// Bytes in one line, without its line end; default 8 KiB. Without it one endless line fills the memory.
    pub line: usize,
    /// Number of header lines; default 128. Without it many tiny headers cost far more memory than their bytes, and
    /// time in the header map.
    pub headers: usize,
    /// Bytes in the whole head, with its line ends; default 64 KiB. Without it lines that are each within bounds
    /// still add up to as much as the two limits above allow.
    pub total: usize,
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self {
            line: 8 * 1024,
            headers: 128,
            total: 64 * 1024,
        }
    }
}

/// Which kind of message is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StartLine {
    /// `GET /chat HTTP/1.1`
    Request,
    /// `HTTP/1.1 101 Switching Protocols`
    Status,
}

/// A head that is still arriving, or has just arrived whole.
pub(super) struct HeadCollector {
    start_line: StartLine,
    limits: HeadLimits,
    bytes: Vec<u8>,
    /// Where in `bytes` the present line starts.
    line_start: usize,
    /// How many lines are complete.
    lines: usize,
}

/// What one piece of input led to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Collected<'a> {
    Incomplete,
    /// The head is whole; `rest` came after it.
    Complete {
        rest: &'a [u8],
    },
}

impl HeadCollector {
    pub(super) fn new(start_line: StartLine, limits: HeadLimits) -> Self {
        Self {
            start_line,
            limits,
            bytes: Vec::new(),
            line_start: 0,
            lines: 0,
        }
    }

    /// Takes bytes up to the blank line that ends the head. Must not be called again once the head is complete.
    pub(super) fn feed<'a>(&mut self, input: &'a [u8]) -> Result<Collected<'a>, HeadError> {
        if self.bytes.is_empty() {
            // Mostly the whole head comes at once.
            self.bytes.reserve_exact(input.len().min(self.limits.total));
        }
        let mut rest = input;
        loop {
            let (plain, after) = rest.split_at(self.plain_run(rest));
            self.bytes.extend_from_slice(plain);
            if let [b'\r', b'\n', after @ ..] = after
                && self.may_end_line()
            {
                let content_len = self.line().len();
                self.bytes.extend_from_slice(b"\r\n");
                rest = after;
                match self.end_line(content_len)? {
                    LineState::HeadEnded => return Ok(Collected::Complete { rest }),
                    LineState::Open | LineState::Ended => continue,
                }
            }
            let Some((&byte, after)) = after.split_first() else {
                return Ok(Collected::Incomplete);
            };
            rest = after;
            if self.bytes.len() >= self.limits.total {
                return Err(HeadError::TooLarge {
                    limit: self.limits.total,
                });
            }
            self.bytes.push(byte);
            if let LineState::HeadEnded = self.check_last_byte()? {
                return Ok(Collected::Complete { rest });
            }
        }
    }

    /// Whether a CR LF that comes next ends the line: nothing else is to be said of it.
    fn may_end_line(&self) -> bool {
        self.limits.total.saturating_sub(self.bytes.len()) >= 2
            && self.line().last() != Some(&b'\r')
    }

    /// How many of the next bytes can be stored together: those of which
    /// [`check_last_byte`](Self::check_last_byte) would find nothing to say.
    fn plain_run(&self, input: &[u8]) -> usize {
        let line = self.line();
        let begins_line = line.is_empty() && input.first() == Some(&b' ');
        if begins_line || line.last() == Some(&b'\r') {
            return 0;
        }
        let mut room = self.limits.line.saturating_sub(line.len());
        if self.lines == 0 && self.start_line == StartLine::Status && line.len() < Excerpt::MAX_LEN
        {
            // The byte that makes it judged is looked at.
            room = room.min(Excerpt::MAX_LEN - 1 - line.len());
        }
        room = room.min(self.limits.total.saturating_sub(self.bytes.len()));
        length_of_plain(input.get(..room).unwrap_or(input))
    }

    /// The head, with its blank line once it is complete.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same, for keeps; nothing more may be collected.
    pub(super) fn take_bytes(&mut self) -> Box<[u8]> {
        std::mem::take(&mut self.bytes).into_boxed_slice()
    }

    /// How many header lines have been collected.
    pub(super) fn header_count(&self) -> usize {
        // The first line is the start line, the last one is blank.
        self.lines.saturating_sub(2)
    }

    /// Says of a head that will never be complete, whether even its beginning was foreign.
    pub(super) fn foreign_beginning(&self) -> Option<HeadError> {
        let line = self.line();
        let foreign = self.lines == 0 && self.start_line == StartLine::Status;
        (foreign && !is_http_so_far(line)).then(|| not_http(line))
    }

    fn check_last_byte(&mut self) -> Result<LineState, HeadError> {
        let line = self.line();
        match line {
            [content @ .., b'\r', b'\n'] => {
                let len = content.len();
                return self.end_line(len);
            }
            [.., b'\n'] => {
                return Err(self.broken(HeadError::BareLineFeed {
                    line: self.number(),
                }));
            }
            [.., b'\r', _] => {
                return Err(self.broken(HeadError::BareCarriageReturn {
                    line: self.number(),
                }));
            }
            [b' ' | b'\t'] if self.lines > 0 => {
                return Err(HeadError::Folded {
                    line: self.number(),
                });
            }
            [.., b'\r'] => return Ok(LineState::Open),
            [.., byte] if byte.is_ascii_control() && *byte != b'\t' => {
                let error = HeadError::ControlCharacter {
                    line: self.number(),
                    byte: *byte,
                };
                return Err(self.broken(error));
            }
            _ => {}
        }
        if line.len() > self.limits.line {
            return Err(HeadError::LineTooLong {
                line: self.number(),
                limit: self.limits.line,
            });
        }
        // A peer that speaks something else may never end its line, so its first bytes are judged without waiting
        // for that; at a fixed length, so that the verdict does not depend on how the bytes were cut.
        if self.lines == 0 && line.len() == Excerpt::MAX_LEN && self.start_line == StartLine::Status
        {
            return self.foreign_beginning().map_or(Ok(LineState::Open), Err);
        }
        Ok(LineState::Open)
    }

    fn end_line(&mut self, content_len: usize) -> Result<LineState, HeadError> {
        let content = &self.bytes[self.line_start..self.line_start + content_len];
        if self.lines == 0 {
            check_start_line(self.start_line, content)?;
        } else if !content.is_empty() && self.lines > self.limits.headers {
            return Err(HeadError::TooManyHeaders {
                limit: self.limits.headers,
            });
        }
        self.lines += 1;
        self.line_start = self.bytes.len();
        Ok(if content_len == 0 {
            LineState::HeadEnded
        } else {
            LineState::Ended
        })
    }

    /// The violation `error`; but in a first line that is not HTTP at all, it is that which needs saying.
    fn broken(&self, error: HeadError) -> HeadError {
        let line = self.line();
        let foreign = match self.start_line {
            StartLine::Status => !is_http_so_far(line),
            StartLine::Request => !line
                .windows(REQUEST_VERSION.len())
                .any(|part| part == REQUEST_VERSION),
        };
        if self.lines == 0 && foreign {
            not_http(line)
        } else {
            error
        }
    }

    fn line(&self) -> &[u8] {
        &self.bytes[self.line_start..]
    }

    fn number(&self) -> usize {
        self.lines + 1
    }
}

impl fmt::Debug for HeadCollector {
    /// Leaves out the bytes: there may be cookies and credentials among them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeadCollector")
            .field("start_line", &self.start_line)
            .field("limits", &self.limits)
            .field("len", &self.bytes.len())
            .field("lines", &self.lines)
            .finish_non_exhaustive()
    }
}

/// Where the last byte left the present line.
enum LineState {
    Open,
    Ended,
    HeadEnded,
}

/// How many bytes at the front are no control characters; a tab counts as one.
fn length_of_plain(input: &[u8]) -> usize {
    let is_plain = |byte: &u8| *byte >= b' ' && *byte != 0x7f;
    // Sixteen at a time, without a branch for each: the compiler makes vector instructions of it.
    let (pieces, _) = input.as_chunks::<16>();
    let whole = pieces
        .iter()
        .take_while(|piece| piece.iter().fold(true, |all, byte| all & is_plain(byte)))
        .count();
    let rest = &input[whole * 16..];
    whole * 16
        + rest
            .iter()
            .position(|byte| !is_plain(byte))
            .unwrap_or(rest.len())
}

/// Checks as much as tells HTTP/1 from other protocols. `HTTP/2.0` comes in the preface of that version (RFC 9113 §3.4).
fn check_start_line(kind: StartLine, line: &[u8]) -> Result<(), HeadError> {
    let mut words = line.split(|&byte| byte == b' ');
    let version = match kind {
        StartLine::Status => words.next(),
        StartLine::Request => match (words.next(), words.next(), words.next(), words.next()) {
            (Some(_), Some(_), version, None) => version,
            _ => None,
        },
    };
    let version = version
        .filter(|version| version.starts_with(HTTP))
        .ok_or_else(|| not_http(line))?;
    // RFC 6455 §4.2.1: a request has HTTP/1.1 or higher. A response of an older server may still say why it refuses.
    match (kind, version) {
        (_, b"HTTP/1.1") | (StartLine::Status, b"HTTP/1.0") => Ok(()),
        _ => Err(HeadError::HttpVersion {
            got: Excerpt::new(version),
        }),
    }
}

fn is_http_so_far(line: &[u8]) -> bool {
    line.starts_with(HTTP) || HTTP.starts_with(line)
}

fn not_http(line: &[u8]) -> HeadError {
    HeadError::NotHttp {
        beginning: Excerpt::new(without_request(line)),
    }
}

/// Of a request its method alone: who sends ours back would have its secrets quoted.
fn without_request(line: &[u8]) -> &[u8] {
    let end = line.iter().position(|&byte| byte == b' ');
    match end.and_then(|end| line.get(..end)) {
        Some(method) if method.iter().all(u8::is_ascii_uppercase) => method,
        _ => line,
    }
}

const HTTP: &[u8] = b"HTTP/";

const REQUEST_VERSION: &[u8] = b" HTTP/";

#[cfg(test)]
mod tests {
    use super::*;

    fn collector() -> HeadCollector {
        HeadCollector::new(StartLine::Request, HeadLimits::default())
    }

    /// A head of nearly 64 KiB, in lines of nearly 1 KiB.
    fn large_head() -> Vec<u8> {
        let mut head = b"GET / HTTP/1.1\r\n".to_vec();
        for _ in 0..65 {
            head.extend_from_slice(b"x: ");
            head.resize(head.len() + 1000, b'a');
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        assert!(head.len() > 65_000 && head.len() < 65_536);
        head
    }

    /// Each stored byte was checked once, right after it was stored. So the number of stored bytes is the number of
    /// checks, and it grows by the bytes that came, never by those that had come before.
    #[test]
    fn a_dripped_head_is_visited_once_per_byte() {
        let head = large_head();
        let mut collector = collector();
        for (index, byte) in head.iter().enumerate() {
            let collected = collector.feed(std::slice::from_ref(byte)).unwrap();
            assert_eq!(collector.bytes().len(), index + 1);
            assert_eq!(
                collected == Collected::Complete { rest: &[] },
                index + 1 == head.len()
            );
        }
        assert_eq!(collector.bytes(), head);
        assert_eq!(collector.header_count(), 65);
    }

    #[test]
    fn bytes_after_the_head_are_handed_back_untouched() {
        let input = b"GET / HTTP/1.1\r\na: b\r\n\r\n\r\n\r\n\x81\x00";
        let collected = collector().feed(input).unwrap();
        assert_eq!(
            collected,
            Collected::Complete {
                rest: b"\r\n\r\n\x81\x00"
            }
        );
    }

    #[test]
    fn nothing_is_stored_beyond_the_limits() {
        let limits = HeadLimits {
            line: 100,
            headers: 2,
            total: 150,
        };
        let mut collector = HeadCollector::new(StartLine::Request, limits);
        let refused = collector.feed(&[b'a'; 10_000]);
        assert_eq!(
            refused,
            Err(HeadError::LineTooLong {
                line: 1,
                limit: 100
            })
        );
        assert_eq!(collector.bytes().len(), 101);

        let mut collector = HeadCollector::new(StartLine::Request, limits);
        let refused = collector.feed(b"GET / HTTP/1.1\r\na: 1\r\nb: 2\r\nc: 3\r\n\r\n");
        assert_eq!(refused, Err(HeadError::TooManyHeaders { limit: 2 }));

        let mut collector = HeadCollector::new(StartLine::Request, limits);
        let long = format!(
            "GET / HTTP/1.1\r\na: {}\r\nb: {}\r\n\r\n",
            "x".repeat(90),
            "x".repeat(90)
        );
        assert_eq!(
            collector.feed(long.as_bytes()),
            Err(HeadError::TooLarge { limit: 150 })
        );
        assert_eq!(collector.bytes().len(), 150);
    }

    #[test]
    fn limits_are_inclusive() {
        let head = b"GET / HTTP/1.1\r\na: 1\r\n\r\n";
        let limits = HeadLimits {
            line: 14,
            headers: 1,
            total: head.len(),
        };
        let mut collector = HeadCollector::new(StartLine::Request, limits);
        assert_eq!(collector.feed(head), Ok(Collected::Complete { rest: &[] }));
    }
}
