//! What the handlers of a socket were called with.

#![allow(dead_code, reason = "each test file uses a part of it")]

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use twinsock::{Closed, Error, ErrorKind, Handlers, Received, WebErrorStatus};

/// One call of a handler.
#[derive(Debug, PartialEq)]
pub(crate) enum Event {
    Message(String),
    Failed(ErrorKind, WebErrorStatus),
    /// An async handler came to its end.
    Finished,
    Closed(Closed),
}

/// Where handlers write.
#[derive(Clone)]
pub(crate) struct Events(UnboundedSender<Event>);

/// What they have written.
pub(crate) struct Record(UnboundedReceiver<Event>);

pub(crate) fn channel() -> (Events, Record) {
    let (sender, receiver) = unbounded_channel();
    (Events(sender), Record(receiver))
}

/// Handlers for messages and the end.
pub(crate) fn new() -> (Handlers, Record) {
    let (events, record) = channel();
    let ends = events.clone();
    let handlers = Handlers::new()
        .on_message_received(move |_, received| events.received(received))
        .on_closed(move |closed| ends.closed(closed));
    (handlers, record)
}

/// A handler for the end alone.
pub(crate) fn new_for_the_end() -> (Handlers, Record) {
    let (events, record) = channel();
    let handlers = Handlers::new().on_closed(move |closed| events.closed(closed));
    (handlers, record)
}

impl Events {
    pub(crate) fn received(&self, received: Result<Received, Error>) {
        self.write(match received {
            Ok(message) => Event::Message(String::from_utf8_lossy(message.as_bytes()).into()),
            Err(error) => Event::Failed(error.kind(), error.status()),
        });
    }

    pub(crate) fn closed(&self, closed: Closed) {
        self.write(Event::Closed(closed));
    }

    pub(crate) fn finished(&self) {
        self.write(Event::Finished);
    }

    fn write(&self, event: Event) {
        // Nobody listens any more in a test that has ended.
        let _ = self.0.send(event);
    }
}

impl Record {
    pub(crate) async fn next(&mut self) -> Event {
        self.0.recv().await.expect("the handlers are there")
    }

    /// All calls until the handlers are gone: none can follow.
    pub(crate) async fn all(mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.0.recv().await {
            events.push(event);
        }
        events
    }

    /// Messages, no error, and then one end that is no failure.
    pub(crate) async fn messages_and_clean_end(self) -> (Vec<String>, Closed) {
        let mut events = self.all().await;
        let Some(Event::Closed(closed)) = events.pop() else {
            unreachable!("no end after {events:?}");
        };
        assert_eq!(WebErrorStatus::of_closed(&closed), None);
        let messages = events.into_iter().map(|event| match event {
            Event::Message(text) => text,
            other => unreachable!("{other:?}"),
        });
        (messages.collect(), closed)
    }

    /// Nothing but one end that is a failure.
    pub(crate) async fn failed_end(self) -> Closed {
        let mut events = self.all().await;
        let Some(Event::Closed(closed)) = events.pop() else {
            unreachable!("no end after {events:?}");
        };
        assert!(events.is_empty(), "{events:?}");
        assert!(closed.failure().is_some(), "{closed}");
        closed
    }

    /// One error, and then one end that is the same failure.
    pub(crate) async fn failure_and_end(self) -> (ErrorKind, Closed) {
        let events = self.all().await;
        match &events[..] {
            [Event::Failed(kind, status), Event::Closed(closed)] => {
                assert_eq!(WebErrorStatus::of_closed(closed), Some(*status));
                (*kind, closed.clone())
            }
            _ => unreachable!("{events:?}"),
        }
    }
}

impl Event {
    pub(crate) fn kind(&self) -> Option<ErrorKind> {
        match self {
            Self::Failed(kind, _) => Some(*kind),
            Self::Message(_) | Self::Finished | Self::Closed(_) => None,
        }
    }
}
