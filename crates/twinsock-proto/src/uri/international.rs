//! Host names of any script (RFC 5890).

use std::borrow::Cow;

use super::error::{UriError, bounded};

/// The name that DNS knows this one by (UTS 46 §4, non-transitional, with the URL standard's forbidden characters).
#[cfg(feature = "idn")]
pub(super) fn to_ascii(host: &str) -> Result<Cow<'_, str>, UriError> {
    let refused = || UriError::Host { got: bounded(host) };
    if host.len() > MAX_LEN {
        return Err(refused());
    }
    idna::domain_to_ascii_cow(host.as_bytes(), idna::AsciiDenyList::URL).map_err(|_| refused())
}

#[cfg(not(feature = "idn"))]
pub(super) fn to_ascii(host: &str) -> Result<Cow<'_, str>, UriError> {
    Err(UriError::InternationalHost { got: bounded(host) })
}

/// As many bytes as the 253 characters of a DNS name can have in UTF-8: no more is looked at.
#[cfg(feature = "idn")]
const MAX_LEN: usize = 4 * 253;
