//! How messages are compressed (permessage-deflate, RFC 7692), and what the neutral side does of
//! it itself: beforehand, or once.

use zlib_rs::{Deflate, DeflateFlush, Inflate, InflateFlush};

use crate::library::Outcome;

/// Whether messages refer to earlier ones, in both directions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takeover {
    On,
    Off,
}

impl Takeover {
    pub(crate) const BOTH: [Self; 2] = [Self::Off, Self::On];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::On => "takeover",
            Self::Off => "no-takeover",
        }
    }

    /// What is offered, and agreed on word for word. Windows have 15 bits.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::On => "permessage-deflate",
            Self::Off => {
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
            }
        }
    }
}

/// What was agreed on, and how hard the library tries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Compression {
    pub(crate) takeover: Takeover,
    /// As zlib counts, from 1 to 9.
    pub(crate) level: u8,
}

/// What ends a flushed piece, and is left out at a message's end (RFC 7692 §7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];
/// How hard the neutral side tries, whatever the library does: as browsers.
const NEUTRAL_LEVEL: i32 = 6;
const WINDOW_BITS: u8 = 15;

/// The payloads of these messages, one after the other on one connection.
pub(crate) fn compressed(
    messages: impl Iterator<Item = Vec<u8>>,
    takeover: Takeover,
) -> Outcome<Vec<Vec<u8>>> {
    let mut zlib = Deflate::new(NEUTRAL_LEVEL, false, WINDOW_BITS);
    let payloads = messages.map(|message| {
        if takeover == Takeover::Off {
            zlib.reset();
        }
        // More than it can become, so that it takes one call.
        let mut payload = vec![0; message.len() + message.len() / 8 + 256];
        let before = zlib.total_out();
        zlib.compress(&message, &mut payload, DeflateFlush::SyncFlush)
            .map_err(|error| error.as_str())?;
        payload.truncate(usize::try_from(zlib.total_out() - before)?);
        match payload.strip_suffix(&TAIL) {
            Some(rest) => Ok(rest.to_vec()),
            None => Err("zlib left something behind".into()),
        }
    });
    payloads.collect()
}

/// Whether this is the payload of `message`, the first one on its connection.
pub(crate) fn is_first(mut payload: Vec<u8>, message: &[u8]) -> bool {
    payload.extend_from_slice(&TAIL);
    let mut inflated = vec![0; message.len() + 1];
    let mut zlib = Inflate::new(false, WINDOW_BITS);
    let result = zlib.decompress(&payload, &mut inflated, InflateFlush::SyncFlush);
    let is_all = zlib.total_out() == message.len() as u64;
    result.is_ok() && is_all && inflated.starts_with(message)
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::*;
    use crate::corpus;

    #[test]
    fn a_later_message_is_smaller_with_takeover_alone() {
        let messages = [1, 2].map(|seed| corpus::message(1 << 10, &mut Rng::with_seed(seed)));
        let lengths = |takeover| {
            let payloads = compressed(messages.iter().cloned(), takeover).unwrap();
            assert!(is_first(payloads[0].clone(), &messages[0]));
            assert_eq!(
                is_first(payloads[1].clone(), &messages[1]),
                takeover == Takeover::Off
            );
            [payloads[0].len(), payloads[1].len()]
        };
        let [first, with_takeover] = lengths(Takeover::On);
        let [same, without] = lengths(Takeover::Off);
        assert_eq!(first, same);
        assert!(with_takeover < without * 9 / 10);
    }
}
