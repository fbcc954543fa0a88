//! Messages in parts, as they come and as they go.

use bytes::Bytes;
use twinsock_proto::{Fragment, MessageType, ReceiveMode};

use crate::error::Error;
use crate::message::{MessageReader, MessageWebSocket, MessageWriter};
use crate::received::Received;

impl MessageWebSocket {
    /// The next part of a message, as soon as it has come
    /// (`MessageWebSocketReceiveMode.PartialMessage` in UWP); `None` as for
    /// [`receive`](Self::receive).
    ///
    /// Nothing is collected, so [`max_message_size`](crate::MessageWebSocketBuilder::max_message_size)
    /// does not count, and a message of any size takes 64 KiB of memory. A part may be empty:
    /// an empty message, or the mere end of one. A part of a text ends between two characters;
    /// UTF-8 is checked across parts.
    ///
    /// A `receive` in the midst of a message gives the one after it.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    ///
    /// # Cancel safety
    /// A dropped `receive_part` loses nothing: the next call gives the part.
    pub async fn receive_part(&self) -> Result<Option<Received>, Error> {
        self.driver.receive_in(ReceiveMode::PartialMessage).await
    }

    /// The next message as a stream to read from, however large it is; `None` as for
    /// [`receive`](Self::receive).
    ///
    /// Ready as soon as the first part has come. One reader at a time: another receiver would
    /// take parts away from it. What a dropped reader has not read is passed over.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    ///
    /// # Cancel safety
    /// A dropped `receive_stream` loses nothing: the next call gives the message.
    pub async fn receive_stream(&self) -> Result<Option<MessageReader<'_>>, Error> {
        let part = self.receive_part().await?;
        Ok(part.map(|part| MessageReader::new(&self.driver, part)))
    }

    /// Begins a message that is written piece by piece, however large it is; other messages wait
    /// until it is finished, so the task that writes it sends no other meanwhile.
    ///
    /// # Errors
    /// As [`send_text`](Self::send_text).
    ///
    /// # Cancel safety
    /// A dropped `send_stream` has begun nothing.
    pub async fn send_stream(&self, message_type: MessageType) -> Result<MessageWriter<'_>, Error> {
        self.driver.begin_message().await?;
        Ok(MessageWriter::new(&self.driver, message_type))
    }

    /// Sends a frame after which more frames of the same message follow
    /// (`SendNonfinalFrameAsync` in UWP), and tells its size in bytes.
    ///
    /// The first frame's [`message_type`](Self::message_type) is that of the message. A text may
    /// be cut anywhere, also inside a character. Until
    /// [`send_final_frame`](Self::send_final_frame) no other message can be sent.
    ///
    /// # Errors
    /// As [`send_text`](Self::send_text);
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument), with nothing sent, when
    /// the frames of a text are no UTF-8 together.
    ///
    /// # Cancel safety
    /// As [`send_text`](Self::send_text).
    pub async fn send_nonfinal_frame(&self, bytes: impl Into<Bytes>) -> Result<usize, Error> {
        self.send_frame(Fragment::Nonfinal, bytes.into()).await
    }

    /// Sends a frame that ends its message (`SendFinalFrameAsync` in UWP), and tells its size in
    /// bytes.
    ///
    /// # Errors
    /// As [`send_nonfinal_frame`](Self::send_nonfinal_frame).
    ///
    /// # Cancel safety
    /// As [`send_text`](Self::send_text).
    pub async fn send_final_frame(&self, bytes: impl Into<Bytes>) -> Result<usize, Error> {
        self.send_frame(Fragment::Final, bytes.into()).await
    }

    async fn send_frame(&self, fragment: Fragment, bytes: Bytes) -> Result<usize, Error> {
        let message_type = self.message_type();
        self.driver
            .send(|connection| connection.send_fragment(message_type, fragment, bytes.clone()))
            .await?;
        Ok(bytes.len())
    }

    /// The type of the messages that a [`DataWriter`](crate::DataWriter),
    /// [`send_nonfinal_frame`](Self::send_nonfinal_frame) and
    /// [`send_final_frame`](Self::send_final_frame) send; binary by default
    /// (`Control.MessageType` in UWP).
    #[must_use]
    pub fn message_type(&self) -> MessageType {
        self.outgoing_type.get()
    }

    /// Sets the [`message_type`](Self::message_type) of what is sent from now on, in whatever task
    /// and through whatever clone (`Control.MessageType` in UWP).
    ///
    /// What was queued before keeps its type, and so does a message of which frames were sent; what
    /// is received has the type that the peer gave it.
    ///
    /// ```
    /// # async fn run(socket: twinsock::MessageWebSocket) -> Result<(), twinsock::DataError> {
    /// use twinsock::{DataWriter, MessageType};
    ///
    /// socket.set_message_type(MessageType::Text);
    /// let mut writer = DataWriter::over(&socket);
    /// writer.write_string("Hello, world!");
    /// writer.store().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_message_type(&self, message_type: MessageType) {
        self.outgoing_type.set(message_type);
    }
}
