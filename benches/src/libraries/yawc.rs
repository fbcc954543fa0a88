//! yawc. It checks UTF-8 only when told to, and refuses messages above 1 MiB by default.

use bytes::Bytes;
use yawc::{CompressionLevel, DeflateOptions, Frame, HttpStream, OpCode, Options, Role, WebSocket};

use crate::compression::{Compression, Takeover};
use crate::libraries::MAX_MESSAGE_SIZE;
use crate::libraries::hyper_upgrade;
use crate::libraries::stream_sink::{Item, SinkMessage, StreamSink};
use crate::library::{Batching, ByteStream, Compressing, Kind, Library, Outcome};
use crate::opening;

pub(crate) struct Yawc;

type Opened<S> = StreamSink<WebSocket<S>, Frame>;

impl Library for Yawc {
    const NAME: &'static str = "yawc";
    const PACKAGE: &'static str = "yawc";
    const FLUSH: &'static str = "`send` flushes each message";
    const BATCHING: Batching = Batching::FeedAndFlush;

    type Server<S: ByteStream> = Opened<S>;
    type Client<S: ByteStream> = Opened<S>;

    async fn accept<S: ByteStream>(mut stream: S) -> Outcome<Opened<S>> {
        opening::answer(&mut stream).await?;
        opened(stream, Role::Server)
    }

    async fn connect<S: ByteStream>(mut stream: S) -> Outcome<Opened<S>> {
        opening::ask(&mut stream).await?;
        opened(stream, Role::Client)
    }

    async fn answer_handshake<S: ByteStream>(stream: S) -> Outcome<()> {
        let upgrade =
            |request: &mut _| WebSocket::<HttpStream>::upgrade_with_options(request, options());
        drop(hyper_upgrade::serve(stream, upgrade).await??);
        Ok(())
    }

    async fn ask_handshake<S: ByteStream>(stream: S) -> Outcome<()> {
        let url = "ws://localhost/".parse()?;
        drop(WebSocket::handshake(url, stream, options()).await?);
        Ok(())
    }
}

impl Compressing for Yawc {
    type Compressed<S: ByteStream> = Opened<S>;

    async fn accept_compressing<S: ByteStream>(
        mut stream: S,
        compression: Compression,
    ) -> Outcome<Opened<S>> {
        let extension = compression.takeover.extension();
        opening::answer_agreeing(&mut stream, extension).await?;
        let starts_anew = compression.takeover == Takeover::Off;
        let mut options = options();
        options.compression = Some(DeflateOptions {
            level: CompressionLevel::new(compression.level.into()),
            server_no_context_takeover: starts_anew,
            client_no_context_takeover: starts_anew,
            compression_threshold: 0,
            ..DeflateOptions::default()
        });
        let socket =
            WebSocket::from_stream_with_extensions(stream, Role::Server, Some(extension), options)?;
        Ok(StreamSink::new(socket))
    }
}

fn opened<S: ByteStream>(stream: S, role: Role) -> Outcome<Opened<S>> {
    let socket = WebSocket::from_stream(stream, role, options())?;
    Ok(StreamSink::new(socket))
}

fn options() -> Options {
    Options::default()
        .with_utf8()
        .with_limits(MAX_MESSAGE_SIZE, 2 * MAX_MESSAGE_SIZE)
}

impl SinkMessage for Frame {
    fn new(kind: Kind, payload: &Bytes) -> Outcome<Self> {
        Ok(match kind {
            Kind::Text => Self::text(payload.clone()),
            Kind::Binary => Self::binary(payload.clone()),
        })
    }

    fn data_length(&self) -> Option<usize> {
        match self.opcode() {
            OpCode::Text | OpCode::Binary => Some(self.payload().len()),
            _ => None,
        }
    }
}

/// Its stream ends at an error.
impl Item<Self> for Frame {
    fn into_message(self) -> Outcome<Self> {
        Ok(self)
    }
}
