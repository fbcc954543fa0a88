//! Sends back what comes, compressed or not, whole, in fragments and as a stream, in turn:
//!
//! * `deflate-peer server [terms=PARAMETERS] [level=N]` prints `listening on PORT`.
//! * `deflate-peer client uri=… [offer=PARAMETERS] [level=N]` ends with the connection.
//!
//! For each connection it prints what was agreed on, `open server=BITS,TAKEOVER client=BITS,TAKEOVER`
//! or `open uncompressed`, and at its end `ended sent=MESSAGES,BYTES received=MESSAGES,BYTES closed=CODE`
//! or `failed …`.

use std::error::Error;
use std::process::ExitCode;

use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use twinsock::{
    AcceptOptions, Compress, Compression, ContextTakeover, DeflateDirection, DeflateLevel,
    DeflateOffer, DeflateTerms, Incoming, Information, Listener, Message, MessageType,
    MessageWebSocket,
};

use twinsock_testkit::words::Words;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Messages up to this size are cut at each of their places in turn.
const SHORT: usize = 64;

/// Messages up to this size are now and then cut into single bytes.
const TINY: usize = 32;

/// How often the memory for later messages is given back, in messages.
const RELEASED_EACH: u64 = 97;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let (role, words) = Words::of_arguments();
    let done = match role.as_str() {
        "client" => client(&words).await,
        "server" => server(&words).await,
        _ => Err("expected client or server".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("failed {error}"));
            ExitCode::FAILURE
        }
    }
}

fn compression(words: &Words) -> Outcome<Compression> {
    let level = match words.optional("level") {
        Some(level) => DeflateLevel::new(level.parse()?).ok_or("expected a level of 1 to 9")?,
        None => DeflateLevel::default(),
    };
    Ok(Compression {
        level,
        ..Compression::default()
    })
}

async fn client(words: &Words) -> Outcome<()> {
    let uri = words.required("uri")?;
    let mut builder = MessageWebSocket::builder().compression(compression(words)?);
    if let Some(offer) = words.optional("offer") {
        builder = builder.deflate(offer.parse::<DeflateOffer>()?);
    }
    echo(builder.connect(uri).await?).await
}

async fn server(words: &Words) -> Outcome<()> {
    let mut options = AcceptOptions::new()
        .compression(compression(words)?)
        .any_origin_dangerously();
    if let Some(terms) = words.optional("terms") {
        options = options.deflate(terms.parse::<DeflateTerms>()?);
    }
    let listener = Listener::bind("127.0.0.1:0").await?.with_options(options);
    say(&format!("listening on {}", listener.local_address().port()));
    loop {
        let incoming = listener.accept().await?;
        tokio::spawn(async move {
            if let Err(error) = serve(incoming).await {
                say(&format!("failed {error}"));
            }
        });
    }
}

async fn serve(incoming: Incoming) -> Outcome<()> {
    echo(incoming.accept().await?).await
}

async fn echo(socket: MessageWebSocket) -> Outcome<()> {
    say(&agreement(socket.information()));
    let mut number = 0;
    while let Some(message) = socket.receive().await? {
        send_back(&socket, message, Number(number)).await?;
        number += 1;
        if number % RELEASED_EACH == 0 {
            socket.release_deflate();
        }
    }
    let traffic = socket.information().statistics();
    let code = socket.closed().map(|closed| u16::from(closed.code()));
    say(&format!(
        "ended sent={},{} received={},{} closed={}",
        traffic.sent.messages,
        traffic.sent.bytes,
        traffic.received.messages,
        traffic.received.bytes,
        code.unwrap_or_default(),
    ));
    Ok(())
}

async fn send_back(socket: &MessageWebSocket, message: Message, number: Number) -> Outcome<()> {
    let compress = number.compress();
    match number.below(5) {
        0 => socket.send(message).await?,
        1 | 2 => socket.send_with(message, compress).await?,
        3 => send_written(socket, message, number).await?,
        _ => {
            socket.set_compress(compress);
            send_fragments(socket, message, number).await?;
            socket.set_compress(Compress::Auto);
        }
    }
    Ok(())
}

/// Cut as the number says, with a Ping between the first two fragments.
async fn send_fragments(
    socket: &MessageWebSocket,
    message: Message,
    number: Number,
) -> Outcome<()> {
    socket.set_message_type(type_of(&message));
    let mut rest = bytes_of(message);
    for (place, size) in number.sizes(rest.len()).into_iter().enumerate() {
        socket.send_nonfinal_frame(rest.split_to(size)).await?;
        if place == 0 {
            socket.ping(b"between two fragments").await?;
        }
    }
    socket.send_final_frame(rest).await?;
    Ok(())
}

/// Written in pieces, of which some are flushed and so become a fragment.
async fn send_written(socket: &MessageWebSocket, message: Message, number: Number) -> Outcome<()> {
    let writer = socket.send_stream(type_of(&message)).await?;
    let mut writer = writer.compress(number.compress());
    let mut rest = bytes_of(message);
    for (place, size) in number.sizes(rest.len()).into_iter().enumerate() {
        writer.write_all(&rest.split_to(size)).await?;
        if place % 2 == 0 {
            writer.flush().await?;
        }
    }
    writer.write_all(&rest).await?;
    writer.finish().await?;
    Ok(())
}

fn type_of(message: &Message) -> MessageType {
    match message {
        Message::Text(_) => MessageType::Text,
        Message::Binary(_) => MessageType::Binary,
    }
}

fn bytes_of(message: Message) -> Bytes {
    match message {
        Message::Text(text) => text.into(),
        Message::Binary(bytes) => bytes,
    }
}

/// A message's number, from which all that is done with it follows: so each run does the same.
#[derive(Clone, Copy)]
struct Number(u64);

impl Number {
    /// One of the first so many numbers, of which none can be told from the one before.
    fn below(self, count: u64) -> u64 {
        // SplitMix64.
        let mut mixed = self.0.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % count
    }

    /// Another number for another question about the same message.
    fn other(self, question: u64) -> Self {
        Self(self.0.wrapping_add(question << 32))
    }

    fn compress(self) -> Compress {
        match self.other(1).below(3) {
            0 => Compress::Auto,
            1 => Compress::Always,
            _ => Compress::Never,
        }
    }

    /// The sizes of all fragments of a message but the last; some are empty.
    fn sizes(self, message: usize) -> Vec<usize> {
        if message <= TINY && self.other(2).below(8) == 0 {
            return vec![1; message];
        }
        let places = message as u64 + 1;
        if message <= SHORT {
            return vec![index(self.0 % places)];
        }
        let count = 1 + self.other(3).below(8);
        let mut cuts: Vec<_> = (0..count)
            .map(|cut| index(self.other(4 + cut).below(places)))
            .collect();
        cuts.sort_unstable();
        let mut before = 0;
        let sizes = cuts
            .into_iter()
            .map(|cut| cut - std::mem::replace(&mut before, cut));
        sizes.collect()
    }
}

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn agreement(information: &Information) -> String {
    match information.deflate() {
        None => "open uncompressed".to_owned(),
        Some(agreed) => format!(
            "open server={} client={}",
            direction(agreed.server),
            direction(agreed.client)
        ),
    }
}

fn direction(direction: DeflateDirection) -> String {
    let takeover = match direction.context_takeover {
        ContextTakeover::On => "takeover",
        ContextTakeover::Off => "no takeover",
    };
    format!("{},{takeover}", direction.window_bits.get())
}

#[expect(clippy::print_stdout, reason = "what it tells is its result")]
fn say(line: &str) {
    println!("{line}");
}
