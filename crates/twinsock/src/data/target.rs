//! What a writer may stand over.

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use twinsock_proto::MessageType;

use crate::data::encoding::check_utf8;
use crate::data::error::DataError;
use crate::message::{MessageSender, MessageWebSocket};

/// What a [`DataWriter`](crate::DataWriter) can store to: `&MessageWebSocket`, a
/// [`MessageSender`] or a reference to one, or whatever is [`AsyncWrite`].
///
/// It is sealed: to store to something of your own, implement [`AsyncWrite`] for it.
///
/// ```
/// use twinsock::{DataError, DataWriter, StoreTarget};
///
/// async fn store_greeting(target: impl StoreTarget) -> Result<usize, DataError> {
///     let mut writer = DataWriter::over(target);
///     writer.write_string("Hello, world!");
///     writer.store().await
/// }
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # assert_eq!(runtime.block_on(store_greeting(Vec::new())).unwrap(), 13);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is nothing to store to",
    note = "expected `&MessageWebSocket` (`&*socket` of an `Arc`), `MessageSender`, or `AsyncWrite`"
)]
pub trait StoreTarget: sealed::Target {}

impl<T: sealed::Target> StoreTarget for T {}

pub(super) mod sealed {
    use bytes::BytesMut;

    use crate::data::error::DataError;

    /// Takes what a writer has gathered; whatever is not taken stays in `unstored`.
    pub trait Target {
        /// Hands the bytes on; gives how many.
        fn store(
            &mut self,
            unstored: &mut BytesMut,
        ) -> impl Future<Output = Result<usize, DataError>>;

        /// Waits until what was stored is out of this program's hands.
        fn flush(&mut self) -> impl Future<Output = Result<(), DataError>>;
    }
}

impl<W: AsyncWrite + Unpin> sealed::Target for W {
    async fn store(&mut self, unstored: &mut BytesMut) -> Result<usize, DataError> {
        let mut stored = 0;
        while unstored.has_remaining() {
            // It takes off what it has written, so a dropped store knows where to go on.
            match self.write_buf(unstored).await {
                Ok(0) => return Err(DataError::stream(std::io::ErrorKind::WriteZero.into())),
                Ok(count) => stored += count,
                Err(error) => return Err(DataError::stream(error)),
            }
        }
        Ok(stored)
    }

    async fn flush(&mut self) -> Result<(), DataError> {
        AsyncWriteExt::flush(self).await.map_err(DataError::stream)
    }
}

impl sealed::Target for &MessageWebSocket {
    async fn store(&mut self, unstored: &mut BytesMut) -> Result<usize, DataError> {
        store_message(self, unstored).await
    }

    async fn flush(&mut self) -> Result<(), DataError> {
        Ok(MessageWebSocket::flush(self).await?)
    }
}

impl sealed::Target for MessageSender {
    async fn store(&mut self, unstored: &mut BytesMut) -> Result<usize, DataError> {
        store_message(self.socket(), unstored).await
    }

    async fn flush(&mut self) -> Result<(), DataError> {
        Ok(MessageSender::flush(self).await?)
    }
}

impl sealed::Target for &MessageSender {
    async fn store(&mut self, unstored: &mut BytesMut) -> Result<usize, DataError> {
        store_message(self.socket(), unstored).await
    }

    async fn flush(&mut self) -> Result<(), DataError> {
        Ok(MessageSender::flush(self).await?)
    }
}

/// Sends all that was gathered as one message; it is lent until it is queued.
async fn store_message(
    socket: &MessageWebSocket,
    unstored: &mut BytesMut,
) -> Result<usize, DataError> {
    match socket.message_type() {
        MessageType::Binary => socket.send_binary(unstored).await?,
        MessageType::Text => socket.send_text(check_utf8(unstored)?).await?,
    }
    let stored = unstored.len();
    unstored.clear();
    Ok(stored)
}
