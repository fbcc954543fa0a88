//! Echo over TCP on loopback, in the plain loop of receive and send.

use std::net::Ipv4Addr;

use tokio::net::{TcpListener, TcpStream};

use crate::frames::{Frames, frame_length};
use crate::library::{Library, Outcome, Socket};
use crate::measure::{Clock, Sample};
use crate::neutral::{self, Exchange};
use crate::workload::{Role, Workload};
use crate::workloads::{expect_size, prepared, warm_up};

/// The library sends back what the neutral client sends.
pub(crate) async fn as_server<L: Library>(
    workload: &Workload,
    frames: &Frames,
    in_flight: usize,
) -> Outcome<Sample> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let exchange = exchange(workload, frames, in_flight);
    let neutral = neutral::connect(listener.local_addr()?, exchange);
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    let mut socket = L::accept(stream).await?;

    for _ in 0..warm_up(workload.messages()) {
        expect_size(socket.echo().await?, workload.size)?;
    }
    let clock = Clock::start()?;
    for _ in 0..workload.messages() {
        expect_size(socket.echo().await?, workload.size)?;
    }
    let sample = clock.stop(workload.messages())?;

    // The rest, until the neutral side is gone, which some libraries call an error.
    while let Ok(Some(_)) = socket.echo().await {}
    finish(neutral)?;
    Ok(sample)
}

/// The library keeps `in_flight` messages under way; the neutral server answers each.
pub(crate) async fn as_client<L: Library>(
    workload: &Workload,
    frames: &Frames,
    in_flight: usize,
) -> Outcome<Sample> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let neutral = neutral::accept(listener, exchange(workload, frames, in_flight));
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut socket = L::connect(stream).await?;
    let message = prepared::<L::Client<TcpStream>>(workload)?;

    for _ in 0..in_flight {
        socket.send(&message).await?;
    }
    for _ in 0..warm_up(workload.messages()) {
        expect_size(socket.receive().await?, workload.size)?;
        socket.send(&message).await?;
    }
    let clock = Clock::start()?;
    for _ in 0..workload.messages() {
        expect_size(socket.receive().await?, workload.size)?;
        socket.send(&message).await?;
    }
    let sample = clock.stop(workload.messages())?;

    for _ in 0..in_flight {
        expect_size(socket.receive().await?, workload.size)?;
    }
    drop(socket);
    // A socket may see to its end in the background.
    tokio::task::yield_now().await;
    finish(neutral)?;
    Ok(sample)
}

fn exchange(workload: &Workload, frames: &Frames, in_flight: usize) -> Exchange {
    let reply_to = match workload.role {
        Role::Server => Role::Client,
        Role::Client => Role::Server,
    };
    let messages = workload.messages() + warm_up(workload.messages());
    Exchange {
        frames: frames.clone(),
        reply: frame_length(workload.size, reply_to),
        in_flight,
        messages: messages + in_flight,
        role: workload.role,
    }
}

fn finish(neutral: std::thread::JoinHandle<Result<(), String>>) -> Outcome<()> {
    neutral
        .join()
        .map_err(|_| "the neutral side panicked")?
        .map_err(Into::into)
}
