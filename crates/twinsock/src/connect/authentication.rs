//! Answering a server or a proxy that asks who is there (RFC 9110 §11).

use http::{HeaderName, HeaderValue};
use twinsock_proto::authentication::{
    AuthenticationError, Authenticator, Credential, Party, Target,
};

use crate::error::Error;
use crate::tls::fill_with_randomness;

/// What one party is told of the user.
pub(super) struct Authentication {
    authenticator: Option<Authenticator>,
    answer: Option<(HeaderName, HeaderValue)>,
}

impl Authentication {
    /// Without a credential nothing is answered.
    pub(super) fn new(party: Party, credential: Option<&Credential>) -> Self {
        let authenticator = credential.map(|known| Authenticator::new(known.clone(), party));
        Self {
            authenticator,
            answer: None,
        }
    }

    /// The header for the next request, once the party has asked.
    pub(super) fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        self.answer.clone()
    }

    /// Answers the challenges of a refusal, for the next request; gives the refusal back when
    /// that cannot be.
    pub(super) fn answer(&mut self, refusal: Error, target: Target<'_>) -> Result<(), Error> {
        let (Some(authenticator), Some(response)) = (&mut self.authenticator, refusal.response())
        else {
            return Err(refusal);
        };
        let mut nonce = [0; 16];
        fill_with_randomness(&mut nonce)?;
        match authenticator.answer(response.headers(), target, nonce) {
            Ok(answer) => {
                self.answer = Some(answer);
                Ok(())
            }
            Err(error) => Err(refusal.because(&without_quotes(&error))),
        }
    }
}

/// Why a challenge was not answered. The realm and the line are the peer's, which may have put in
/// them what it was told.
fn without_quotes(error: &AuthenticationError) -> String {
    match error {
        AuthenticationError::Rejected { .. } => {
            "expected user name and password to be accepted, got another challenge".to_owned()
        }
        AuthenticationError::MalformedChallenge { .. } => {
            "expected well-formed challenges, got something else".to_owned()
        }
        other => other.to_string(),
    }
}
