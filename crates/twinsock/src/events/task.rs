//! The task that drives a socket with handlers, and calls them.

use std::future::poll_fn;
use std::task::Poll;

use tokio::runtime::Handle;

use crate::driver::{Driver, Events, Handled};
use crate::error::Error;
use crate::events::handlers::{ClosedHandler, Handlers, MessageHandler, Task};
use crate::events::panic::{Panicked, guarded};
use crate::message::WeakSocket;

/// Has these handlers called from now on.
pub(crate) fn spawn_for_messages(
    driver: &Driver,
    socket: WeakSocket,
    handlers: Handlers,
) -> Result<(), Error> {
    let (message, closed) = handlers.into_parts();
    let Some(mut message) = message else {
        return closed.map_or(Ok(()), |closed| spawn_for_closed(driver, closed));
    };
    let runtime = runtime()?;
    let events = driver.begin_events(Handled::Messages)?;
    runtime.spawn(async move {
        deliver(&events, &socket, &mut message).await;
        // The handler of the end may wait for something that this one holds.
        let _ = guarded(|| drop(message));
        if let Some(closed) = closed {
            tell_end(&events, closed).await;
        }
    });
    Ok(())
}

/// Has this handler called at the end.
pub(crate) fn spawn_for_closed(driver: &Driver, closed: ClosedHandler) -> Result<(), Error> {
    let runtime = runtime()?;
    let events = driver.begin_events(Handled::End)?;
    runtime.spawn(async move {
        events.attend().await;
        tell_end(&events, closed).await;
    });
    Ok(())
}

fn runtime() -> Result<Handle, Error> {
    Handle::try_current()
        .map_err(|_| Error::illegal_call("expected a tokio runtime for the handlers, got none"))
}

/// Calls the handler with all that comes, until the connection has ended.
async fn deliver(events: &Events, socket: &WeakSocket, handler: &mut MessageHandler) {
    while let Some(received) = events.receive().await.transpose() {
        let is_last = received.is_err();
        let Some(socket) = socket.upgrade() else {
            return events.reach_end().await;
        };
        let handled = match handler {
            MessageHandler::Sync(handler) => guarded(|| handler(&socket, received)),
            MessageHandler::Async(handler) => {
                let task = guarded(|| handler(socket, received));
                match task {
                    Ok(task) => run_alongside(events, task).await,
                    Err(panicked) => Err(panicked),
                }
            }
        };
        if let Err(Panicked) = handled {
            events.give_up();
            return events.reach_end().await;
        }
        if is_last {
            return;
        }
    }
}

/// Runs a handler to its end, and drives the connection meanwhile.
async fn run_alongside(events: &Events, mut task: Task) -> Result<(), Panicked> {
    let mut waiter = events.waiter();
    let outcome = poll_fn(|context| {
        let poll = match guarded(|| task.as_mut().poll(context)) {
            Ok(poll) => poll.map(Ok),
            Err(panicked) => Poll::Ready(Err(panicked)),
        };
        if poll.is_pending() {
            events.drive_alongside(&mut waiter, context);
        }
        poll
    })
    .await;
    guarded(|| drop(task)).and(outcome)
}

/// Calls the handler of the end; nobody is left whom its panic could concern.
async fn tell_end(events: &Events, handler: ClosedHandler) {
    let Some(closed) = events.closed() else {
        return;
    };
    let _ = match handler {
        ClosedHandler::Sync(handler) => guarded(|| handler(closed)),
        ClosedHandler::Async(handler) => match guarded(|| handler(closed)) {
            Ok(task) => run_alongside(events, task).await,
            Err(panicked) => Err(panicked),
        },
    };
}
