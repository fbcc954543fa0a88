//! Headers that the caller adds to a request or a response.

use http::HeaderMap;
use http::header::{self, HeaderName, HeaderValue};

use super::error::Misuse;

/// Headers that leave those of the handshake alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExtraHeaders(HeaderMap);

impl ExtraHeaders {
    /// Adds a line. A secret's value is marked, so that no `Debug` output shows it.
    pub(crate) fn append<N, V>(&mut self, name: N, value: V) -> Result<(), Misuse>
    where
        N: TryInto<HeaderName>,
        V: TryInto<HeaderValue>,
    {
        let name = name.try_into().map_err(|_| Misuse::HeaderName)?;
        let Ok(mut value) = value.try_into() else {
            return Err(Misuse::HeaderValue { name });
        };
        if is_reserved(&name) {
            return Err(Misuse::ReservedHeader { name });
        }
        if SINGLE.contains(&name) && self.0.contains_key(&name) {
            return Err(Misuse::RepeatedHeader { name });
        }
        mark_secret(&name, &mut value);
        self.0
            .try_append(name, value)
            .map_err(|_| Misuse::TooManyHeaders)?;
        Ok(())
    }

    pub(crate) fn as_map(&self) -> &HeaderMap {
        &self.0
    }
}

/// Keeps passwords, tokens and cookies out of `Debug` output.
pub(super) fn mark_secret(name: &HeaderName, value: &mut HeaderValue) {
    if SECRET.contains(name) {
        value.set_sensitive(true);
    }
}

/// Headers whose meaning the handshake rests on: one more of them could contradict ours, or make an intermediary
/// see another message than the peer does (RFC 9112 §11.2).
fn is_reserved(name: &HeaderName) -> bool {
    name.as_str().starts_with("sec-websocket-") || RESERVED.contains(&name.as_str())
}

const RESERVED: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Headers that hold one value; a second would be read by some peers and ignored by others. For `Cookie` see
/// RFC 6265 §5.4, for `Origin` RFC 6454 §7.3.
const SINGLE: [HeaderName; 7] = [
    header::ORIGIN,
    header::COOKIE,
    header::AUTHORIZATION,
    header::PROXY_AUTHORIZATION,
    header::USER_AGENT,
    header::REFERER,
    header::CONTENT_TYPE,
];

const SECRET: [HeaderName; 4] = [
    header::AUTHORIZATION,
    header::PROXY_AUTHORIZATION,
    header::COOKIE,
    header::SET_COOKIE,
];
