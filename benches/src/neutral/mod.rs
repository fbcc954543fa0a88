//! The other side over TCP: it sends frames built beforehand and counts bytes, and knows no
//! library. It runs on a thread of its own, with blocking calls.

mod echoes;
mod flow;
mod handshakes;
mod replies;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::frames::Frames;
use crate::library::Outcome;
pub(crate) use crate::neutral::echoes::{EchoedMessages, Echoes};
pub(crate) use crate::neutral::handshakes::AT_ONCE;
use crate::neutral::replies::Replies;
use crate::opening;
use crate::processor;
use crate::workload::Role;

/// A library that is silent for this long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// What passes between the two sides.
#[derive(Clone)]
pub(crate) struct Exchange {
    pub(crate) frames: Frames,
    /// The side of the library.
    pub(crate) role: Role,
    pub(crate) dialogue: Dialogue,
}

/// Who sends how much.
#[derive(Clone, Copy)]
pub(crate) enum Dialogue {
    /// For each message comes one of the library, `reply` bytes long with its header.
    Replies {
        reply: usize,
        in_flight: usize,
        messages: usize,
    },
    /// Nothing comes back.
    ToLibrary { messages: usize },
    /// At least so many bytes come, with their headers, and nothing is sent.
    FromLibrary { bytes: usize },
}

/// The other side at work, and what it will have found.
pub(crate) struct Neutral<T = ()>(JoinHandle<Outcome<T>>);

impl<T: Send + 'static> Neutral<T> {
    fn start(work: impl FnOnce() -> Outcome<T> + Send + 'static) -> Self {
        Self(std::thread::spawn(move || {
            processor::pin_neutral_side();
            work().map_err(|error| format!("the neutral side: {error}").into())
        }))
    }

    /// Waits for its end; a library may need the runtime meanwhile to see to its own.
    pub(crate) async fn finish(self) -> Outcome<T> {
        let joined = tokio::task::spawn_blocking(|| self.0.join()).await?;
        joined.map_err(|_| "the neutral side panicked")?
    }
}

/// Connects to a library that is a server.
pub(crate) fn connect(address: SocketAddr, exchange: Exchange) -> Neutral {
    Neutral::start(move || dial(address, &exchange))
}

/// Connects to a library that compresses, and tells how many bytes its echoes had.
pub(crate) fn connect_compressing(address: SocketAddr, messages: EchoedMessages) -> Neutral<usize> {
    Neutral::start(move || {
        let stream = dialled_compressing(address, &messages)?;
        Echoes::new(&stream, &messages)?.exchange(messages.count)
    })
}

/// Accepts a library that is a client.
pub(crate) fn accept(listener: TcpListener, exchange: Exchange) -> Neutral {
    Neutral::start(move || serve(&listener, &exchange))
}

/// Connects to a library that is a server, at least `count` times.
pub(crate) fn ask_handshakes(address: SocketAddr, count: usize) -> Neutral {
    Neutral::start(move || handshakes::ask(address, count))
}

/// Accepts a library that is a client, `count` times.
pub(crate) fn answer_handshakes(listener: TcpListener, count: usize) -> Neutral {
    Neutral::start(move || handshakes::answer(listener, count))
}

fn dial(address: SocketAddr, exchange: &Exchange) -> Outcome<()> {
    talk(dialled(address, opening::REQUEST)?, exchange)
}

/// The stream to a server that compresses, after the handshake.
pub(crate) fn dialled_compressing(
    address: SocketAddr,
    messages: &EchoedMessages,
) -> Outcome<TcpStream> {
    let extension = messages.takeover.extension();
    dialled(address, &opening::request_offering(extension))
}

fn dialled(address: SocketAddr, request: &str) -> Outcome<TcpStream> {
    let mut stream = prepared(TcpStream::connect(address)?)?;
    stream.write_all(request.as_bytes())?;
    let response = read_head(&mut stream)?;
    match response.starts_with(b"HTTP/1.1 101 ") {
        true => Ok(stream),
        false => Err("expected a response with status 101".into()),
    }
}

fn serve(listener: &TcpListener, exchange: &Exchange) -> Outcome<()> {
    let mut stream = prepared(listener.accept()?.0)?;
    let request = read_head(&mut stream)?;
    stream.write_all(opening::response_to(&request)?.as_bytes())?;
    talk(stream, exchange)
}

fn prepared(stream: TcpStream) -> Outcome<TcpStream> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn read_head(stream: &mut TcpStream) -> Outcome<Vec<u8>> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !opening::is_whole(&head) {
        stream.read_exact(&mut byte)?;
        head.extend_from_slice(&byte);
    }
    Ok(head)
}

fn talk(stream: TcpStream, exchange: &Exchange) -> Outcome<()> {
    match exchange.dialogue {
        Dialogue::Replies {
            reply,
            in_flight,
            messages,
        } => Replies {
            frames: &exchange.frames,
            role: exchange.role,
            reply,
            in_flight,
            messages,
        }
        .exchange(&stream),
        Dialogue::ToLibrary { messages } => flow::to_library(&stream, &exchange.frames, messages),
        Dialogue::FromLibrary { bytes } => flow::from_library(&stream, bytes),
    }
}

fn send_up_to(
    mut stream: &TcpStream,
    frames: &Frames,
    mut sent: usize,
    due: usize,
) -> Outcome<usize> {
    while sent < due {
        let bytes = frames.at(sent);
        let count = bytes.len().min(due - sent);
        stream.write_all(&bytes[..count])?;
        sent += count;
    }
    Ok(sent)
}
