//! wtx. Its own handshake agrees not to mask, an expired draft: masking stays on here. It masks in
//! place, so a prepared message is copied before each send.

use std::io::IoSlice;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wtx::collection::Vector;
use wtx::misc::UriRef;
use wtx::rng::{Xorshift64, simple_seed};
use wtx::stream::{StreamReader, StreamWriter};
use wtx::web_socket::compression::{Flate2, NegotiatedCompression, NegotiatedFlate2};
use wtx::web_socket::{
    CompressionLevel, DeflateConfig, Frame, OpCode, WebSocketAcceptor, WebSocketBuffer,
    WebSocketConnector, WebSocketOwned, WebSocketPayloadOrigin,
};

use crate::compression::{Compression, Takeover};
use crate::libraries::MAX_MESSAGE_SIZE;
use crate::library::{Batching, ByteStream, Compressing, Kind, Library, Outcome, Socket};
use crate::opening;

pub(crate) struct Wtx;

impl Library for Wtx {
    const NAME: &'static str = "wtx";
    const PACKAGE: &'static str = "wtx";
    const FLUSH: &'static str = "`write_frame` writes each message";
    const BATCHING: Batching = Batching::GatheredWrites;

    type Server<S: ByteStream> = Opened<S, (), false>;
    type Client<S: ByteStream> = Opened<S, (), true>;

    async fn accept<S: ByteStream>(mut stream: S) -> Outcome<Self::Server<S>> {
        opening::answer(&mut stream).await?;
        Ok(Opened::new(stream, ()))
    }

    async fn connect<S: ByteStream>(mut stream: S) -> Outcome<Self::Client<S>> {
        opening::ask(&mut stream).await?;
        Ok(Opened::new(stream, ()))
    }

    async fn answer_handshake<S: ByteStream>(stream: S) -> Outcome<()> {
        let acceptor = WebSocketAcceptor::default().no_masking(false);
        drop(acceptor.accept(Adapted(stream)).await?);
        Ok(())
    }

    async fn ask_handshake<S: ByteStream>(stream: S) -> Outcome<()> {
        let connector = WebSocketConnector::default().no_masking(false);
        let uri = UriRef::new("ws://localhost/");
        drop(connector.connect(Adapted(stream), &uri).await?);
        Ok(())
    }
}

impl Compressing for Wtx {
    type Compressed<S: ByteStream> = Opened<S, Option<NegotiatedFlate2>, false>;

    /// It forgets each message in both directions.
    fn has(takeover: Takeover) -> bool {
        takeover == Takeover::Off
    }

    async fn accept_compressing<S: ByteStream>(
        mut stream: S,
        compression: Compression,
    ) -> Outcome<Self::Compressed<S>> {
        let extension = compression.takeover.extension();
        opening::answer_agreeing(&mut stream, extension).await?;
        let config = DeflateConfig {
            client_max_window_bits: 15.try_into()?,
            compression_level: CompressionLevel::try_from(compression.level)?,
            server_max_window_bits: 15.try_into()?,
        };
        let field: [&[u8]; 2] = [b"sec-websocket-extensions", extension.as_bytes()];
        let agreed = <Flate2 as wtx::web_socket::Compression<false>>::negotiate(
            Flate2::from(config),
            [field].into_iter(),
        )?;
        Ok(Opened::new(stream, agreed))
    }
}

/// The byte stream, in the library's own traits as its implementation for TCP has them.
pub(crate) struct Adapted<S>(S);

impl<S: ByteStream> StreamReader for Adapted<S> {
    async fn read(&mut self, bytes: &mut [u8]) -> wtx::Result<usize> {
        Ok(self.0.read(bytes).await?)
    }
}

impl<S: ByteStream> StreamWriter for Adapted<S> {
    async fn write_all(&mut self, bytes: &[u8]) -> wtx::Result<()> {
        Ok(AsyncWriteExt::write_all(&mut self.0, bytes).await?)
    }

    async fn write_all_vectored(&mut self, parts: &[&[u8]]) -> wtx::Result<()> {
        let mut slices = [IoSlice::new(&[]); 8];
        for (slice, part) in slices.iter_mut().zip(parts) {
            *slice = IoSlice::new(part);
        }
        let mut slices = &mut slices[..parts.len()];
        IoSlice::advance_slices(&mut slices, 0);
        while !slices.is_empty() {
            let count = self.0.write_vectored(slices).await?;
            IoSlice::advance_slices(&mut slices, count);
        }
        Ok(())
    }
}

/// With what was agreed on about compressing.
pub(crate) struct Opened<S, C, const IS_CLIENT: bool> {
    socket: WebSocketOwned<C, Xorshift64, Adapted<S>, IS_CLIENT>,
    received: Vector<u8>,
    copy: Vec<u8>,
}

impl<S: ByteStream, C: NegotiatedCompression, const IS_CLIENT: bool> Opened<S, C, IS_CLIENT> {
    fn new(stream: S, compression: C) -> Self {
        let random = Xorshift64::from(simple_seed());
        let no_masking = false;
        let buffer = WebSocketBuffer::new();
        let mut socket =
            WebSocketOwned::new(compression, no_masking, random, Adapted(stream), buffer);
        socket.set_max_payload_len(MAX_MESSAGE_SIZE);
        Self {
            socket,
            received: Vector::new(),
            copy: Vec::new(),
        }
    }
}

impl<S, C, const IS_CLIENT: bool> Socket for Opened<S, C, IS_CLIENT>
where
    S: ByteStream,
    C: NegotiatedCompression + Send + 'static,
{
    type Prepared = (OpCode, Bytes);

    fn prepare(kind: Kind, payload: &Bytes) -> Outcome<Self::Prepared> {
        let opcode = match kind {
            Kind::Text => OpCode::Text,
            Kind::Binary => OpCode::Binary,
        };
        Ok((opcode, payload.clone()))
    }

    async fn receive(&mut self) -> Outcome<Option<usize>> {
        loop {
            self.received.clear();
            let origin = WebSocketPayloadOrigin::Adaptive;
            let frame = self.socket.read_frame(&mut self.received, origin).await?;
            match frame.op_code() {
                OpCode::Text | OpCode::Binary => return Ok(Some(frame.payload().len())),
                OpCode::Close => return Ok(None),
                _ => {}
            }
        }
    }

    async fn send(&mut self, (opcode, payload): &Self::Prepared) -> Outcome<()> {
        self.copy.clear();
        self.copy.extend_from_slice(payload);
        let mut frame = Frame::new_fin(*opcode, &mut self.copy[..]);
        Ok(self.socket.write_frame(&mut frame).await?)
    }

    /// It has no queue.
    async fn feed(&mut self, message: &Self::Prepared) -> Outcome<()> {
        self.send(message).await
    }

    async fn flush(&mut self) -> Outcome<()> {
        Ok(())
    }

    async fn echo(&mut self) -> Outcome<Option<usize>> {
        loop {
            self.received.clear();
            let origin = WebSocketPayloadOrigin::Adaptive;
            let (mut common, mut reader, mut writer) = self.socket.split_mut();
            let mut frame = reader
                .read_frame(&mut self.received, &mut common, origin)
                .await?;
            let opcode = frame.op_code();
            match opcode {
                OpCode::Text | OpCode::Binary => {
                    let length = frame.payload().len();
                    let mut reply =
                        Frame::<_, IS_CLIENT>::new_fin(opcode, &mut **frame.payload_mut());
                    writer.write_frame(&mut common, &mut reply).await?;
                    return Ok(Some(length));
                }
                OpCode::Close => return Ok(None),
                _ => {}
            }
        }
    }
}
