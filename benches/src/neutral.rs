//! The other side over TCP: it sends frames built beforehand and counts bytes, and knows no
//! library. It runs on a thread of its own, with blocking calls.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::frames::Frames;
use crate::library::Outcome;
use crate::opening;
use crate::processor;
use crate::workload::Role;

/// A library that is silent for this long has failed.
const PATIENCE: Duration = Duration::from_secs(20);
/// What may be under way at once: all of it fits into the sockets' buffers, so that blocking
/// calls on both sides cannot wait for each other.
const UNDER_WAY: usize = 128 << 10;

/// What passes between the two sides.
#[derive(Clone)]
pub(crate) struct Exchange {
    pub(crate) frames: Frames,
    /// The length of a frame that the library sends.
    pub(crate) reply: usize,
    pub(crate) in_flight: usize,
    pub(crate) messages: usize,
    /// The side of the library.
    pub(crate) role: Role,
}

type Neutral = JoinHandle<Result<(), String>>;

/// Connects to a library that is a server.
pub(crate) fn connect(address: SocketAddr, exchange: Exchange) -> Neutral {
    std::thread::spawn(move || {
        processor::pin_neutral_side();
        dial(address, &exchange).map_err(|error| format!("the neutral client: {error}"))
    })
}

/// Accepts a library that is a client.
pub(crate) fn accept(listener: TcpListener, exchange: Exchange) -> Neutral {
    std::thread::spawn(move || {
        processor::pin_neutral_side();
        serve(&listener, &exchange).map_err(|error| format!("the neutral server: {error}"))
    })
}

fn dial(address: SocketAddr, exchange: &Exchange) -> Outcome<()> {
    let mut stream = prepared(TcpStream::connect(address)?)?;
    stream.write_all(opening::REQUEST.as_bytes())?;
    let response = read_head(&mut stream)?;
    if !response.starts_with(b"HTTP/1.1 101 ") {
        return Err("expected a response with status 101".into());
    }
    pump(stream, exchange)
}

fn serve(listener: &TcpListener, exchange: &Exchange) -> Outcome<()> {
    let mut stream = prepared(listener.accept()?.0)?;
    let request = read_head(&mut stream)?;
    stream.write_all(opening::response_to(&request)?.as_bytes())?;
    pump(stream, exchange)
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

/// Keeps `in_flight` messages under way until all have come back.
fn pump(mut stream: TcpStream, exchange: &Exchange) -> Outcome<()> {
    let frame = exchange.frames.frame();
    if exchange.in_flight * frame.max(exchange.reply) > UNDER_WAY {
        return Err("expected less to be under way than the sockets hold".into());
    }
    // A client sends the first messages itself.
    let ahead = match exchange.role {
        Role::Server => exchange.in_flight,
        Role::Client => 0,
    };
    let end = exchange.messages * exchange.reply;
    let mut memory = vec![0; UNDER_WAY];
    let (mut sent, mut received) = (0, 0);
    while received < end {
        let due = (received / exchange.reply + ahead).min(exchange.messages);
        sent = send_up_to(&mut stream, &exchange.frames, sent, due * frame)?;
        let count = stream.read(&mut memory)?;
        if count == 0 {
            return Err(format!("expected {end} bytes, the end came after {received}").into());
        }
        if received == 0 {
            check_first_reply(exchange, &memory[..count])?;
        }
        received += count;
    }
    send_up_to(
        &mut stream,
        &exchange.frames,
        sent,
        exchange.messages * frame,
    )?;
    // Nothing is left unread, so a client still gets its last replies, and then the end.
    match received == end {
        true => Ok(()),
        false => Err(format!("expected {end} bytes, {received} came").into()),
    }
}

fn send_up_to(
    stream: &mut TcpStream,
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

/// An unfragmented binary frame, masked by a client with a key that is not zero.
fn check_first_reply(exchange: &Exchange, bytes: &[u8]) -> Outcome<()> {
    let is_masked = bytes.get(1).is_some_and(|byte| byte & 0x80 != 0);
    let is_as_expected = match exchange.role {
        Role::Server => !is_masked,
        Role::Client => is_masked && bytes.get(2..6).is_some_and(|key| key != [0; 4]),
    };
    match bytes.first() == Some(&0x82) && is_as_expected {
        true => Ok(()),
        false => Err("expected an unfragmented binary frame, masked by a client alone".into()),
    }
}
