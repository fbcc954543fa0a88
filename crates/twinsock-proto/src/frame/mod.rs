//! One frame on the wire (RFC 6455 §5.2–5.5).
//!
//! The leading bytes ([`header`]), the kind of frame ([`opcode`]), the XOR with the masking key
//! ([`mask`]), and the body of a Close frame ([`close_reason`]). How frames make up messages is
//! the business of `receive` and `send`.

pub(crate) mod close_reason;
pub(crate) mod coding;
pub(crate) mod control;
pub(crate) mod count;
pub(crate) mod header;
pub(crate) mod mask;
pub(crate) mod opcode;
