//! sockudo-ws.

use bytes::Bytes;
use sockudo_ws::{Config, Message, Role, WebSocketStream};

use crate::libraries::MAX_MESSAGE_SIZE;
use crate::libraries::stream_sink::{SinkMessage, StreamSink};
use crate::library::{Batching, ByteStream, Kind, Library, Outcome};
use crate::opening;

pub(crate) struct Sockudo;

type Opened<S> = StreamSink<WebSocketStream<S>, Message>;

impl Library for Sockudo {
    const NAME: &'static str = "sockudo-ws";
    const PACKAGE: &'static str = "sockudo-ws";
    const FLUSH: &'static str = "`send` flushes each message";
    const BATCHING: Batching = Batching::FeedAndFlush;

    type Server<S: ByteStream> = Opened<S>;
    type Client<S: ByteStream> = Opened<S>;

    async fn accept<S: ByteStream>(mut stream: S) -> Outcome<Opened<S>> {
        opening::answer(&mut stream).await?;
        Ok(opened(stream, Role::Server))
    }

    async fn connect<S: ByteStream>(mut stream: S) -> Outcome<Opened<S>> {
        opening::ask(&mut stream).await?;
        Ok(opened(stream, Role::Client))
    }

    async fn answer_handshake<S: ByteStream>(mut stream: S) -> Outcome<()> {
        let found = sockudo_ws::handshake::server_handshake(&mut stream).await?;
        let config = Config::default();
        let role = Role::Server;
        drop(WebSocketStream::from_raw_with_leftover(
            stream,
            role,
            config,
            found.leftover,
        ));
        Ok(())
    }

    async fn ask_handshake<S: ByteStream>(mut stream: S) -> Outcome<()> {
        let found =
            sockudo_ws::handshake::client_handshake(&mut stream, "localhost", "/", None).await?;
        let config = Config::default();
        let role = Role::Client;
        drop(WebSocketStream::from_raw_with_leftover(
            stream,
            role,
            config,
            found.leftover,
        ));
        Ok(())
    }
}

fn opened<S: ByteStream>(stream: S, role: Role) -> Opened<S> {
    let config = Config::builder()
        .max_payload_length(MAX_MESSAGE_SIZE)
        .build();
    StreamSink::new(WebSocketStream::from_raw(stream, role, config))
}

impl SinkMessage for Message {
    fn new(kind: Kind, payload: &Bytes) -> Outcome<Self> {
        Ok(match kind {
            Kind::Text => Self::Text(payload.clone()),
            Kind::Binary => Self::Binary(payload.clone()),
        })
    }

    fn data_length(&self) -> Option<usize> {
        match self {
            Self::Text(bytes) | Self::Binary(bytes) => Some(bytes.len()),
            _ => None,
        }
    }
}
