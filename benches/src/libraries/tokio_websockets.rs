//! tokio-websockets.

use bytes::Bytes;
use tokio_websockets::{ClientBuilder, Limits, Message, ServerBuilder, WebSocketStream};

use crate::libraries::MAX_MESSAGE_SIZE;
use crate::libraries::stream_sink::{SinkMessage, StreamSink};
use crate::library::{Batching, ByteStream, Kind, Library, Outcome};
use crate::opening;

pub(crate) struct TokioWebSockets;

type Opened<S> = StreamSink<WebSocketStream<S>, Message>;

impl Library for TokioWebSockets {
    const NAME: &'static str = "tokio-websockets";
    const PACKAGE: &'static str = "tokio-websockets";
    const FLUSH: &'static str = "`send` flushes each message";
    const BATCHING: Batching = Batching::FeedAndFlush;

    type Server<S: ByteStream> = Opened<S>;
    type Client<S: ByteStream> = Opened<S>;

    async fn accept<S: ByteStream>(mut stream: S) -> Outcome<Opened<S>> {
        opening::answer(&mut stream).await?;
        let builder = ServerBuilder::new().limits(limits());
        Ok(StreamSink::new(builder.serve(stream)))
    }

    async fn connect<S: ByteStream>(mut stream: S) -> Outcome<Opened<S>> {
        opening::ask(&mut stream).await?;
        let builder = ClientBuilder::new().limits(limits());
        Ok(StreamSink::new(builder.take_over(stream)))
    }

    async fn answer_handshake<S: ByteStream>(stream: S) -> Outcome<()> {
        drop(ServerBuilder::new().accept(stream).await?);
        Ok(())
    }

    async fn ask_handshake<S: ByteStream>(stream: S) -> Outcome<()> {
        let builder = ClientBuilder::new().uri("ws://localhost/")?;
        drop(builder.connect_on(stream).await?);
        Ok(())
    }
}

fn limits() -> Limits {
    Limits::default().max_payload_len(Some(MAX_MESSAGE_SIZE))
}

impl SinkMessage for Message {
    fn new(kind: Kind, payload: &Bytes) -> Outcome<Self> {
        Ok(match kind {
            Kind::Text => Self::text(String::from_utf8(payload.to_vec())?),
            Kind::Binary => Self::binary(payload.clone()),
        })
    }

    fn data_length(&self) -> Option<usize> {
        (self.is_text() || self.is_binary()).then(|| self.as_payload().len())
    }
}
