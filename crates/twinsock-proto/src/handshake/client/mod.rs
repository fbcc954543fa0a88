//! The client's side of the opening handshake (RFC 6455 §4.1).
//!
//! ```text
//!   Request ─ start ─▶ AwaitResponse ─ proceed ─▶ Opened
//!                        │  ▲ Incomplete │
//!                        └──┴────────────┴─ proceed, handle_eof ─▶ HandshakeError
//! ```

mod check;
pub(crate) mod refusal;
mod request;
mod response;

pub use refusal::Refusal;
pub use request::Request;
pub use response::{AwaitResponse, Opened, Step};
