//! A SOCKS 5 proxy on this host that keeps what it was asked (RFC 1928, RFC 1929).

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A proxy, until it is dropped. Whatever the name, it connects to this host.
#[derive(Debug)]
pub struct SocksPeer {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Vec<u8>>>>,
    accepting: JoinHandle<()>,
}

/// Whom it lets through: all, or one user.
#[derive(Clone, Copy, Debug)]
pub enum Users {
    /// It asks for no name.
    All,
    /// It asks for this name and this password.
    One(&'static str, &'static str),
}

impl SocksPeer {
    /// Listens on a free port of this host.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn start(users: Users) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let log = Arc::clone(&log);
                tokio::spawn(Client { stream, log }.serve(users));
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

    /// What it was asked: each message by itself, as it came.
    #[must_use]
    pub fn asked(&self) -> Vec<Vec<u8>> {
        let asked = self.asked.lock();
        asked.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for SocksPeer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

struct Client {
    stream: TcpStream,
    log: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Client {
    async fn serve(mut self, users: Users) -> io::Result<()> {
        let mut greeting = self.read(2).await?;
        greeting.extend(self.read(greeting[1].into()).await?);
        self.note(&greeting);
        match users {
            Users::All => self.stream.write_all(&[5, 0]).await?,
            Users::One(name, password) if greeting[2..].contains(&2) => {
                self.stream.write_all(&[5, 2]).await?;
                self.check(name, password).await?;
            }
            Users::One(..) => return self.stream.write_all(&[5, 0xFF]).await,
        }
        let (request, port) = self.read_request().await?;
        self.note(&request);
        let mut far = TcpStream::connect(("127.0.0.1", port)).await?;
        let reply = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        self.stream.write_all(&reply).await?;
        copy_bidirectional(&mut self.stream, &mut far).await?;
        Ok(())
    }

    async fn check(&mut self, name: &str, password: &str) -> io::Result<()> {
        let mut message = self.read(2).await?;
        message.extend(self.read(message[1].into()).await?);
        let length = self.read(1).await?;
        message.extend(&length);
        message.extend(self.read(length[0].into()).await?);
        self.note(&message);
        let length = |text: &str| u8::try_from(text.len()).unwrap_or(u8::MAX);
        let mut expected = vec![1, length(name)];
        expected.extend(name.bytes());
        expected.push(length(password));
        expected.extend(password.bytes());
        if message == expected {
            return self.stream.write_all(&[1, 0]).await;
        }
        self.stream.write_all(&[1, 1]).await?;
        Err(io::ErrorKind::PermissionDenied.into())
    }

    async fn read_request(&mut self) -> io::Result<(Vec<u8>, u16)> {
        let mut request = self.read(4).await?;
        let length = match request[3] {
            1 => 4,
            4 => 16,
            _ => {
                let length = self.read(1).await?;
                request.extend(&length);
                length[0].into()
            }
        };
        request.extend(self.read(length).await?);
        let port = self.read(2).await?;
        request.extend(&port);
        Ok((request, u16::from_be_bytes([port[0], port[1]])))
    }

    async fn read(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).await?;
        Ok(bytes)
    }

    fn note(&self, message: &[u8]) {
        let log = self.log.lock();
        log.unwrap_or_else(PoisonError::into_inner)
            .push(message.to_vec());
    }
}
