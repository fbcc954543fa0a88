//! twinsock's core alone, with messages lent in place: `twinsock_proto::Connection` and the least
//! that drives it. It lacks the timers, so it takes part in memory only.

use std::time::Instant;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use twinsock_proto::{
    Connection, Deflate, DeflateDirection, DeflateParameters, Event, Message, Role, Settings,
    Transmit, Utf8Bytes,
};

use crate::compression::Compression;
use crate::libraries::{SMALL, twinsock};
use crate::library::{Batching, ByteStream, Compressing, Kind, Library, Outcome, Socket, Standing};
use crate::opening;
use crate::workload::Task;

pub(crate) struct TwinsockCore;

impl Library for TwinsockCore {
    const NAME: &'static str = "twinsock core, lent";
    const PACKAGE: &'static str = "twinsock-proto";
    const FLUSH: &'static str = "as its driver wants: here when nothing more has been read";
    const BATCHING: Batching = Batching::PlainLoop;
    const STANDING: Standing = Standing::Ours;

    type Server<S: ByteStream> = Driven<S>;
    type Client<S: ByteStream> = Driven<S>;

    fn takes_part_in(task: Task) -> bool {
        matches!(
            task,
            Task::Parse | Task::Serialise | Task::MemoryEcho | Task::MemoryDeflate(_)
        )
    }

    async fn accept<S: ByteStream>(mut stream: S) -> Outcome<Driven<S>> {
        opening::answer(&mut stream).await?;
        Ok(Driven::new(stream, Role::Server, Settings::default()))
    }

    async fn connect<S: ByteStream>(mut stream: S) -> Outcome<Driven<S>> {
        opening::ask(&mut stream).await?;
        Ok(Driven::new(stream, Role::Client, Settings::default()))
    }

    async fn answer_handshake<S: ByteStream>(stream: S) -> Outcome<()> {
        drop(Self::accept(stream).await?);
        Ok(())
    }

    async fn ask_handshake<S: ByteStream>(stream: S) -> Outcome<()> {
        drop(Self::connect(stream).await?);
        Ok(())
    }
}

impl Compressing for TwinsockCore {
    type Compressed<S: ByteStream> = Driven<S>;

    async fn accept_compressing<S: ByteStream>(
        mut stream: S,
        compression: Compression,
    ) -> Outcome<Driven<S>> {
        opening::answer_agreeing(&mut stream, compression.takeover.extension()).await?;
        let settings = Settings {
            deflate: Some(deflate(compression)?),
            ..Settings::default()
        };
        Ok(Driven::new(stream, Role::Server, settings))
    }
}

fn deflate(compression: Compression) -> Outcome<Deflate> {
    let direction = DeflateDirection {
        context_takeover: twinsock::context_takeover(compression.takeover),
        ..DeflateDirection::default()
    };
    Ok(Deflate {
        parameters: DeflateParameters {
            client: direction,
            server: direction,
        },
        compression: twinsock::compression_as(compression)?,
    })
}

/// A connection and its byte stream.
pub(crate) struct Driven<S> {
    stream: S,
    connection: Connection,
    /// A small echo is copied out of the connection's memory, which must be free again to send.
    text: String,
    binary: Vec<u8>,
}

impl<S: ByteStream> Driven<S> {
    fn new(stream: S, role: Role, settings: Settings) -> Self {
        let seed = std::array::from_fn(|_| fastrand::u8(..));
        Self {
            stream,
            connection: Connection::new(role, settings, seed, Instant::now()),
            text: String::new(),
            binary: Vec::new(),
        }
    }

    /// `false` at the end of the stream.
    async fn read(&mut self) -> Outcome<bool> {
        let count = self
            .stream
            .read_buf(&mut self.connection.receive_memory())
            .await?;
        self.connection.handle_received(Instant::now());
        Ok(count > 0)
    }

    async fn transmit(&mut self) -> Outcome<()> {
        while let Some(Transmit::Bytes(queue)) = self.connection.poll_transmit() {
            let count = self.stream.write_buf(queue).await?;
            self.connection.handle_transmitted(Instant::now(), count);
        }
        Ok(())
    }

    async fn make_room(&mut self) -> Outcome<()> {
        match self.connection.has_room() {
            true => Ok(()),
            false => self.transmit().await,
        }
    }

    /// Queues the next message that has been read.
    fn echo_read(&mut self) -> Outcome<Option<usize>> {
        let Some(Event::MessageReceived(message)) = self.connection.poll_event() else {
            return Ok(None);
        };
        let length = message.as_bytes().len();
        if length >= SMALL {
            let message = message.into_owned();
            self.connection.send(message)?;
        } else {
            if let Some(text) = message.as_text() {
                self.text.clear();
                self.text.push_str(text);
                self.connection.send_text(&self.text)?;
            } else {
                self.binary.clear();
                self.binary.extend_from_slice(message.as_bytes());
                self.connection.send_binary(&self.binary)?;
            }
        }
        Ok(Some(length))
    }
}

impl<S: ByteStream> Socket for Driven<S> {
    type Prepared = Message;

    fn prepare(kind: Kind, payload: &Bytes) -> Outcome<Message> {
        Ok(match kind {
            Kind::Text => Message::Text(Utf8Bytes::try_from(payload.clone())?),
            Kind::Binary => Message::Binary(payload.clone()),
        })
    }

    async fn receive(&mut self) -> Outcome<Option<usize>> {
        loop {
            if let Some(Event::MessageReceived(message)) = self.connection.poll_event() {
                return Ok(Some(std::hint::black_box(message.as_bytes()).len()));
            }
            if !self.read().await? {
                return Ok(None);
            }
        }
    }

    async fn send(&mut self, message: &Message) -> Outcome<()> {
        self.feed(message).await?;
        self.transmit().await
    }

    async fn feed(&mut self, message: &Message) -> Outcome<()> {
        self.make_room().await?;
        match message {
            Message::Text(text) if text.len() < SMALL => self.connection.send_text(text)?,
            Message::Binary(bytes) if bytes.len() < SMALL => self.connection.send_binary(bytes)?,
            _ => self.connection.send(message.clone())?,
        }
        Ok(())
    }

    async fn flush(&mut self) -> Outcome<()> {
        self.transmit().await
    }

    async fn echo(&mut self) -> Outcome<Option<usize>> {
        loop {
            if let Some(length) = self.echo_read()? {
                self.make_room().await?;
                return Ok(Some(length));
            }
            self.transmit().await?;
            if !self.read().await? {
                return Ok(None);
            }
        }
    }
}
