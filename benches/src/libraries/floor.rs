//! A limit: about the least that an endpoint has to do for well-formed frames that are not
//! fragmented. It checks headers, unmasks, checks text, lends messages in place and gathers what it
//! sends until its reader would wait. It knows no control frames and no fragments.

use std::io::IoSlice;
use std::ops::Range;

use bytes::Bytes;
use fastrand::Rng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::libraries::MAX_MESSAGE_SIZE;
use crate::library::{Batching, ByteStream, Kind, Library, Outcome, Socket, Standing};
use crate::opening;
use crate::workload::Task;

/// What one read asks for, and one write gathers.
const MEMORY: usize = 64 << 10;
/// A server writes a message from this size on where it stands, without a copy.
const LARGE: usize = 8 << 10;
/// The longest header.
const HEADER: usize = 14;

pub(crate) struct Floor;

impl Library for Floor {
    const NAME: &'static str = "floor";
    const PACKAGE: &'static str = "tokio";
    const STANDING: Standing = Standing::Limit;
    const FLUSH: &'static str = "messages are gathered until the reader would wait";
    const BATCHING: Batching = Batching::PlainLoop;

    type Server<S: ByteStream> = Endpoint<S, false>;
    type Client<S: ByteStream> = Endpoint<S, true>;

    /// It does no handshake, and keeps its memory while idle.
    fn takes_part_in(task: Task) -> bool {
        matches!(
            task,
            Task::Echo { .. }
                | Task::EchoBatched { .. }
                | Task::MemoryEcho
                | Task::Parse
                | Task::Serialise
                | Task::Bulk(_)
                | Task::Many { .. }
        )
    }

    async fn accept<S: ByteStream>(mut stream: S) -> Outcome<Endpoint<S, false>> {
        opening::answer(&mut stream).await?;
        Ok(Endpoint::new(stream))
    }

    async fn connect<S: ByteStream>(mut stream: S) -> Outcome<Endpoint<S, true>> {
        opening::ask(&mut stream).await?;
        Ok(Endpoint::new(stream))
    }

    async fn answer_handshake<S: ByteStream>(stream: S) -> Outcome<()> {
        drop(Self::accept(stream).await?);
        Ok(())
    }

    async fn ask_handshake<S: ByteStream>(stream: S) -> Outcome<()> {
        drop(Self::connect(stream).await?);
        Ok(())
    }
}

pub(crate) struct Endpoint<S, const IS_CLIENT: bool> {
    stream: S,
    incoming: Incoming<IS_CLIENT>,
    outgoing: Outgoing<IS_CLIENT>,
}

impl<S: ByteStream, const IS_CLIENT: bool> Endpoint<S, IS_CLIENT> {
    fn new(stream: S) -> Self {
        Self {
            stream,
            incoming: Incoming::new(),
            outgoing: Outgoing::new(),
        }
    }

    /// Waits for bytes; `false` at the end of the stream.
    async fn fill(&mut self) -> Outcome<bool> {
        self.outgoing.flush(&mut self.stream).await?;
        let count = self.stream.read(self.incoming.room()).await?;
        self.incoming.end += count;
        Ok(count > 0)
    }
}

impl<S: ByteStream, const IS_CLIENT: bool> Socket for Endpoint<S, IS_CLIENT> {
    type Prepared = (Kind, Bytes);

    fn prepare(kind: Kind, payload: &Bytes) -> Outcome<Self::Prepared> {
        Ok((kind, payload.clone()))
    }

    async fn receive(&mut self) -> Outcome<Option<usize>> {
        loop {
            if let Some((_, payload)) = self.incoming.message()? {
                return Ok(Some(std::hint::black_box(payload).len()));
            }
            if !self.fill().await? {
                return Ok(None);
            }
        }
    }

    async fn send(&mut self, (kind, payload): &Self::Prepared) -> Outcome<()> {
        self.outgoing.push(&mut self.stream, *kind, payload).await
    }

    async fn feed(&mut self, message: &Self::Prepared) -> Outcome<()> {
        self.send(message).await
    }

    async fn flush(&mut self) -> Outcome<()> {
        self.outgoing.flush(&mut self.stream).await
    }

    async fn echo(&mut self) -> Outcome<Option<usize>> {
        loop {
            if let Some((kind, payload)) = self.incoming.message()? {
                self.outgoing.push(&mut self.stream, kind, payload).await?;
                return Ok(Some(payload.len()));
            }
            if !self.fill().await? {
                return Ok(None);
            }
        }
    }
}

/// The memory that is read into, and in which messages are lent.
struct Incoming<const IS_CLIENT: bool> {
    memory: Vec<u8>,
    /// Where the next frame begins.
    start: usize,
    end: usize,
    /// How much of the next frame's payload was unmasked as it came.
    unmasked: usize,
}

impl<const IS_CLIENT: bool> Incoming<IS_CLIENT> {
    const KEY: usize = if IS_CLIENT { 0 } else { 4 };

    fn new() -> Self {
        Self {
            memory: vec![0; MEMORY],
            start: 0,
            end: 0,
            unmasked: 0,
        }
    }

    /// Room for a read behind the bytes that are there.
    fn room(&mut self) -> &mut [u8] {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.start > 0 && self.memory.len() - self.end < MEMORY / 2 {
            self.memory.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        &mut self.memory[self.end..]
    }

    /// The next message that is all there.
    #[inline]
    fn message(&mut self) -> Outcome<Option<(Kind, &[u8])>> {
        let Some((kind, payload)) = self.header()? else {
            return Ok(None);
        };
        let there = payload.end.min(self.end);
        self.unmask(payload.start, there);
        if there < payload.end {
            let whole = payload.end - self.start;
            if whole > self.memory.len() {
                self.memory.resize(whole + MEMORY, 0);
            }
            return Ok(None);
        }
        self.unmasked = 0;
        self.start = payload.end;
        let payload = &self.memory[payload];
        if kind == Kind::Text {
            simdutf8::basic::from_utf8(payload)?;
        }
        Ok(Some((kind, payload)))
    }

    /// What the next frame is, and where its payload is going to be.
    fn header(&self) -> Outcome<Option<(Kind, Range<usize>)>> {
        let bytes = &self.memory[self.start..self.end];
        let [first, second, ..] = *bytes else {
            return Ok(None);
        };
        let kind = match first {
            0x81 => Kind::Text,
            0x82 => Kind::Binary,
            _ => return Err("expected a data frame that is not fragmented".into()),
        };
        if (second & 0x80 == 0) != IS_CLIENT {
            return Err("expected a masked frame from a client alone".into());
        }
        let (header, length) = match (second & 0x7f, &bytes[2..]) {
            (126, &[a, b, ..]) => (4, usize::from(u16::from_be_bytes([a, b]))),
            (127, rest) => match rest.first_chunk() {
                Some(length) => (10, usize::try_from(u64::from_be_bytes(*length))?),
                None => return Ok(None),
            },
            (126, _) => return Ok(None),
            (length, _) => (2, usize::from(length)),
        };
        if length > MAX_MESSAGE_SIZE || length < least_length(header) {
            return Err("expected a length in its shortest form, within the limit".into());
        }
        let start = self.start + header + Self::KEY;
        Ok((start <= self.end).then_some((kind, start..start + length)))
    }

    /// Unmasks what came of a payload since the last time.
    fn unmask(&mut self, start: usize, end: usize) {
        let from = start + self.unmasked;
        if IS_CLIENT || end <= from {
            return;
        }
        if let Some(key) = self.memory[..start].last_chunk() {
            let key = rotated(*key, self.unmasked);
            xor(&mut self.memory[from..end], key);
            self.unmasked = end - start;
        }
    }
}

/// What a header of this length is for at least.
fn least_length(header: usize) -> usize {
    match header {
        4 => 126,
        10 => 1 << 16,
        _ => 0,
    }
}

/// Frames that wait to be written.
struct Outgoing<const IS_CLIENT: bool> {
    memory: Vec<u8>,
    filled: usize,
    random: Rng,
}

impl<const IS_CLIENT: bool> Outgoing<IS_CLIENT> {
    fn new() -> Self {
        Self {
            memory: vec![0; MEMORY],
            filled: 0,
            random: Rng::new(),
        }
    }

    async fn push<S: ByteStream>(
        &mut self,
        stream: &mut S,
        kind: Kind,
        payload: &[u8],
    ) -> Outcome<()> {
        if self.filled + HEADER > self.memory.len() {
            self.flush(stream).await?;
        }
        let key = self.push_header(kind, payload.len());
        if !IS_CLIENT && payload.len() >= LARGE {
            return self.write_with(stream, payload).await;
        }
        let mut rest = payload;
        loop {
            rest = self.push_piece(rest, rotated(key, payload.len() - rest.len()));
            if rest.is_empty() {
                return Ok(());
            }
            self.flush(stream).await?;
        }
    }

    /// Gives the mask key, which a server does not use.
    fn push_header(&mut self, kind: Kind, length: usize) -> [u8; 4] {
        self.push_bytes(&[match kind {
            Kind::Text => 0x81,
            Kind::Binary => 0x82,
        }]);
        let mask_bit = if IS_CLIENT { 0x80 } else { 0 };
        if let Ok(short) = u8::try_from(length)
            && short < 126
        {
            self.push_bytes(&[mask_bit | short]);
        } else if let Ok(middle) = u16::try_from(length) {
            self.push_bytes(&[mask_bit | 126]);
            self.push_bytes(&middle.to_be_bytes());
        } else {
            self.push_bytes(&[mask_bit | 127]);
            self.push_bytes(&(length as u64).to_be_bytes());
        }
        if !IS_CLIENT {
            return [0; 4];
        }
        let key = self.random.u32(1..).to_ne_bytes();
        self.push_bytes(&key);
        key
    }

    #[inline]
    fn push_bytes(&mut self, bytes: &[u8]) {
        self.memory[self.filled..][..bytes.len()].copy_from_slice(bytes);
        self.filled += bytes.len();
    }

    /// As much as there is room for; gives the rest.
    #[inline]
    fn push_piece<'a>(&mut self, payload: &'a [u8], key: [u8; 4]) -> &'a [u8] {
        let room = &mut self.memory[self.filled..];
        let (piece, rest) = payload.split_at(payload.len().min(room.len()));
        let room = &mut room[..piece.len()];
        match IS_CLIENT {
            true => copy_masked(piece, room, key),
            false => room.copy_from_slice(piece),
        }
        self.filled += piece.len();
        rest
    }

    async fn write_with<S: ByteStream>(&mut self, stream: &mut S, payload: &[u8]) -> Outcome<()> {
        let mut slices = [
            IoSlice::new(&self.memory[..self.filled]),
            IoSlice::new(payload),
        ];
        let mut slices = &mut slices[..];
        while !slices.is_empty() {
            let count = stream.write_vectored(slices).await?;
            IoSlice::advance_slices(&mut slices, count);
        }
        self.filled = 0;
        Ok(())
    }

    async fn flush<S: ByteStream>(&mut self, stream: &mut S) -> Outcome<()> {
        if self.filled > 0 {
            stream.write_all(&self.memory[..self.filled]).await?;
            self.filled = 0;
        }
        Ok(())
    }
}

/// The key for a payload's bytes from `offset` on.
fn rotated(mut key: [u8; 4], offset: usize) -> [u8; 4] {
    key.rotate_left(offset % 4);
    key
}

fn wide([a, b, c, d]: [u8; 4]) -> u64 {
    u64::from_ne_bytes([a, b, c, d, a, b, c, d])
}

fn xor(bytes: &mut [u8], key: [u8; 4]) {
    let (words, rest) = bytes.as_chunks_mut();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide(key)).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}

fn copy_masked(from: &[u8], to: &mut [u8], key: [u8; 4]) {
    let (words, rest) = from.as_chunks();
    let (masked_words, masked_rest) = to.as_chunks_mut();
    for (masked, word) in masked_words.iter_mut().zip(words) {
        *masked = (u64::from_ne_bytes(*word) ^ wide(key)).to_ne_bytes();
    }
    for ((masked, byte), key) in masked_rest.iter_mut().zip(rest).zip(key.iter().cycle()) {
        *masked = byte ^ key;
    }
}
