//! `twinsock serve`: an echo server.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use twinsock::{AcceptOptions, CloseCode, Error, Incoming, Listener, ServerTls, Timeouts};

use crate::args::{ServeOptions, compression};
use crate::echo::{EchoError, echo};
use crate::exit_code::ExitCode;
use crate::failure::{Failure, chain};
use crate::signals::{ReloadSignal, StopSignal};
use crate::terminal::{self, Output};
use crate::tls;

/// How much longer than a closing handshake the last connections may take.
const DRAIN_MARGIN: Duration = Duration::from_secs(3);

pub(crate) async fn run(options: ServeOptions) -> Result<(), Failure> {
    let mut stop_signal =
        StopSignal::new().map_err(|error| Failure::system("cannot wait for signals", &error))?;
    let tls = tls::of_server(&options)?;
    let certificates = match &tls {
        Some(tls) => Some(Certificates::new(tls, &options)?),
        None => None,
    };
    let listener = listen(&options, tls.clone()).await?;
    announce(&listener, tls.as_ref())?;
    let mut server = Server::new(options.max_message_size);
    tokio::select! {
        stopped = server.accept_until(&listener, stop_signal.received()) => stopped?,
        () = reload(certificates) => {}
    }
    drop(listener);
    tokio::select! {
        () = server.shut_down() => {}
        () = stop_signal.received() => {}
    }
    Ok(())
}

/// The server's certificate, which the system may ask to read again. Without one that signal
/// keeps its meaning: the end.
struct Certificates<'a> {
    tls: &'a ServerTls,
    options: &'a ServeOptions,
    reload_signal: ReloadSignal,
}

impl<'a> Certificates<'a> {
    fn new(tls: &'a ServerTls, options: &'a ServeOptions) -> Result<Self, Failure> {
        let reload_signal = ReloadSignal::new()
            .map_err(|error| Failure::system("cannot wait for signals", &error))?;
        Ok(Self {
            tls,
            options,
            reload_signal,
        })
    }

    fn read_again(&self) -> Result<(), Failure> {
        let Some(identity) = tls::server_identity(self.options)? else {
            return Ok(());
        };
        self.tls
            .reload(identity)
            .map_err(|error| Failure::of_library("TLS", &error))
    }
}

/// Reads the certificate again at each request of the system, and never ends.
async fn reload(certificates: Option<Certificates<'_>>) {
    let Some(mut certificates) = certificates else {
        return std::future::pending().await;
    };
    loop {
        certificates.reload_signal.received().await;
        match certificates.read_again() {
            Ok(()) => terminal::say("the certificate was read again"),
            // What served until now goes on serving.
            Err(failure) => terminal::say(format_args!("the certificate stays: {failure}")),
        }
    }
}

async fn listen(options: &ServeOptions, tls: Option<ServerTls>) -> Result<Listener, Failure> {
    let accept_options =
        accept_options(options).map_err(|error| Failure::of_library("cannot serve", &error))?;
    let listener = Listener::bind(options.listen.as_str())
        .await
        .map_err(|error| cannot_listen(&options.listen, &error))?;
    let listener = listener.with_options(accept_options);
    Ok(match tls {
        Some(tls) => listener.with_tls(tls),
        None => listener,
    })
}

fn accept_options(options: &ServeOptions) -> Result<AcceptOptions, Error> {
    let mut accept_options = AcceptOptions::new();
    for protocol in &options.protocols {
        accept_options = accept_options.protocol(protocol)?;
    }
    for origin in &options.origins {
        accept_options = accept_options.origin(origin)?;
    }
    if let Some(terms) = options.deflate {
        accept_options = accept_options.deflate(terms);
    }
    Ok(accept_options.compression(compression(options.deflate_level)))
}

fn cannot_listen(address: &str, error: &Error) -> Failure {
    let cause = error.source().map_or_else(|| chain(error), chain);
    let message = format!("cannot listen on {address}: {cause}");
    if is_no_address(error) {
        return Failure::new(ExitCode::Usage, message)
            .with_hint("expected HOST:PORT, such as 127.0.0.1:9001");
    }
    Failure::new(ExitCode::from(error.kind()), message)
        .with_hint("--listen HOST:PORT names another address; port 0 is any free one")
}

/// Whether the address was none, rather than one that cannot be had.
fn is_no_address(error: &Error) -> bool {
    error
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>())
        .is_some_and(|error| error.kind() == io::ErrorKind::InvalidInput)
}

fn announce(listener: &Listener, tls: Option<&ServerTls>) -> Result<(), Failure> {
    let scheme = if tls.is_some() { "wss" } else { "ws" };
    let mut output = Output::new();
    output
        .print_line(&format!(
            "listening on {scheme}://{}",
            listener.local_address()
        ))
        .and_then(|()| output.flush())
        .map_err(|error| Failure::of_standard_output(&error))
}

/// The connections, a task for each.
#[derive(Debug)]
struct Server {
    connections: JoinSet<()>,
    /// Becomes true when the server shuts down.
    shutdown: watch::Sender<bool>,
    max_message_size: Option<u64>,
}

/// How a connection learns that the server shuts down.
#[derive(Clone, Debug)]
struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    async fn begun(&mut self) {
        // An error says that the server is gone altogether.
        let _ = self.0.wait_for(|begun| *begun).await;
    }
}

impl Server {
    fn new(max_message_size: Option<u64>) -> Self {
        Self {
            connections: JoinSet::new(),
            shutdown: watch::Sender::new(false),
            max_message_size,
        }
    }

    async fn accept_until(
        &mut self,
        listener: &Listener,
        stop: impl Future<Output = ()>,
    ) -> Result<(), Failure> {
        let mut stop = std::pin::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => return Ok(()),
                incoming = listener.accept() => {
                    let incoming = incoming.map_err(|error| {
                        Failure::of_library(&listener.local_address().to_string(), &error)
                    })?;
                    let shutdown = Shutdown(self.shutdown.subscribe());
                    self.connections.spawn(serve(incoming, self.max_message_size, shutdown));
                }
                // Otherwise the set would grow with each connection that ever was.
                Some(_) = self.connections.join_next() => {}
            }
        }
    }

    /// Closes all connections, and waits for their ends as long as that may take.
    async fn shut_down(&mut self) {
        self.shutdown.send_replace(true);
        let limit = Timeouts::default().close + DRAIN_MARGIN;
        let all_ended = async { while self.connections.join_next().await.is_some() {} };
        if tokio::time::timeout(limit, all_ended).await.is_err() {
            let left = self.connections.len();
            terminal::say(format_args!("{left} connections did not end in time"));
        }
    }
}

/// Serves one client; what goes wrong is told in one line, and concerns nobody else.
async fn serve(incoming: Incoming, limit: Option<u64>, shutdown: Shutdown) {
    let peer = incoming.peer_address();
    if let Err(error) = accept_and_echo(incoming, limit, shutdown).await {
        terminal::say(format_args!("{peer}: {}", chain(&error)));
    }
}

async fn accept_and_echo(
    incoming: Incoming,
    limit: Option<u64>,
    mut shutdown: Shutdown,
) -> Result<(), EchoError> {
    let socket = tokio::select! {
        socket = incoming.accept() => socket?,
        () = shutdown.begun() => return Ok(()),
    };
    tokio::select! {
        ended = echo(&socket, limit) => ended,
        () = shutdown.begun() => Ok(socket.close(CloseCode::GOING_AWAY, "").await?),
    }
}
