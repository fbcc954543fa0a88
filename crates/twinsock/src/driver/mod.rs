//! The only place that holds a byte stream and the core together.
//!
//! A socket is driven by the tasks that use it: whoever receives reads, whoever sends writes,
//! and all that wait are woken when the stream is ready ([`wakers`]). [`engine`] is what happens
//! at each poll. A background task exists only while output is left that no caller waits for:
//! gathered messages when the sending task pauses, or the end of a dropped socket.

mod alarm;
mod engine;
mod inbox;
mod memory;
mod transport;
mod turn;
mod wakers;

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::BufMut;
use tokio::runtime::Handle;
use twinsock_proto::{
    CloseReason, Closed, Connection, ControlPayload, Message, NotOpen, Role, Settings,
};

pub(crate) use crate::driver::alarm::now;
use crate::driver::engine::{Engine, Output, Wakes};
pub use crate::driver::transport::ByteStream;
use crate::driver::transport::Transport;
pub(crate) use crate::driver::wakers::Waiter;
use crate::driver::wakers::WakerSet;
use crate::error::Error;

/// An open socket, whatever its surface; dropping it ends the connection.
#[derive(Debug)]
pub(crate) struct Driver {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    engine: Mutex<Engine>,
    wakers: Arc<WakerSet>,
}

impl Driver {
    /// Takes over `stream` after the opening handshake; `leftover` was read behind it.
    pub(crate) fn new(
        stream: Box<dyn ByteStream>,
        role: Role,
        settings: Settings,
        leftover: &[u8],
    ) -> Result<Self, Error> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(Error::no_randomness)?;
        let mut connection = Connection::new(role, settings, seed, now());
        take_leftover(&mut connection, leftover);
        let wakers = Arc::new(WakerSet::default());
        let engine = Engine::new(
            connection,
            Transport::new(stream),
            Waker::from(Arc::clone(&wakers)),
        );
        Ok(Self {
            shared: Arc::new(Shared {
                engine: Mutex::new(engine),
                wakers,
            }),
        })
    }

    // ---- what is done at once ----

    pub(crate) fn closed(&self) -> Option<Closed> {
        self.shared.with_engine(|engine| engine.closed().cloned())
    }

    pub(crate) fn round_trip_time(&self) -> Option<Duration> {
        self.shared
            .with_engine(|engine| engine.connection().round_trip_time())
    }

    pub(crate) fn unsolicited_pong_interval(&self) -> Option<Duration> {
        self.shared
            .with_engine(|engine| engine.connection().unsolicited_pong_interval())
    }

    pub(crate) fn feed(&self, message: Message) -> Result<(), Error> {
        self.shared.with_engine(|engine| engine.feed(message))
    }

    /// Queues a Close frame; what does not go out at once is seen to in the background.
    pub(crate) fn start_close(&self, reason: CloseReason) {
        let output = self.shared.with_engine(|engine| engine.start_close(reason));
        self.settle(output);
    }

    // ---- what is waited for ----

    pub(crate) fn waiter(&self) -> Waiter {
        Waiter::new(Arc::clone(&self.shared.wakers))
    }

    pub(crate) async fn receive(&self) -> Result<Option<Message>, Error> {
        self.wait(Engine::poll_message).await
    }

    /// Waits for room, then queues with `command` and writes unless more is to follow.
    pub(crate) async fn send(
        &self,
        mut command: impl FnMut(&mut Connection) -> Result<(), NotOpen> + Unpin,
    ) -> Result<(), Error> {
        self.queue(|engine| engine.send(&mut command)).await
    }

    pub(crate) async fn send_message(&self, message: Message) -> Result<(), Error> {
        let mut message = Some(message);
        // Queued once: the command runs when there is room, and then the waiting is over.
        self.send(|connection| {
            message
                .take()
                .map_or(Ok(()), |message| connection.send(message))
        })
        .await
    }

    pub(crate) async fn ping(&self, payload: ControlPayload) -> Result<(), Error> {
        self.queue(|engine| engine.ping(payload)).await
    }

    /// Waits for room, then does `action` and sees to what it leaves.
    async fn queue(
        &self,
        mut action: impl FnMut(&mut Engine) -> Result<Output, Error> + Unpin,
    ) -> Result<(), Error> {
        let output = self
            .wait(|engine| {
                ready!(engine.poll_room())?;
                Poll::Ready(action(engine))
            })
            .await?;
        self.settle(output);
        Ok(())
    }

    pub(crate) async fn flush(&self) -> Result<(), Error> {
        self.wait(Engine::poll_flush).await
    }

    pub(crate) async fn close(&self, reason: CloseReason) -> Result<(), Error> {
        self.start_close(reason);
        self.wait(Engine::poll_closed).await
    }

    pub(crate) fn poll_receive(
        &self,
        waiter: &mut Waiter,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Message>, Error>> {
        self.shared.poll(waiter, context, Engine::poll_message)
    }

    pub(crate) fn poll_room(
        &self,
        waiter: &mut Waiter,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        self.shared.poll(waiter, context, Engine::poll_room)
    }

    pub(crate) fn poll_flush(
        &self,
        waiter: &mut Waiter,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        self.shared.poll(waiter, context, Engine::poll_flush)
    }

    pub(crate) fn poll_closed(
        &self,
        waiter: &mut Waiter,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        self.shared.poll(waiter, context, Engine::poll_closed)
    }

    fn wait<T, F>(&self, poll: F) -> Wait<'_, F>
    where
        F: FnMut(&mut Engine) -> Poll<T>,
    {
        self.shared.wait(poll)
    }

    /// Sees to it that what waits is written though no caller waits for it.
    fn settle(&self, output: Output) {
        match output {
            Output::Settled => {}
            Output::NeedsAttendant => self.shared.call_attendant(),
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if self.shared.with_engine(Engine::abandon).is_ready() {
            return;
        }
        match Handle::try_current() {
            Ok(runtime) => {
                let shared = Arc::clone(&self.shared);
                runtime.spawn(async move { shared.wait(Engine::poll_closed).await });
            }
            Err(_) => self.shared.with_engine(Engine::abort),
        }
    }
}

impl Shared {
    fn with_engine<T>(&self, action: impl FnOnce(&mut Engine) -> T) -> T {
        let mut engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        let value = action(&mut engine);
        let wakes = engine.take_wakes();
        // Outside of the lock: those who are woken look at this socket.
        drop(engine);
        if wakes == Wakes::Due {
            self.wakers.wake_all();
        }
        value
    }

    fn wait<T, F>(&self, poll: F) -> Wait<'_, F>
    where
        F: FnMut(&mut Engine) -> Poll<T>,
    {
        Wait {
            shared: self,
            waiter: None,
            poll,
        }
    }

    /// Polls, and registers `waiter` before it is final that there is something to wait for.
    fn poll<T>(
        &self,
        waiter: &mut Waiter,
        context: &mut Context<'_>,
        mut poll: impl FnMut(&mut Engine) -> Poll<T>,
    ) -> Poll<T> {
        if let Poll::Ready(value) = self.with_engine(&mut poll) {
            return Poll::Ready(value);
        }
        waiter.register(context.waker());
        self.with_engine(poll)
    }

    /// Spawns the task that writes what waits; outside of a runtime, writes it now.
    fn call_attendant(self: &Arc<Self>) {
        let attendant = Attendant(Some(Arc::clone(self)));
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(attendant.attend());
        }
    }
}

/// The background task's hold on a socket, until its work is done.
struct Attendant(Option<Arc<Shared>>);

impl Attendant {
    async fn attend(mut self) {
        if let Some(shared) = &self.0 {
            shared.wait(Engine::poll_attend).await;
        }
        self.0 = None;
    }
}

impl Drop for Attendant {
    /// The runtime ends, or there is none: what can be written at once is.
    fn drop(&mut self) {
        if let Some(shared) = self.0.take() {
            shared.with_engine(Engine::dismiss_attendant);
        }
    }
}

/// Waits until a poll of the engine is ready.
#[derive(Debug)]
struct Wait<'a, F> {
    shared: &'a Shared,
    waiter: Option<Waiter>,
    poll: F,
}

impl<T, F: FnMut(&mut Engine) -> Poll<T> + Unpin> Future for Wait<'_, F> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Self {
            shared,
            waiter,
            poll,
        } = &mut *self;
        if let Poll::Ready(value) = shared.with_engine(&mut *poll) {
            return Poll::Ready(value);
        }
        let waiter = waiter.get_or_insert_with(|| Waiter::new(Arc::clone(&shared.wakers)));
        waiter.register(context.waker());
        shared.with_engine(poll)
    }
}

/// Hands the bytes behind the opening handshake to the core: they begin the first frame.
fn take_leftover(connection: &mut Connection, mut leftover: &[u8]) {
    while !leftover.is_empty() {
        let mut memory = connection.receive_memory();
        let (taken, rest) = leftover.split_at(leftover.len().min(memory.remaining_mut()));
        memory.put_slice(taken);
        drop(memory);
        connection.handle_received(now());
        leftover = rest;
    }
}
