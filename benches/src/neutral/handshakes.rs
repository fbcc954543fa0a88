//! Opening handshakes, so many at a time, and nothing after them.

use std::net::SocketAddr;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use crate::library::Outcome;
use crate::opening;

/// So many are under way.
pub(crate) const AT_ONCE: usize = 32;

/// The client's side of at least `count` handshakes.
pub(crate) fn ask(address: SocketAddr, count: usize) -> Outcome<()> {
    block_on(async {
        let mut clients = JoinSet::new();
        for _ in 0..AT_ONCE {
            clients.spawn(ask_often(address, count.div_ceil(AT_ONCE)));
        }
        clients.join_all().await.into_iter().collect()
    })
}

async fn ask_often(address: SocketAddr, count: usize) -> Outcome<()> {
    for _ in 0..count {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        if !opening::ask_only(&mut stream).await? {
            see_end(stream).await;
        }
    }
    Ok(())
}

/// The server's side of `count` handshakes.
pub(crate) fn answer(listener: std::net::TcpListener, count: usize) -> Outcome<()> {
    block_on(async {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let mut servers = JoinSet::new();
        for _ in 0..count {
            let (stream, _) = listener.accept().await?;
            servers.spawn(answer_one(stream));
        }
        servers.join_all().await.into_iter().collect()
    })
}

async fn answer_one(mut stream: TcpStream) -> Outcome<()> {
    stream.set_nodelay(true)?;
    opening::answer(&mut stream).await?;
    see_end(stream).await;
    Ok(())
}

/// The library closes: it says so in a frame, or just ends.
async fn see_end(mut stream: TcpStream) {
    let _ = stream.read(&mut [0; 64]).await;
}

fn block_on(work: impl Future<Output = Outcome<()>>) -> Outcome<()> {
    Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}
