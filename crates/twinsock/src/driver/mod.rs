//! The only place that holds a byte stream and the core together.
//!
//! A socket is driven by the tasks that use it: whoever receives reads, whoever sends writes,
//! and all that wait are woken when the stream is ready ([`wakers`]). [`engine`] is what happens
//! at each poll, [`shared`] how a task waits for it, and the [`Driver`] what the sockets see. A
//! background task exists only while something is left that no caller waits for (gathered
//! messages when the sending task pauses, or the end of a dropped socket), and where the
//! application asks for one: to attend the socket, or to call its handlers ([`events`]).

mod alarm;
mod engine;
mod events;
mod inbox;
pub(crate) mod memory;
mod read_ahead;
mod shared;
#[cfg(feature = "sink")]
mod sink;
mod transport;
mod turn;
mod unsent;
mod wakers;

use std::io::IoSlice;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bytes::BufMut;
use tokio::runtime::Handle;
use twinsock_proto::{
    CloseReason, Compress, Connection, ControlPayload, LentMessages, Message, ReceiveMode, Role,
    SendError, Settings, Violation,
};

pub(crate) use crate::driver::alarm::now;
pub(crate) use crate::driver::engine::{
    BeforeWaiting, CloseWithoutCode, Handled, Loan, Read, Room, StreamReading, Surface,
};
use crate::driver::engine::{Engine, Output};
pub(crate) use crate::driver::events::Events;
pub(crate) use crate::driver::read_ahead::ReadAhead;
pub(crate) use crate::driver::shared::Shared;
use crate::driver::shared::{Farewell, Wait};
pub use crate::driver::transport::ByteStream;
use crate::driver::transport::Transport;
pub use crate::driver::unsent::StreamFraming;
pub(crate) use crate::driver::wakers::Waiter;
use crate::driver::wakers::WakerSet;
use crate::error::Error;
use crate::received::Received;
use crate::tls::fill_with_randomness;

/// An open socket, whatever its surface; dropping it ends the connection.
#[derive(Debug)]
pub(crate) struct Driver {
    shared: Arc<Shared>,
}

impl Driver {
    /// Takes over `stream` after the opening handshake; `leftover` was read behind it.
    pub(crate) fn new(
        stream: Box<dyn ByteStream>,
        role: Role,
        settings: Settings,
        surface: Surface,
        leftover: &[u8],
    ) -> Result<Self, Error> {
        let mut seed = [0; 32];
        if role == Role::Client {
            // For mask keys; a server has none.
            fill_with_randomness(&mut seed)?;
        }
        let mut connection = Connection::new(role, settings, seed, now());
        take_leftover(&mut connection, leftover);
        let wakers = Arc::new(WakerSet::default());
        let engine = Engine::new(
            connection,
            Transport::new(stream),
            surface,
            Waker::from(Arc::clone(&wakers)),
        );
        Ok(Self {
            shared: Arc::new(Shared::new(engine, wakers)),
        })
    }

    // ---- what is done at once ----

    /// What others may look at, also when the driver is gone.
    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// How messages that begin from now on are compressed.
    pub(crate) fn set_compress(&self, compress: Compress) {
        self.shared
            .with_engine(|engine| engine.set_compress(compress));
    }

    /// Gives back what zlib holds for later messages.
    pub(crate) fn release_deflate(&self) {
        self.shared.with_engine(Engine::release_deflate);
    }

    /// Queues a Close frame; what does not go out at once is seen to in the background.
    pub(crate) fn start_close(&self, reason: CloseReason) {
        let output = self.shared.with_engine(|engine| engine.start_close(reason));
        self.shared.settle(output);
    }

    // ---- what is waited for ----

    pub(crate) fn waiter(&self) -> Waiter {
        self.shared.waiter()
    }

    pub(crate) fn receive(&self) -> impl Future<Output = Result<Option<Message>, Error>> {
        self.wait(Engine::poll_message)
    }

    /// The next messages, lent; `None` after the end.
    pub(crate) fn lend(&self) -> impl Future<Output = Result<Option<Loan>, Error>> {
        self.wait(Engine::poll_lend)
    }

    pub(crate) fn give_back(&self, messages: LentMessages) {
        self.shared.with_engine(|engine| engine.give_back(messages));
    }

    /// Fails the connection over a message that was lent; the error, once it has ended.
    pub(crate) async fn refuse_received(&self, violation: Violation) -> Error {
        self.shared
            .with_engine(|engine| engine.refuse_received(violation));
        self.wait(Engine::poll_failed).await
    }

    /// Waits for its turn, then queues with `command` and writes unless more is to follow.
    pub(crate) async fn send(
        &self,
        mut command: impl FnMut(&mut Connection) -> Result<(), SendError>,
    ) -> Result<(), Error> {
        let output = self
            .wait(|engine| {
                ready!(engine.poll_turn())?;
                Poll::Ready(engine.send(&mut command))
            })
            .await?;
        self.shared.settle(output);
        Ok(())
    }

    pub(crate) async fn send_message(&self, message: Message) -> Result<(), Error> {
        let mut message = Some(message);
        // Queued once: the command runs when its turn has come, and then the waiting is over.
        self.send(|connection| {
            message
                .take()
                .map_or(Ok(()), |message| connection.send(message))
        })
        .await
    }

    /// The same, compressed as is said here.
    pub(crate) async fn send_message_with(
        &self,
        message: Message,
        compress: Compress,
    ) -> Result<(), Error> {
        let mut message = Some(message);
        self.send(|connection| {
            message.take().map_or(Ok(()), |message| {
                connection.with_compress(compress, |connection| connection.send(message))
            })
        })
        .await
    }

    pub(crate) async fn ping(&self, payload: &[u8]) -> Result<(), Error> {
        let payload = ControlPayload::new(payload).ok_or_else(|| {
            let length = payload.len();
            Error::invalid_argument(format!(
                "expected a ping of at most 125 bytes, got {length}"
            ))
        })?;
        self.send_control(|engine| engine.ping(payload)).await
    }

    pub(crate) async fn send_keep_alive(&self) -> Result<(), Error> {
        self.send_control(|engine| {
            engine.send(|connection| Ok(connection.send_unsolicited_pong()?))
        })
        .await
    }

    /// Waits for room alone: a control frame may stand between the parts of a message (RFC 6455
    /// §5.4).
    async fn send_control(
        &self,
        mut action: impl FnMut(&mut Engine) -> Result<Output, Error>,
    ) -> Result<(), Error> {
        let output = self
            .wait(|engine| {
                ready!(engine.poll_room())?;
                Poll::Ready(action(engine))
            })
            .await?;
        self.shared.settle(output);
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

    pub(crate) fn poll_flush(
        &self,
        waiter: &mut Waiter,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        self.shared.poll(waiter, context, Engine::poll_flush)
    }

    // ---- a stream's bytes ----

    /// Reads into `room`, of which there is some; nothing is read at the end.
    pub(crate) fn poll_read_bytes(
        &self,
        waiter: &mut Waiter,
        context: &mut Context<'_>,
        (room, reading): (&mut impl Room, StreamReading),
    ) -> Poll<Result<(), Error>> {
        let read = self.shared.poll(waiter, context, |engine| {
            engine.poll_read_bytes(room, reading)
        });
        let read = ready!(read);
        if !matches!(read, Ok(Read::Bytes)) {
            let output = self.shared.with_engine(Engine::attend_end_of_bytes);
            self.shared.settle(output);
        }
        Poll::Ready(read.map(|_| ()))
    }

    pub(crate) fn poll_write_bytes(
        &self,
        waiter: &mut Waiter,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize, Error>> {
        let written = self
            .shared
            .poll(waiter, context, |engine| engine.poll_write_bytes(slices));
        let (count, output) = ready!(written)?;
        self.shared.settle(output);
        Poll::Ready(Ok(count))
    }

    pub(crate) fn poll_flush_bytes(
        &self,
        waiter: &mut Waiter,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        self.shared.poll(waiter, context, Engine::poll_flush_bytes)
    }

    /// Ends our direction; the other one goes on.
    pub(crate) fn poll_end_bytes(
        &self,
        waiter: &mut Waiter,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        let ended = self.shared.poll(waiter, context, Engine::poll_end_bytes);
        // Whoever called may give up before it is sent.
        self.shared.settle(ready!(ended)?);
        self.poll_flush(waiter, context)
    }

    /// The writing half is gone, the reading half is not.
    pub(crate) fn cut_writing(&self) {
        let output = self.shared.with_engine(Engine::cut_writing);
        self.shared.settle(output);
    }

    /// Sends what was written, then closes.
    pub(crate) async fn close_stream(&self, reason: CloseReason) -> Result<(), Error> {
        self.shared.with_engine(Engine::finish_bytes);
        self.close(reason).await
    }

    /// Ends the connection at once.
    pub(crate) fn abort(&self) {
        self.shared.with_engine(Engine::abort);
    }

    /// From now on a task that the caller spawns drives the connection, for handlers.
    pub(crate) fn begin_events(&self, handled: Handled) -> Result<Events, Error> {
        Events::begin(&self.shared, handled)
    }

    /// Has the connection driven in the background until its end.
    pub(crate) fn attend(&self) {
        let output = self.shared.with_engine(Engine::keep_attendant);
        self.shared.settle(output);
    }

    // ---- messages in parts ----

    /// Waits until no other message is under way; from then on others wait.
    pub(crate) async fn begin_message(&self) -> Result<(), Error> {
        self.wait(|engine| {
            ready!(engine.poll_turn())?;
            Poll::Ready(engine.begin_message())
        })
        .await
    }

    /// Sends the next part of the message that was begun.
    pub(crate) fn poll_send_part(
        &self,
        waiter: &mut Waiter,
        context: &mut Context<'_>,
        mut part: impl FnMut(&mut Connection) -> Result<(), SendError>,
    ) -> Poll<Result<(), Error>> {
        let sent = self.shared.poll(waiter, context, |engine| {
            ready!(engine.poll_room())?;
            Poll::Ready(engine.send(&mut part))
        });
        self.shared.settle(ready!(sent)?);
        Poll::Ready(Ok(()))
    }

    /// Others may send again.
    pub(crate) fn end_message(&self) {
        self.shared.with_engine(Engine::end_message);
    }

    /// The rest of the message will not come.
    pub(crate) fn abort_message(&self) {
        let output = self.shared.with_engine(Engine::abort_message);
        self.shared.settle(output);
    }

    /// Passes over what has not come of the message under way.
    pub(crate) fn skip_message(&self) {
        self.shared.with_engine(Engine::skip_message);
    }

    pub(crate) fn poll_received(
        &self,
        waiter: &mut Waiter,
        context: &mut Context<'_>,
        mode: ReceiveMode,
    ) -> Poll<Result<Option<Received>, Error>> {
        self.shared
            .poll(waiter, context, |engine| engine.poll_received(mode))
    }

    pub(crate) async fn receive_in(&self, mode: ReceiveMode) -> Result<Option<Received>, Error> {
        self.wait(|engine| engine.poll_received(mode)).await
    }

    fn wait<T, F>(&self, poll: F) -> Wait<'_, F>
    where
        F: FnMut(&mut Engine) -> Poll<T>,
    {
        self.shared.wait(poll)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if self.shared.with_engine(Engine::abandon).is_ready()
            || self.shared.with_engine(Engine::leave_to_attendant)
        {
            return;
        }
        match Handle::try_current() {
            Ok(runtime) => {
                runtime.spawn(Farewell(Arc::clone(&self.shared)).say());
            }
            Err(_) => self.shared.with_engine(Engine::abort),
        }
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
