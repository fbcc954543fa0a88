//! What happens for the handlers of a socket.

use std::task::Poll;

use twinsock_proto::{AbortCause, ReceiveMode};

use crate::driver::engine::{Engine, Handled, Unread, Wakes};
use crate::error::Error;
use crate::received::Received;

impl Engine {
    /// From now on a task drives the connection for handlers.
    pub(crate) fn begin_events(&mut self, handled: Handled) -> Result<ReceiveMode, Error> {
        if self.handled != Handled::Nothing {
            return Err(Error::illegal_call(
                "expected a socket without handlers, got one that has some",
            ));
        }
        self.handled = handled;
        if handled == Handled::End {
            let _ = self.keep_attendant();
        }
        // Those who receive are told that they cannot.
        self.wakes = Wakes::Due;
        Ok(self.connection.receive_mode())
    }

    /// The task is gone before the end: the application is on its own again.
    pub(crate) fn dismiss_events(&mut self) {
        self.handled = Handled::Nothing;
        self.dismiss_attendant();
    }

    /// The next message or part for the handler; `None` after the end.
    pub(crate) fn poll_event(
        &mut self,
        mode: ReceiveMode,
    ) -> Poll<Result<Option<Received>, Error>> {
        let mode = match self.unread {
            Unread::Kept => mode,
            // What nobody asks for is not collected.
            Unread::Discarded => ReceiveMode::PartialMessage,
        };
        self.poll_next(mode)
    }

    /// The application cannot handle what comes.
    pub(crate) fn give_up_events(&mut self) {
        let _ = self.abort_for(AbortCause::HandlerPanicked);
    }

    pub(super) fn require_no_handler(&self) -> Result<(), Error> {
        match self.handled {
            Handled::Nothing | Handled::End => Ok(()),
            Handled::Messages => Err(Error::illegal_call(
                "expected a socket without a handler for received messages, got one that has it",
            )),
        }
    }
}
