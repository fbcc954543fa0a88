//! The JSON that is compressed: messages as a service sends them about its orders, which are alike
//! but never the same. The same seed makes the same messages.

use std::fmt::Write;

use fastrand::Rng;

const KINDS: [&str; 6] = [
    "order.created",
    "order.updated",
    "order.shipped",
    "payment.authorised",
    "payment.captured",
    "stock.changed",
];
const REGIONS: [&str; 5] = ["eu-west-1", "eu-north-1", "us-east-2", "ap-south-1", "sa-1"];
const FIRST_NAMES: [&str; 12] = [
    "Ada",
    "Zoë",
    "Łukasz",
    "Grace",
    "Noor",
    "Søren",
    "Mei",
    "José",
    "Aylin",
    "Kofi",
    "Ingrid",
    "Дмитрий",
];
const LAST_NAMES: [&str; 12] = [
    "Álvarez",
    "Kowalska",
    "Okafor",
    "Lindqvist",
    "Tanaka",
    "O'Brien",
    "Yılmaz",
    "García",
    "Müller",
    "Novák",
    "Iyer",
    "Haddad",
];
const PRODUCTS: [&str; 10] = [
    "desk lamp",
    "standing desk",
    "mechanical keyboard",
    "espresso machine",
    "trail shoes",
    "rain jacket",
    "field notebook",
    "headphones",
    "cutting board",
    "bicycle pump",
];
const TAGS: [&str; 8] = [
    "express",
    "gift",
    "fragile",
    "returning",
    "wholesale",
    "backorder",
    "insured",
    "pickup",
];
const WORDS: [&str; 48] = [
    "the",
    "customer",
    "asked",
    "for",
    "delivery",
    "before",
    "noon",
    "please",
    "leave",
    "parcel",
    "with",
    "neighbour",
    "if",
    "nobody",
    "answers",
    "door",
    "second",
    "floor",
    "ring",
    "twice",
    "address",
    "was",
    "changed",
    "after",
    "payment",
    "refund",
    "issued",
    "because",
    "item",
    "arrived",
    "damaged",
    "replacement",
    "sent",
    "from",
    "warehouse",
    "north",
    "label",
    "printed",
    "again",
    "carrier",
    "reports",
    "delay",
    "of",
    "two",
    "days",
    "due",
    "to",
    "snow",
];

/// A message of exactly `size` bytes, which has to be some hundreds.
pub(crate) fn message(size: usize, random: &mut Rng) -> Vec<u8> {
    let mut sequence = random.u32(4_000_000..5_000_000);
    let channel = chosen(&REGIONS, random);
    let mut text = format!(r#"{{"channel":"orders.{channel}","sequence":{sequence},"records":["#);
    let mut separator = "";
    loop {
        sequence += 1;
        let record = record(sequence, random);
        if text.len() + record.len() + COMMENT.len() + END.len() >= size {
            break;
        }
        text += separator;
        text += &record;
        separator = ",";
    }
    text += COMMENT;
    while text.len() < size {
        text += chosen(&WORDS, random);
        text += " ";
    }
    // Words are ASCII: no character is cut.
    text.truncate(size.saturating_sub(END.len()));
    text += END;
    text.into_bytes()
}

/// What follows the records, and is as long as it has to be.
const COMMENT: &str = r#"],"comment":""#;
const END: &str = r#""}"#;

fn record(sequence: u32, random: &mut Rng) -> String {
    let mut text = format!(
        r#"{{"id":"{:016x}","sequence":{sequence},"at":"2026-03-14T09:{:02}:{:02}.{:03}Z""#,
        random.u64(..),
        random.u8(..60),
        random.u8(..60),
        random.u16(..1_000),
    );
    let _ = write!(
        text,
        r#","kind":"{}","customer":{{"id":{},"name":"{} {}","verified":{}}}"#,
        chosen(&KINDS, random),
        random.u32(10_000..90_000),
        chosen(&FIRST_NAMES, random),
        chosen(&LAST_NAMES, random),
        random.bool(),
    );
    let _ = write!(
        text,
        r#","product":"{}","quantity":{},"price":{}.{:02},"tags":["{}","{}"]"#,
        chosen(&PRODUCTS, random),
        random.u8(1..9),
        random.u16(3..900),
        random.u8(..100),
        chosen(&TAGS, random),
        chosen(&TAGS, random),
    );
    text += match random.u8(..3) {
        0 => r#","discount":null}"#,
        _ => r#","discount":{"code":"SPRING","percent":10}}"#,
    };
    text
}

fn chosen(all: &[&'static str], random: &mut Rng) -> &'static str {
    random.choice(all).unwrap_or(&"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_json_of_the_size_that_was_asked_for() {
        for size in [600, 1 << 10, 64 << 10] {
            for seed in 0..50 {
                let message = message(size, &mut Rng::with_seed(seed));
                assert_eq!(message.len(), size);
                let value: serde_json::Value = serde_json::from_slice(&message).unwrap();
                assert!(value["records"].is_array());
            }
        }
    }

    #[test]
    fn the_same_seed_makes_the_same_message_and_another_seed_another() {
        let of = |seed| message(1 << 10, &mut Rng::with_seed(seed));
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }
}
