//! A look at whether a message can become smaller at all, for what is compressed or encrypted
//! already: to compress it takes four times as long as text, and gains nothing.

use crate::deflate::pool::{
    CompressingEngine, Configuration, Past, give_back_compressed, take_compressed,
};

/// Whether nothing is to be gained, as far as a sample from the message's middle tells.
///
/// Only what looks like it is tried, so that for all else the look costs next to nothing.
pub(super) fn is_hopeless(message: &[u8], configuration: Configuration) -> bool {
    if message.len() < LEAST_TRIED {
        return false;
    }
    let start = (message.len() - SAMPLE_SIZE) / 2;
    let sample = &message[start..][..SAMPLE_SIZE];
    is_flat(sample) && !becomes_smaller(sample, configuration)
}

/// Whether each byte comes about as often as any other.
fn is_flat(sample: &[u8]) -> bool {
    let mut counts = [0_usize; 256];
    for &byte in sample {
        counts[usize::from(byte)] += 1;
    }
    counts.iter().map(|count| count * count).sum::<usize>() < LEAST_UNEVEN
}

fn becomes_smaller(sample: &[u8], configuration: Configuration) -> bool {
    let mut engine = CompressingEngine::take(configuration);
    let mut output = take_compressed();
    engine.compress(sample, Past::Nothing, &mut output);
    let is_smaller = output.len() < sample.len() - sample.len() / 32;
    give_back_compressed(output);
    engine.give_back();
    is_smaller
}

/// Smaller messages cost less than it takes to look.
const LEAST_TRIED: usize = 8 * 1024;

const SAMPLE_SIZE: usize = 1024;

/// The sum of the squares of how often each byte comes: 5,100 with random ones, give or take 100.
const LEAST_UNEVEN: usize = 6_000;

const _: () = assert!(SAMPLE_SIZE <= LEAST_TRIED);
