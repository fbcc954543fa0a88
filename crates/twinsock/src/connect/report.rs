//! What connecting took: each step with its time.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use crate::error::Error;

/// The steps in which a client connected, or tried to, in the order in which they ended.
///
/// [`Information::connect_report`](crate::Information::connect_report) has it for a socket,
/// [`Error::connect_report`](crate::Error::connect_report) for a failure. It holds names,
/// addresses and times, and no secrets.
///
/// ```
/// # async fn run() -> Result<(), twinsock::Error> {
/// use twinsock::{ConnectPhase, MessageWebSocket};
///
/// let socket = MessageWebSocket::connect("wss://echo.example/").await?;
/// if let Some(report) = socket.information().connect_report() {
///     println!("TLS took {:?} of {:?}", report.time(ConnectPhase::Tls), report.total());
///     for step in report.steps() {
///         println!("{step}");
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ConnectReport {
    began: Instant,
    total: Duration,
    steps: Vec<ConnectStep>,
}

/// One step of connecting; see [`ConnectReport`] for an example.
#[derive(Clone, Debug)]
pub struct ConnectStep {
    phase: ConnectPhase,
    subject: String,
    began: Duration,
    took: Duration,
    failure: Option<String>,
}

/// What a step of connecting does; see [`ConnectReport`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectPhase {
    /// Finding the addresses of a name.
    Resolve,
    /// Reaching an address by TCP; several may be under way at once.
    Connect,
    /// Having a proxy make the connection.
    Proxy,
    /// Agreeing on TLS, with the server or with a proxy.
    Tls,
    /// The opening handshake of the WebSocket.
    Handshake,
}

impl ConnectReport {
    pub(crate) fn new() -> Self {
        Self {
            began: Instant::now(),
            total: Duration::ZERO,
            steps: Vec::new(),
        }
    }

    /// The steps, in the order in which they ended.
    #[must_use]
    pub fn steps(&self) -> &[ConnectStep] {
        &self.steps
    }

    /// How long it took from the beginning to the end of the last step.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.total
    }

    /// How long all steps of this sort took, one after the other; attempts that ran at once count
    /// each.
    #[must_use]
    pub fn time(&self, phase: ConnectPhase) -> Duration {
        let steps = self.steps.iter().filter(|step| step.phase == phase);
        steps.map(|step| step.took).sum()
    }

    /// Does a step, and takes note of what came of it. `subject` is what it is done with: a host,
    /// an address.
    pub(crate) async fn record<T>(
        &mut self,
        phase: ConnectPhase,
        subject: impl Into<String>,
        step: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let began = Instant::now();
        let result = step.await;
        self.note(phase, subject.into(), began, result.as_ref().err());
        result
    }

    /// Takes note of a step that is done.
    pub(crate) fn note(
        &mut self,
        phase: ConnectPhase,
        subject: String,
        began: Instant,
        failure: Option<&Error>,
    ) {
        self.total = self.began.elapsed();
        self.steps.push(ConnectStep {
            phase,
            subject,
            began: began.saturating_duration_since(self.began),
            took: began.elapsed(),
            failure: failure.map(|error| with_causes(error)),
        });
    }
}

impl ConnectStep {
    /// What was done.
    #[must_use]
    pub fn phase(&self) -> ConnectPhase {
        self.phase
    }

    /// With what: a host's name, an address, a proxy.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// When it began, counted from the beginning of connecting.
    #[must_use]
    pub fn began(&self) -> Duration {
        self.began
    }

    /// How long it took.
    #[must_use]
    pub fn took(&self) -> Duration {
        self.took
    }

    /// Why it failed; `None` when it did not.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }
}

impl fmt::Display for ConnectPhase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Proxy => "proxy",
            Self::Tls => "tls",
            Self::Handshake => "handshake",
        })
    }
}

/// One line, such as `connect 127.0.0.1:443: 0.4 ms`.
impl fmt::Display for ConnectStep {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = self.took.as_secs_f64() * 1e3;
        write!(
            formatter,
            "{} {}: {milliseconds:.1} ms",
            self.phase, self.subject
        )?;
        match &self.failure {
            Some(failure) => write!(formatter, ", {failure}"),
            None => Ok(()),
        }
    }
}

/// An error in one line with what is beneath it.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
