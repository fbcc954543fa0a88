//! What the application learns.

use crate::message::MessageRef;

/// Something that happened on a connection.
///
/// See [`MessageRef`] for an example.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A whole message came; it is lent until the connection is used again.
    MessageReceived(MessageRef<'a>),
}
