//! twinsock: a split `MessageWebSocket` whose messages are lent where they stand.

use bytes::Bytes;
use twinsock::{Message, MessageLender, MessageSender, MessageWebSocket};

use crate::compression::Compression;
use crate::libraries::SMALL;
use crate::libraries::twinsock::Twinsock;
use crate::library::{Batching, ByteStream, Compressing, Kind, Library, Outcome, Socket, Standing};
use crate::workload::{Direction, Task};

pub(crate) struct TwinsockLent;

impl Library for TwinsockLent {
    const NAME: &'static str = "twinsock, lent";
    const PACKAGE: &'static str = "twinsock";
    const STANDING: Standing = Standing::Ours;
    const FLUSH: &'static str = Twinsock::FLUSH;
    const BATCHING: Batching = Twinsock::BATCHING;

    type Server<S: ByteStream> = Lent;
    type Client<S: ByteStream> = Lent;

    /// All that receives; what only sends is the same without it.
    fn takes_part_in(task: Task) -> bool {
        !matches!(
            task,
            Task::Serialise
                | Task::Bulk(Direction::Send)
                | Task::HandshakeInMemory
                | Task::HandshakeOverTcp
        )
    }

    async fn accept<S: ByteStream>(stream: S) -> Outcome<Lent> {
        Ok(Lent::new(Twinsock::accept(stream).await?))
    }

    async fn connect<S: ByteStream>(stream: S) -> Outcome<Lent> {
        Ok(Lent::new(Twinsock::connect(stream).await?))
    }

    async fn answer_handshake<S: ByteStream>(stream: S) -> Outcome<()> {
        Twinsock::answer_handshake(stream).await
    }

    async fn ask_handshake<S: ByteStream>(stream: S) -> Outcome<()> {
        Twinsock::ask_handshake(stream).await
    }
}

impl Compressing for TwinsockLent {
    type Compressed<S: ByteStream> = Lent;

    async fn accept_compressing<S: ByteStream>(
        stream: S,
        compression: Compression,
    ) -> Outcome<Lent> {
        Ok(Lent::new(
            Twinsock::accept_compressing(stream, compression).await?,
        ))
    }
}

pub(crate) struct Lent {
    sender: MessageSender,
    messages: MessageLender,
}

impl Lent {
    fn new(socket: MessageWebSocket) -> Self {
        let (sender, receiver) = socket.split();
        Self {
            sender,
            messages: receiver.lend(),
        }
    }
}

impl Socket for Lent {
    type Prepared = Message;

    fn prepare(kind: Kind, payload: &Bytes) -> Outcome<Message> {
        MessageWebSocket::prepare(kind, payload)
    }

    async fn receive(&mut self) -> Outcome<Option<usize>> {
        let message = self.messages.receive().await?;
        Ok(message.map(|message| std::hint::black_box(message.as_bytes()).len()))
    }

    async fn send(&mut self, message: &Message) -> Outcome<()> {
        match message {
            Message::Text(text) if text.len() < SMALL => self.sender.send_text(text).await?,
            Message::Binary(bytes) if bytes.len() < SMALL => self.sender.send_binary(bytes).await?,
            _ => self.sender.send(message.clone()).await?,
        }
        Ok(())
    }

    /// A half of a socket has no queue of its own.
    async fn feed(&mut self, message: &Message) -> Outcome<()> {
        self.send(message).await
    }

    async fn flush(&mut self) -> Outcome<()> {
        Ok(self.sender.flush().await?)
    }

    async fn echo(&mut self) -> Outcome<Option<usize>> {
        let Some(message) = self.messages.receive().await? else {
            return Ok(None);
        };
        self.sender.send_ref(&message).await?;
        Ok(Some(message.as_bytes().len()))
    }
}
