//! For libraries that leave the server's handshake to hyper.

use std::error::Error;
use std::sync::Mutex;

use bytes::Bytes;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;

use crate::library::{ByteStream, Outcome};

/// Answers one request with the response of `upgrade`, and gives what its future gives: the
/// library's socket.
pub(crate) async fn serve<S, B, F, E>(
    stream: S,
    upgrade: impl Fn(&mut Request<Incoming>) -> Result<(Response<B>, F), E> + Sync,
) -> Outcome<F::Output>
where
    S: ByteStream,
    B: Body<Data = Bytes, Error: Error + Send + Sync> + Send + 'static,
    F: Future + Send,
    E: Error + Send + Sync + 'static,
{
    let upgrading = Mutex::new(None);
    let service = service_fn(async |mut request: Request<Incoming>| {
        let (response, future) = upgrade(&mut request)?;
        if let Ok(mut upgrading) = upgrading.lock() {
            *upgrading = Some(future);
        }
        Ok::<_, E>(response)
    });
    http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await?;
    let upgrading = upgrading.into_inner().map_err(|_| "the upgrade panicked")?;
    Ok(upgrading.ok_or("expected a request")?.await)
}
