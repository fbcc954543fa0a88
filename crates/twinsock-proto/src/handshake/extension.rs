//! Extensions, offered and answered (RFC 6455 §9.1, RFC 7692 §7.1).

use http::header::HeaderName;

use crate::deflate;
use crate::deflate::offer::DeflateOffer;
use crate::deflate::parameter_list::{DeflateParameterError, ParameterList};
use crate::deflate::parameters::{ContextTakeover, DeflateDirection, DeflateParameters};
use crate::handshake::error::HandshakeError;
use crate::handshake::excerpt::Excerpt;
use crate::handshake::header_list::{Extension, HeaderLines, Malformed, extensions};

/// The first of a client's offers that is as it must be, which is the one that it prefers (RFC 7692
/// §5): each can be accepted, on terms of the server's.
pub(super) fn offer(
    lines: &(impl HeaderLines + ?Sized),
    name: &HeaderName,
) -> Result<Option<ParameterList>, Malformed> {
    let offers = extensions(lines, name, |extension| {
        // RFC 7692 §7.1: an offer with a parameter that is not as it must be is declined.
        let is_known = extension.name == deflate::NAME;
        is_known.then(|| parameter_list(&extension).ok()).flatten()
    })?;
    Ok(offers.into_iter().flatten().next())
}

/// What a server's answer to the offers of a client comes to.
pub(super) fn chosen(
    offers: &[DeflateOffer],
    lines: &(impl HeaderLines + ?Sized),
    name: &HeaderName,
) -> Result<Option<DeflateParameters>, HandshakeError> {
    let answers = extensions(lines, name, |extension| check(offers, &extension));
    let Ok(answers) = answers else {
        return Err(HandshakeError::MalformedHeader { name: name.clone() });
    };
    let mut chosen = None;
    for answer in answers {
        if chosen.replace(answer?).is_some() {
            return Err(DeflateParameterError::RepeatedExtension.into());
        }
    }
    Ok(chosen)
}

/// RFC 6455 §4.1, response check 5: an extension that was not offered must fail the connection. RFC 7692 §7.1: so must
/// a parameter that is not as it was offered.
fn check(
    offers: &[DeflateOffer],
    extension: &Extension<'_>,
) -> Result<DeflateParameters, HandshakeError> {
    let (Some((last, others)), deflate::NAME) = (offers.split_last(), extension.name) else {
        return Err(HandshakeError::Extension {
            got: Excerpt::new(extension.name.as_bytes()),
        });
    };
    let answer = parameter_list(extension)?;
    let suited = others.iter().filter_map(|offer| offer.check(&answer).ok());
    let of_last = last.check(&answer);
    match suited.chain(of_last.clone().ok()).reduce(to_either) {
        Some(parameters) => Ok(parameters),
        None => Ok(of_last?),
    }
}

/// What holds where an answer suits two offers, and does not tell which of them it is to: the
/// client does only what each of them says of it. What the server does the answer alone says.
fn to_either(one: DeflateParameters, other: DeflateParameters) -> DeflateParameters {
    let (first, second) = (one.client, other.client);
    let client = DeflateDirection {
        window_bits: first.window_bits.min(second.window_bits),
        context_takeover: match first.context_takeover {
            ContextTakeover::On => second.context_takeover,
            ContextTakeover::Off => ContextTakeover::Off,
        },
    };
    DeflateParameters { client, ..one }
}

fn parameter_list(extension: &Extension<'_>) -> Result<ParameterList, DeflateParameterError> {
    let mut list = ParameterList::default();
    for (name, value) in &extension.parameters {
        list.add(name, value.as_deref())?;
    }
    Ok(list)
}
