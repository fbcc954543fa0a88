//! fastwebsockets, with its `FragmentCollector`, which checks UTF-8.

use bytes::Bytes;
use fastwebsockets::{FragmentCollector, Frame, OpCode, Payload, Role, WebSocket, handshake};
use http_body_util::Empty;
use hyper::Request;
use hyper_util::rt::TokioExecutor;

use crate::libraries::{MAX_MESSAGE_SIZE, hyper_upgrade};
use crate::library::{Batching, ByteStream, Kind, Library, Outcome, Socket};
use crate::opening;

pub(crate) struct FastWebSockets;

impl Library for FastWebSockets {
    const NAME: &'static str = "fastwebsockets";
    const PACKAGE: &'static str = "fastwebsockets";
    const FLUSH: &'static str = "`write_frame` writes each message";
    const BATCHING: Batching = Batching::GatheredWrites;

    type Server<S: ByteStream> = Collected<S>;
    type Client<S: ByteStream> = Collected<S>;

    async fn accept<S: ByteStream>(mut stream: S) -> Outcome<Collected<S>> {
        opening::answer(&mut stream).await?;
        Ok(Collected::new(stream, Role::Server))
    }

    async fn connect<S: ByteStream>(mut stream: S) -> Outcome<Collected<S>> {
        opening::ask(&mut stream).await?;
        Ok(Collected::new(stream, Role::Client))
    }

    async fn answer_handshake<S: ByteStream>(stream: S) -> Outcome<()> {
        let upgrade = |request: &mut _| fastwebsockets::upgrade::upgrade(request);
        drop(hyper_upgrade::serve(stream, upgrade).await??);
        Ok(())
    }

    async fn ask_handshake<S: ByteStream>(stream: S) -> Outcome<()> {
        let request = Request::builder()
            .method("GET")
            .uri("/")
            .header("Host", "localhost")
            .header("Upgrade", "websocket")
            .header("Connection", "upgrade")
            .header("Sec-WebSocket-Key", handshake::generate_key())
            .header("Sec-WebSocket-Version", "13")
            .body(Empty::<Bytes>::new())?;
        drop(handshake::client(&TokioExecutor::new(), request, stream).await?);
        Ok(())
    }
}

pub(crate) struct Collected<S>(FragmentCollector<S>);

impl<S: ByteStream> Collected<S> {
    fn new(stream: S, role: Role) -> Self {
        let mut socket = WebSocket::after_handshake(stream, role);
        socket.set_max_message_size(MAX_MESSAGE_SIZE);
        Self(FragmentCollector::new(socket))
    }
}

impl<S: ByteStream> Socket for Collected<S> {
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
            let frame = self.0.read_frame().await?;
            match frame.opcode {
                OpCode::Text | OpCode::Binary => return Ok(Some(frame.payload.len())),
                OpCode::Close => return Ok(None),
                _ => {}
            }
        }
    }

    async fn send(&mut self, (opcode, payload): &Self::Prepared) -> Outcome<()> {
        let frame = Frame::new(true, *opcode, None, Payload::Borrowed(payload));
        Ok(self.0.write_frame(frame).await?)
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
            let frame = self.0.read_frame().await?;
            match frame.opcode {
                OpCode::Text | OpCode::Binary => {
                    let length = frame.payload.len();
                    // The received frame keeps its mask, and a server must not mask.
                    let reply = Frame::new(true, frame.opcode, None, frame.payload);
                    self.0.write_frame(reply).await?;
                    return Ok(Some(length));
                }
                OpCode::Close => return Ok(None),
                _ => {}
            }
        }
    }
}
