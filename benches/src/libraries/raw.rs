//! A limit: the same bytes on the same runtime, and no protocol. It learns the length of a frame
//! from the first one's header, and counts from then on.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncWriteExt, ReadBuf};

use crate::frames::{self, Header};
use crate::library::{Batching, ByteStream, Kind, Library, Outcome, Socket, Standing};
use crate::opening;

/// What one read asks for, and one write gathers.
const MEMORY: usize = 64 << 10;

thread_local! {
    /// Nobody looks at what was read, so all connections read into the same memory.
    static READ: RefCell<Vec<u8>> = RefCell::new(vec![0; MEMORY]);
}

/// Of all frames that come: a process takes one sample, and its sizes are all equal.
static RECEIVED: OnceLock<Header> = OnceLock::new();
/// What is sent, again and again.
static SENT: OnceLock<Replies> = OnceLock::new();

pub(crate) struct Raw;

impl Library for Raw {
    const NAME: &'static str = "raw";
    const PACKAGE: &'static str = "tokio";
    const STANDING: Standing = Standing::Limit;
    const FLUSH: &'static str = "replies are gathered until the reader would wait";
    const BATCHING: Batching = Batching::PlainLoop;

    type Server<S: ByteStream> = Counted<S, false>;
    type Client<S: ByteStream> = Counted<S, true>;

    async fn accept<S: ByteStream>(mut stream: S) -> Outcome<Counted<S, false>> {
        opening::answer(&mut stream).await?;
        Ok(Counted::new(stream))
    }

    async fn connect<S: ByteStream>(mut stream: S) -> Outcome<Counted<S, true>> {
        opening::ask(&mut stream).await?;
        Ok(Counted::new(stream))
    }

    async fn answer_handshake<S: ByteStream>(mut stream: S) -> Outcome<()> {
        opening::answer_alike(&mut stream).await
    }

    async fn ask_handshake<S: ByteStream>(mut stream: S) -> Outcome<()> {
        opening::ask_only(&mut stream).await?;
        Ok(())
    }
}

/// As many whole frames as one write takes.
pub(crate) struct Replies {
    bytes: Vec<u8>,
    frame: usize,
}

impl Replies {
    fn new(kind: Kind, payload: &[u8], is_client: bool) -> Self {
        let mut one = Vec::new();
        let key = is_client.then_some([1, 2, 3, 4]);
        frames::push_frame(&mut one, kind, payload, key);
        let count = (MEMORY / one.len()).max(1);
        Self {
            frame: one.len(),
            bytes: one.repeat(count),
        }
    }
}

/// A byte stream, what was read of it and what is owed to it.
pub(crate) struct Counted<S, const IS_CLIENT: bool> {
    stream: S,
    /// Bytes that were read and belong to no message that was handed out.
    read: usize,
    /// Messages that are to be written.
    owed: usize,
}

impl<S: ByteStream, const IS_CLIENT: bool> Counted<S, IS_CLIENT> {
    fn new(stream: S) -> Self {
        Self {
            stream,
            read: 0,
            owed: 0,
        }
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Outcome<usize>> {
        READ.with_borrow_mut(|memory| {
            let mut memory = ReadBuf::new(memory);
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut memory))?;
            if RECEIVED.get().is_none() && !memory.filled().is_empty() {
                RECEIVED.get_or_init(|| Header::of(memory.filled()));
            }
            Poll::Ready(Ok(memory.filled().len()))
        })
    }

    async fn owe(&mut self, replies: &Replies) -> Outcome<()> {
        self.owed += 1;
        match self.owed * replies.frame >= MEMORY {
            true => self.write_owed().await,
            false => Ok(()),
        }
    }

    async fn write_owed(&mut self) -> Outcome<()> {
        let Some(replies) = SENT.get() else {
            return Ok(());
        };
        while self.owed > 0 {
            let count = self.owed.min(replies.bytes.len() / replies.frame);
            let bytes = &replies.bytes[..count * replies.frame];
            self.stream.write_all(bytes).await?;
            self.owed -= count;
        }
        Ok(())
    }
}

impl<S: ByteStream, const IS_CLIENT: bool> Socket for Counted<S, IS_CLIENT> {
    type Prepared = &'static Replies;

    fn prepare(kind: Kind, payload: &Bytes) -> Outcome<Self::Prepared> {
        Ok(SENT.get_or_init(|| Replies::new(kind, payload, IS_CLIENT)))
    }

    async fn receive(&mut self) -> Outcome<Option<usize>> {
        loop {
            if let Some(header) = RECEIVED.get()
                && self.read >= header.frame
            {
                self.read -= header.frame;
                return Ok(Some(header.payload));
            }
            self.write_owed().await?;
            match poll_fn(|context| self.poll_read(context)).await? {
                0 => return Ok(None),
                count => self.read += count,
            }
        }
    }

    async fn send(&mut self, message: &Self::Prepared) -> Outcome<()> {
        self.owe(message).await
    }

    async fn feed(&mut self, message: &Self::Prepared) -> Outcome<()> {
        self.owe(message).await
    }

    async fn flush(&mut self) -> Outcome<()> {
        self.write_owed().await
    }

    async fn echo(&mut self) -> Outcome<Option<usize>> {
        let Some(length) = self.receive().await? else {
            return Ok(None);
        };
        let reply = || Replies::new(Kind::Binary, &vec![0; length], IS_CLIENT);
        self.owe(SENT.get_or_init(reply)).await?;
        Ok(Some(length))
    }
}
