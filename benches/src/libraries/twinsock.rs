//! twinsock: `MessageWebSocket`, with owned messages.

use bytes::Bytes;
use futures_util::SinkExt;
use twinsock::{
    AcceptOptions, Compress, ContextTakeover, DeflateLevel, DeflateTerms, Message,
    MessageWebSocket, Utf8Bytes,
};

use crate::compression::{Compression, Takeover};
use crate::libraries::{MAX_MESSAGE_SIZE, SMALL};
use crate::library::{Batching, ByteStream, Compressing, Kind, Library, Outcome, Socket, Standing};

pub(crate) struct Twinsock;

impl Library for Twinsock {
    const NAME: &'static str = "twinsock";
    const PACKAGE: &'static str = "twinsock";
    const STANDING: Standing = Standing::Ours;
    const FLUSH: &'static str = "`send` gathers while received messages wait, and flushes before \
                                 `receive` waits";
    const BATCHING: Batching = Batching::PlainLoop;

    type Server<S: ByteStream> = MessageWebSocket;
    type Client<S: ByteStream> = MessageWebSocket;

    async fn accept<S: ByteStream>(stream: S) -> Outcome<MessageWebSocket> {
        let options = AcceptOptions::new().max_message_size(MAX_MESSAGE_SIZE as u64);
        Ok(options.accept(stream).await?)
    }

    async fn connect<S: ByteStream>(stream: S) -> Outcome<MessageWebSocket> {
        let builder = MessageWebSocket::builder().max_message_size(MAX_MESSAGE_SIZE as u64);
        Ok(builder.connect_over(stream, "ws://localhost/").await?)
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

impl Compressing for Twinsock {
    type Compressed<S: ByteStream> = MessageWebSocket;

    async fn accept_compressing<S: ByteStream>(
        stream: S,
        compression: Compression,
    ) -> Outcome<MessageWebSocket> {
        let context_takeover = context_takeover(compression.takeover);
        let terms = DeflateTerms {
            server_context_takeover: context_takeover,
            client_context_takeover: context_takeover,
            ..DeflateTerms::default()
        };
        let options = AcceptOptions::new()
            .max_message_size(MAX_MESSAGE_SIZE as u64)
            .deflate(terms)
            .compression(compression_as(compression)?);
        Ok(options.accept(stream).await?)
    }
}

pub(super) fn context_takeover(takeover: Takeover) -> ContextTakeover {
    match takeover {
        Takeover::On => ContextTakeover::On,
        Takeover::Off => ContextTakeover::Off,
    }
}

/// With that level, and for every size.
pub(super) fn compression_as(compression: Compression) -> Outcome<twinsock::Compression> {
    Ok(twinsock::Compression {
        level: DeflateLevel::new(compression.level).ok_or("expected a level from 1 to 9")?,
        least_size: Some(0),
        compress: Compress::Auto,
    })
}

impl Socket for MessageWebSocket {
    type Prepared = Message;

    fn prepare(kind: Kind, payload: &Bytes) -> Outcome<Message> {
        Ok(match kind {
            Kind::Text => Message::Text(Utf8Bytes::try_from(payload.clone())?),
            Kind::Binary => Message::Binary(payload.clone()),
        })
    }

    async fn receive(&mut self) -> Outcome<Option<usize>> {
        let message = MessageWebSocket::receive(self).await?;
        Ok(message.as_ref().map(length))
    }

    /// A small message is copied rather than shared, which costs less.
    async fn send(&mut self, message: &Message) -> Outcome<()> {
        match message {
            Message::Text(text) if text.len() < SMALL => self.send_text(text).await?,
            Message::Binary(bytes) if bytes.len() < SMALL => self.send_binary(bytes).await?,
            _ => MessageWebSocket::send(self, message.clone()).await?,
        }
        Ok(())
    }

    async fn feed(&mut self, message: &Message) -> Outcome<()> {
        Ok(SinkExt::feed(self, message.clone()).await?)
    }

    async fn flush(&mut self) -> Outcome<()> {
        Ok(MessageWebSocket::flush(self).await?)
    }

    async fn echo(&mut self) -> Outcome<Option<usize>> {
        let Some(message) = MessageWebSocket::receive(self).await? else {
            return Ok(None);
        };
        let length = length(&message);
        MessageWebSocket::send(self, message).await?;
        Ok(Some(length))
    }
}

fn length(message: &Message) -> usize {
    match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) => bytes.len(),
    }
}
