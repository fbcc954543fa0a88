//! The event form: a client whose handlers are called, and a server that echoes the same way.
//!
//! `cargo run -p twinsock --example message_events`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use tokio::sync::oneshot;
use twinsock::{CloseCode, Error, Handlers, Listener, MessageWebSocket, WebErrorStatus};

/// Handlers that send back all that comes.
fn echo() -> Handlers {
    Handlers::new().on_message_received_async(|socket, received| async move {
        if let Ok(message) = received {
            // When the connection is lost meanwhile, there is nobody to reply to.
            let _ = socket.send(message.into_message()).await;
        }
    })
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let listener = Listener::bind("127.0.0.1:0").await?;
    let uri = format!("ws://{}/", listener.local_address());
    let serving = async {
        listener
            .accept()
            .await?
            .accept()
            .await?
            .with_handlers(echo())
    };

    let (ended, end) = oneshot::channel();
    let connecting = MessageWebSocket::builder()
        .on_message_received_async(|socket, received| async move {
            match received {
                Ok(message) => println!("received: {}", message.as_text().unwrap_or("bytes")),
                Err(error) => return println!("failed: {} {error}", error.status()),
            }
            let _ = socket.close(CloseCode::NORMAL, "done").await;
        })
        .on_closed(|closed| {
            let status = WebErrorStatus::of_closed(&closed);
            println!("{closed}; error: {status:?}");
            let _ = ended.send(());
        })
        .connect(&uri);

    let (_server, client) = tokio::try_join!(serving, connecting)?;
    client.send_text("Hello, world!").await?;
    let _ = end.await;
    Ok(())
}
