//! The bytes that wait to be sent.

use std::collections::VecDeque;
use std::fmt;
use std::io::IoSlice;

use bytes::{Buf, Bytes};

use crate::frame::header::{EncodedHeader, FrameHeader};
use crate::frame::mask::MaskKey;

/// The bytes that wait to be sent, in order: a [`Buf`] whose chunks may go into one vectored
/// write.
///
/// ```
/// # use std::time::Instant;
/// use bytes::Buf;
/// use twinsock_proto::{Connection, Message, Role, Settings, Transmit};
///
/// let mut server = Connection::new(Role::Server, Settings::default(), [0; 32], Instant::now());
/// server.send(Message::from("hi"))?;
/// let Some(Transmit::Bytes(queue)) = server.poll_transmit() else { panic!() };
/// assert_eq!(queue.chunk(), b"\x81\x02hi");
/// # Ok::<(), twinsock_proto::SendError>(())
/// ```
#[derive(Default)]
pub struct SendQueue {
    /// What goes first; without large payloads nothing.
    segments: VecDeque<Segment>,
    /// What goes last: frames copied together.
    gathered: Gathered,
    length: usize,
    /// How many bytes were ever taken off.
    taken: u64,
}

enum Segment {
    Gathered(Gathered),
    /// The header of a large payload.
    Header(EncodedHeader),
    /// A large payload, ready as it is.
    Shared(Bytes),
    /// A large payload that others hold too: it is masked into a copy, piece by piece, when its
    /// turn comes.
    Unmasked {
        payload: Bytes,
        key: MaskKey,
    },
}

/// Bytes copied together; the first `sent` of them are gone.
#[derive(Default)]
struct Gathered {
    bytes: Vec<u8>,
    sent: usize,
}

/// A payload on its way into the queue.
pub(crate) enum Payload<'a> {
    Borrowed(&'a [u8]),
    Owned(Bytes),
}

/// The bytes are the application's secrets: their number is enough.
impl fmt::Debug for SendQueue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SendQueue({} bytes)", self.length)
    }
}

impl Payload<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Borrowed(bytes) => bytes.len(),
            Self::Owned(bytes) => bytes.len(),
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Owned(bytes) => bytes,
        }
    }
}

impl SendQueue {
    /// How many bytes wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// How many bytes were ever taken off.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// Appends a frame.
    #[inline]
    pub(crate) fn push(&mut self, header: &FrameHeader, payload: Payload<'_>) {
        let bytes = match payload {
            Payload::Owned(bytes) if bytes.len() > MOST_COPIED => {
                return self.push_large(header, bytes);
            }
            Payload::Owned(ref bytes) => &bytes[..],
            Payload::Borrowed(bytes) => bytes,
        };
        let before = self.gathered.bytes.len();
        header.encode().append_to(&mut self.gathered.bytes);
        MaskKey::append(header.mask, bytes, &mut self.gathered.bytes);
        self.length += self.gathered.bytes.len() - before;
    }

    /// Appends a frame whose payload is masked already, if it is to be.
    pub(crate) fn push_masked(&mut self, header: &FrameHeader, payload: Bytes) {
        if payload.len() > MOST_COPIED {
            return self.push_segments(header, payload.len(), Segment::Shared(payload));
        }
        let before = self.gathered.bytes.len();
        header.encode().append_to(&mut self.gathered.bytes);
        self.gathered.bytes.extend_from_slice(&payload);
        self.length += self.gathered.bytes.len() - before;
    }

    /// Appends a frame whose payload stays where it is.
    fn push_large(&mut self, header: &FrameHeader, payload: Bytes) {
        let length = payload.len();
        self.push_segments(header, length, masked_segment(payload, header.mask));
    }

    fn push_segments(&mut self, header: &FrameHeader, length: usize, payload: Segment) {
        if !self.gathered.bytes.is_empty() {
            let gathered = std::mem::take(&mut self.gathered);
            self.segments.push_back(Segment::Gathered(gathered));
        }
        let encoded = header.encode();
        self.length += encoded.as_bytes().len() + length;
        self.segments.push_back(Segment::Header(encoded));
        self.segments.push_back(payload);
    }

    /// Forgets all that waits.
    pub(crate) fn clear(&mut self) {
        *self = Self {
            taken: self.taken,
            ..Self::default()
        };
    }

    /// Frees memory that an idle connection need not hold.
    pub(crate) fn release_idle_memory(&mut self) {
        if self.is_empty() && self.kept_capacity() > MOST_IDLE {
            self.clear();
        }
    }

    /// Masks the next piece if the front needs it, so that [`Buf::chunk`] finds bytes.
    pub(crate) fn prepare(&mut self) {
        let Some(Segment::Unmasked { payload, key }) = self.segments.front_mut() else {
            return;
        };
        let piece = payload.split_to(payload.len().min(MASKED_AT_ONCE));
        let mut bytes = Vec::with_capacity(piece.len());
        MaskKey::append(Some(*key), &piece, &mut bytes);
        *key = key.advanced_by(piece.len());
        if payload.is_empty() {
            self.segments.pop_front();
        }
        let masked = Segment::Gathered(Gathered { bytes, sent: 0 });
        self.segments.push_front(masked);
    }

    fn kept_capacity(&self) -> usize {
        let segments = self.segments.capacity() * size_of::<Segment>();
        segments + self.gathered.bytes.capacity()
    }

    /// Takes `count` bytes off the segments, or as many as they have, and tells how many.
    fn advance_segments(&mut self, count: usize) -> usize {
        let mut left = count;
        while let Some(front) = self.segments.front_mut() {
            let step = left.min(front.bytes().len());
            front.advance(step);
            left -= step;
            if !front.bytes().is_empty() || matches!(front, Segment::Unmasked { .. }) {
                break;
            }
            self.segments.pop_front();
        }
        count - left
    }
}

impl Gathered {
    fn unsent(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    fn advance(&mut self, count: usize) {
        self.sent += count;
        // A queue that is never quite empty must not keep what is gone. At most as many bytes are
        // moved as were sent since the last time.
        if self.sent >= self.bytes.len() - self.sent {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
    }
}

impl Segment {
    /// The bytes that can be sent as they are.
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Gathered(gathered) => gathered.unsent(),
            Self::Header(header) => header.as_bytes(),
            Self::Shared(bytes) => bytes,
            Self::Unmasked { .. } => &[],
        }
    }

    fn advance(&mut self, count: usize) {
        match self {
            Self::Gathered(gathered) => gathered.advance(count),
            Self::Header(header) => header.advance(count),
            Self::Shared(bytes) => bytes.advance(count),
            Self::Unmasked { .. } => {}
        }
    }
}

impl Buf for SendQueue {
    fn remaining(&self) -> usize {
        self.length
    }

    fn chunk(&self) -> &[u8] {
        match self.segments.front() {
            Some(front) => front.bytes(),
            None => self.gathered.unsent(),
        }
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let is_ready = |segment: &&Segment| !matches!(segment, Segment::Unmasked { .. });
        let is_whole = self.segments.iter().all(|segment| is_ready(&segment));
        let last = is_whole.then(|| self.gathered.unsent());
        let ready = self
            .segments
            .iter()
            .take_while(is_ready)
            .map(Segment::bytes)
            .chain(last)
            .filter(|bytes| !bytes.is_empty());
        let mut count = 0;
        for (slice, bytes) in slices.iter_mut().zip(ready) {
            *slice = IoSlice::new(bytes);
            count += 1;
        }
        count
    }

    /// # Panics
    /// When fewer than `count` bytes wait.
    fn advance(&mut self, count: usize) {
        assert!(
            count <= self.length,
            "advanced by {count} bytes of {}",
            self.length
        );
        self.length -= count;
        self.taken += count as u64;
        let mut left = count;
        loop {
            left -= self.advance_segments(left);
            self.prepare();
            if left == 0 || self.segments.is_empty() {
                break;
            }
        }
        if self.segments.is_empty() {
            self.gathered.advance(left);
        }
    }
}

fn masked_segment(payload: Bytes, mask: Option<MaskKey>) -> Segment {
    let Some(key) = mask else {
        return Segment::Shared(payload);
    };
    match payload.try_into_mut() {
        Ok(mut unique) => {
            key.apply(&mut unique);
            Segment::Shared(unique.freeze())
        }
        Err(payload) => Segment::Unmasked { payload, key },
    }
}

/// Larger payloads are sent from where they are.
const MOST_COPIED: usize = 8 * 1024;

/// How much of a shared payload is masked ahead of being sent.
const MASKED_AT_ONCE: usize = 64 * 1024;

/// The most bytes of capacity that an idle connection keeps.
const MOST_IDLE: usize = 512;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::frame::coding::Coding;
    use crate::frame::opcode::Opcode;

    fn header(length: usize, mask: Option<MaskKey>) -> FrameHeader {
        FrameHeader {
            is_final: true,
            coding: Coding::Plain,
            opcode: Opcode::Binary,
            mask,
            payload_length: length as u64,
        }
    }

    /// What a simple sender would put on the wire.
    fn naive(payload: &[u8], mask: Option<MaskKey>) -> Vec<u8> {
        let mut wire = Vec::new();
        header(payload.len(), mask).encode().append_to(&mut wire);
        let start = wire.len();
        wire.extend_from_slice(payload);
        if let Some(key) = mask.map(MaskKey::to_bytes) {
            wire[start..]
                .iter_mut()
                .enumerate()
                .for_each(|(index, byte)| *byte ^= key[index % 4]);
        }
        wire
    }

    fn payload(length: usize, form: u8) -> (Vec<u8>, Option<Bytes>, Payload<'static>) {
        let bytes: Vec<u8> = (0..=250).cycle().take(length).collect();
        let owned = Bytes::from(bytes.clone());
        match form % 3 {
            0 => (bytes.clone(), None, Payload::Borrowed(bytes.leak())),
            1 => (bytes, None, Payload::Owned(owned)),
            // Somebody else holds it too.
            _ => (bytes, Some(owned.clone()), Payload::Owned(owned)),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_sequence_of_frames_comes_out_as_a_simple_sender_writes_it(
            frames in prop::collection::vec(
                (prop_oneof![0..300usize, 8_000..8_400usize, 60_000..140_000usize], any::<u8>()),
                1..8,
            ),
            key: Option<[u8; 4]>,
            taken_at_once in prop_oneof![1..100usize, 10_000..100_000usize],
        ) {
            let mask = key.map(MaskKey::from_bytes);
            let mut queue = SendQueue::default();
            let mut expected = Vec::new();
            let mut shared = Vec::new();
            for (length, form) in frames {
                let (bytes, other, payload) = payload(length, form);
                shared.extend(other.map(|other| (bytes.clone(), other)));
                expected.extend(naive(&bytes, mask));
                queue.push(&header(length, mask), payload);
            }
            prop_assert_eq!(queue.len(), expected.len());
            let mut wire = Vec::new();
            queue.prepare();
            while queue.has_remaining() {
                let mut slices = [IoSlice::new(&[]); 4];
                let count = queue.chunks_vectored(&mut slices);
                prop_assert!(count > 0, "bytes wait but no slice is ready");
                let before = wire.len();
                for slice in &slices[..count] {
                    let room = taken_at_once - (wire.len() - before);
                    wire.extend_from_slice(&slice[..slice.len().min(room)]);
                }
                queue.advance(wire.len() - before);
            }
            prop_assert_eq!(wire, expected);
            for (bytes, other) in shared {
                prop_assert_eq!(&bytes[..], &other[..], "a payload that others hold was changed");
            }
        }
    }

    #[test]
    fn a_queue_that_is_never_empty_keeps_no_more_than_waits() {
        let mut queue = SendQueue::default();
        queue.push(&header(1_000, None), Payload::Borrowed(&[0; 1_000]));
        for _ in 0..10_000 {
            queue.push(&header(1_000, None), Payload::Borrowed(&[0; 1_000]));
            queue.advance(1_004);
        }
        assert_eq!(queue.len(), 1_004);
        assert!(queue.kept_capacity() < 16_000, "{}", queue.kept_capacity());
    }

    #[test]
    fn what_is_not_masked_yet_may_be_taken_off_too() {
        let shared = Bytes::from(vec![7; 200_000]);
        let mask = Some(MaskKey::from_bytes([1, 2, 3, 4]));
        let mut queue = SendQueue::default();
        queue.push(&header(200_000, mask), Payload::Owned(shared.clone()));
        queue.push(&header(1, None), Payload::Borrowed(b"x"));
        queue.advance(queue.len() - 1);
        assert_eq!(queue.chunk(), b"x");
        queue.push(&header(200_000, mask), Payload::Owned(shared));
        queue.advance(queue.len());
        assert_eq!((queue.chunk(), queue.len()), (&b""[..], 0));
    }

    #[test]
    #[should_panic(expected = "advanced by 3 bytes of 2")]
    fn advancing_past_the_end_panics() {
        let mut queue = SendQueue::default();
        queue.push(&header(0, None), Payload::Borrowed(&[]));
        queue.advance(3);
    }

    #[test]
    fn an_idle_queue_keeps_hardly_any_memory() {
        let mut queue = SendQueue::default();
        queue.push(&header(100_000, None), Payload::Borrowed(&vec![0; 100_000]));
        queue.advance(queue.len());
        queue.release_idle_memory();
        assert_eq!(queue.kept_capacity(), 0);
    }
}
