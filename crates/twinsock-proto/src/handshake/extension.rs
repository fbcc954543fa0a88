//! Extensions, offered and answered (RFC 6455 §9.1, RFC 7692 §7.1).

use http::header::HeaderName;

use crate::deflate;
use crate::deflate::offer::DeflateOffer;
use crate::deflate::parameter_list::{DeflateParameterError, ParameterList};
use crate::deflate::parameters::DeflateParameters;
use crate::deflate::terms::{Agreement, DeflateTerms};
use crate::handshake::error::HandshakeError;
use crate::handshake::excerpt::Excerpt;
use crate::handshake::header_list::{Extension, HeaderLines, Malformed, extensions};

/// What a server can accept of a client's offers, on any terms, the one that it prefers first.
pub(super) fn offers(
    lines: &(impl HeaderLines + ?Sized),
    name: &HeaderName,
) -> Result<Vec<ParameterList>, Malformed> {
    let offers = extensions(lines, name, |extension| {
        // RFC 7692 §7.1: an offer with a parameter that is not as it must be is declined.
        let is_known = extension.name == deflate::NAME;
        is_known.then(|| parameter_list(&extension).ok()).flatten()
    })?;
    Ok(offers.into_iter().flatten().take(MOST_OFFERS).collect())
}

/// What a server answers to the first of the offers that it accepts.
pub(super) fn accept(terms: &DeflateTerms, offers: &[ParameterList]) -> Option<Agreement> {
    offers.iter().find_map(|offer| terms.accept(offer))
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
    let suited = others.iter().find_map(|offer| offer.check(&answer).ok());
    match suited {
        Some(parameters) => Ok(parameters),
        None => Ok(last.check(&answer)?),
    }
}

fn parameter_list(extension: &Extension<'_>) -> Result<ParameterList, DeflateParameterError> {
    let mut list = ParameterList::default();
    for (name, value) in &extension.parameters {
        list.add(name, value.as_deref())?;
    }
    Ok(list)
}

/// So many offers are kept: nobody makes more, and a request may be full of them.
const MOST_OFFERS: usize = 16;
