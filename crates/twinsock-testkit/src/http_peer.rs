//! An HTTP server or proxy on this host that answers by a script, and keeps what it was asked.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;

pub use tokio_rustls::TlsAcceptor;

use crate::raw::{read_head, response_to};

/// A server or proxy, until it is dropped. Each connection is one request and its answer.
#[derive(Debug)]
pub struct HttpPeer {
    address: SocketAddr,
    asked: Asked,
    accepting: JoinHandle<()>,
}

/// The head of a request.
#[derive(Clone, Debug)]
pub struct Request(String);

/// What a request is answered with.
#[derive(Clone, Debug)]
pub enum Answer {
    /// These bytes, and then the end of the stream.
    Bytes(Vec<u8>),
    /// These bytes, and then silence until the client goes.
    Silence(Vec<u8>),
    /// These bytes, and then one more of them at a time without end.
    Drip(Vec<u8>),
    /// The opening of a WebSocket, with these header lines; then silence until the client goes.
    Open(String),
    /// A tunnel to the port of the request's target on this host, whatever its name.
    Tunnel,
}

/// Decides on the answer to a request.
type Script = Arc<dyn Fn(&Request) -> Answer + Send + Sync>;

/// All requests so far.
type Asked = Arc<Mutex<Vec<Request>>>;

impl HttpPeer {
    /// Listens on a free port of this host.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn start(
        script: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::start_with(None, script).await
    }

    /// The same with TLS.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn start_over_tls(
        tls: TlsAcceptor,
        script: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::start_with(Some(tls), script).await
    }

    async fn start_with(
        tls: Option<TlsAcceptor>,
        script: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let asked = Asked::default();
        let exchange = Exchange {
            script: Arc::new(script),
            asked: Arc::clone(&asked),
        };
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(exchange.clone().serve(stream, tls.clone()));
            }
        });
        Ok(Self {
            address,
            asked,
            accepting,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// An address of it with this scheme and this resource, by the name `localhost`.
    #[must_use]
    pub fn uri(&self, scheme: &str, resource: &str) -> String {
        format!("{scheme}://localhost:{}{resource}", self.address.port())
    }

    /// What it was asked, in the order of asking.
    #[must_use]
    pub fn asked(&self) -> Vec<Request> {
        locked(&self.asked).clone()
    }
}

impl Drop for HttpPeer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Request {
    /// Method, target and version.
    #[must_use]
    pub fn first_line(&self) -> &str {
        self.0.lines().next().unwrap_or_default()
    }

    /// What stands between method and version.
    #[must_use]
    pub fn target(&self) -> &str {
        self.first_line().split(' ').nth(1).unwrap_or_default()
    }

    /// The value of a header; `None` when there is none.
    ///
    /// # Panics
    /// When there are several.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.0.lines().skip(1).filter_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        });
        let value = values.next();
        assert_eq!(values.next(), None, "a second {name}");
        value
    }

    /// The whole head.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Answer {
    /// A response without a body, with these header lines, each with its line end.
    #[must_use]
    pub fn status(status: u16, headers: &str) -> Self {
        Self::Bytes(
            format!("HTTP/1.1 {status} Scripted\r\n{headers}Content-Length: 0\r\n\r\n")
                .into_bytes(),
        )
    }

    /// A redirect to this place.
    #[must_use]
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::status(status, &format!("Location: {location}\r\n"))
    }

    /// The opening of a WebSocket.
    #[must_use]
    pub fn open() -> Self {
        Self::Open(String::new())
    }
}

/// A peer's TLS with this certificate chain and key, in DER.
///
/// # Errors
/// When the key cannot be used.
pub fn tls(chain: &[Vec<u8>], key: &[u8]) -> io::Result<TlsAcceptor> {
    let key = key.to_vec().try_into().map_err(io::Error::other)?;
    let chain = chain.iter().cloned().map(Into::into).collect();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(io::Error::other)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[derive(Clone)]
struct Exchange {
    script: Script,
    asked: Asked,
}

impl Exchange {
    async fn serve(self, stream: TcpStream, tls: Option<TlsAcceptor>) -> io::Result<()> {
        match tls {
            Some(tls) => self.answer(tls.accept(stream).await?).await,
            None => self.answer(stream).await,
        }
    }

    async fn answer(self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
        let request = Request(read_head(&mut stream).await?);
        let answer = (self.script)(&request);
        locked(&self.asked).push(request.clone());
        match answer {
            Answer::Bytes(bytes) => {
                stream.write_all(&bytes).await?;
                stream.shutdown().await?;
            }
            Answer::Silence(bytes) => write(&mut stream, &bytes).await?,
            Answer::Drip(bytes) => loop {
                write(&mut stream, &bytes).await?;
                tokio::time::sleep(DRIP).await;
            },
            Answer::Open(headers) => {
                let opening = response_to(request.text()).ok_or(io::ErrorKind::InvalidData)?;
                let opening = opening.replacen("\r\n\r\n", &format!("\r\n{headers}\r\n"), 1);
                write(&mut stream, opening.as_bytes()).await?;
            }
            Answer::Tunnel => return tunnel(stream, request.target()).await,
        }
        // Until the client goes: a stream that ends with bytes unread is reset.
        while stream.read(&mut [0; 1024]).await? > 0 {}
        Ok(())
    }
}

/// How long a server that drips waits before each piece.
const DRIP: std::time::Duration = std::time::Duration::from_millis(20);

async fn write(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

async fn tunnel(mut near: impl AsyncRead + AsyncWrite + Unpin, target: &str) -> io::Result<()> {
    let mut far = connect_to_port_of(target).await?;
    write(&mut near, b"HTTP/1.1 200 Connected\r\n\r\n").await?;
    copy_bidirectional(&mut near, &mut far).await?;
    Ok(())
}

async fn connect_to_port_of(target: &str) -> io::Result<TcpStream> {
    let port = target.rsplit(':').next().and_then(|port| port.parse().ok());
    let port: u16 = port.ok_or(io::ErrorKind::InvalidData)?;
    TcpStream::connect(("127.0.0.1", port)).await
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
