//! What a connection costs that does nothing: thousands of them with one server.

use std::net::Ipv4Addr;
use std::time::Duration;

use heap_counter::Counts;
use tokio::net::{TcpListener, TcpStream};

use crate::library::{Library, Outcome, Socket};
use crate::measure::Sample;
use crate::other_side::{Activity, Orders, OtherSide};
use crate::quantity::Quantity;
use crate::run::Run;
use crate::workload::Past;

/// What the last connection does is over by then.
const SETTLED: Duration = Duration::from_millis(200);

/// As many connections as the run has messages.
pub(crate) async fn run<L: Library>(run: &Run, past: Past) -> Outcome<Sample> {
    let activity = match past {
        Past::Constructed => Activity::Hold,
        Past::Echo => Activity::EchoOnce {
            size: run.workload.size,
        },
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let orders = |connections| {
        Ok::<_, std::io::Error>(Orders {
            address: listener.local_addr()?,
            connections,
            activity,
        })
    };
    let (first, all) = (orders(1)?, orders(run.messages)?);
    tokio::spawn(serve::<L>(listener));

    // What is needed once, and not for each connection, is there after the first.
    let _first = connected(&first).await?;
    let before = Memory::now()?;
    let _all = connected(&all).await?;
    let after = Memory::now()?;
    Ok(after.since(&before, run.messages))
}

async fn connected(orders: &Orders) -> Outcome<OtherSide> {
    let mut other_side = OtherSide::start(orders)?;
    other_side.ready().await?;
    tokio::time::sleep(SETTLED).await;
    Ok(other_side)
}

/// Ends with the runtime; a connection that fails is noticed by the other side.
async fn serve<L: Library>(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(echo::<L>(stream));
    }
}

async fn echo<L: Library>(stream: TcpStream) -> Outcome<()> {
    stream.set_nodelay(true)?;
    let mut socket = L::accept(stream).await?;
    while socket.echo().await?.is_some() {}
    Ok(())
}

/// What this process has.
struct Memory {
    resident_bytes: f64,
    heap: Counts,
}

impl Memory {
    fn now() -> Outcome<Self> {
        let status = std::fs::read_to_string("/proc/self/status")?;
        let kibibytes = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:")?.strip_suffix("kB"))
            .ok_or("expected a line `VmRSS`")?;
        Ok(Self {
            resident_bytes: kibibytes.trim().parse::<f64>()? * 1_024.0,
            heap: Counts::now(),
        })
    }

    /// What came since, for each connection.
    fn since(&self, before: &Self, connections: usize) -> Sample {
        let each = |now: f64, before: f64| (now - before) / connections as f64;
        let (heap, heap_before) = (self.heap, before.heap);
        let live = each(heap.live_bytes as f64, heap_before.live_bytes as f64);
        let allocations = each(
            heap.live_allocations as f64,
            heap_before.live_allocations as f64,
        );
        Sample::from([
            (
                Quantity::ResidentBytes,
                each(self.resident_bytes, before.resident_bytes),
            ),
            (Quantity::LiveBytes, live),
            (Quantity::LiveAllocations, allocations),
        ])
    }
}
