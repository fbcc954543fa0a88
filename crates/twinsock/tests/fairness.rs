//! A peer that never pauses keeps neither our output, nor our timers, nor other tasks waiting.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::coop::poll_proceed;
use twinsock::{CloseCode, ErrorKind, MessageWebSocket, Timeout, Timeouts};
use twinsock_testkit::raw::REQUEST;
use twinsock_testkit::sockets::{PATIENT, server_over};
use twinsock_testkit::wire;

/// A peer whose bytes are always there, within the runtime's rules of fairness.
struct Flood {
    next: Vec<u8>,
    again: Vec<u8>,
    written: Arc<AtomicUsize>,
}

impl Flood {
    fn of(frames: &[wire::Frame]) -> (Self, Arc<AtomicUsize>) {
        let masked: Vec<_> = frames.iter().cloned().map(wire::Frame::masked).collect();
        let once = wire::join(&masked);
        let written = Arc::<AtomicUsize>::default();
        let flood = Self {
            next: REQUEST.into(),
            again: once.repeat(64 * 1024 / once.len() + 1),
            written: Arc::clone(&written),
        };
        (flood, written)
    }
}

impl AsyncRead for Flood {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(poll_proceed(context)).made_progress();
        let count = self.next.len().min(buffer.remaining());
        buffer.put_slice(&self.next[..count]);
        self.next.drain(..count);
        if self.next.is_empty() {
            self.next = self.again.clone();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Flood {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(poll_proceed(context)).made_progress();
        self.written.fetch_add(bytes.len(), Ordering::SeqCst);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

async fn server(flood: Flood, timeouts: Timeouts) -> MessageWebSocket {
    server_over(flood, timeouts).await.expect("a good request")
}

#[tokio::test]
async fn pings_are_answered_while_messages_keep_coming() {
    let (flood, written) = Flood::of(&[wire::ping("there?"), wire::binary([1; 8_000])]);
    let server = server(flood, PATIENT).await;
    let before = written.load(Ordering::SeqCst);
    for _ in 0..4_000 {
        server.receive().await.expect("open");
    }
    let pongs = (written.load(Ordering::SeqCst) - before) / 8;
    assert!(pongs > 3_000, "{pongs} of 4,000 pings were answered");
}

#[tokio::test(start_paused = true)]
async fn closing_takes_its_time_and_no_more_while_messages_keep_coming() {
    let (flood, _) = Flood::of(&[wire::binary([1; 8_000])]);
    let timeouts = Timeouts {
        close: Duration::from_secs(1),
        ..PATIENT
    };
    let server = server(flood, timeouts).await;
    let (closed, ()) = tokio::join!(
        server.close(CloseCode::NORMAL, ""),
        tokio::time::advance(Duration::from_secs(2)),
    );
    let kind = closed.unwrap_err().kind();
    assert_eq!(kind, ErrorKind::Timeout(Timeout::Close));
}

async fn count_turns(turns: &AtomicUsize) {
    loop {
        turns.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn other_tasks_run_while_messages_keep_coming() {
    let (flood, _) = Flood::of(&[wire::text("")]);
    let server = server(flood, PATIENT).await;
    let turns = Arc::<AtomicUsize>::default();
    let counting = tokio::spawn({
        let turns = Arc::clone(&turns);
        async move { count_turns(&turns).await }
    });
    for _ in 0..100_000 {
        server.receive().await.expect("open");
    }
    let turns = turns.load(Ordering::SeqCst);
    assert!(turns > 50, "another task had {turns} turns");
    counting.abort();
}
