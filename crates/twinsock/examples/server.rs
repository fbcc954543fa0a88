//! A server with two resources: `/echo` sends everything back, `/shout` in capital letters.
//!
//! `cargo run -p twinsock --example server`

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example shows what it does"
)]

use twinsock::http::StatusCode;
use twinsock::{Error, Incoming, Listener, Message};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let listener = Listener::bind("127.0.0.1:9001").await?;
    println!("listening on ws://{}", listener.local_address());
    loop {
        let incoming = listener.accept().await?;
        tokio::spawn(serve(incoming));
    }
}

async fn serve(incoming: Incoming) {
    let peer = incoming.peer_address();
    if let Err(error) = answer(incoming).await {
        eprintln!("{peer}: {error}");
    }
}

async fn answer(incoming: Incoming) -> Result<(), Error> {
    let handshake = incoming.receive_request().await?;
    let make_answer: fn(Message) -> Message = match handshake.request().uri().path() {
        "/echo" => |message| message,
        "/shout" => shout,
        _ => {
            let body = "there are only /echo and /shout";
            return handshake.reject(StatusCode::NOT_FOUND, body).await;
        }
    };
    let socket = handshake.accept().await?;
    while let Some(message) = socket.receive().await? {
        socket.send(make_answer(message)).await?;
    }
    Ok(())
}

fn shout(message: Message) -> Message {
    match message {
        Message::Text(text) => Message::from(text.to_uppercase()),
        Message::Binary(_) => message,
    }
}
