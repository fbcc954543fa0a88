//! What a client sends (RFC 1928 §3, §4; RFC 1929 §2).

use std::net::IpAddr;

use bytes::Bytes;

use super::error::Socks5Error;
use crate::authentication::Credential;
use crate::uri::Destination;

pub(super) const VERSION: u8 = 5;
pub(super) const NO_AUTHENTICATION: u8 = 0;
pub(super) const USER_NAME_AND_PASSWORD: u8 = 2;
pub(super) const NO_ACCEPTABLE_METHOD: u8 = 0xFF;
pub(super) const AUTHENTICATION_VERSION: u8 = 1;
pub(super) const IPV4: u8 = 1;
pub(super) const DOMAIN_NAME: u8 = 3;
pub(super) const IPV6: u8 = 4;

/// The methods on offer. A proxy that is offered user name and password may insist on them.
pub(super) fn methods(credential: Option<&CredentialMessage>) -> Bytes {
    Bytes::from_static(match credential {
        Some(_) => &[VERSION, 2, NO_AUTHENTICATION, USER_NAME_AND_PASSWORD],
        None => &[VERSION, 1, NO_AUTHENTICATION],
    })
}

/// User name and password as they are sent.
pub(super) struct CredentialMessage(Bytes);

impl CredentialMessage {
    pub(super) fn new(credential: &Credential) -> Result<Self, Socks5Error> {
        let (user_name, password) = (credential.user_name(), credential.password());
        let length = user_name.len();
        let user_name_length =
            u8::try_from(length).map_err(|_| Socks5Error::UserNameTooLong { length })?;
        let password_length =
            u8::try_from(password.len()).map_err(|_| Socks5Error::PasswordTooLong)?;
        let parts = [
            &[AUTHENTICATION_VERSION, user_name_length],
            user_name.as_bytes(),
            &[password_length],
            password.as_bytes(),
        ];
        Ok(Self(parts.concat().into()))
    }

    pub(super) fn into_bytes(self) -> Bytes {
        self.0
    }
}

/// The request for a connection.
pub(super) fn connect(destination: &Destination) -> Bytes {
    let mut request = vec![VERSION, CONNECT, RESERVED];
    match destination.address() {
        Some(IpAddr::V4(address)) => {
            request.push(IPV4);
            request.extend_from_slice(&address.octets());
        }
        Some(IpAddr::V6(address)) => {
            request.push(IPV6);
            request.extend_from_slice(&address.octets());
        }
        None => {
            let name = destination.host().as_bytes();
            // A `Destination` has a name of at most 254 bytes, so all of it is taken.
            let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
            request.extend_from_slice(&[DOMAIN_NAME, length]);
            request.extend(name.iter().take(length.into()));
        }
    }
    request.extend_from_slice(&destination.port().to_be_bytes());
    request.into()
}

const CONNECT: u8 = 1;
const RESERVED: u8 = 0;
