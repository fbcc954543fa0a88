//! The parameters of permessage-deflate as they stand in the header (RFC 7692 §7.1).

use std::fmt;
use std::str::FromStr;

use crate::deflate::parameters::{ContextTakeover, WindowBits};
use crate::handshake::Excerpt;

/// The parameters of one offer, or of an answer: each there at most once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ParameterList {
    pub(crate) server_no_context_takeover: bool,
    pub(crate) client_no_context_takeover: bool,
    pub(crate) server_max_window_bits: Option<WindowBits>,
    pub(crate) client_max_window_bits: Option<ClientWindowValue>,
}

/// What `client_max_window_bits` says; the other window always has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientWindowValue {
    /// It has no value, as it may in an offer (RFC 7692 §7.1.2.2).
    Missing,
    Bits(WindowBits),
}

/// What is wrong with a parameter.
///
/// ```
/// use twinsock_proto::DeflateParameterError;
///
/// let error = DeflateParameterError::Missing { name: "server_no_context_takeover" };
/// assert_eq!(
///     error.to_string(),
///     "expected server_no_context_takeover, which was asked for, got an answer without it"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeflateParameterError {
    /// RFC 7692 has no such parameter.
    Unknown {
        /// Its name.
        got: Excerpt,
    },
    /// A parameter is there twice.
    Repeated {
        /// Its name.
        name: &'static str,
    },
    /// A parameter has a value that it must not have: not a number from 8 to 15 without leading
    /// zeros, or any where none belongs.
    Value {
        /// Its name.
        name: &'static str,
        /// Its value; `None` where it needs one and has none.
        got: Option<Excerpt>,
    },
    /// The extension itself is there twice.
    RepeatedExtension,
    /// The server answered with a parameter that needs to be offered and was not.
    NotOffered {
        /// Its name.
        name: &'static str,
    },
    /// The server answered without a parameter that was asked for.
    Missing {
        /// Its name.
        name: &'static str,
    },
    /// The server answered with a larger window than was offered.
    WindowTooLarge {
        /// The parameter's name.
        name: &'static str,
        /// What was offered.
        offered: WindowBits,
        /// What came.
        got: WindowBits,
    },
}

impl ParameterList {
    /// What is said of the server's messages.
    pub(super) fn server_context_takeover(&self) -> ContextTakeover {
        match self.server_no_context_takeover {
            true => ContextTakeover::Off,
            false => ContextTakeover::On,
        }
    }

    /// What is said of the client's messages.
    pub(super) fn client_context_takeover(&self) -> ContextTakeover {
        match self.client_no_context_takeover {
            true => ContextTakeover::Off,
            false => ContextTakeover::On,
        }
    }

    /// Reads the next parameter.
    pub(crate) fn add(
        &mut self,
        name: &str,
        value: Option<&str>,
    ) -> Result<(), DeflateParameterError> {
        match name {
            SERVER_NO_CONTEXT_TAKEOVER => set_flag(
                &mut self.server_no_context_takeover,
                (SERVER_NO_CONTEXT_TAKEOVER, value),
            ),
            CLIENT_NO_CONTEXT_TAKEOVER => set_flag(
                &mut self.client_no_context_takeover,
                (CLIENT_NO_CONTEXT_TAKEOVER, value),
            ),
            SERVER_MAX_WINDOW_BITS => {
                let name = SERVER_MAX_WINDOW_BITS;
                // RFC 7692 §7.1.2.1: it has a value in offers and answers.
                let text = value.ok_or(DeflateParameterError::Value { name, got: None })?;
                let bits = window_bits(name, text)?;
                set_once(&mut self.server_max_window_bits, name, bits)
            }
            CLIENT_MAX_WINDOW_BITS => {
                let name = CLIENT_MAX_WINDOW_BITS;
                let value = match value {
                    None => ClientWindowValue::Missing,
                    Some(text) => ClientWindowValue::Bits(window_bits(name, text)?),
                };
                set_once(&mut self.client_max_window_bits, name, value)
            }
            _ => Err(DeflateParameterError::Unknown {
                got: Excerpt::new(name.as_bytes()),
            }),
        }
    }
}

/// Parameters as they stand in the header, such as
/// `server_max_window_bits=10; client_no_context_takeover`; none in an empty text.
impl FromStr for ParameterList {
    type Err = DeflateParameterError;

    fn from_str(text: &str) -> Result<Self, DeflateParameterError> {
        let mut list = Self::default();
        if text.trim().is_empty() {
            return Ok(list);
        }
        for parameter in text.split(';') {
            let (name, value) = match parameter.split_once('=') {
                Some((name, value)) => (name, Some(value.trim())),
                None => (parameter, None),
            };
            list.add(name.trim(), value)?;
        }
        Ok(list)
    }
}

/// As it stands in the header, behind the extension's name.
impl fmt::Display for ParameterList {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = [
            (SERVER_NO_CONTEXT_TAKEOVER, self.server_no_context_takeover),
            (CLIENT_NO_CONTEXT_TAKEOVER, self.client_no_context_takeover),
        ];
        for (name, _) in flags.iter().filter(|(_, is_set)| *is_set) {
            write!(formatter, "; {name}")?;
        }
        if let Some(bits) = self.server_max_window_bits {
            write!(formatter, "; {SERVER_MAX_WINDOW_BITS}={bits}")?;
        }
        match self.client_max_window_bits {
            None => Ok(()),
            Some(ClientWindowValue::Missing) => write!(formatter, "; {CLIENT_MAX_WINDOW_BITS}"),
            Some(ClientWindowValue::Bits(bits)) => {
                write!(formatter, "; {CLIENT_MAX_WINDOW_BITS}={bits}")
            }
        }
    }
}

fn set_flag(
    flag: &mut bool,
    (name, value): (&'static str, Option<&str>),
) -> Result<(), DeflateParameterError> {
    if let Some(value) = value {
        return Err(DeflateParameterError::Value {
            name,
            got: Some(Excerpt::new(value.as_bytes())),
        });
    }
    if std::mem::replace(flag, true) {
        return Err(DeflateParameterError::Repeated { name });
    }
    Ok(())
}

fn set_once<T>(
    place: &mut Option<T>,
    name: &'static str,
    value: T,
) -> Result<(), DeflateParameterError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(DeflateParameterError::Repeated { name }),
    }
}

/// RFC 7692 §7.1.2.1: a decimal number from 8 to 15 without leading zeros.
fn window_bits(name: &'static str, text: &str) -> Result<WindowBits, DeflateParameterError> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse()
        .ok()
        .filter(|_| is_plain)
        .and_then(WindowBits::new)
        .ok_or_else(|| DeflateParameterError::Value {
            name,
            got: Some(Excerpt::new(text.as_bytes())),
        })
}

impl fmt::Display for DeflateParameterError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { got } => write!(
                formatter,
                "expected a parameter of permessage-deflate, got {got}"
            ),
            Self::Repeated { name } => {
                write!(formatter, "expected {name} once, got it twice")
            }
            Self::Value {
                name,
                got: Some(got),
            } => {
                write!(formatter, "expected a valid value of {name}, got {got}")
            }
            Self::Value { name, got: None } => {
                write!(formatter, "expected a value of {name}, got none")
            }
            Self::RepeatedExtension => {
                formatter.write_str("expected permessage-deflate once, got it twice")
            }
            Self::NotOffered { name } => {
                write!(
                    formatter,
                    "expected no {name}, which was not offered, got it"
                )
            }
            Self::Missing { name } => write!(
                formatter,
                "expected {name}, which was asked for, got an answer without it"
            ),
            Self::WindowTooLarge { name, offered, got } => {
                write!(formatter, "expected {name} of at most {offered}, got {got}")
            }
        }
    }
}

impl std::error::Error for DeflateParameterError {}

pub(super) const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
pub(super) const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
pub(super) const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";
pub(super) const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";
