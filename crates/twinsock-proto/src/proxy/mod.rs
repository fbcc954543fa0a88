//! Tunnels through a proxy, as far as they are bytes: by HTTP ([`http`]) and by SOCKS 5 ([`socks5`]).
//!
//! A client that may not connect by itself asks a proxy to. Once the tunnel stands, its bytes are those of the
//! server, and TLS or the opening handshake begins as it would without one. Both kinds are a type that says what is
//! awaited and that each step consumes, as in [`handshake`](crate::handshake). Where the tunnel ends is a
//! [`Destination`](crate::uri::Destination), whose name the proxy resolves.
//!
//! **Left to others:** which proxy is asked, and connecting to it; and time: whoever holds the socket bounds the whole
//! negotiation with a deadline.
//!
//! **What always holds:** the same bytes give the same result however they are cut; memory is bounded; the bytes
//! behind the proxy's last answer are handed on untouched.

pub mod http;
pub mod socks5;
