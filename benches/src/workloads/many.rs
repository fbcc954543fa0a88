//! Many connections, one message in flight on each.

use std::net::Ipv4Addr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};

use crate::library::{Library, Outcome, Socket};
use crate::measure::{Clock, Sample};
use crate::meter::Meter;
use crate::other_side::{Activity, Orders, OtherSide, Place};
use crate::processor;
use crate::run::Run;
use crate::workload::Threads;
use crate::workloads::expect_size;

/// The CPU time is that of the process: the other side has its own.
pub(crate) async fn run<L: Library>(
    run: &Run,
    connections: usize,
    threads: Threads,
) -> Outcome<Sample> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let size = run.workload.size;
    let place = match threads {
        Threads::One => Place::SecondProcessor,
        Threads::Two => Place::Anywhere,
    };
    let _other_side = OtherSide::start(&Orders {
        address: listener.local_addr()?,
        connections,
        activity: Activity::EchoForever { size, place },
    })?;
    if threads == Threads::One {
        processor::pin_library();
    }
    let meter = Arc::new(Meter::new(
        run.warm_up(),
        run.messages,
        Clock::start_for_process,
    ));
    let server = tokio::spawn(serve::<L>(listener, meter.clone(), size));
    let sample = meter.sample().await;
    server.abort();
    sample
}

async fn serve<L: Library>(listener: TcpListener, meter: Arc<Meter>, size: usize) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(echo::<L>(stream, meter.clone(), size));
            }
            Err(error) => return meter.fail(error.into()),
        }
    }
}

async fn echo<L: Library>(stream: TcpStream, meter: Arc<Meter>, size: usize) {
    if let Err(error) = echo_forever::<L>(stream, &meter, size).await {
        meter.fail(error);
    }
}

async fn echo_forever<L: Library>(stream: TcpStream, meter: &Meter, size: usize) -> Outcome<()> {
    stream.set_nodelay(true)?;
    let mut socket = L::accept(stream).await?;
    loop {
        expect_size(socket.echo().await?, size)?;
        meter.tick();
    }
}
