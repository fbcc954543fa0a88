//! permessage-deflate (RFC 7692): messages that are compressed.
//!
//! [`parameters`] is what both ends agree on, [`offer`] what a client asks for and how it judges
//! the answer, [`terms`] what a server accepts, and [`parameter_list`] the parameters as they stand
//! in the header (§7.1).

pub(crate) mod offer;
pub(crate) mod parameter_list;
pub(crate) mod parameters;
pub(crate) mod terms;

/// The extension's name (RFC 7692 §7).
pub(crate) const NAME: &str = "permessage-deflate";
