//! What a client offers, and how it judges the answer (RFC 7692 §7.1).

use std::str::FromStr;

use crate::deflate::parameter_list::{
    CLIENT_MAX_WINDOW_BITS, ClientWindowValue, DeflateParameterError, ParameterList,
    SERVER_MAX_WINDOW_BITS, SERVER_NO_CONTEXT_TAKEOVER,
};
use crate::deflate::parameters::{
    ContextTakeover, DeflateDirection, DeflateParameters, WindowBits,
};

/// One offer of a client to compress.
///
/// By default `permessage-deflate; client_max_window_bits`, as browsers offer it: so every server
/// that knows the extension has met it. Some refuse a connection because of other parameters;
/// where one is wanted even so, a second offer without it is a fallback.
///
/// ```
/// use twinsock_proto::handshake::client::Request;
/// use twinsock_proto::{DeflateOffer, WindowBits};
///
/// let small = DeflateOffer { server_max_window_bits: WindowBits::new(12), ..DeflateOffer::default() };
/// let request = Request::new("ws://game.example/live".parse()?)
///     .deflate(small)
///     .deflate(DeflateOffer::default());
/// assert_eq!(request.deflate_offers().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DeflateOffer {
    /// The largest window that the server may use; `None`, the default, leaves it the choice.
    ///
    /// It bounds what is kept of the past here, if context takeover is on.
    pub server_max_window_bits: Option<WindowBits>,
    /// Whether the server may limit the window of this client.
    pub client_max_window_bits: ClientWindow,
    /// Whether the server's messages may refer to earlier ones; they may by default.
    pub server_context_takeover: ContextTakeover,
    /// Whether this client's messages may refer to earlier ones; if the server does not forbid
    /// it, they do by default.
    pub client_context_takeover: ContextTakeover,
}

/// Whether the server may limit the window of the client (RFC 7692 §7.1.2.2).
///
/// ```
/// assert_eq!(twinsock_proto::ClientWindow::default(), twinsock_proto::ClientWindow::Any);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ClientWindow {
    /// It may, to any size.
    #[default]
    Any,
    /// It may, and if it does not, this client uses no larger one.
    AtMost(WindowBits),
    /// It may not: the header does not say that it may.
    Unlimited,
}

/// Reads an offer as it stands in the header behind the extension's name, such as
/// `server_no_context_takeover; client_max_window_bits=12`. An empty text is the extension alone.
///
/// ```
/// use twinsock_proto::DeflateOffer;
///
/// assert_eq!("client_max_window_bits".parse(), Ok(DeflateOffer::default()));
/// let error = "server_max_window_bits=16".parse::<DeflateOffer>().unwrap_err();
/// assert_eq!(error.to_string(), "expected a valid value of server_max_window_bits, got \"16\"");
/// ```
impl FromStr for DeflateOffer {
    type Err = DeflateParameterError;

    fn from_str(text: &str) -> Result<Self, DeflateParameterError> {
        let list: ParameterList = text.parse()?;
        Ok(Self {
            server_max_window_bits: list.server_max_window_bits,
            client_max_window_bits: match list.client_max_window_bits {
                None => ClientWindow::Unlimited,
                Some(ClientWindowValue::Missing) => ClientWindow::Any,
                Some(ClientWindowValue::Bits(bits)) => ClientWindow::AtMost(bits),
            },
            server_context_takeover: list.server_context_takeover(),
            client_context_takeover: list.client_context_takeover(),
        })
    }
}

impl DeflateOffer {
    pub(crate) fn to_parameter_list(self) -> ParameterList {
        ParameterList {
            server_no_context_takeover: self.server_context_takeover == ContextTakeover::Off,
            client_no_context_takeover: self.client_context_takeover == ContextTakeover::Off,
            server_max_window_bits: self.server_max_window_bits,
            client_max_window_bits: match self.client_max_window_bits {
                ClientWindow::Any => Some(ClientWindowValue::Missing),
                ClientWindow::AtMost(bits) => Some(ClientWindowValue::Bits(bits)),
                ClientWindow::Unlimited => None,
            },
        }
    }

    /// What the server's answer to this offer comes to.
    pub(crate) fn check(
        &self,
        answer: &ParameterList,
    ) -> Result<DeflateParameters, DeflateParameterError> {
        Ok(DeflateParameters {
            server: DeflateDirection {
                window_bits: self.check_server_window(answer)?,
                context_takeover: self.check_server_takeover(answer)?,
            },
            client: DeflateDirection {
                window_bits: self.check_client_window(answer)?,
                // RFC 7692 §7.1.1.2: what the client announced holds whatever the answer, and the
                // server may ask for it.
                context_takeover: match answer.client_no_context_takeover {
                    true => ContextTakeover::Off,
                    false => self.client_context_takeover,
                },
            },
        })
    }

    /// RFC 7692 §7.1.1.1: granted if it was asked for, and perhaps given without.
    fn check_server_takeover(
        &self,
        answer: &ParameterList,
    ) -> Result<ContextTakeover, DeflateParameterError> {
        match (
            self.server_context_takeover,
            answer.server_no_context_takeover,
        ) {
            (_, true) => Ok(ContextTakeover::Off),
            (ContextTakeover::On, false) => Ok(ContextTakeover::On),
            (ContextTakeover::Off, false) => Err(DeflateParameterError::Missing {
                name: SERVER_NO_CONTEXT_TAKEOVER,
            }),
        }
    }

    /// RFC 7692 §7.1.2.1: no larger than was asked for, and perhaps told without being asked.
    fn check_server_window(
        &self,
        answer: &ParameterList,
    ) -> Result<WindowBits, DeflateParameterError> {
        let name = SERVER_MAX_WINDOW_BITS;
        match (self.server_max_window_bits, answer.server_max_window_bits) {
            (Some(_), None) => Err(DeflateParameterError::Missing { name }),
            (None, None) => Ok(WindowBits::MAX),
            (offered, Some(got)) => at_most(offered.unwrap_or(WindowBits::MAX), got, name),
        }
    }

    /// RFC 7692 §7.1.2.2: only if it was offered, and no larger than that.
    fn check_client_window(
        &self,
        answer: &ParameterList,
    ) -> Result<WindowBits, DeflateParameterError> {
        let name = CLIENT_MAX_WINDOW_BITS;
        let offered = match self.client_max_window_bits {
            ClientWindow::Any | ClientWindow::Unlimited => WindowBits::MAX,
            ClientWindow::AtMost(bits) => bits,
        };
        match (self.client_max_window_bits, answer.client_max_window_bits) {
            (_, None) => Ok(offered),
            (ClientWindow::Unlimited, Some(_)) => Err(DeflateParameterError::NotOffered { name }),
            (_, Some(ClientWindowValue::Missing)) => {
                Err(DeflateParameterError::Value { name, got: None })
            }
            (_, Some(ClientWindowValue::Bits(got))) => at_most(offered, got, name),
        }
    }
}

fn at_most(
    offered: WindowBits,
    got: WindowBits,
    name: &'static str,
) -> Result<WindowBits, DeflateParameterError> {
    if got > offered {
        return Err(DeflateParameterError::WindowTooLarge { name, offered, got });
    }
    Ok(got)
}
