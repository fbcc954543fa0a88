//! tokio-tungstenite.

use bytes::Bytes;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use crate::libraries::MAX_MESSAGE_SIZE;
use crate::libraries::stream_sink::{SinkMessage, StreamSink};
use crate::library::{Batching, ByteStream, Kind, Library, Outcome};
use crate::opening;

pub(crate) struct Tungstenite;

type Opened<S> = StreamSink<WebSocketStream<S>, Message>;

impl Library for Tungstenite {
    const NAME: &'static str = "tokio-tungstenite";
    const PACKAGE: &'static str = "tokio-tungstenite";
    const FLUSH: &'static str = "`send` flushes each message";
    const BATCHING: Batching = Batching::FeedAndFlush;

    type Server<S: ByteStream> = Opened<S>;
    type Client<S: ByteStream> = Opened<S>;

    async fn accept<S: ByteStream>(mut stream: S) -> Outcome<Opened<S>> {
        opening::answer(&mut stream).await?;
        Ok(opened(stream, Role::Server).await)
    }

    async fn connect<S: ByteStream>(mut stream: S) -> Outcome<Opened<S>> {
        opening::ask(&mut stream).await?;
        Ok(opened(stream, Role::Client).await)
    }

    async fn answer_handshake<S: ByteStream>(stream: S) -> Outcome<()> {
        drop(tokio_tungstenite::accept_async(stream).await?);
        Ok(())
    }

    async fn ask_handshake<S: ByteStream>(stream: S) -> Outcome<()> {
        drop(tokio_tungstenite::client_async("ws://localhost/", stream).await?);
        Ok(())
    }
}

async fn opened<S: ByteStream>(stream: S, role: Role) -> Opened<S> {
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE_SIZE))
        .max_frame_size(Some(MAX_MESSAGE_SIZE));
    StreamSink::new(WebSocketStream::from_raw_socket(stream, role, Some(config)).await)
}

impl SinkMessage for Message {
    fn new(kind: Kind, payload: &Bytes) -> Outcome<Self> {
        Ok(match kind {
            Kind::Text => Self::Text(Utf8Bytes::try_from(payload.clone())?),
            Kind::Binary => Self::Binary(payload.clone()),
        })
    }

    fn data_length(&self) -> Option<usize> {
        match self {
            Self::Text(text) => Some(text.len()),
            Self::Binary(bytes) => Some(bytes.len()),
            _ => None,
        }
    }
}
