//! A feed that compresses its messages, but not the one with a secret in it.
//!
//! `cargo run --release -p twinsock --example compression` (server and client are in one process.)

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use twinsock::{
    AcceptOptions, CloseCode, Compress, ContextTakeover, DeflateOffer, DeflateTerms, Incoming,
    Listener, Message, MessageWebSocket, WindowBits,
};

const PRICES: u32 = 1_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = AcceptOptions::new().deflate(terms());
    let listener = Listener::bind("127.0.0.1:0").await?.with_options(options);
    let uri = format!("ws://{}/", listener.local_address());
    let serving = tokio::spawn(async move { serve(listener.accept().await?).await });

    // A server that keeps less for each client may decline the first offer and take the second.
    let small = DeflateOffer {
        server_max_window_bits: WindowBits::new(12),
        ..DeflateOffer::default()
    };
    let socket = MessageWebSocket::builder()
        .deflate(small)
        .deflate(DeflateOffer::default())
        .connect(&uri)
        .await?;
    println!("agreed on: {:?}", socket.information().deflate());
    while let Some(message) = socket.receive().await? {
        if matches!(&message, Message::Text(text) if text.starts_with("token ")) {
            println!("{message:?}");
        }
    }
    serving.await??;
    let received = socket.information().statistics().received;
    let (from, to) = (received.deflated_bytes, received.inflated_bytes);
    println!("{PRICES} prices: {to} bytes came as {from}");
    Ok(())
}

/// Messages refer to earlier ones: that is worth 4 KiB for each client of a feed.
fn terms() -> DeflateTerms {
    DeflateTerms {
        server_context_takeover: ContextTakeover::On,
        server_max_window_bits: WindowBits::new(12).unwrap_or_default(),
        ..DeflateTerms::default()
    }
}

async fn serve(incoming: Incoming) -> Result<(), twinsock::Error> {
    let socket = incoming.accept().await?;
    for number in 0..PRICES {
        let (bid, ask) = (1_000 + number % 7, 1_002 + number % 5);
        let price = format!(
            r#"{{"type":"price","instrument":"EUR/USD","number":{number},"bid":{bid},"ask":{ask},"venue":"somewhere"}}"#
        );
        socket.send(price).await?;
    }
    socket.send_with("token 7b1f", Compress::Never).await?;
    socket.close(CloseCode::NORMAL, "").await
}
