//! Sends back the bytes of each client, through sockets that carry streams: `stream-echo`.
//!
//! Prints `listening on ws://127.0.0.1:PORT`.

use twinsock::{Error, Incoming, Listener};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let listener = Listener::bind("127.0.0.1:0").await?;
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

async fn echo(incoming: Incoming) -> std::io::Result<()> {
    let stream = incoming.accept_stream().await?;
    let (mut reader, mut writer) = stream.split();
    tokio::io::copy_buf(&mut reader, &mut writer).await?;
    tokio::io::AsyncWriteExt::shutdown(&mut writer).await
}

#[expect(clippy::print_stdout, reason = "the address is its result")]
fn say(line: &str) {
    println!("{line}");
}
