//! `Sec-WebSocket-Key` and its answer, `Sec-WebSocket-Accept` (RFC 6455 §4.1, §4.2.2, §11.3.1, §11.3.3).

use std::error::Error;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

/// The key of one opening handshake: 16 random bytes in base64 (RFC 6455 §11.3.1).
///
/// It proves that the server understood a WebSocket handshake; it is no secret and authenticates nobody (§10.3).
///
/// ```
/// use twinsock_proto::handshake::Key;
///
/// let key = Key::from_header(b"dGhlIHNhbXBsZSBub25jZQ==")?;
/// assert_eq!(key.accept().as_str(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// # Ok::<(), twinsock_proto::handshake::KeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key(Base64<KEY_LEN>);

impl Key {
    /// The key made of `nonce`, which must be new and random for each connection (RFC 6455 §4.1).
    #[must_use]
    pub fn from_nonce(nonce: [u8; 16]) -> Self {
        Self(Base64::of(&nonce))
    }

    /// Reads a header's value.
    ///
    /// # Errors
    ///
    /// [`KeyError`], unless `value` is exactly the canonical base64 of 16 bytes (RFC 6455 §4.2.1, item 5).
    pub fn from_header(value: &[u8]) -> Result<Self, KeyError> {
        // The length is judged first, so that a hostile value of any size costs nothing.
        let Ok(characters) = <[u8; KEY_LEN]>::try_from(value) else {
            return Err(KeyError::Length { got: value.len() });
        };
        // As much as so many characters can stand for; those of 16 bytes end with two that stand for none.
        let mut nonce = [0; KEY_LEN / 4 * 3];
        match STANDARD.decode_slice(characters, &mut nonce) {
            // Canonical: encoded again it would be the same.
            Ok(16) => Ok(Self(Base64(characters))),
            _ => Err(KeyError::NotBase64),
        }
    }

    /// The key as the header carries it: 24 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The only right answer to this key: base64 of SHA-1 over key and GUID (RFC 6455 §4.2.2, item 5.4).
    #[must_use]
    pub fn accept(&self) -> Accept {
        let digest = Sha1::new()
            .chain_update(self.0.0)
            .chain_update(GUID)
            .finalize();
        Accept(Base64::of(&digest))
    }
}

/// The value of `Sec-WebSocket-Accept` for one [`Key`] (RFC 6455 §11.3.3).
///
/// ```
/// use twinsock_proto::handshake::Key;
/// assert_eq!(Key::from_nonce([0; 16]).accept().as_str().len(), 28);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Accept(Base64<ACCEPT_LEN>);

impl Accept {
    /// The answer as the header carries it: 28 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// So many characters of base64.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Base64<const LEN: usize>([u8; LEN]);

impl<const LEN: usize> Base64<LEN> {
    /// `bytes` encoded, which take exactly that room.
    fn of(bytes: &[u8]) -> Self {
        let mut characters = [b'='; LEN];
        // The lengths are constants that fit; the tests would see it if they did not.
        let _ = STANDARD.encode_slice(bytes, &mut characters);
        Self(characters)
    }

    fn as_str(&self) -> &str {
        // They are ASCII.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl<const LEN: usize> fmt::Debug for Base64<LEN> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// Why a header's value is no [`Key`].
///
/// ```
/// use twinsock_proto::handshake::{Key, KeyError};
/// assert_eq!(Key::from_header(b"short"), Err(KeyError::Length { got: 5 }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The value does not have the 24 characters of 16 bytes in base64.
    Length {
        /// Its length in bytes.
        got: usize,
    },
    /// The value is not canonical base64 of 16 bytes (RFC 4648 §4).
    NotBase64,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { got } => {
                write!(f, "expected a key of {KEY_LEN} characters, got {got}")
            }
            Self::NotBase64 => {
                f.write_str("expected a key of 16 bytes in base64, got something else")
            }
        }
    }
}

impl Error for KeyError {}

/// How many characters 16 bytes take.
const KEY_LEN: usize = 24;

/// How many characters the 20 bytes of a SHA-1 digest take.
const ACCEPT_LEN: usize = 28;

/// RFC 6455 §1.3: a constant that no endpoint unaware of WebSocket would append.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_1_3_sample_key_has_its_sample_answer() {
        let key = Key::from_header(b"dGhlIHNhbXBsZSBub25jZQ==").unwrap();
        assert_eq!(key, Key::from_nonce(*b"the sample nonce"));
        assert_eq!(key.accept().as_str(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn section_4_2_1_key_is_exactly_base64_of_16_bytes() {
        for value in [
            "dGhlIHNhbXBsZSBub25jZQ=",
            "dGhlIHNhbXBsZSBub25jZQ==\n",
            "",
            "dGhlIHNhbXBsZSBub25jZTEyMw==",
        ] {
            let refused = Key::from_header(value.as_bytes());
            assert_eq!(refused, Err(KeyError::Length { got: value.len() }));
        }
        for value in [
            "dGhlIHNhbXBsZSBub25jZR==", // bits that encode nothing are not zero
            "dGhlIHNhbXBsZSBub25jZTEy", // 18 bytes
            "dGhlIHNhbXBsZSBub25jZTE=", // 17 bytes
            "dGhl-HNhbXBsZSBub25jZQ==", // another alphabet
            "dGhl HNhbXBsZSBub25jZQ==",
        ] {
            assert_eq!(
                Key::from_header(value.as_bytes()),
                Err(KeyError::NotBase64),
                "{value}"
            );
        }
    }
}
