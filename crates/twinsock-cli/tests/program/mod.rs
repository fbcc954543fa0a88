//! The built program, run as a child with piped streams and a deadline.

// Each test file uses its own part of this module.
#![allow(dead_code)]

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long a program may take that is expected to end.
const DEADLINE: Duration = Duration::from_secs(20);

/// A running program.
pub(crate) struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Option<BufReader<ChildStdout>>,
    stderr: Option<JoinHandle<String>>,
    watchdog: Watchdog,
}

/// What a program left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Program {
    /// Starts the program; its standard input stays open.
    pub(crate) fn start(words: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_twinsock"))
            .args(words)
            .env("RUST_BACKTRACE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stderr = child.stderr.take().expect("it is piped");
        Self {
            stdin: child.stdin.take(),
            stdout: child.stdout.take().map(BufReader::new),
            stderr: Some(thread::spawn(move || {
                let mut text = String::new();
                stderr.read_to_string(&mut text).expect("it is UTF-8");
                text
            })),
            watchdog: Watchdog::over(child.id()),
            child,
        }
    }

    /// Starts `twinsock serve` on a free port; the second is its address.
    pub(crate) fn serve(options: &[&str]) -> (Self, String) {
        let mut words = vec!["serve", "--listen", "127.0.0.1:0"];
        words.extend(options);
        let mut server = Self::start(&words);
        let line = server.read_line();
        let uri = line
            .strip_prefix("listening on ")
            .expect("the first line tells the address");
        let uri = uri.to_owned();
        (server, uri)
    }

    /// The next line of standard output; empty at its end.
    pub(crate) fn read_line(&mut self) -> String {
        let mut line = String::new();
        let stdout = self.stdout.as_mut().expect("it is still read");
        stdout.read_line(&mut line).expect("it is UTF-8");
        line.trim_end_matches('\n').to_owned()
    }

    /// Writes to standard input; a program that has ended is no reason to panic.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("it was not ended");
        let _ = stdin.write_all(bytes).and_then(|()| stdin.flush());
    }

    /// Standard input, for a thread that writes more than a pipe holds.
    pub(crate) fn take_input(&mut self) -> ChildStdin {
        self.stdin.take().expect("it was not ended")
    }

    /// Reads no more of what the program prints.
    pub(crate) fn drop_output(&mut self) {
        self.stdout = None;
    }

    pub(crate) fn end_input(&mut self) {
        self.stdin = None;
    }

    /// Sends a signal, by its name without SIG.
    pub(crate) fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// The next bytes of standard output.
    pub(crate) fn read_exact(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        let stdout = self.stdout.as_mut().expect("it is still read");
        stdout.read_exact(&mut bytes).expect("so many bytes come");
        bytes
    }

    /// Waits for the program's own end; what was not written to standard input stays open.
    pub(crate) fn end(self) -> Ended {
        let (ended, stdout) = self.end_with_bytes();
        Ended {
            stdout: String::from_utf8(stdout).expect("it is UTF-8"),
            ..ended
        }
    }

    /// The same for a program whose standard output is no text.
    pub(crate) fn end_with_bytes(mut self) -> (Ended, Vec<u8>) {
        let mut stdout = Vec::new();
        if let Some(mut stream) = self.stdout.take() {
            stream.read_to_end(&mut stdout).expect("it is readable");
        }
        let status = self.child.wait().expect("it is our child");
        self.watchdog.dismiss();
        let stderr = self.stderr.take().expect("it is read to its end once");
        let ended = Ended {
            code: status.code(),
            stdout: String::new(),
            stderr: stderr.join().expect("it was read"),
        };
        (ended, stdout)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.watchdog.dismiss();
        // It may have ended, and been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the program with an empty standard input.
pub(crate) fn run(words: &[&str]) -> Ended {
    let mut program = Program::start(words);
    program.end_input();
    program.end()
}

impl Ended {
    /// The only `error: ` line, when there is nothing else but a hint.
    pub(crate) fn error(&self) -> &str {
        let mut lines = self
            .stderr
            .lines()
            .filter(|line| !line.starts_with("hint: "));
        let (first, second) = (lines.next(), lines.next());
        assert_eq!(second, None, "{self:?}");
        first
            .and_then(|line| line.strip_prefix("error: "))
            .expect("the first line is the error")
    }
}

/// Kills a program that does not end, so that its test fails rather than hangs.
struct Watchdog {
    dismissal: mpsc::Sender<()>,
}

impl Watchdog {
    fn over(id: u32) -> Self {
        let (dismissal, dismissed): (_, Receiver<()>) = mpsc::channel();
        thread::spawn(move || {
            if dismissed.recv_timeout(DEADLINE) == Err(mpsc::RecvTimeoutError::Timeout) {
                signal(id, "KILL");
            }
        });
        Self { dismissal }
    }

    fn dismiss(&self) {
        // It may have struck already.
        let _ = self.dismissal.send(());
    }
}

fn signal(id: u32, name: &str) {
    let status = Command::new("kill")
        .args([&format!("-{name}"), &id.to_string()])
        .status();
    assert!(status.expect("kill runs").success());
}
