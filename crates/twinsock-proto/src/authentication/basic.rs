//! The Basic scheme (RFC 7617).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::credential::Credential;
use super::error::AuthenticationError;

/// The answer, in UTF-8 whether or not the challenge asks for it: there is no other encoding that could be meant.
pub(super) fn answer(credential: &Credential) -> Result<String, AuthenticationError> {
    // RFC 7617 §2: the first colon ends the user name.
    if credential.user_name().contains(':') {
        return Err(AuthenticationError::ColonInUserName);
    }
    let pair = [credential.user_name(), ":", credential.password()].concat();
    Ok(format!("Basic {}", STANDARD.encode(pair)))
}
