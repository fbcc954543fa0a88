//! What a row's server agrees to.

use std::fmt;
use std::str::FromStr;

use twinsock::{ContextTakeover, DeflateTerms, WindowBits};

/// What a row's server agrees to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Agreement {
    Off,
    NoTakeover,
    /// In both directions, with windows of so many bits.
    Takeover(u8),
}

impl Agreement {
    pub(crate) const ALL: [Self; 5] = [
        Self::Off,
        Self::NoTakeover,
        Self::Takeover(10),
        Self::Takeover(12),
        Self::Takeover(15),
    ];

    /// `None`: it does not compress.
    pub(crate) fn terms(self) -> Option<DeflateTerms> {
        let bits = match self {
            Self::Off => return None,
            Self::NoTakeover => return Some(DeflateTerms::default()),
            Self::Takeover(bits) => WindowBits::new(bits)?,
        };
        Some(DeflateTerms {
            server_max_window_bits: bits,
            client_max_window_bits: bits,
            server_context_takeover: ContextTakeover::On,
            client_context_takeover: ContextTakeover::On,
        })
    }
}

impl fmt::Display for Agreement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => formatter.write_str("no compression"),
            Self::NoTakeover => formatter.write_str("no context takeover"),
            Self::Takeover(bits) => write!(formatter, "context takeover, window {bits}"),
        }
    }
}

impl FromStr for Agreement {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = Self::ALL.into_iter();
        all.find(|agreement| agreement.to_string() == text)
            .ok_or_else(|| format!("expected an agreement, got {text:?}"))
    }
}
