//! Subprotocol names (RFC 6455 §1.9, §11.3.4, §11.5).

use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::excerpt::Excerpt;
use super::header_list::is_token;

/// The name of a subprotocol: a token of RFC 9110 §5.6.2, compared exactly. Cloning it is cheap.
///
/// ```
/// use twinsock_proto::handshake::Subprotocol;
///
/// let chat: Subprotocol = "chat.v2".parse()?;
/// assert_eq!(chat.as_str(), "chat.v2");
/// assert!("chat v2".parse::<Subprotocol>().is_err());
/// # Ok::<(), twinsock_proto::handshake::SubprotocolError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Subprotocol(Arc<str>);

impl Subprotocol {
    /// The name as it is on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Subprotocol {
    type Err = SubprotocolError;

    fn from_str(name: &str) -> Result<Self, SubprotocolError> {
        if !is_token(name.as_bytes()) {
            return Err(SubprotocolError {
                got: Excerpt::new(name.as_bytes()),
            });
        }
        Ok(Self(name.into()))
    }
}

impl TryFrom<&str> for Subprotocol {
    type Error = SubprotocolError;

    fn try_from(name: &str) -> Result<Self, SubprotocolError> {
        name.parse()
    }
}

impl TryFrom<String> for Subprotocol {
    type Error = SubprotocolError;

    fn try_from(name: String) -> Result<Self, SubprotocolError> {
        name.parse()
    }
}

impl fmt::Display for Subprotocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Subprotocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// A text that is no [`Subprotocol`], because it is empty or has a character that no token has.
///
/// ```
/// use twinsock_proto::handshake::Subprotocol;
/// let error = "a,b".parse::<Subprotocol>().unwrap_err();
/// assert_eq!(error.to_string(), r#"expected a subprotocol of token characters, got "a,b""#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubprotocolError {
    got: Excerpt,
}

impl fmt::Display for SubprotocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "expected a subprotocol of token characters, got {}",
            self.got
        )
    }
}

impl Error for SubprotocolError {}
