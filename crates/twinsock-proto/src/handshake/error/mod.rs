//! What can go wrong in a handshake, sorted by whose fault it is: the peer's ([`HeadError`], [`HandshakeError`],
//! [`RequestError`]) or the caller's ([`Misuse`]).

mod handshake;
mod head;
mod misuse;
mod request;

pub use handshake::HandshakeError;
pub use head::HeadError;
pub use misuse::Misuse;
pub use request::RequestError;
