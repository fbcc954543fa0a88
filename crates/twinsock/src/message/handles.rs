//! Handles of one socket: clones, and those of its event task.

use std::sync::{Arc, Weak};

use crate::driver::Driver;
use crate::error::Error;
use crate::events::{self, Handlers};
use crate::information::Information;
use crate::message::MessageWebSocket;
use crate::message::as_stream::Waiters;
use crate::message::outgoing_type::OutgoingType;

/// A handle that does not keep the connection open.
pub(crate) struct WeakSocket {
    driver: Weak<Driver>,
    information: Information,
    outgoing_type: Arc<OutgoingType>,
}

impl WeakSocket {
    /// `None` when the application has dropped all its handles.
    pub(crate) fn upgrade(&self) -> Option<MessageWebSocket> {
        let driver = self.driver.upgrade()?;
        Some(MessageWebSocket {
            waiters: Waiters::new(&driver),
            driver,
            information: self.information.clone(),
            outgoing_type: Arc::clone(&self.outgoing_type),
        })
    }
}

/// Another handle of the same socket; the connection ends when the last one is dropped.
impl Clone for MessageWebSocket {
    fn clone(&self) -> Self {
        Self {
            driver: Arc::clone(&self.driver),
            information: self.information.clone(),
            outgoing_type: Arc::clone(&self.outgoing_type),
            waiters: Waiters::new(&self.driver),
        }
    }
}

impl MessageWebSocket {
    /// Has handlers called for what happens from now on; what has come and was not received is
    /// theirs too. In a client the
    /// [builder](crate::MessageWebSocketBuilder::on_message_received) does it at once.
    ///
    /// A task is spawned that drives the socket until its end. It does not keep the connection
    /// open: that ends when the application drops its last handle, so a handler uses the socket
    /// that it is given rather than a clone of its own.
    ///
    /// # Errors
    /// [`ErrorKind::IllegalCall`](crate::ErrorKind::IllegalCall) when the socket has handlers
    /// already, or outside of a runtime; this handle is dropped then.
    pub fn with_handlers(self, handlers: Handlers) -> Result<Self, Error> {
        events::spawn_for_messages(&self.driver, self.downgrade(), handlers)?;
        Ok(self)
    }

    fn downgrade(&self) -> WeakSocket {
        WeakSocket {
            driver: Arc::downgrade(&self.driver),
            information: self.information.clone(),
            outgoing_type: Arc::clone(&self.outgoing_type),
        }
    }
}
