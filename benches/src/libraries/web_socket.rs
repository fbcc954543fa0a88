//! web-socket. It leaves the handshake, the read buffer and the check of text to the application:
//! here a `BufReader`, as in its examples, and the standard library's check.

use bytes::Bytes;
use tokio::io::BufReader;
use web_socket::{DataType, Event, MessageType, WebSocket};

use crate::library::{Batching, ByteStream, Kind, Library, Outcome, Socket};
use crate::opening;
use crate::workload::Task;

pub(crate) struct WebSocketCrate;

impl Library for WebSocketCrate {
    const NAME: &'static str = "web-socket";
    const PACKAGE: &'static str = "web-socket";
    const FLUSH: &'static str = "`send` writes each message";
    const BATCHING: Batching = Batching::GatheredWrites;

    type Server<S: ByteStream> = Buffered<S>;
    type Client<S: ByteStream> = Buffered<S>;

    /// It has no handshake.
    fn takes_part_in(task: Task) -> bool {
        !matches!(task, Task::HandshakeInMemory | Task::HandshakeOverTcp)
    }

    async fn accept<S: ByteStream>(mut stream: S) -> Outcome<Buffered<S>> {
        opening::answer(&mut stream).await?;
        Ok(Buffered(WebSocket::server(BufReader::new(stream))))
    }

    async fn connect<S: ByteStream>(mut stream: S) -> Outcome<Buffered<S>> {
        opening::ask(&mut stream).await?;
        Ok(Buffered(WebSocket::client(BufReader::new(stream))))
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

pub(crate) struct Buffered<S>(WebSocket<BufReader<S>>);

/// A message that was received.
enum Received {
    Text(String),
    Binary(Box<[u8]>),
}

impl<S: ByteStream> Buffered<S> {
    async fn next(&mut self) -> Outcome<Option<Received>> {
        loop {
            match self.0.recv().await? {
                Event::Data {
                    ty: DataType::Complete(message_type),
                    data,
                } => {
                    return Ok(Some(match message_type {
                        MessageType::Text => Received::Text(String::from_utf8(data.into_vec())?),
                        MessageType::Binary => Received::Binary(data),
                    }));
                }
                Event::Ping(_) | Event::Pong(_) => {}
                Event::Data { .. } | Event::Error(_) | Event::Close { .. } => return Ok(None),
            }
        }
    }
}

impl<S: ByteStream> Socket for Buffered<S> {
    type Prepared = Prepared;

    fn prepare(kind: Kind, payload: &Bytes) -> Outcome<Prepared> {
        Ok(match kind {
            Kind::Text => Prepared::Text(String::from_utf8(payload.to_vec())?),
            Kind::Binary => Prepared::Binary(payload.clone()),
        })
    }

    async fn receive(&mut self) -> Outcome<Option<usize>> {
        Ok(self.next().await?.map(|received| match received {
            Received::Text(text) => text.len(),
            Received::Binary(bytes) => bytes.len(),
        }))
    }

    async fn send(&mut self, message: &Prepared) -> Outcome<()> {
        match message {
            Prepared::Text(text) => self.0.send(text.as_str()).await?,
            Prepared::Binary(bytes) => self.0.send(&bytes[..]).await?,
        }
        Ok(())
    }

    /// It has no queue.
    async fn feed(&mut self, message: &Prepared) -> Outcome<()> {
        self.send(message).await
    }

    async fn flush(&mut self) -> Outcome<()> {
        Ok(())
    }

    async fn echo(&mut self) -> Outcome<Option<usize>> {
        Ok(match self.next().await? {
            None => None,
            Some(Received::Text(text)) => {
                self.0.send(text.as_str()).await?;
                Some(text.len())
            }
            Some(Received::Binary(bytes)) => {
                self.0.send(&bytes[..]).await?;
                Some(bytes.len())
            }
        })
    }
}

/// A message to send.
pub(crate) enum Prepared {
    Text(String),
    Binary(Bytes),
}
