//! Parsing, serialising and echo without a network.

use crate::frames::Frames;
use crate::library::{Library, Outcome, Socket};
use crate::measure::{Clock, Sample};
use crate::memory::MemoryStream;
use crate::workload::{Role, Task, Workload};
use crate::workloads::{expect_size, prepared, warm_up};

/// A flush follows so many messages.
const BETWEEN_FLUSHES: usize = 16;

pub(crate) async fn run<L: Library>(workload: &Workload, frames: &Frames) -> Outcome<Sample> {
    let stream = MemoryStream::new(workload.role, frames.clone());
    match workload.role {
        Role::Server => with_socket(L::accept(stream).await?, workload).await,
        Role::Client => with_socket(L::connect(stream).await?, workload).await,
    }
}

async fn with_socket<S: Socket>(mut socket: S, workload: &Workload) -> Outcome<Sample> {
    let messages = workload.messages();
    match workload.task {
        Task::Serialise => {
            let message = prepared::<S>(workload)?;
            serialise(&mut socket, &message, warm_up(messages)).await?;
            let clock = Clock::start()?;
            serialise(&mut socket, &message, messages).await?;
            clock.stop(messages)
        }
        Task::Parse => {
            parse(&mut socket, warm_up(messages), workload.size).await?;
            let clock = Clock::start()?;
            parse(&mut socket, messages, workload.size).await?;
            clock.stop(messages)
        }
        Task::MemoryEcho | Task::Echo { .. } => {
            echo(&mut socket, warm_up(messages), workload.size).await?;
            let clock = Clock::start()?;
            echo(&mut socket, messages, workload.size).await?;
            clock.stop(messages)
        }
    }
}

async fn parse<S: Socket>(socket: &mut S, messages: usize, size: usize) -> Outcome<()> {
    for _ in 0..messages {
        expect_size(socket.receive().await?, size)?;
    }
    Ok(())
}

async fn serialise<S: Socket>(
    socket: &mut S,
    message: &S::Prepared,
    messages: usize,
) -> Outcome<()> {
    for number in 1..=messages {
        socket.feed(message).await?;
        if number % BETWEEN_FLUSHES == 0 {
            socket.flush().await?;
        }
    }
    socket.flush().await
}

async fn echo<S: Socket>(socket: &mut S, messages: usize, size: usize) -> Outcome<()> {
    for _ in 0..messages {
        expect_size(socket.echo().await?, size)?;
    }
    Ok(())
}
