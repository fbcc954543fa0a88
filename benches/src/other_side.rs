//! The other side in a process of its own, so that neither its memory nor its time is counted.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::library::Outcome;

/// What it has to do.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct Orders {
    pub(crate) address: SocketAddr,
    pub(crate) connections: usize,
    pub(crate) activity: Activity,
}

/// What it does with its connections.
#[derive(Clone, Copy, Deserialize, Serialize)]
pub(crate) enum Activity {
    /// Nothing.
    Hold,
    /// One echo of this size with each, one after another, and then nothing.
    EchoOnce { size: usize },
    /// One message of this size is always under way on each.
    EchoForever { size: usize, place: Place },
}

/// Where it runs.
#[derive(Clone, Copy, Deserialize, Serialize)]
pub(crate) enum Place {
    SecondProcessor,
    Anywhere,
}

/// That process; it ends when this is dropped.
pub(crate) struct OtherSide {
    process: Child,
    output: Option<BufReader<ChildStdout>>,
}

impl OtherSide {
    pub(crate) fn start(orders: &Orders) -> Outcome<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["--other-side", &serde_json::to_string(orders)?])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().map(BufReader::new);
        Ok(Self { process, output })
    }

    /// Waits until it has done its part and only holds its connections.
    pub(crate) async fn ready(&mut self) -> Outcome<()> {
        let mut output = self.output.take().ok_or("it was ready already")?;
        let line = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            output.read_line(&mut line).map(|_| line)
        });
        match line.await??.as_str() {
            "ready\n" => Ok(()),
            _ => Err("the other side's process failed".into()),
        }
    }
}

impl Drop for OtherSide {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
