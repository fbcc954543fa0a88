//! What it costs to give zlib's memory back after each message, rather than to hold it.

use std::time::Instant;

use twinsock_proto::{
    ContextTakeover, Deflate, DeflateDirection, DeflateParameters, Settings, WindowBits,
};
use twinsock_testkit::pair::Pair;

use crate::Outcome;
use crate::clients::json;

const MESSAGES: usize = 20_000;

/// What happens to zlib's memory behind each message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Behind {
    Held,
    Released,
}

/// One message after the other, each to the next connection in turn: with many of them zlib's
/// memory is no longer in the processor's caches when its turn comes.
pub(crate) fn run() -> Outcome<()> {
    println!("microseconds for a message of 1 KiB there and back, held / released");
    println!();
    println!("| window | 1 connection | 500 connections in turn |");
    println!("| --- | --- | --- |");
    for bits in [10, 12, 15] {
        let window_bits = WindowBits::new(bits).ok_or("8 to 15")?;
        let row = [1, 500].map(|count| {
            let held = microseconds(window_bits, count, Behind::Held);
            let released = microseconds(window_bits, count, Behind::Released);
            format!("{held:.1} / {released:.1}")
        });
        println!("| {bits} | {} | {} |", row[0], row[1]);
    }
    Ok(())
}

fn microseconds(window_bits: WindowBits, connections: usize, behind: Behind) -> f64 {
    let direction = DeflateDirection {
        window_bits,
        context_takeover: ContextTakeover::On,
    };
    let parameters = DeflateParameters {
        client: direction,
        server: direction,
    };
    let settings = Settings {
        deflate: Some(Deflate::new(parameters)),
        ..Settings::default()
    };
    let mut pairs: Vec<Pair> = (0..connections)
        .map(|_| Pair::with_settings(settings))
        .collect();
    let texts: Vec<String> = (0..100).map(json).collect();
    let mut start = Instant::now();
    for number in 0..2 * MESSAGES {
        if number == MESSAGES {
            // By now the windows are full.
            start = Instant::now();
        }
        let text = &*texts[number / connections % texts.len()];
        exchange(&mut pairs[number % connections], text, behind);
    }
    start.elapsed().as_secs_f64() * 1e6 / MESSAGES as f64
}

fn exchange(pair: &mut Pair, text: &str, behind: Behind) {
    let _ = pair.client.send(text);
    pair.settle();
    for message in pair.server.messages() {
        let _ = pair.server.send(message);
    }
    pair.settle();
    pair.client.messages();
    if behind == Behind::Released {
        pair.client.connection.release_deflate();
        pair.server.connection.release_deflate();
    }
}
