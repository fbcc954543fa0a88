//! Answers to a server or proxy that asks who is there (RFC 9110 §11): Basic (RFC 7617) and Digest (RFC 7616).
//!
//! A response with status 401 or 407 carries challenges; an [`Authenticator`] picks the strongest one that it knows
//! and gives the header for the next request. Digest goes before Basic, and SHA-256 before MD5.
//!
//! **Left to others:** sending the request again; randomness, which comes in as a nonce; and to whom a credential may
//! be told: one that was given for an origin is not for another one, and Basic tells the password to everybody who
//! listens.
//!
//! **What always holds:** neither `Debug` nor an error shows a password; headers that hold an answer are marked as
//! sensitive; challenges that break their grammar or are too many are refused; one credential is answered with
//! once, and once more where the peer says that only its nonce was too old.
//!
//! ```
//! use twinsock_proto::authentication::{Authenticator, Credential, Party, Target};
//! use twinsock_proto::handshake::HeadLimits;
//! use twinsock_proto::proxy::http::{AwaitTunnel, ConnectRequest, Step, TunnelError};
//! use twinsock_proto::uri::Destination;
//!
//! let destination = Destination::new("game.example", 443)?;
//! let request = ConnectRequest::new(destination.clone());
//! let (tunnel, _) = AwaitTunnel::start(&request, HeadLimits::default());
//! let answer = b"HTTP/1.1 407 \r\nProxy-Authenticate: Basic realm=\"proxy\"\r\nContent-Length: 0\r\n\r\n";
//! let Err(TunnelError::Refused(refusal)) = tunnel.proceed(answer) else { panic!() };
//!
//! let mut authenticator = Authenticator::new(Credential::new("Aladdin", "open sesame")?, Party::Proxy);
//! let challenges = refusal.response().headers();
//! let target = Target::connect(&destination);
//! let (name, value) = authenticator.answer(challenges, target, [7; 16])?;
//! assert_eq!(value, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
//!
//! let request = request.header(name, value)?; // to be sent again
//! assert!(authenticator.answer(challenges, target, [8; 16]).is_err()); // asked again: it was wrong
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod authenticator;
mod basic;
mod challenge;
mod credential;
mod digest;
mod error;

pub use authenticator::{Authenticator, Party, Target};
pub use credential::{Credential, InvalidCredential};
pub use error::AuthenticationError;
