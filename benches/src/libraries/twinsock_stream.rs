//! twinsock: `StreamWebSocket`, a byte stream that is read and written 64 KiB at a time.

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use twinsock::{AcceptOptions, StreamWebSocket};

use crate::library::{Batching, ByteStream, Kind, Library, Outcome, Socket, Standing};
use crate::workload::{BULK_SIZE, Task};

pub(crate) struct TwinsockStream;

impl Library for TwinsockStream {
    const NAME: &'static str = "twinsock stream";
    const PACKAGE: &'static str = "twinsock";
    const STANDING: Standing = Standing::Ours;
    const FLUSH: &'static str = "what is written is gathered; a frame goes out at 64 KiB";
    const BATCHING: Batching = Batching::PlainLoop;

    type Server<S: ByteStream> = Bytewise;
    type Client<S: ByteStream> = Bytewise;

    /// It has no messages.
    fn takes_part_in(task: Task) -> bool {
        matches!(task, Task::Bulk(_))
    }

    async fn accept<S: ByteStream>(stream: S) -> Outcome<Bytewise> {
        let stream = AcceptOptions::new().accept_stream(stream).await?;
        Ok(Bytewise::new(stream))
    }

    async fn connect<S: ByteStream>(stream: S) -> Outcome<Bytewise> {
        let stream = StreamWebSocket::connect_over(stream, "ws://localhost/").await?;
        Ok(Bytewise::new(stream))
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

pub(crate) struct Bytewise {
    stream: StreamWebSocket,
    memory: Vec<u8>,
}

impl Bytewise {
    fn new(stream: StreamWebSocket) -> Self {
        Self {
            stream,
            memory: vec![0; BULK_SIZE],
        }
    }
}

impl Socket for Bytewise {
    type Prepared = Bytes;

    fn prepare(_: Kind, payload: &Bytes) -> Outcome<Bytes> {
        Ok(payload.clone())
    }

    /// As many bytes as one read gives.
    async fn receive(&mut self) -> Outcome<Option<usize>> {
        let count = self.stream.read(&mut self.memory).await?;
        Ok((count > 0).then_some(count))
    }

    async fn send(&mut self, message: &Bytes) -> Outcome<()> {
        Ok(self.stream.write_all(message).await?)
    }

    async fn feed(&mut self, message: &Bytes) -> Outcome<()> {
        self.send(message).await
    }

    async fn flush(&mut self) -> Outcome<()> {
        Ok(self.stream.flush().await?)
    }

    async fn echo(&mut self) -> Outcome<Option<usize>> {
        let count = self.stream.read(&mut self.memory).await?;
        self.stream.write_all(&self.memory[..count]).await?;
        Ok((count > 0).then_some(count))
    }
}
