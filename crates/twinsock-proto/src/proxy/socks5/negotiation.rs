use std::fmt;

use bytes::{Bytes, BytesMut};

use super::error::Socks5Error;
use super::reply::Refusal;
use super::request::{
    AUTHENTICATION_VERSION, CredentialMessage, DOMAIN_NAME, IPV4, IPV6, NO_ACCEPTABLE_METHOD,
    NO_AUTHENTICATION, USER_NAME_AND_PASSWORD, VERSION, connect, methods,
};
use crate::authentication::Credential;
use crate::uri::Destination;

/// A request is on its way; the SOCKS 5 proxy's answer is awaited (RFC 1928).
///
/// Holds no more than the 262 bytes of the longest answer. A domain name is resolved by the proxy.
///
/// ```
/// use twinsock_proto::proxy::socks5::{Socks5, Step};
/// use twinsock_proto::uri::Destination;
///
/// let destination = Destination::new("game.example", 443)?;
/// let (step, to_send) = Socks5::start(destination, None)?;
/// assert_eq!(&to_send[..], [5, 1, 0]);
///
/// let Step::Send(step, to_send) = step.proceed(&[5, 0])? else { panic!() };
/// assert_eq!(&to_send[..], b"\x05\x01\x00\x03\x0Cgame.example\x01\xBB");
///
/// let Step::Incomplete(step) = step.proceed(&[5, 0, 0])? else { panic!() };
/// let Step::Established { leftover } = step.proceed(b"\x01\0\0\0\0\0\0the server's")? else { panic!() };
/// assert_eq!(leftover, "the server's");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Socks5 {
    destination: Destination,
    phase: Phase,
    /// The beginning of the awaited answer.
    received: Vec<u8>,
}

/// What one piece of input led to.
///
/// For an example see [`Socks5`].
pub enum Step {
    /// More input is needed.
    Incomplete(Socks5),
    /// The bytes are to be sent to the proxy before more of it is read.
    Send(Socks5, Bytes),
    /// The tunnel stands.
    Established {
        /// The bytes that came after the proxy's reply, through the tunnel.
        leftover: BytesMut,
    },
}

/// Which answer is awaited.
enum Phase {
    /// That to the methods on offer; the credential is there if its method is.
    Method(Option<CredentialMessage>),
    /// That to user name and password.
    Status,
    /// That to the request for a connection.
    Reply,
}

/// What the bytes of an answer say so far.
enum Answer {
    Incomplete,
    /// The next thing to send.
    Next(Phase, Bytes),
    Established,
}

impl Socks5 {
    /// Begins a negotiation; the bytes are to be sent to the proxy.
    ///
    /// User name and password are on offer only if there is a `credential`; a proxy may do without them.
    ///
    /// # Errors
    ///
    /// [`Socks5Error::UserNameTooLong`] and [`Socks5Error::PasswordTooLong`].
    pub fn start(
        destination: Destination,
        credential: Option<&Credential>,
    ) -> Result<(Self, Bytes), Socks5Error> {
        let credential = credential.map(CredentialMessage::new).transpose()?;
        let to_send = methods(credential.as_ref());
        let negotiation = Self::awaiting(destination, Phase::Method(credential));
        Ok((negotiation, to_send))
    }

    /// Takes what the proxy sent, in pieces of any size.
    ///
    /// A proxy that says more than its answer before it is asked again is refused: nobody can tell what it means.
    ///
    /// # Errors
    ///
    /// [`Socks5Error`]; the connection must then be closed.
    pub fn proceed(mut self, input: &[u8]) -> Result<Step, Socks5Error> {
        let mut rest = input;
        // Byte by byte, so that nothing behind the answer is taken; there are 262 at most.
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            self.received.push(byte);
            match self.read_answer()? {
                Answer::Incomplete => {}
                Answer::Next(..) if !rest.is_empty() => {
                    return Err(Socks5Error::EarlyBytes { count: rest.len() });
                }
                Answer::Next(phase, to_send) => {
                    return Ok(Step::Send(Self::awaiting(self.destination, phase), to_send));
                }
                Answer::Established => {
                    let leftover = BytesMut::from(rest);
                    return Ok(Step::Established { leftover });
                }
            }
        }
        Ok(Step::Incomplete(self))
    }

    /// Takes note that the proxy will send no more.
    #[must_use]
    pub fn handle_eof(self) -> Socks5Error {
        Socks5Error::EndOfStream {
            received: self.received.len(),
        }
    }

    fn awaiting(destination: Destination, phase: Phase) -> Self {
        Self {
            destination,
            phase,
            received: Vec::new(),
        }
    }

    fn read_answer(&mut self) -> Result<Answer, Socks5Error> {
        match &mut self.phase {
            Phase::Method(credential) => {
                let Some(method) = second_byte(&self.received, VERSION)
                    .map_err(|got| Socks5Error::Version { got })?
                else {
                    return Ok(Answer::Incomplete);
                };
                match (method, credential.take()) {
                    (NO_AUTHENTICATION, _) => {
                        Ok(Answer::Next(Phase::Reply, connect(&self.destination)))
                    }
                    (USER_NAME_AND_PASSWORD, Some(credential)) => {
                        Ok(Answer::Next(Phase::Status, credential.into_bytes()))
                    }
                    (NO_ACCEPTABLE_METHOD, _) => Err(Socks5Error::NoAcceptableMethod),
                    (got, _) => Err(Socks5Error::Method { got }),
                }
            }
            Phase::Status => match second_byte(&self.received, AUTHENTICATION_VERSION) {
                Ok(None) => Ok(Answer::Incomplete),
                Ok(Some(0)) => Ok(Answer::Next(Phase::Reply, connect(&self.destination))),
                Ok(Some(status)) => Err(Socks5Error::Rejected { status }),
                Err(got) => Err(Socks5Error::AuthenticationVersion { got }),
            },
            Phase::Reply => read_reply(&self.received),
        }
    }
}

/// The byte after the version, once it has come; another version is the error.
fn second_byte(received: &[u8], version: u8) -> Result<Option<u8>, u8> {
    match received {
        [first, ..] if *first != version => Err(*first),
        [_, second, ..] => Ok(Some(*second)),
        _ => Ok(None),
    }
}

/// RFC 1928 §6. A proxy that refuses may close before the rest of its reply has come, so its code is enough.
fn read_reply(received: &[u8]) -> Result<Answer, Socks5Error> {
    let code = second_byte(received, VERSION).map_err(|got| Socks5Error::Version { got })?;
    if let Some(refusal) = code.and_then(Refusal::from_code) {
        return Err(Socks5Error::Refused(refusal));
    }
    // The third byte is reserved, and some proxies leave something in it.
    let address_length = match received {
        [_, _, _, IPV4, ..] => 4,
        [_, _, _, IPV6, ..] => 16,
        [_, _, _, DOMAIN_NAME, length, ..] => 1 + usize::from(*length),
        [] | [_] | [_, _] | [_, _, _] | [_, _, _, DOMAIN_NAME] => return Ok(Answer::Incomplete),
        [_, _, _, got, ..] => return Err(Socks5Error::AddressType { got: *got }),
    };
    // The address and the port are those of the proxy's end of the connection, which nobody needs.
    if received.len() < 4 + address_length + 2 {
        return Ok(Answer::Incomplete);
    }
    Ok(Answer::Established)
}

impl fmt::Debug for Socks5 {
    /// Leaves out the credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let awaited = match self.phase {
            Phase::Method(_) => "method",
            Phase::Status => "status",
            Phase::Reply => "reply",
        };
        f.debug_struct("Socks5")
            .field("destination", &self.destination)
            .field("awaited", &awaited)
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Step {
    /// Of what is to be sent, only how long it is: the password may be in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Incomplete(next) => f.debug_tuple("Incomplete").field(next).finish(),
            Self::Send(next, to_send) => {
                let mut tuple = f.debug_tuple("Send");
                tuple.field(next).field(&to_send.len()).finish()
            }
            Self::Established { leftover } => {
                let mut fields = f.debug_struct("Established");
                fields.field("leftover", &leftover.len()).finish()
            }
        }
    }
}
