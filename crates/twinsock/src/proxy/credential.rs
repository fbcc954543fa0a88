//! A name and a password.

use std::fmt;

/// A name and a password. `Debug` does not show the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    user: String,
    password: String,
}

/// Why a name and a password make no [`Credential`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidCredential;

impl Credential {
    /// A name, which is not empty, and a password.
    ///
    /// # Errors
    ///
    /// [`InvalidCredential`] for an empty name.
    pub fn new(user: &str, password: &str) -> Result<Self, InvalidCredential> {
        if user.is_empty() {
            return Err(InvalidCredential);
        }
        Ok(Self {
            user: user.to_owned(),
            password: password.to_owned(),
        })
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Credential").finish_non_exhaustive()
    }
}

impl fmt::Display for InvalidCredential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("expected a user name, got an empty one")
    }
}

impl std::error::Error for InvalidCredential {}
