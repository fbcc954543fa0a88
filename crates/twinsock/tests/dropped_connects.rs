//! A connect that is dropped leaves nothing behind, wherever it was: no descriptor, no task, no
//! thread, no memory.

#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use peak_alloc::PeakAlloc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::{Builder, Handle};
use tokio::task::JoinSet;
use twinsock::{AcceptOptions, Error, MessageWebSocket};
use twinsock_testkit::raw::read_head;
use twinsock_testkit::sockets::echo_server;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const CONNECTS: usize = 10_000;
const AT_ONCE: usize = 100;

/// Beyond these a connect that nothing happens to is dropped without another poll.
const PATIENCE: u64 = 400;

/// How long what was dropped may take to go: the servers have to see it first.
const SETTLING: Duration = Duration::from_secs(20);

/// How much more memory may be held in the end; measured: none.
const MOST_BYTES: usize = 1024;

/// Half of an answer to the opening handshake.
const HALF: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n";

/// SplitMix64: the same numbers for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn one_of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let bound = u64::try_from(items.len()).expect("few");
        let index = usize::try_from(self.below(bound)).expect("few");
        &items[index]
    }
}

/// What the process holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Held {
    descriptors: usize,
    threads: usize,
    tasks: usize,
}

impl Held {
    fn now() -> Self {
        // Looking takes a descriptor itself, each time the same.
        let count = |folder| std::fs::read_dir(folder).expect("Linux").count();
        Self {
            descriptors: count("/proc/self/fd"),
            threads: count("/proc/self/task"),
            tasks: Handle::current().metrics().num_alive_tasks(),
        }
    }

    /// Waits until the process holds no more than this; tells what it holds then.
    async fn settle(self) -> Self {
        let settling = async {
            while Self::now() != self {
                tokio::task::yield_now().await;
            }
        };
        let _ = tokio::time::timeout(SETTLING, settling).await;
        Self::now()
    }
}

/// Who is connected to, and what must live as long.
struct Servers {
    targets: Vec<(&'static str, Vec<SocketAddr>)>,
    _held: (TcpSocket, TcpListener, Vec<TcpStream>),
}

impl Servers {
    async fn start() -> io::Result<Self> {
        let accepting = echo_server(AcceptOptions::new(), |_| ()).await?.0;
        let (silent, half) = (raw_server("").await?, raw_server(HALF).await?);
        let bound = loopback()?;
        let refusing = bound.local_addr()?;
        let full = loopback()?.listen(0)?;
        let dropping = full.local_addr()?;
        let waiting = fill(dropping).await?;
        let targets = vec![
            ("accepts", vec![accepting]),
            ("refuses", vec![refusing]),
            ("never answers", vec![silent]),
            ("answers half", vec![half]),
            ("drops packets", vec![dropping]),
            (
                "race to one that accepts",
                vec![dropping, refusing, accepting],
            ),
            (
                "race to one that never answers",
                vec![refusing, dropping, silent],
            ),
            ("race of two", vec![silent, accepting]),
        ];
        let _held = (bound, full, waiting);
        Ok(Self { targets, _held })
    }
}

fn loopback() -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(([127, 0, 0, 1], 0).into())?;
    Ok(socket)
}

/// Connects until nobody else can: the system then drops what comes for the listener.
async fn fill(address: SocketAddr) -> io::Result<Vec<TcpStream>> {
    let mut waiting = Vec::new();
    let soon = Duration::from_millis(200);
    while let Ok(stream) = tokio::time::timeout(soon, TcpStream::connect(address)).await {
        waiting.push(stream?);
    }
    Ok(waiting)
}

/// A server that answers this to each request, and then waits for the client to go.
async fn raw_server(answer: &'static str) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer_and_wait(stream, answer));
        }
    });
    Ok(address)
}

async fn answer_and_wait(mut stream: TcpStream, answer: &str) -> io::Result<()> {
    read_head(&mut stream).await?;
    stream.write_all(answer.as_bytes()).await?;
    stream.read_u8().await.map(drop)
}

/// How a connect ended: it was dropped after so many polls, or done before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Dropped { polls: u64 },
    Connected,
    Failed,
}

/// Polls a connect so often at most, and drops it after so many milliseconds in any case.
async fn drop_after(
    connecting: impl Future<Output = Result<MessageWebSocket, Error>>,
    most: u64,
    patience: u64,
) -> End {
    let mut connecting = pin!(connecting);
    let mut polls = 0;
    let polling = poll_fn(|context| {
        polls += 1;
        match connecting.as_mut().poll(context) {
            Poll::Ready(Ok(_)) => Poll::Ready(End::Connected),
            Poll::Ready(Err(_)) => Poll::Ready(End::Failed),
            Poll::Pending if polls >= most => Poll::Ready(End::Dropped { polls }),
            Poll::Pending => Poll::Pending,
        }
    });
    let ended = tokio::time::timeout(Duration::from_millis(patience), polling).await;
    ended.unwrap_or(End::Dropped { polls })
}

/// A connect to these addresses, whose name takes so many polls to resolve.
async fn connect(addresses: Vec<SocketAddr>, lookups: u64) -> Result<MessageWebSocket, Error> {
    let resolver = move |_: String, _: u16| {
        let addresses = addresses.clone();
        async move {
            for _ in 0..lookups {
                tokio::task::yield_now().await;
            }
            Ok(addresses)
        }
    };
    let builder = MessageWebSocket::builder().resolver(resolver);
    builder.connect("ws://many.example/").await
}

/// How often each end came of each target.
type Ends = BTreeMap<(&'static str, End), usize>;

/// Makes connects by `next`, a hundred at a time.
async fn run<F>(count: usize, mut next: impl FnMut() -> (&'static str, F)) -> Ends
where
    F: Future<Output = End> + Send + 'static,
{
    let (mut ends, mut running) = (Ends::new(), JoinSet::new());
    for number in 0..count + AT_ONCE {
        if number >= AT_ONCE {
            let end = running.join_next().await.expect("one for each");
            *ends.entry(end.expect("no panic")).or_default() += 1;
        }
        if number < count {
            let (target, ending) = next();
            running.spawn(async move { (target, ending.await) });
        }
    }
    ends
}

/// A seed of the caller's (`TWINSOCK_SEED`), or one of the clock.
fn seed() -> u64 {
    let given = std::env::var("TWINSOCK_SEED").ok();
    given.and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
        let now = std::time::UNIX_EPOCH.elapsed().expect("after 1970");
        now.as_secs()
    })
}

#[expect(clippy::print_stdout, reason = "the measured numbers are the result")]
fn say(line: &str) {
    println!("{line}");
}

fn tell(ends: &Ends) {
    let mut targets: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for ((target, end), count) in ends {
        let end = match end {
            End::Dropped { polls } => format!("{count} after {polls} polls"),
            End::Connected => format!("{count} connected"),
            End::Failed => format!("{count} failed"),
        };
        targets.entry(target).or_default().push(end);
    }
    for (target, ends) in targets {
        say(&format!("{target}: {}", ends.join(", ")));
    }
}

async fn check_fixed_resolver(seed: u64) -> io::Result<()> {
    let servers = Servers::start().await?;
    let before = Held::now();
    let mut random = Random(seed);
    let mut next = || {
        let (name, addresses) = random.one_of(&servers.targets);
        let connecting = connect(addresses.clone(), random.below(3));
        let (polls, patience) = (1 + random.below(12), random.below(PATIENCE));
        (*name, drop_after(connecting, polls, patience))
    };
    // What the runtime and the thread keep for all that follow.
    run(CONNECTS / 10, &mut next).await;
    before.settle().await;
    let bytes_before = ALLOCATOR.current_usage();
    let ends = run(CONNECTS, &mut next).await;
    tell(&ends);
    drop(ends);
    let after = before.settle().await;
    let bytes = ALLOCATOR.current_usage();
    say(&format!("before {before:?}, {bytes_before} bytes"));
    say(&format!("after {CONNECTS}: {after:?}, {bytes} bytes"));
    assert_eq!(after, before);
    assert!(bytes <= bytes_before + MOST_BYTES, "{bytes} bytes");
    Ok(())
}

/// The system's resolver works in threads of the runtime, which go a little later.
async fn check_system_resolver(seed: u64) -> io::Result<()> {
    let accepting = echo_server(AcceptOptions::new(), |_| ()).await?.0;
    let before = Held::now();
    let mut random = Random(seed);
    let ends = run(CONNECTS / 10, || {
        let connecting = async move {
            let uri = format!("ws://localhost:{}/", accepting.port());
            MessageWebSocket::connect(&uri).await
        };
        let (polls, patience) = (1 + random.below(6), random.below(PATIENCE));
        ("localhost", drop_after(connecting, polls, patience))
    })
    .await;
    tell(&ends);
    let most = Held::now().threads;
    let after = before.settle().await;
    say(&format!(
        "before {before:?}, then {most} threads, after {after:?}"
    ));
    assert_eq!(after, before);
    Ok(())
}

#[test]
fn a_dropped_connect_leaves_nothing_behind() -> io::Result<()> {
    let seed = seed();
    say(&format!("TWINSOCK_SEED={seed}"));
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(check_fixed_resolver(seed))?;
    drop(runtime);
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .thread_keep_alive(Duration::from_millis(50))
        .enable_all()
        .build()?;
    runtime.block_on(check_system_resolver(seed))
}
