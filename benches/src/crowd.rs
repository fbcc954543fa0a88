//! Many clients of a library that is a server: what the other side's process does.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::descriptors;
use crate::frames::{Content, Frames, frame_length};
use crate::library::Outcome;
use crate::opening;
use crate::other_side::{Activity, Orders, Place};
use crate::processor;
use crate::workload::Role;

/// So many connections are opened at once.
const AT_ONCE: usize = 64;

/// Is that process; it ends when it is killed.
pub(crate) fn obey(orders: &Orders) -> Outcome<()> {
    descriptors::raise();
    if let Activity::EchoForever {
        place: Place::SecondProcessor,
        ..
    } = orders.activity
    {
        processor::pin_neutral_side();
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(carry_out(orders))
}

async fn carry_out(orders: &Orders) -> Outcome<()> {
    let mut streams = opened(orders.address, orders.connections).await?;
    match orders.activity {
        Activity::Hold => {}
        Activity::EchoOnce { size } => {
            let mut talk = Talk::new(size);
            for stream in &mut streams {
                talk.echo(stream).await?;
            }
        }
        Activity::EchoForever { size, .. } => return echo_forever(streams, &Talk::new(size)).await,
    }
    println!("ready");
    pending().await
}

async fn opened(address: SocketAddr, count: usize) -> Outcome<Vec<TcpStream>> {
    let mut streams = Vec::with_capacity(count);
    while streams.len() < count {
        let mut opening = JoinSet::new();
        for _ in 0..AT_ONCE.min(count - streams.len()) {
            opening.spawn(open(address));
        }
        for stream in opening.join_all().await {
            streams.push(stream?);
        }
    }
    Ok(streams)
}

async fn open(address: SocketAddr) -> Outcome<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    opening::ask_only(&mut stream).await?;
    Ok(stream)
}

async fn echo_forever(streams: Vec<TcpStream>, talk: &Talk) -> Outcome<()> {
    let mut talks = JoinSet::<Outcome<()>>::new();
    for mut stream in streams {
        let mut talk = talk.clone();
        talks.spawn(async move {
            loop {
                talk.echo(&mut stream).await?;
            }
        });
    }
    match talks.join_next().await {
        Some(ended) => ended?,
        None => Ok(()),
    }
}

/// What is said on one connection.
#[derive(Clone)]
struct Talk {
    frames: Arc<Frames>,
    sent: usize,
    reply: Vec<u8>,
}

impl Talk {
    fn new(size: usize) -> Self {
        Self {
            frames: Arc::new(Frames::sent_to(Role::Server, Content::Binary, size)),
            sent: 0,
            reply: vec![0; frame_length(size, Role::Client)],
        }
    }

    async fn echo(&mut self, stream: &mut TcpStream) -> Outcome<()> {
        let frame = self.frames.length(1);
        stream
            .write_all(&self.frames.at(self.sent)[..frame])
            .await?;
        self.sent += frame;
        stream.read_exact(&mut self.reply).await?;
        Ok(())
    }
}
