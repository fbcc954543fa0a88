//! The library's own opening handshake.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};

use crate::library::{Library, Outcome};
use crate::measure::{Clock, Sample};
use crate::memory::MemoryStream;
use crate::meter::Meter;
use crate::neutral::{self, AT_ONCE};
use crate::run::Run;

/// Tasks that a library starts get their turn after so many handshakes.
const BETWEEN_TURNS: usize = 64;

/// As a server, without a network: the request is read, the 101 built, the socket made.
pub(crate) async fn in_memory<L: Library>(run: &Run) -> Outcome<Sample> {
    answer_in_memory::<L>(run.warm_up()).await?;
    let clock = Clock::start()?;
    answer_in_memory::<L>(run.messages).await?;
    clock.stop(run.messages)
}

async fn answer_in_memory<L: Library>(count: usize) -> Outcome<()> {
    for number in 1..=count {
        L::answer_handshake(MemoryStream::of_one_request()).await?;
        if number % BETWEEN_TURNS == 0 {
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}

/// Accepts, answers and closes.
pub(crate) async fn as_server<L: Library>(run: &Run) -> Outcome<Sample> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let meter = Arc::new(Meter::new(run.warm_up(), run.messages, Clock::start));
    let neutral = neutral::ask_handshakes(listener.local_addr()?, meter.total());
    let server = tokio::spawn(serve::<L>(listener, meter.clone()));
    let sample = meter.sample().await?;
    neutral.finish().await?;
    server.abort();
    Ok(sample)
}

async fn serve<L: Library>(listener: TcpListener, meter: Arc<Meter>) {
    while let Ok((stream, _)) = listener.accept().await {
        let meter = meter.clone();
        tokio::spawn(async move {
            match answer::<L>(stream).await {
                Ok(()) => meter.tick(),
                Err(error) => meter.fail(error),
            }
        });
    }
}

async fn answer<L: Library>(stream: TcpStream) -> Outcome<()> {
    stream.set_nodelay(true)?;
    L::answer_handshake(stream).await
}

/// Connects, asks and closes.
pub(crate) async fn as_client<L: Library>(run: &Run) -> Outcome<Sample> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let meter = Arc::new(Meter::new(run.warm_up(), run.messages, Clock::start));
    let each = meter.total().div_ceil(AT_ONCE);
    let neutral = neutral::answer_handshakes(listener, each * AT_ONCE);
    for _ in 0..AT_ONCE {
        let meter = meter.clone();
        tokio::spawn(async move {
            for _ in 0..each {
                match ask::<L>(address).await {
                    Ok(()) => meter.tick(),
                    Err(error) => meter.fail(error),
                }
            }
        });
    }
    let sample = meter.sample().await?;
    neutral.finish().await?;
    Ok(sample)
}

async fn ask<L: Library>(address: SocketAddr) -> Outcome<()> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    L::ask_handshake(stream).await
}
