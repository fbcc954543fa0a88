use std::error::Error;
use std::fmt;

/// A user name and its password.
///
/// `Debug` does not show the password, and there is no `Display`. Both texts are used as they are; where they are
/// not ASCII, a peer expects them in Unicode's normalization form C (RFC 7616 §4).
///
/// ```
/// use twinsock_proto::authentication::Credential;
///
/// let credential = Credential::new("Aladdin", "open sesame")?;
/// assert_eq!(credential.user_name(), "Aladdin");
/// assert!(!format!("{credential:?}").contains("sesame"));
/// # Ok::<(), twinsock_proto::authentication::InvalidCredential>(())
/// ```
#[derive(Clone)]
pub struct Credential {
    user_name: Box<str>,
    password: Box<str>,
}

impl Credential {
    /// A credential of a user name and a password.
    ///
    /// # Errors
    ///
    /// [`InvalidCredential`], when one of them is empty or has a control character (RFC 7617 §2).
    pub fn new(user_name: &str, password: &str) -> Result<Self, InvalidCredential> {
        if user_name.is_empty() {
            return Err(InvalidCredential::EmptyUserName);
        }
        if password.is_empty() {
            return Err(InvalidCredential::EmptyPassword);
        }
        if user_name.chars().any(char::is_control) {
            return Err(InvalidCredential::UserName);
        }
        if password.chars().any(char::is_control) {
            return Err(InvalidCredential::Password);
        }
        Ok(Self {
            user_name: user_name.into(),
            password: password.into(),
        })
    }

    /// The user name.
    #[must_use]
    pub fn user_name(&self) -> &str {
        &self.user_name
    }

    pub(crate) fn password(&self) -> &str {
        &self.password
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("user_name", &self.user_name)
            .finish_non_exhaustive()
    }
}

/// Why two texts are no [`Credential`]. Neither of them is quoted.
///
/// ```
/// use twinsock_proto::authentication::{Credential, InvalidCredential};
///
/// let error = Credential::new("Aladdin", "").unwrap_err();
/// assert_eq!(error, InvalidCredential::EmptyPassword);
/// assert_eq!(error.to_string(), "expected a password, got an empty one");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidCredential {
    /// There is no user name.
    EmptyUserName,
    /// There is no password.
    EmptyPassword,
    /// The user name has a control character.
    UserName,
    /// The password has a control character.
    Password,
}

impl fmt::Display for InvalidCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EmptyUserName => "expected a user name, got an empty one",
            Self::EmptyPassword => "expected a password, got an empty one",
            Self::UserName => "expected a user name without control characters, got one with some",
            Self::Password => "expected a password without control characters, got one with some",
        })
    }
}

impl Error for InvalidCredential {}
