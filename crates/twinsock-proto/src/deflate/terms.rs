//! On which terms a server accepts an offer (RFC 7692 §7.1).

use std::str::FromStr;

use crate::deflate::parameter_list::{
    CLIENT_MAX_WINDOW_BITS, ClientWindowValue, DeflateParameterError, ParameterList,
};
use crate::deflate::parameters::{
    ContextTakeover, DeflateDirection, DeflateParameters, WindowBits,
};

/// On which terms a server compresses.
///
/// By default without context takeover: then a connection holds nothing between messages. With it
/// an idle connection keeps one window for each direction in which it is on, at most as large as
/// is said here.
///
/// ```
/// use twinsock_proto::handshake::server::Policy;
/// use twinsock_proto::{ContextTakeover, DeflateTerms, WindowBits};
///
/// let terms = DeflateTerms {
///     server_context_takeover: ContextTakeover::On,
///     server_max_window_bits: WindowBits::new(12).expect("8 to 15"),
///     ..DeflateTerms::default()
/// };
/// let policy = Policy::new().deflate(terms);
/// # let _ = policy;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeflateTerms {
    /// The largest window that this server uses; by default the largest there is.
    pub server_max_window_bits: WindowBits,
    /// The largest window that clients may use, by default the largest there is.
    ///
    /// A client that does not say that it can be limited (RFC 7692 §7.1.2.2) is not: it is asked
    /// to do without context takeover instead, so that nothing larger is kept for it.
    pub client_max_window_bits: WindowBits,
    /// Whether this server's messages refer to earlier ones, if the client lets them; by default
    /// they do not.
    pub server_context_takeover: ContextTakeover,
    /// Whether the clients' messages may refer to earlier ones; by default they must not.
    pub client_context_takeover: ContextTakeover,
}

impl Default for DeflateTerms {
    fn default() -> Self {
        Self {
            server_max_window_bits: WindowBits::MAX,
            client_max_window_bits: WindowBits::MAX,
            server_context_takeover: ContextTakeover::Off,
            client_context_takeover: ContextTakeover::Off,
        }
    }
}

/// Reads terms in the form of the header's parameters, such as
/// `server_no_context_takeover; client_max_window_bits=12`: what is not named is not limited, so
/// that an empty text has context takeover on in both directions.
///
/// ```
/// use twinsock_proto::DeflateTerms;
///
/// let terms = "server_no_context_takeover; client_no_context_takeover";
/// assert_eq!(terms.parse(), Ok(DeflateTerms::default()));
/// ```
impl FromStr for DeflateTerms {
    type Err = DeflateParameterError;

    fn from_str(text: &str) -> Result<Self, DeflateParameterError> {
        let list: ParameterList = text.parse()?;
        let client = match list.client_max_window_bits {
            None => WindowBits::MAX,
            Some(ClientWindowValue::Bits(bits)) => bits,
            Some(ClientWindowValue::Missing) => {
                return Err(DeflateParameterError::Value {
                    name: CLIENT_MAX_WINDOW_BITS,
                    got: None,
                });
            }
        };
        Ok(Self {
            server_max_window_bits: list.server_max_window_bits.unwrap_or_default(),
            client_max_window_bits: client,
            server_context_takeover: list.server_context_takeover(),
            client_context_takeover: list.client_context_takeover(),
        })
    }
}

/// What a server answers to an offer, and what that comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Agreement {
    pub(crate) parameters: DeflateParameters,
    pub(crate) answer: ParameterList,
}

impl DeflateTerms {
    /// Accepts an offer; whatever it asks for can be granted (RFC 7692 §7.1).
    pub(crate) fn accept(&self, offer: &ParameterList) -> Agreement {
        let (server, server_window) = self.server_direction(offer);
        let (client, client_window) = self.client_direction(offer);
        Agreement {
            parameters: DeflateParameters { client, server },
            answer: ParameterList {
                server_no_context_takeover: server.context_takeover == ContextTakeover::Off,
                client_no_context_takeover: client.context_takeover == ContextTakeover::Off,
                server_max_window_bits: server_window,
                client_max_window_bits: client_window.map(ClientWindowValue::Bits),
            },
        }
    }

    /// What this server sends, and the window that its answer names.
    fn server_direction(&self, offer: &ParameterList) -> (DeflateDirection, Option<WindowBits>) {
        // RFC 7692 §7.1.2.1: where the client does not ask it need not be told, and some clients do
        // not expect it.
        let (window_bits, told) = match offer.server_max_window_bits {
            None => (self.server_max_window_bits, None),
            Some(offered) => {
                let bits = offered.min(self.server_max_window_bits);
                (bits, Some(bits))
            }
        };
        let context_takeover = match offer.server_no_context_takeover {
            true => ContextTakeover::Off,
            false => self.server_context_takeover,
        };
        let direction = DeflateDirection {
            window_bits,
            context_takeover,
        };
        (direction, told)
    }

    /// What the client will send, and the window that the answer names.
    fn client_direction(&self, offer: &ParameterList) -> (DeflateDirection, Option<WindowBits>) {
        let limit = self.client_max_window_bits;
        let (window_bits, told) = match offer.client_max_window_bits {
            // It cannot be limited.
            None => (WindowBits::MAX, None),
            Some(ClientWindowValue::Missing) if limit == WindowBits::MAX => (limit, None),
            Some(ClientWindowValue::Missing) => (limit, Some(limit)),
            // RFC 7692 §7.1.2.2: a hint, to which only the answer binds the client.
            Some(ClientWindowValue::Bits(offered)) => {
                let bits = offered.min(limit);
                (bits, Some(bits))
            }
        };
        let keeps_too_much = window_bits > limit;
        let context_takeover = match offer.client_no_context_takeover || keeps_too_much {
            true => ContextTakeover::Off,
            false => self.client_context_takeover,
        };
        let direction = DeflateDirection {
            window_bits,
            context_takeover,
        };
        (direction, told)
    }
}
