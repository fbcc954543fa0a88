//! A message for each that comes back.

use std::io::Read;
use std::net::TcpStream;
use std::sync::mpsc::{self, Receiver, Sender};

use crate::frames::Frames;
use crate::library::Outcome;
use crate::neutral::send_up_to;
use crate::workload::Role;

/// What may be under way at once with one thread: all of it fits into the sockets' buffers, so
/// that blocking calls on both sides cannot wait for each other.
const UNDER_WAY: usize = 128 << 10;

pub(crate) struct Replies<'a> {
    pub(crate) frames: &'a Frames,
    /// The side of the library.
    pub(crate) role: Role,
    /// The length of a frame that the library sends.
    pub(crate) reply: usize,
    pub(crate) in_flight: usize,
    pub(crate) messages: usize,
}

impl Replies<'_> {
    /// Keeps `in_flight` messages under way until all have come back.
    pub(crate) fn exchange(&self, stream: &TcpStream) -> Outcome<()> {
        let under_way = self.in_flight * self.frames.length(1).max(self.reply);
        if under_way <= UNDER_WAY {
            let mut sent = 0;
            return self.receive(stream, |due| {
                sent = send_up_to(stream, self.frames, sent, due)?;
                Ok(())
            });
        }
        let (sender, receiver) = mpsc::channel();
        std::thread::scope(|scope| {
            let writer = scope.spawn(move || self.send(stream, receiver));
            let received = self.receive_for(stream, sender);
            let sent = writer.join().map_err(|_| "its writer panicked")?;
            received.and(sent)
        })
    }

    /// Tells the writer on the other thread; it ends when the sender is gone.
    fn receive_for(&self, stream: &TcpStream, writer: Sender<usize>) -> Outcome<()> {
        self.receive(stream, |due| Ok(writer.send(due)?))
    }

    fn send(&self, stream: &TcpStream, due: Receiver<usize>) -> Outcome<()> {
        let mut sent = 0;
        for due in due {
            sent = send_up_to(stream, self.frames, sent, due)?;
        }
        Ok(())
    }

    /// Calls `send` with the number of bytes that may have been sent.
    fn receive(
        &self,
        mut stream: &TcpStream,
        mut send: impl FnMut(usize) -> Outcome<()>,
    ) -> Outcome<()> {
        // A client sends the first messages itself.
        let ahead = match self.role {
            Role::Server => self.in_flight,
            Role::Client => 0,
        };
        let end = self.messages * self.reply;
        let mut memory = vec![0; UNDER_WAY];
        let mut received = 0;
        while received < end {
            let due = (received / self.reply + ahead).min(self.messages);
            send(self.frames.length(due))?;
            let count = stream.read(&mut memory)?;
            if count == 0 {
                return Err(format!("expected {end} bytes, the end came after {received}").into());
            }
            if received == 0 {
                check_first_reply(self.role, &memory[..count])?;
            }
            received += count;
        }
        // Nothing is left unread, so a client still gets its last replies, and then the end.
        send(self.frames.length(self.messages))?;
        match received == end {
            true => Ok(()),
            false => Err(format!("expected {end} bytes, {received} came").into()),
        }
    }
}

/// An unfragmented binary frame, masked by a client with a key that is not zero.
fn check_first_reply(role: Role, bytes: &[u8]) -> Outcome<()> {
    let is_masked = bytes.get(1).is_some_and(|byte| byte & 0x80 != 0);
    let is_as_expected = match role {
        Role::Server => !is_masked,
        Role::Client => is_masked && bytes.get(2..6).is_some_and(|key| key != [0; 4]),
    };
    match bytes.first() == Some(&0x82) && is_as_expected {
        true => Ok(()),
        false => Err("expected an unfragmented binary frame, masked by a client alone".into()),
    }
}
