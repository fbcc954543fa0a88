//! A server's TLS over a TCP connection.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::accept::handshake::{drain, send_last};
use crate::driver::ByteStream;
use crate::error::{Error, ErrorKind};
use crate::timeout::Timeout;
use crate::tls::{ServerTls, TlsInformation, TlsStream};

/// What a client gets that speaks plain HTTP here.
const NOT_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\
    Content-Length: 40\r\nConnection: close\r\n\r\nThis port speaks TLS: use wss or https.\n";

/// What came of a client's beginning.
enum Outcome {
    Agreed(Box<TlsStream<TcpStream>>),
    Refused(io::Error, TcpStream),
    PlainHttp(TcpStream),
}

/// Agrees on TLS with a client, within the time that it has.
pub(crate) async fn secure(
    stream: TcpStream,
    tls: &ServerTls,
    limit: Duration,
) -> Result<(Box<dyn ByteStream>, TlsInformation), Error> {
    let outcome = timeout(limit, agree(stream, tls))
        .await
        .map_err(|_| Error::timeout(Timeout::Tls))?;
    // Telling the client why not has time of its own: the error is known.
    match outcome.map_err(failure)? {
        Outcome::Agreed(stream) => {
            let information = TlsInformation::of(stream.state(), Vec::new());
            Ok((stream, information))
        }
        Outcome::Refused(error, mut stream) => {
            // The client is to read the alert: closing with unread bytes would destroy it.
            drain(&mut stream).await;
            Err(failure(error))
        }
        Outcome::PlainHttp(stream) => {
            let _ = send_last(Box::new(stream), NOT_TLS).await;
            Err(Error::new(
                ErrorKind::TlsFailed,
                "expected TLS from the client, got plain HTTP",
            ))
        }
    }
}

async fn agree(stream: TcpStream, tls: &ServerTls) -> io::Result<Outcome> {
    if begins_with_a_letter(&stream).await? {
        return Ok(Outcome::PlainHttp(stream));
    }
    let accepting = TlsAcceptor::from(tls.config()).accept(stream);
    Ok(match accepting.into_fallible().await {
        Ok(stream) => Outcome::Agreed(Box::new(TlsStream::new(stream))),
        Err((error, stream)) => Outcome::Refused(error, stream),
    })
}

/// TLS begins with the byte 22, HTTP with the letter of a method.
async fn begins_with_a_letter(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    let count = stream.peek(&mut first).await?;
    Ok(count > 0 && first[0].is_ascii_uppercase())
}

fn failure(error: io::Error) -> Error {
    let inside = error
        .get_ref()
        .and_then(|inside| inside.downcast_ref::<rustls::Error>());
    match inside.cloned() {
        Some(error @ rustls::Error::InvalidCertificate(_)) => Error::with_source(
            ErrorKind::TlsFailed,
            "the client's certificate was not accepted",
            error,
        ),
        Some(error) => Error::with_source(ErrorKind::TlsFailed, "no TLS with the client", error),
        None => Error::with_source(
            ErrorKind::TlsFailed,
            "no TLS with the client: the connection ended",
            error,
        ),
    }
}
