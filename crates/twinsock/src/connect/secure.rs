//! A client's TLS over a byte stream, with a server or a proxy.

use std::io;

use rustls::InvalidMessage;
use tokio_rustls::TlsConnector;

use crate::driver::ByteStream;
use crate::error::{Error, ErrorKind};
use crate::tls::{
    CertificateError, ClientTls, Introduction, TlsInformation, TlsStream, Validation, Verdict,
    described, listed, server_name,
};

/// How the peer's certificate is checked.
#[derive(Debug)]
pub(crate) struct Check<'a> {
    pub(crate) tls: &'a ClientTls,
    /// What is let pass.
    pub(crate) ignorable: &'a [CertificateError],
    /// Who has the last word.
    pub(crate) validation: Option<&'a Validation>,
    pub(crate) introduction: Introduction,
}

impl<'a> Check<'a> {
    /// A proxy's is checked by the book.
    pub(crate) fn of_proxy(tls: &'a ClientTls) -> Self {
        Self {
            tls,
            ignorable: &[],
            validation: None,
            introduction: Introduction::WithIdentity,
        }
    }
}

/// A byte stream in TLS.
pub(crate) struct Secured {
    pub(crate) stream: Box<dyn ByteStream>,
    pub(crate) information: TlsInformation,
}

/// Agrees on TLS with `host` at the other end of `stream`. Nothing of the application's has gone
/// out when it is done.
pub(crate) async fn secure(
    stream: Box<dyn ByteStream>,
    host: &str,
    check: &Check<'_>,
) -> Result<Secured, Error> {
    let name = server_name(host)?;
    let session = check
        .tls
        .session(check.ignorable, check.introduction)
        .await?;
    let connector = TlsConnector::from(session.config.clone());
    let stream = connector.connect(name, stream).await;
    let stream = TlsStream::new(stream.map_err(|error| failure(error, host))?);
    let information = session.information(stream.state());
    if let Some(validation) = check.validation
        && validation.verdict(information.clone()).await == Verdict::Reject
    {
        return Err(Error::certificate_refused(
            format!("the application rejected the certificate of {host}"),
            information.certificate_errors().to_vec(),
        ));
    }
    Ok(Secured {
        stream: Box::new(stream),
        information,
    })
}

/// An error of a connection whose peer gave TLS up, which in TLS 1.3 may come as late as with the
/// first read (RFC 8446 §4.4.2.4); others as they are.
pub(crate) fn told_by_tls(error: Error) -> Error {
    let source = std::error::Error::source(&error);
    let Some(inside) = source
        .and_then(|source| source.downcast_ref::<io::Error>())
        .and_then(inside)
    else {
        return error;
    };
    tls_failed("the server ended TLS", inside.clone())
}

/// Why TLS was not agreed on.
fn failure(error: io::Error, host: &str) -> Error {
    match inside(&error) {
        Some(rustls::Error::InvalidCertificate(found)) => {
            let reasons = described(found);
            let context = format!("the certificate of {host} was not accepted: {reasons}");
            Error::certificate_rejected(context, listed(found))
        }
        Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            let context = format!("expected TLS from {host}, got other bytes: plain HTTP, perhaps");
            Error::with_source(ErrorKind::TlsFailed, context, error)
        }
        Some(inside) => tls_failed(&format!("no TLS with {host}"), inside.clone()),
        None => {
            let context = format!("no TLS with {host}: the connection ended");
            Error::with_source(ErrorKind::TlsFailed, context, error)
        }
    }
}

fn tls_failed(context: &str, source: rustls::Error) -> Error {
    Error::with_source(ErrorKind::TlsFailed, context, source)
}

/// What rustls said.
fn inside(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}
