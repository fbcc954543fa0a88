use std::error::Error;
use std::fmt;

use http::header::HeaderName;

use crate::handshake::Excerpt;

/// Why there is no answer to a peer's challenges. Nothing of a credential is quoted.
///
/// ```
/// use twinsock_proto::authentication::AuthenticationError;
///
/// let error = AuthenticationError::NoChallenge { name: http::header::WWW_AUTHENTICATE };
/// assert_eq!(error.to_string(), "expected a www-authenticate header, got none");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthenticationError {
    /// The response has no challenge.
    NoChallenge {
        /// The header that would hold one.
        name: HeaderName,
    },
    /// A line of challenges breaks its grammar (RFC 9110 §11.6.1), or lacks what its scheme asks for.
    MalformedChallenge {
        /// The line.
        got: Excerpt,
    },
    /// There are more challenges, or longer ones, than are looked at.
    TooManyChallenges {
        /// The limit, in challenges, parameters of one challenge, or bytes.
        limit: usize,
    },
    /// Neither Basic nor Digest is among the schemes.
    Scheme {
        /// The first scheme that is.
        got: Excerpt,
    },
    /// Digest is asked for with an algorithm that is not known.
    Algorithm {
        /// The algorithm.
        got: Excerpt,
    },
    /// Digest is asked for with a quality of protection other than `auth` (RFC 7616 §3.3).
    QualityOfProtection {
        /// Those on offer.
        got: Excerpt,
    },
    /// The user name has a colon, which Basic cannot carry (RFC 7617 §2).
    ColonInUserName,
    /// The peer asks again after an answer: user name or password are wrong.
    Rejected {
        /// For what they are wrong, in the peer's words.
        realm: Option<Excerpt>,
    },
}

impl fmt::Display for AuthenticationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoChallenge { name } => write!(f, "expected a {name} header, got none"),
            Self::MalformedChallenge { got } => {
                write!(f, "expected well-formed challenges, got {got}")
            }
            Self::TooManyChallenges { limit } => {
                write!(
                    f,
                    "expected challenges within the limit of {limit}, got more"
                )
            }
            Self::Scheme { got } => write!(f, "expected Digest or Basic authentication, got {got}"),
            Self::Algorithm { got } => {
                write!(f, "expected Digest with SHA-256 or MD5, got {got}")
            }
            Self::QualityOfProtection { got } => {
                write!(f, "expected Digest with qop \"auth\", got {got}")
            }
            Self::ColonInUserName => {
                f.write_str("expected a user name without a colon for Basic, got one with a colon")
            }
            Self::Rejected { realm } => {
                f.write_str("expected user name and password to be accepted")?;
                if let Some(realm) = realm {
                    write!(f, " for {realm}")?;
                }
                f.write_str(", got another challenge")
            }
        }
    }
}

impl Error for AuthenticationError {}
