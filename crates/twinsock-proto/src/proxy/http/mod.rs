//! A tunnel through an HTTP proxy: CONNECT (RFC 9110 §9.3.6).
//!
//! ```text
//!   ConnectRequest ─ start ─▶ AwaitTunnel ─ proceed ─▶ Tunnel
//!                               │  ▲ Incomplete │
//!                               └──┴────────────┴─ proceed, handle_eof ─▶ TunnelError
//! ```

mod error;
mod request;
mod tunnel;

pub use error::TunnelError;
pub use request::ConnectRequest;
pub use tunnel::{AwaitTunnel, Step, Tunnel};
