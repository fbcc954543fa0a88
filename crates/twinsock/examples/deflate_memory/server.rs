//! A row's server, and what it measures of itself.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::sync::mpsc;
use twinsock::{AcceptOptions, Error, Listener, MessageWebSocket, Timeouts};

use crate::agreement::Agreement;
use crate::clients::FIRST;
use crate::{ALLOCATOR, Outcome};

/// Prints the row.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn run(agreement: &Agreement, count: usize) -> Outcome<()> {
    let listener = Listener::bind("127.0.0.1:0")
        .await?
        .with_options(options(*agreement));
    let mut clients = Clients::start(&listener, count)?;
    let (accepted, mut sockets) = mpsc::unbounded_channel();
    tokio::spawn(accept(listener, accepted));

    clients.wait_until_idle().await?;
    let mut all = Vec::with_capacity(FIRST + count);
    for _ in 0..FIRST {
        all.push(sockets.recv().await.ok_or("the listener ended")?);
    }
    let before = Memory::now()?;
    clients.go_on()?;
    clients.wait_until_idle().await?;
    for _ in 0..count {
        all.push(sockets.recv().await.ok_or("the listener ended")?);
    }
    let held = Memory::now()?.since(&before, count);
    all.iter().for_each(MessageWebSocket::release_deflate);
    let released = Memory::now()?.since(&before, count);
    println!("| {agreement} | {held} | {released} |");
    clients.child.kill()?;
    clients.child.wait()?;
    Ok(())
}

fn options(agreement: Agreement) -> AcceptOptions {
    let timeouts = Timeouts {
        // Otherwise it would release what is measured.
        keep_alive: Some(Duration::from_secs(3_600)),
        ..Timeouts::default()
    };
    let options = AcceptOptions::new().timeouts(timeouts);
    match agreement.terms() {
        Some(terms) => options.deflate(terms),
        None => options,
    }
}

async fn accept(
    listener: Listener,
    accepted: mpsc::UnboundedSender<MessageWebSocket>,
) -> Result<(), Error> {
    loop {
        let socket = listener.accept().await?.accept().await?;
        let _ = accepted.send(socket.clone());
        tokio::spawn(echo(socket));
    }
}

async fn echo(socket: MessageWebSocket) -> Result<(), Error> {
    while let Some(message) = socket.receive().await? {
        socket.send(message).await?;
    }
    Ok(())
}

/// The process with the clients.
struct Clients {
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
}

impl Clients {
    fn start(listener: &Listener, count: usize) -> Outcome<Self> {
        let mut child = Command::new(env::current_exe()?)
            .args(["clients", &listener.local_address().to_string()])
            .arg(count.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().ok_or("standard output is piped")?;
        let (told, lines) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            let lines = BufReader::new(stdout).lines();
            lines.map_while(Result::ok).for_each(|line| {
                let _ = told.send(line);
            });
        });
        Ok(Self { child, lines })
    }

    async fn wait_until_idle(&mut self) -> Outcome<()> {
        self.lines.recv().await.ok_or("the clients failed")?;
        // The last server's task has sent its message, and goes on to wait for the next.
        tokio::task::yield_now().await;
        Ok(())
    }

    fn go_on(&mut self) -> Outcome<()> {
        let stdin = self.child.stdin.as_mut();
        Ok(writeln!(stdin.ok_or("standard input is piped")?)?)
    }
}

/// What this process has.
struct Memory {
    allocated: usize,
    resident: usize,
}

impl Memory {
    fn now() -> Outcome<Self> {
        let status = fs::read_to_string("/proc/self/status")?;
        let kibibytes = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:")?.strip_suffix("kB"))
            .ok_or("expected a line `VmRSS`")?;
        Ok(Self {
            allocated: ALLOCATOR.current_usage(),
            resident: kibibytes.trim().parse::<usize>()? * 1_024,
        })
    }

    /// What came since, for each connection.
    fn since(&self, before: &Self, connections: usize) -> String {
        let each = |now: usize, before: usize| now.saturating_sub(before) / connections;
        let allocated = each(self.allocated, before.allocated);
        let resident = each(self.resident, before.resident);
        format!("{allocated} ({resident})")
    }
}
