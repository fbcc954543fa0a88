//! WebSockets for Rust.

mod accept;
mod connect;
mod driver;
mod error;
mod message;
mod opening;
mod timeout;

pub use twinsock_proto::{
    CloseCode, CloseReason, Closed, Failure, Initiator, Message, MessageType, Utf8Bytes,
};

pub use crate::accept::{AcceptOptions, Incoming, Listener, PendingHandshake};
pub use crate::driver::ByteStream;
pub use crate::error::{Error, ErrorKind};
pub use crate::message::{
    MessageReceiver, MessageSender, MessageWebSocket, MessageWebSocketBuilder,
};
pub use crate::timeout::{Timeout, Timeouts};
