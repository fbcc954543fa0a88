//! Large messages in one direction, over TCP on loopback.

use std::net::Ipv4Addr;

use tokio::net::{TcpListener, TcpStream};

use crate::library::{Library, Outcome, Socket};
use crate::measure::{Clock, Sample};
use crate::neutral::{self, Dialogue, Exchange, Neutral};
use crate::run::Run;
use crate::workload::{BULK_SIZE, Direction, Role};
use crate::workloads::prepared;

pub(crate) async fn run<L: Library>(run: &Run, direction: Direction) -> Outcome<Sample> {
    let exchange = exchange(run, direction);
    match run.workload.role {
        Role::Server => {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let neutral = neutral::connect(listener.local_addr()?, exchange);
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            transfer(L::accept(stream).await?, run, direction, neutral).await
        }
        Role::Client => {
            let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let address = listener.local_addr()?;
            let neutral = neutral::accept(listener, exchange);
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            transfer(L::connect(stream).await?, run, direction, neutral).await
        }
    }
}

fn exchange(run: &Run, direction: Direction) -> Exchange {
    Exchange {
        frames: run.frames(),
        role: run.workload.role,
        dialogue: match direction {
            Direction::Receive => Dialogue::ToLibrary {
                messages: run.total(),
            },
            Direction::Send => Dialogue::FromLibrary {
                bytes: run.total() * BULK_SIZE,
            },
        },
    }
}

async fn transfer<S: Socket>(
    mut socket: S,
    run: &Run,
    direction: Direction,
    neutral: Neutral,
) -> Outcome<Sample> {
    let message = prepared::<S>(&run.workload)?;
    let early = match direction {
        Direction::Send => {
            send(&mut socket, &message, run.warm_up()).await?;
            0
        }
        Direction::Receive => receive(&mut socket, run.warm_up() * BULK_SIZE).await?,
    };
    let clock = Clock::start()?;
    match direction {
        Direction::Send => send(&mut socket, &message, run.messages).await?,
        Direction::Receive => {
            receive(&mut socket, run.messages * BULK_SIZE - early).await?;
        }
    }
    let sample = clock.stop(run.messages)?;
    // The last bytes are still on their way, and the other side waits for them.
    neutral.finish().await?;
    Ok(sample)
}

async fn send<S: Socket>(socket: &mut S, message: &S::Prepared, messages: usize) -> Outcome<()> {
    for _ in 0..messages {
        socket.send(message).await?;
    }
    socket.flush().await
}

/// Counts bytes, for a byte stream knows no messages, and tells how many came beyond those asked
/// for.
async fn receive<S: Socket>(socket: &mut S, bytes: usize) -> Outcome<usize> {
    let mut came = 0;
    while came < bytes {
        came += socket.receive().await?.ok_or("the end came too early")?;
    }
    Ok(came - bytes)
}
