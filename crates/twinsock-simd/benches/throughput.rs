//! GB/s of each function at each level, beside `simdutf8`, the standard library and a plain loop.
//!
//! ```text
//! cargo bench -p twinsock-simd                            everything
//! cargo bench -p twinsock-simd -- 'validate/multibyte'    one group
//! ```
//!
//! The crate's own modules are compiled in here, so that each level can be measured without a
//! public way to choose one.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "only a part of these modules is measured"
)]

#[path = "../src/level.rs"]
mod level;
#[path = "../src/mask/mod.rs"]
mod mask;
#[path = "../src/text_buffer.rs"]
mod text_buffer;
#[path = "../src/utf8/mod.rs"]
mod utf8;

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
};

use level::Level;
use text_buffer::TextBuffer;

const SIZES: [usize; 8] = [16, 32, 64, 125, 1024, 16_384, 65_536, 1_048_576];
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

type Group<'a> = BenchmarkGroup<'a, WallTime>;

fn name(level: Level) -> &'static str {
    match level {
        Level::Portable => "portable",
        #[cfg(target_arch = "x86_64")]
        Level::Avx2(_) => "avx2",
        #[cfg(target_arch = "x86_64")]
        Level::Avx512(_) => "avx512",
    }
}

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> Group<'a> {
    let mut group = criterion.benchmark_group(name);
    group.warm_up_time(Duration::from_millis(100));
    group.measurement_time(Duration::from_millis(400));
    group.sample_size(20);
    group
}

fn ascii(size: usize) -> Vec<u8> {
    (b'a'..=b'z').cycle().take(size).collect()
}

fn multibyte(size: usize) -> Vec<u8> {
    let words = [
        "Привет ",
        "世界",
        "καλημέρα ",
        "😀",
        "naïve ",
        "日本語",
        "עולם ",
        "ok ",
    ];
    let mut text = String::new();
    let mut state = 1_usize;
    while text.len() < size {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        text.push_str(words[(state >> 40) % words.len()]);
    }
    while text.len() > size {
        text.pop();
    }
    let mut bytes = text.into_bytes();
    bytes.resize(size, b'.');
    bytes
}

/// Measures `run` on copies of `bytes`, in turn: as with messages, what it reads is in the first
/// cache, but not written an instant before by itself.
fn row(group: &mut Group<'_>, name: &str, bytes: &[u8], mut run: impl FnMut(&mut [u8])) {
    group.throughput(Throughput::BytesDecimal(bytes.len() as u64));
    let id = BenchmarkId::new(name, bytes.len());
    let copies = (8192 / bytes.len()).clamp(1, 16);
    let mut copies = vec![bytes.to_vec(); copies];
    let mut next = 0;
    group.bench_function(id, |bencher| {
        bencher.iter(|| {
            next = if next + 1 < copies.len() { next + 1 } else { 0 };
            run(black_box(&mut copies[next]));
        });
    });
}

/// The loop that the compiler vectorises for the target's least processor.
fn plain_loop(bytes: &mut [u8], key: [u8; 4]) {
    let [a, b, c, d] = key;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}

fn masking(criterion: &mut Criterion) {
    let mut group = group(criterion, "mask");
    for size in SIZES {
        let bytes = ascii(size);
        row(&mut group, "plain loop", &bytes, |bytes| {
            plain_loop(bytes, black_box(KEY));
        });
        for level in Level::available() {
            row(&mut group, name(level), &bytes, |bytes| {
                mask::mask_with(level, bytes, black_box(KEY));
            });
        }
        row(&mut group, "chosen", &bytes, |bytes| {
            mask::mask(bytes, black_box(KEY))
        });
    }
}

fn appending(criterion: &mut Criterion) {
    let mut group = group(criterion, "append_masked");
    for size in SIZES {
        let bytes = ascii(size);
        let mut out = Vec::with_capacity(size);
        row(&mut group, "copy, then plain loop", &bytes, |bytes| {
            out.clear();
            out.extend_from_slice(bytes);
            plain_loop(black_box(&mut out), black_box(KEY));
        });
        for level in Level::available() {
            row(&mut group, name(level), &bytes, |bytes| {
                out.clear();
                mask::append_masked_with(level, black_box(&mut out), bytes, black_box(KEY));
            });
        }
    }
}

/// Runs `measure` for each kind and size of text.
fn with_texts(
    criterion: &mut Criterion,
    name: &str,
    mut measure: impl FnMut(&mut Group<'_>, &[u8]),
) {
    type Text = fn(usize) -> Vec<u8>;
    let kinds: [(&str, Text); 2] = [("ascii", ascii), ("multibyte", multibyte)];
    for (kind, text) in kinds {
        let mut group = group(criterion, &format!("{name}/{kind}"));
        for size in SIZES {
            measure(&mut group, &text(size));
        }
    }
}

fn validating(criterion: &mut Criterion) {
    with_texts(criterion, "validate", |group, bytes| {
        row(group, "std", bytes, |bytes| {
            black_box(str::from_utf8(bytes).is_ok());
        });
        row(group, "simdutf8", bytes, |bytes| {
            black_box(simdutf8::basic::from_utf8(bytes).is_ok());
        });
        for level in Level::available() {
            row(group, name(level), bytes, |bytes| {
                black_box(utf8::whole_characters(level, bytes).is_ok());
            });
        }
        row(group, "chosen", bytes, |bytes| {
            black_box(utf8::from_utf8(bytes).is_ok());
        });
    });
}

/// A key of zeros, which nobody can see, so that the text stays text.
fn no_change() -> [u8; 4] {
    black_box([0; 4])
}

fn unmasking(criterion: &mut Criterion) {
    with_texts(criterion, "unmask and validate", |group, bytes| {
        row(group, "plain loop, then simdutf8", bytes, |bytes| {
            plain_loop(bytes, no_change());
            black_box(simdutf8::basic::from_utf8(bytes).is_ok());
        });
        for level in Level::available() {
            row(group, name(level), bytes, |bytes| {
                black_box(utf8::unmask_whole_characters(level, bytes, no_change()).is_ok());
            });
        }
    });
}

fn copying(criterion: &mut Criterion) {
    with_texts(criterion, "copy, unmask and validate", |group, bytes| {
        let mut out: Vec<u8> = Vec::with_capacity(bytes.len());
        for level in Level::available() {
            row(group, name(level), bytes, |bytes| {
                let (room, _) = out.spare_capacity_mut().split_at_mut(bytes.len());
                black_box(utf8::copy_whole_characters(level, bytes, room, no_change()).is_ok());
            });
        }
    });
}

/// A message in one piece, with the memory that it needs.
fn buffering(criterion: &mut Criterion) {
    with_texts(criterion, "TextBuffer", |group, bytes| {
        row(group, "append and take", bytes, |bytes| {
            let mut buffer = TextBuffer::default();
            black_box(buffer.append(bytes, Some(no_change())).is_ok());
            black_box(buffer.take_text());
        });
    });
}

criterion_group!(
    benches, masking, appending, validating, unmasking, copying, buffering
);
criterion_main!(benches);
