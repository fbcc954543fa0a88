//! Echo over TCP on loopback: receive and send.

use std::net::Ipv4Addr;

use tokio::net::{TcpListener, TcpStream};

use crate::frames::frame_length;
use crate::gathering::Gathering;
use crate::library::{Batching, Library, Outcome, Socket};
use crate::measure::{Clock, Sample};
use crate::neutral::{self, Dialogue, Exchange, Neutral};
use crate::run::Run;
use crate::workload::Role;
use crate::workloads::{expect_size, prepared};

/// How a server's loop goes.
#[derive(Clone, Copy)]
pub(super) enum Turn {
    Plain,
    Batched,
}

impl Turn {
    async fn of<S: Socket>(self, socket: &mut S) -> Outcome<Option<usize>> {
        match self {
            Self::Plain => socket.echo().await,
            Self::Batched => socket.echo_batched().await,
        }
    }
}

/// The library sends back what the neutral client sends, in its plain loop.
pub(crate) async fn as_server<L: Library>(run: &Run, in_flight: usize) -> Outcome<Sample> {
    let (stream, neutral) = accepted(run, in_flight).await?;
    let socket = L::accept(stream).await?;
    let (sample, ()) = serve(socket, Turn::Plain, run, neutral).await?;
    Ok(sample)
}

/// The same in the loop that is batched by hand.
pub(crate) async fn batched<L: Library>(run: &Run, in_flight: usize) -> Outcome<Sample> {
    let (stream, neutral) = accepted(run, in_flight).await?;
    let (sample, ()) = match L::BATCHING {
        Batching::PlainLoop | Batching::FeedAndFlush => {
            serve(L::accept(stream).await?, Turn::Batched, run, neutral).await?
        }
        Batching::GatheredWrites => {
            let socket = L::accept(Gathering::new(stream)).await?;
            serve(socket, Turn::Plain, run, neutral).await?
        }
    };
    Ok(sample)
}

async fn accepted(run: &Run, in_flight: usize) -> Outcome<(TcpStream, Neutral)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let neutral = neutral::connect(listener.local_addr()?, exchange(run, in_flight));
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, neutral))
}

/// With what the neutral side found.
pub(super) async fn serve<S: Socket, T: Send + 'static>(
    mut socket: S,
    turn: Turn,
    run: &Run,
    neutral: Neutral<T>,
) -> Outcome<(Sample, T)> {
    for _ in 0..run.warm_up() {
        expect_size(turn.of(&mut socket).await?, run.workload.size)?;
    }
    let clock = Clock::start()?;
    for _ in 0..run.messages {
        expect_size(turn.of(&mut socket).await?, run.workload.size)?;
    }
    let sample = clock.stop(run.messages)?;

    // The rest, until the neutral side is gone, which some libraries call an error.
    while let Ok(Some(_)) = turn.of(&mut socket).await {}
    Ok((sample, neutral.finish().await?))
}

/// The library keeps `in_flight` messages under way; the neutral server answers each.
pub(crate) async fn as_client<L: Library>(run: &Run, in_flight: usize) -> Outcome<Sample> {
    let size = run.workload.size;
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let neutral = neutral::accept(listener, exchange(run, in_flight));
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut socket = L::connect(stream).await?;
    let message = prepared::<L::Client<TcpStream>>(&run.workload)?;

    for _ in 0..in_flight {
        socket.send(&message).await?;
    }
    for _ in 0..run.warm_up() {
        expect_size(socket.receive().await?, size)?;
        socket.send(&message).await?;
    }
    let clock = Clock::start()?;
    for _ in 0..run.messages {
        expect_size(socket.receive().await?, size)?;
        socket.send(&message).await?;
    }
    let sample = clock.stop(run.messages)?;

    for _ in 0..in_flight {
        expect_size(socket.receive().await?, size)?;
    }
    drop(socket);
    neutral.finish().await?;
    Ok(sample)
}

fn exchange(run: &Run, in_flight: usize) -> Exchange {
    let reply_to = match run.workload.role {
        Role::Server => Role::Client,
        Role::Client => Role::Server,
    };
    Exchange {
        frames: run.frames(),
        role: run.workload.role,
        dialogue: Dialogue::Replies {
            reply: frame_length(run.workload.size, reply_to),
            in_flight,
            messages: run.total() + in_flight,
        },
    }
}
