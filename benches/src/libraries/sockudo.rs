//! sockudo-ws.

use bytes::Bytes;
use sockudo_ws::deflate::DeflateConfig;
use sockudo_ws::{CompressedWebSocketStream, Config, Message, Role, WebSocketStream};

use crate::compression::{Compression, Takeover};
use crate::libraries::MAX_MESSAGE_SIZE;
use crate::libraries::stream_sink::{SinkMessage, StreamSink};
use crate::library::{Batching, ByteStream, Compressing, Kind, Library, Outcome};
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

impl Compressing for Sockudo {
    type Compressed<S: ByteStream> = StreamSink<CompressedWebSocketStream<S>, Message>;

    async fn accept_compressing<S: ByteStream>(
        mut stream: S,
        compression: Compression,
    ) -> Outcome<Self::Compressed<S>> {
        opening::answer_agreeing(&mut stream, compression.takeover.extension()).await?;
        let starts_anew = compression.takeover == Takeover::Off;
        let deflate = DeflateConfig {
            server_no_context_takeover: starts_anew,
            client_no_context_takeover: starts_anew,
            compression_level: compression.level.into(),
            compression_threshold: 0,
            ..DeflateConfig::default()
        };
        let socket = CompressedWebSocketStream::server(stream, config(), deflate);
        Ok(StreamSink::new(socket))
    }
}

fn opened<S: ByteStream>(stream: S, role: Role) -> Opened<S> {
    StreamSink::new(WebSocketStream::from_raw(stream, role, config()))
}

fn config() -> Config {
    Config::builder()
        .max_payload_length(MAX_MESSAGE_SIZE)
        .build()
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
