//! What the echo server does with one connection.

use std::fmt;

use twinsock::{CloseCode, Error, MessageWebSocket, Received};

/// Sends each message back, until the client closes.
///
/// A message that is all there comes back in one frame. Of a larger one each part is sent as soon
/// as it has come, as a fragment: so its size, if there is no `limit`, costs no memory. Nothing is
/// left out when the client closes: its Close is answered when all before it was sent.
pub(crate) async fn echo(socket: &MessageWebSocket, limit: Option<u64>) -> Result<(), EchoError> {
    let mut message = Progress::NotBegun;
    while let Some(part) = socket.receive_part().await? {
        let size = message.size().saturating_add(part.len() as u64);
        if let Some(limit) = limit.filter(|&limit| size > limit) {
            socket.close(CloseCode::MESSAGE_TOO_BIG, "").await?;
            return Err(EchoError::TooBig { limit });
        }
        message = send_back(socket, part, message).await?;
    }
    Ok(())
}

/// How far the message at hand has come.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Progress {
    NotBegun,
    /// So many bytes went back in fragments.
    Begun(u64),
}

impl Progress {
    fn size(self) -> u64 {
        match self {
            Self::NotBegun => 0,
            Self::Begun(size) => size,
        }
    }
}

async fn send_back(
    socket: &MessageWebSocket,
    part: Received,
    message: Progress,
) -> Result<Progress, Error> {
    if message == Progress::NotBegun && part.is_complete() {
        socket.send(part.into_message()).await?;
        return Ok(Progress::NotBegun);
    }
    socket.set_message_type(part.message_type());
    if part.is_complete() {
        socket.send_final_frame(part.into_bytes()).await?;
        return Ok(Progress::NotBegun);
    }
    let size = message.size().saturating_add(part.len() as u64);
    socket.send_nonfinal_frame(part.into_bytes()).await?;
    Ok(Progress::Begun(size))
}

/// Why a connection was not served to its end.
#[derive(Debug)]
pub(crate) enum EchoError {
    Connection(Error),
    /// A message was larger than is allowed.
    TooBig {
        limit: u64,
    },
}

impl From<Error> for EchoError {
    fn from(error: Error) -> Self {
        Self::Connection(error)
    }
}

impl fmt::Display for EchoError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(error) => error.fmt(formatter),
            Self::TooBig { limit } => write!(
                formatter,
                "expected messages of at most {limit} bytes, got a larger one"
            ),
        }
    }
}

impl std::error::Error for EchoError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Connection(error) => error.source(),
            Self::TooBig { .. } => None,
        }
    }
}
