//! Bytes in one direction.

use std::io::Read;
use std::net::TcpStream;
use std::time::Duration;

use crate::frames::Frames;
use crate::library::Outcome;
use crate::neutral::send_up_to;

/// Room for a read.
const MEMORY: usize = 256 << 10;
/// Headers may still follow when all payload is counted: how long to wait for them.
const REST: Duration = Duration::from_millis(50);

/// Sends so many messages.
pub(crate) fn to_library(stream: &TcpStream, frames: &Frames, messages: usize) -> Outcome<()> {
    send_up_to(stream, frames, 0, frames.length(messages))?;
    Ok(())
}

/// Takes at least so many bytes, and what follows at once.
pub(crate) fn from_library(mut stream: &TcpStream, bytes: usize) -> Outcome<()> {
    let mut memory = vec![0; MEMORY];
    let mut received = 0;
    while received < bytes {
        match stream.read(&mut memory)? {
            0 => return Err(format!("expected {bytes} bytes, {received} came").into()),
            count => received += count,
        }
    }
    stream.set_read_timeout(Some(REST))?;
    while stream.read(&mut memory).is_ok_and(|count| count > 0) {}
    Ok(())
}
