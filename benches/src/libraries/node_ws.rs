//! ws on Node, as a process of its own that listens: installed by npm below `target`, which git
//! ignores. It takes part where messages are compressed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::compression::Compression;
use crate::library::Outcome;
use crate::measure::Sample;
use crate::neutral::{self, EchoedMessages, Echoes};
use crate::processor;
use crate::quantity::Quantity;
use crate::run::Run;
use crate::workload::Task;

pub(super) const NAME: &str = "ws on Node";
pub(super) const FLUSH: &str = "`send` writes each message, once threads have compressed it";
const PACKAGE: &str = "ws@8.23.0";
const PROGRAM: &str = include_str!("node_ws.mjs");

pub(super) fn takes_part_in(task: Task) -> bool {
    matches!(task, Task::Deflate { .. })
}

/// With that of Node, whose zlib it uses.
pub(super) fn version() -> String {
    let node = Command::new("node").arg("--version").output();
    let node = node.map(|output| output.stdout).unwrap_or_default();
    format!("{PACKAGE} {}", String::from_utf8_lossy(&node).trim())
}

/// Installs it, unless that was done before.
pub(super) fn is_available() -> bool {
    let installed = install();
    if let Err(error) = &installed {
        eprintln!("without {NAME}: {error}");
    }
    installed.is_ok()
}

fn install() -> Outcome<()> {
    let folder = folder();
    fs::create_dir_all(&folder)?;
    fs::write(program(), PROGRAM)?;
    if folder.join("node_modules/ws/package.json").exists() {
        return Ok(());
    }
    let npm = Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--prefix"])
        .args([&*folder.to_string_lossy(), PACKAGE])
        .output();
    match npm {
        Ok(Output { status, .. }) if status.success() => Ok(()),
        Ok(Output { stderr, .. }) => Err(String::from_utf8_lossy(&stderr).into()),
        Err(error) => Err(format!("npm: {error}").into()),
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/node-ws")
}

fn program() -> PathBuf {
    folder().join("node_ws.mjs")
}

/// One sample, of fewer messages than others take, since each takes longer. Node compiles while
/// it runs: the warm-up is as long as what is measured.
pub(super) fn run(run: &Run) -> Outcome<Sample> {
    let Task::Deflate {
        compression,
        in_flight,
    } = run.workload.task
    else {
        return Err("it does nothing but compress".into());
    };
    let server = Server::start(compression)?;
    processor::pin_neutral_side();
    let measured = run.messages / 4;
    let (warm_up, total) = (measured, 2 * measured);
    let messages = EchoedMessages {
        takeover: compression.takeover,
        size: run.workload.size,
        in_flight,
        count: total + in_flight,
    };
    let stream = neutral::dialled_compressing(server.address, &messages)?;
    let mut echoes = Echoes::new(&stream, &messages)?;
    let early = echoes.exchange(warm_up)?;
    let (start, cpu) = (Instant::now(), server.cpu_time()?);
    let echoed = echoes.exchange(total)? - early;
    let (wall, cpu) = (start.elapsed(), server.cpu_time()? - cpu);
    let sent = measured * messages.size;
    Ok(Sample::from([
        (Quantity::CpuNanoseconds, each(cpu, measured)),
        (Quantity::WallNanoseconds, each(wall, measured)),
        (Quantity::CompressedPart, echoed as f64 / sent as f64),
    ]))
}

fn each(time: Duration, messages: usize) -> f64 {
    time.as_nanos() as f64 / messages as f64
}

/// It ends when this is dropped.
struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    fn start(compression: Compression) -> Outcome<Self> {
        let mut process = Command::new("node")
            .arg(program())
            .args([&*compression.level.to_string(), compression.takeover.name()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take();
        let mut server = Self {
            process,
            address: (Ipv4Addr::LOCALHOST, 0).into(),
        };
        let mut port = String::new();
        BufReader::new(output.ok_or("it has no output")?).read_line(&mut port)?;
        server.address.set_port(port.trim().parse()?);
        Ok(server)
    }

    /// Of all its threads: some compress, others compile and collect garbage.
    fn cpu_time(&self) -> Outcome<Duration> {
        let mut time = Duration::ZERO;
        for thread in fs::read_dir(format!("/proc/{}/task", self.process.id()))? {
            // Nanoseconds on a processor, then waiting for one, and how often.
            let text = fs::read_to_string(thread?.path().join("schedstat"))?;
            let first = text.split(' ').next().unwrap_or_default();
            time += Duration::from_nanos(first.parse()?);
        }
        Ok(time)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
