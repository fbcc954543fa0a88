use http::HeaderMap;
use http::header::{self, HeaderName, HeaderValue};

use super::basic;
use super::challenge::{Challenge, read_challenges};
use super::credential::Credential;
use super::digest::{DigestChallenge, hexadecimal};
use super::error::AuthenticationError;
use crate::handshake::Excerpt;
use crate::uri::{Destination, WebSocketUri};

/// Answers the challenges of one peer with one credential.
///
/// For an example see [the module](crate::authentication).
#[derive(Debug)]
pub struct Authenticator {
    credential: Credential,
    party: Party,
    attempt: Attempt,
}

/// Who asks: that decides the headers.
///
/// ```
/// use twinsock_proto::authentication::Party;
/// assert_eq!(Party::Proxy.challenge_header(), "proxy-authenticate");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Party {
    /// The server, by status 401 (RFC 9110 §11.6).
    Server,
    /// A proxy, by status 407 (RFC 9110 §11.7).
    Proxy,
}

/// The request that the answer goes with; Digest answers for this one alone.
///
/// ```
/// use twinsock_proto::authentication::Target;
///
/// let uri = "wss://game.example/live?room=7".parse()?;
/// assert_eq!(Target::get(&uri).uri(), "/live?room=7");
/// # Ok::<(), twinsock_proto::uri::UriError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    method: &'static str,
    uri: &'a str,
}

/// How often an answer was given.
#[derive(Clone, Copy, Debug)]
enum Attempt {
    First,
    /// The next challenge must say that only the nonce was too old.
    Second,
    Last,
}

/// The challenge that is answered.
enum Choice<'a> {
    Digest(DigestChallenge<'a>),
    Basic,
}

impl Authenticator {
    /// Has not been asked yet.
    #[must_use]
    pub fn new(credential: Credential, party: Party) -> Self {
        Self {
            credential,
            party,
            attempt: Attempt::First,
        }
    }

    /// The header that answers the `challenges` of a response, for the next request.
    ///
    /// `client_nonce` must be new and random for each call; Digest sends it.
    ///
    /// # Errors
    ///
    /// [`AuthenticationError`], when there is no challenge that can be answered, or when the peer asks again after an
    /// answer. A Digest challenge with `stale=true` is answered a second time, but not a third.
    ///
    /// ```
    /// use http::{HeaderMap, HeaderValue, header};
    /// use twinsock_proto::authentication::{Authenticator, Credential, Party, Target};
    ///
    /// let mut headers = HeaderMap::new();
    /// let challenge = HeaderValue::from_static("Digest realm=\"x\", nonce=\"y\", qop=\"auth\", algorithm=SHA-256");
    /// headers.append(header::WWW_AUTHENTICATE, challenge);
    ///
    /// let mut authenticator = Authenticator::new(Credential::new("Mufasa", "Circle of Life")?, Party::Server);
    /// let uri = "wss://game.example/live".parse()?;
    /// let (name, value) = authenticator.answer(&headers, Target::get(&uri), [7; 16])?;
    /// assert_eq!(name, header::AUTHORIZATION);
    /// assert!(value.is_sensitive() && value.as_bytes().starts_with(b"Digest username=\"Mufasa\", realm=\"x\""));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn answer(
        &mut self,
        challenges: &HeaderMap,
        target: Target<'_>,
        client_nonce: [u8; 16],
    ) -> Result<(HeaderName, HeaderValue), AuthenticationError> {
        let name = self.party.challenge_header();
        let lines = challenges.get_all(&name).iter().map(HeaderValue::as_bytes);
        let challenges = read_challenges(lines)?;
        let Some(first) = challenges.first() else {
            return Err(AuthenticationError::NoChallenge { name });
        };
        let choice = Choice::of(first, &challenges)?;
        let attempt = match (self.attempt, choice.is_stale()) {
            (Attempt::First, _) => Attempt::Second,
            (Attempt::Second, true) => Attempt::Last,
            (Attempt::Second | Attempt::Last, _) => {
                let realm = first.parameter("realm").map(Excerpt::new);
                return Err(AuthenticationError::Rejected { realm });
            }
        };
        let value = match &choice {
            Choice::Digest(challenge) => {
                challenge.answer(&self.credential, target, &hexadecimal(&client_nonce))
            }
            Choice::Basic => basic::answer(&self.credential)?.into_bytes(),
        };
        let mut value = HeaderValue::from_maybe_shared(bytes::Bytes::from(value))
            .map_err(|_| first.malformed())?;
        value.set_sensitive(true);
        self.attempt = attempt;
        Ok((self.party.answer_header(), value))
    }
}

impl Choice<'_> {
    /// The strongest one that is known, the first among equals.
    fn of<'a>(
        first: &Challenge<'a>,
        challenges: &'a [Challenge<'a>],
    ) -> Result<Choice<'a>, AuthenticationError> {
        let mut known = Vec::new();
        let mut refused = AuthenticationError::Scheme {
            got: Excerpt::new(first.scheme.as_bytes()),
        };
        for challenge in with_scheme(challenges, "Digest") {
            match DigestChallenge::read(challenge) {
                Ok(digest) => known.push(digest),
                Err(error @ AuthenticationError::MalformedChallenge { .. }) => return Err(error),
                Err(error) => refused = error,
            }
        }
        // From the last one on, because the last one of equals is given.
        let strongest = known
            .into_iter()
            .rev()
            .max_by_key(DigestChallenge::strength);
        if let Some(digest) = strongest {
            return Ok(Choice::Digest(digest));
        }
        // The realm is there for people: an answer to Basic does without it.
        match with_scheme(challenges, "Basic").next() {
            Some(_) => Ok(Choice::Basic),
            None => Err(refused),
        }
    }

    fn is_stale(&self) -> bool {
        match self {
            Self::Digest(challenge) => challenge.is_stale(),
            Self::Basic => false,
        }
    }
}

fn with_scheme<'a>(
    challenges: &'a [Challenge<'a>],
    scheme: &'static str,
) -> impl Iterator<Item = &'a Challenge<'a>> {
    challenges
        .iter()
        .filter(move |challenge| challenge.scheme.eq_ignore_ascii_case(scheme))
}

impl Party {
    /// The header that holds its challenges.
    #[must_use]
    pub fn challenge_header(self) -> HeaderName {
        match self {
            Self::Server => header::WWW_AUTHENTICATE,
            Self::Proxy => header::PROXY_AUTHENTICATE,
        }
    }

    /// The header that answers them.
    #[must_use]
    pub fn answer_header(self) -> HeaderName {
        match self {
            Self::Server => header::AUTHORIZATION,
            Self::Proxy => header::PROXY_AUTHORIZATION,
        }
    }
}

impl<'a> Target<'a> {
    /// The opening handshake of `uri`.
    #[must_use]
    pub fn get(uri: &'a WebSocketUri) -> Self {
        Self {
            method: "GET",
            uri: uri.resource(),
        }
    }

    /// The request for a tunnel to `destination`.
    #[must_use]
    pub fn connect(destination: &'a Destination) -> Self {
        Self {
            method: "CONNECT",
            uri: destination.as_str(),
        }
    }

    /// The method.
    #[must_use]
    pub fn method(self) -> &'static str {
        self.method
    }

    /// The target, as it stands in the request's first line.
    #[must_use]
    pub fn uri(self) -> &'a str {
        self.uri
    }
}
