//! Echoes that are compressed: how long each is, only its header tells.

use std::io::Read;
use std::net::TcpStream;

use crate::compression::{self, Takeover};
use crate::frames::{self, Frames, Header, RSV1};
use crate::library::Outcome;
use crate::neutral::send_up_to;

/// Room for a read.
const MEMORY: usize = 128 << 10;
/// An unfragmented text message that is compressed.
const FIRST_BYTE: u8 = 0x81 | RSV1;
/// The opcodes from here on are those of control frames.
const CONTROL: u8 = 0x08;

/// What a server is to send back.
pub(crate) struct EchoedMessages {
    pub(crate) takeover: Takeover,
    /// Of each, before it is compressed.
    pub(crate) size: usize,
    pub(crate) in_flight: usize,
    pub(crate) count: usize,
}

impl EchoedMessages {
    pub(crate) fn frames(&self) -> Outcome<Frames> {
        Frames::compressed(self.size, self.takeover)
    }
}

/// A talk with such a server.
pub(crate) struct Echoes<'a> {
    stream: &'a TcpStream,
    messages: &'a EchoedMessages,
    frames: Frames,
    /// In bytes.
    sent: usize,
    /// In messages.
    echoed: usize,
    /// In bytes, those of control frames left out.
    received: usize,
    memory: Vec<u8>,
    /// What was read of a frame that is not whole yet.
    partial: Vec<u8>,
}

impl<'a> Echoes<'a> {
    pub(crate) fn new(stream: &'a TcpStream, messages: &'a EchoedMessages) -> Outcome<Self> {
        Ok(Self {
            stream,
            messages,
            frames: messages.frames()?,
            sent: 0,
            echoed: 0,
            received: 0,
            memory: vec![0; MEMORY],
            partial: Vec::new(),
        })
    }

    /// Keeps messages under way until so many have come back, and tells how many bytes those were.
    pub(crate) fn exchange(&mut self, echoed: usize) -> Outcome<usize> {
        while self.echoed < echoed {
            let due = self
                .messages
                .count
                .min(self.echoed + self.messages.in_flight);
            self.sent = send_up_to(
                self.stream,
                &self.frames,
                self.sent,
                self.frames.length(due),
            )?;
            let count = self.stream.read(&mut self.memory)?;
            if count == 0 {
                return Err(format!("the end came after {} messages", self.echoed).into());
            }
            self.partial.extend_from_slice(&self.memory[..count]);
            self.count_frames()?;
        }
        Ok(self.received)
    }

    fn count_frames(&mut self) -> Outcome<()> {
        let mut rest = &self.partial[..];
        while let Some(header) = Header::whole(rest)
            && let Some((frame, behind)) = rest.split_at_checked(header.frame)
        {
            if frame[0] & CONTROL == 0 {
                self.check(frame, header.payload)?;
                self.echoed += 1;
                self.received += frame.len();
            }
            rest = behind;
        }
        let done = self.partial.len() - rest.len();
        self.partial.drain(..done);
        Ok(())
    }

    /// That it is compressed, and the first of all is the very message that was sent: compressing
    /// could have gone wrong.
    fn check(&self, frame: &[u8], payload: usize) -> Outcome<()> {
        let first = frame[0];
        if first != FIRST_BYTE {
            return Err(format!("expected a compressed message, got {first:#04x}").into());
        }
        if self.echoed > 0 {
            return Ok(());
        }
        let payload = frame[frame.len() - payload..].to_vec();
        let message = frames::json(self.messages.size).next();
        match message.is_some_and(|message| compression::is_first(payload, &message)) {
            true => Ok(()),
            false => Err("another message came back than was sent".into()),
        }
    }
}
