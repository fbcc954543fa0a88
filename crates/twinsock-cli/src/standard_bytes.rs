//! The bytes of standard input and output, each in a thread of its own.
//!
//! Reading and writing block, and cannot be cancelled: nobody waits for these threads. What is
//! under way is at most a few chunks, which go round: filled at one end, emptied at the other.

use std::io::{self, Read, Write};
use std::thread;

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;

use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// How many bytes are read or written at once: as many as a pipe holds.
const CHUNK_SIZE: usize = 64 * 1024;

/// How many chunks there are in each direction: while one is filled another is emptied.
const CHUNKS: usize = 4;

/// Memory, and how much of it is filled.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    memory: Vec<u8>,
    length: usize,
}

impl Chunk {
    pub(crate) fn bytes(&self) -> &[u8] {
        self.memory.get(..self.length).unwrap_or_default()
    }

    /// All of its memory, to be filled.
    pub(crate) fn memory(&mut self) -> &mut [u8] {
        self.memory.resize(CHUNK_SIZE, 0);
        &mut self.memory
    }

    /// Tells how much was filled.
    pub(crate) fn set_length(&mut self, length: usize) {
        self.length = length;
    }
}

// ---- standard input ----

/// What is read from standard input.
#[derive(Debug)]
pub(crate) struct ByteInput {
    filled: UnboundedReceiver<io::Result<Chunk>>,
    empty: UnboundedSender<Chunk>,
}

/// What standard input has at the moment.
#[derive(Debug)]
pub(crate) enum Available {
    Bytes(Chunk),
    Later,
    /// The input has ended.
    End,
}

impl ByteInput {
    /// Starts to read.
    pub(crate) fn start() -> Result<Self, Failure> {
        let (empty, to_fill) = fresh_chunks();
        let (sender, filled) = mpsc::unbounded_channel();
        start_thread("standard input", move || {
            read_all(&mut io::stdin().lock(), to_fill, &sender);
        })?;
        Ok(Self { filled, empty })
    }

    /// What is there without waiting.
    pub(crate) fn available(&mut self) -> Result<Available, Failure> {
        match self.filled.try_recv() {
            Ok(chunk) => judge(Some(chunk)),
            Err(mpsc::error::TryRecvError::Empty) => Ok(Available::Later),
            Err(mpsc::error::TryRecvError::Disconnected) => judge(None),
        }
    }

    /// Waits for bytes, or for the end.
    ///
    /// # Cancel safety
    /// A dropped future has taken nothing.
    pub(crate) async fn next(&mut self) -> Result<Available, Failure> {
        judge(self.filled.recv().await)
    }

    /// Gives a chunk back that is used up.
    pub(crate) fn give_back(&self, chunk: Chunk) {
        // After the end nobody fills it any more.
        let _ = self.empty.send(chunk);
    }
}

fn judge(received: Option<io::Result<Chunk>>) -> Result<Available, Failure> {
    match received {
        Some(Ok(chunk)) => Ok(Available::Bytes(chunk)),
        Some(Err(error)) => Err(Failure::of_standard_input(&error)),
        None => Ok(Available::End),
    }
}

/// Reads until the input ends, fails, or nobody wants more.
fn read_all(
    input: &mut impl Read,
    mut empty: UnboundedReceiver<Chunk>,
    filled: &UnboundedSender<io::Result<Chunk>>,
) {
    while let Some(mut chunk) = empty.blocking_recv() {
        let read = loop {
            match input.read(chunk.memory()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        let sent = match read {
            Ok(0) => return,
            Ok(length) => {
                chunk.set_length(length);
                filled.send(Ok(chunk))
            }
            Err(error) => {
                let _ = filled.send(Err(error));
                return;
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

// ---- standard output ----

/// What is written to standard output.
#[derive(Debug)]
pub(crate) struct ByteOutput {
    filled: UnboundedSender<Chunk>,
    empty: UnboundedReceiver<Chunk>,
    outcome: oneshot::Receiver<io::Result<()>>,
}

impl ByteOutput {
    /// Starts to write what comes.
    pub(crate) fn start() -> Result<Self, Failure> {
        let (to_empty, empty) = fresh_chunks();
        let (filled, to_write) = mpsc::unbounded_channel();
        let (sender, outcome) = oneshot::channel();
        start_thread("standard output", move || {
            let written = raw_standard_output()
                .and_then(|mut output| write_all(&mut *output, to_write, &to_empty));
            // Nobody asks any more when the program ends for another reason.
            let _ = sender.send(written);
        })?;
        Ok(Self {
            filled,
            empty,
            outcome,
        })
    }

    /// A chunk to fill; waits until one was written.
    pub(crate) async fn chunk(&mut self) -> Result<Chunk, Failure> {
        match self.empty.recv().await {
            Some(chunk) => Ok(chunk),
            None => Err(self.failed().await),
        }
    }

    pub(crate) fn write(&self, chunk: Chunk) {
        // Why it failed is told when the next chunk is asked for.
        let _ = self.filled.send(chunk);
    }

    /// Waits for a failure; as long as writing is possible, for ever.
    ///
    /// # Cancel safety
    /// A dropped future loses nothing.
    pub(crate) async fn failed(&mut self) -> Failure {
        match (&mut self.outcome).await {
            Ok(Err(error)) => Failure::of_standard_output(&error),
            // The thread goes on as long as this is here to write for.
            Ok(Ok(())) | Err(_) => Failure::new(
                ExitCode::StandardStream,
                "expected standard output to be written, got an end of that",
            ),
        }
    }

    /// Waits until all is written.
    pub(crate) async fn finish(self) -> Result<(), Failure> {
        drop(self.filled);
        match self.outcome.await {
            Ok(Err(error)) => Err(Failure::of_standard_output(&error)),
            Ok(Ok(())) | Err(_) => Ok(()),
        }
    }
}

fn write_all(
    output: &mut dyn Write,
    mut filled: UnboundedReceiver<Chunk>,
    empty: &UnboundedSender<Chunk>,
) -> io::Result<()> {
    while let Some(chunk) = filled.blocking_recv() {
        output.write_all(chunk.bytes())?;
        // At the end nobody fills it any more.
        let _ = empty.send(chunk);
    }
    output.flush()
}

/// Standard output without the library's buffer, which looks for line ends in all that passes.
#[cfg(unix)]
fn raw_standard_output() -> io::Result<Box<dyn Write>> {
    use std::os::fd::AsFd;

    let descriptor = io::stdout().as_fd().try_clone_to_owned()?;
    Ok(Box::new(std::fs::File::from(descriptor)))
}

#[cfg(not(unix))]
fn raw_standard_output() -> io::Result<Box<dyn Write>> {
    Ok(Box::new(io::stdout()))
}

// ---- both ----

fn fresh_chunks() -> (UnboundedSender<Chunk>, UnboundedReceiver<Chunk>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    for _ in 0..CHUNKS {
        // The receiver is here.
        let _ = sender.send(Chunk::default());
    }
    (sender, receiver)
}

fn start_thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map(|_| ())
        .map_err(|error| Failure::system(&format!("cannot use {name}"), &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_read_is_written_with_few_chunks() {
        let source: Vec<u8> = (0..=u8::MAX).cycle().take(1_000_000).collect();
        let (empty, to_fill) = fresh_chunks();
        let (sender, mut filled) = mpsc::unbounded_channel();
        let reader = thread::spawn({
            let source = source.clone();
            move || read_all(&mut &*source, to_fill, &sender)
        });
        let mut written = Vec::new();
        while let Some(chunk) = filled.blocking_recv() {
            let chunk = chunk.unwrap();
            assert!(filled.len() < CHUNKS);
            written.extend_from_slice(chunk.bytes());
            let _ = empty.send(chunk);
        }
        reader.join().unwrap();
        assert!(written == source);
    }

    #[test]
    fn an_input_that_fails_tells_why() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::IsADirectory.into())
            }
        }
        let (_empty, to_fill) = fresh_chunks();
        let (sender, mut filled) = mpsc::unbounded_channel();
        read_all(&mut Broken, to_fill, &sender);
        assert!(filled.blocking_recv().unwrap().is_err());
    }
}
