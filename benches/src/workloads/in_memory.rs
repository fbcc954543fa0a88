//! Parsing, serialising and echo without a network.

use crate::library::{Library, Outcome, Socket};
use crate::measure::{Clock, Sample};
use crate::memory::MemoryStream;
use crate::run::Run;
use crate::workload::{Role, Task};
use crate::workloads::{expect_size, prepared};

/// A flush follows so many messages.
const BETWEEN_FLUSHES: usize = 16;

pub(crate) async fn run<L: Library>(run: &Run) -> Outcome<Sample> {
    let stream = MemoryStream::new(run.workload.role, run.frames());
    match run.workload.role {
        Role::Server => with_socket(L::accept(stream).await?, run).await,
        Role::Client => with_socket(L::connect(stream).await?, run).await,
    }
}

pub(super) async fn with_socket<S: Socket>(mut socket: S, run: &Run) -> Outcome<Sample> {
    let message = prepared::<S>(&run.workload)?;
    turns(&mut socket, &message, run, run.warm_up()).await?;
    let clock = Clock::start()?;
    turns(&mut socket, &message, run, run.messages).await?;
    clock.stop(run.messages)
}

async fn turns<S: Socket>(
    socket: &mut S,
    message: &S::Prepared,
    run: &Run,
    messages: usize,
) -> Outcome<()> {
    match run.workload.task {
        Task::Serialise => serialise(socket, message, messages).await,
        Task::Parse => parse(socket, messages, run.workload.size).await,
        _ => echo(socket, messages, run.workload.size).await,
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
