//! Sends back each message as a whole, compressed where the client offers to:
//! `deflate-echo MAX_MESSAGE_SIZE [PARAMETERS]`.
//!
//! Prints `listening on ws://127.0.0.1:PORT`, and a line for each connection that fails.
//! `PARAMETERS` are those of `twinsock serve --deflate`.

use std::error::Error;

use twinsock::{AcceptOptions, DeflateTerms, Incoming, Listener};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let size: u64 = words
        .next()
        .ok_or("expected the largest message in bytes")?
        .parse()?;
    let terms = match words.next() {
        Some(parameters) => parameters.parse()?,
        None => DeflateTerms::default(),
    };
    let options = AcceptOptions::new().deflate(terms).max_message_size(size);
    let listener = Listener::bind("127.0.0.1:0").await?.with_options(options);
    say(&format!("listening on ws://{}", listener.local_address()));
    loop {
        let incoming = listener.accept().await?;
        tokio::spawn(async move {
            echo(incoming)
                .await
                .map_err(|error| say(&error.to_string()))
        });
    }
}

async fn echo(incoming: Incoming) -> Result<(), twinsock::Error> {
    let socket = incoming.accept().await?;
    while let Some(message) = socket.receive().await? {
        socket.send(message).await?;
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the lines are its result")]
fn say(line: &str) {
    println!("{line}");
}
