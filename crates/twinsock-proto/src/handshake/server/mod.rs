//! The server's side of the opening handshake (RFC 6455 §4.2).
//!
//! ```text
//!   AwaitRequest ─ proceed ─▶ Received ─ accept ─▶ Accepted
//!     │  ▲ Incomplete │          ├─ accept ─▶ Refusal
//!     └──┴────────────┴─▶ Refusal└─ reject ─▶ bytes to send
//! ```

mod check;
mod origin;
mod policy;
mod refusal;
mod request;

pub use origin::{Origin, OriginError};
pub use policy::{OriginPolicy, Policy};
pub use refusal::Refusal;
pub use request::{Accepted, AwaitRequest, Received, Step};
