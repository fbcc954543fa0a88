//! Values as bytes: what a writer writes, byte by byte, and what a reader makes of bytes.

use std::io;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use twinsock::{
    ByteOrder, DataError, DataReader, DataWriter, DateTime, Error, ErrorKind, Guid,
    InputStreamOptions, TimeSpan, UnicodeEncoding,
};

const ENCODINGS: [UnicodeEncoding; 3] = [
    UnicodeEncoding::Utf8,
    UnicodeEncoding::Utf16Le,
    UnicodeEncoding::Utf16Be,
];

/// What `write` writes in this order.
fn written(order: ByteOrder, write: impl FnOnce(&mut DataWriter)) -> Bytes {
    let mut writer = DataWriter::new();
    writer.set_byte_order(order);
    write(&mut writer);
    writer.detach_buffer()
}

fn reader(order: ByteOrder, bytes: &[u8]) -> DataReader {
    let mut reader = DataReader::from_bytes(bytes.to_vec());
    reader.set_byte_order(order);
    reader
}

/// The bytes in big-endian order, and, where numbers are, the same in the other.
fn assert_layout<T: PartialEq + std::fmt::Debug + Copy>(
    value: T,
    big: &[u8],
    write: fn(&mut DataWriter, T),
    read: fn(&mut DataReader) -> Result<T, DataError>,
) {
    let little: Vec<u8> = big.iter().rev().copied().collect();
    for (order, bytes) in [
        (ByteOrder::BigEndian, big),
        (ByteOrder::LittleEndian, &little),
    ] {
        let result = written(order, |writer| write(writer, value));
        assert_eq!(result, bytes, "{value:?} {order:?}");
        let result = read(&mut reader(order, bytes)).expect("all there");
        assert_eq!(result, value, "{order:?}");
    }
}

#[test]
fn integers_stand_in_the_byte_order() {
    type W = DataWriter;
    type R = DataReader;
    let bytes = [0xF1, 2, 3, 4, 5, 6, 7, 8];
    assert_layout(0xF102, &bytes[..2], W::write_u16, R::read_u16);
    assert_layout(0xF102_0304, &bytes[..4], W::write_u32, R::read_u32);
    assert_layout(0xF102_0304_0506_0708, &bytes, W::write_u64, R::read_u64);
    assert_layout(-2, &[0xFF, 0xFE], W::write_i16, R::read_i16);
    assert_layout(-2, &[0xFF, 0xFF, 0xFF, 0xFE], W::write_i32, R::read_i32);
    let minus_two = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE];
    assert_layout(-2, &minus_two, W::write_i64, R::read_i64);
    assert_layout(0xF1, &[0xF1], W::write_byte, R::read_byte);
}

#[test]
fn fractions_stand_in_the_byte_order() {
    let bytes = [0xC0, 0x20, 0, 0];
    assert_layout(-2.5, &bytes, DataWriter::write_f32, DataReader::read_f32);
    let bytes = [0xC0, 0x04, 0, 0, 0, 0, 0, 0];
    assert_layout(-2.5, &bytes, DataWriter::write_f64, DataReader::read_f64);
}

#[test]
fn times_are_units_of_100_ns() {
    type W = DataWriter;
    type R = DataReader;
    let beginning = DateTime::from_ticks(0);
    assert_layout(beginning, &[0; 8], W::write_date_time, R::read_date_time);
    let before = DateTime::from_ticks(-1);
    assert_layout(before, &[0xFF; 8], W::write_date_time, R::read_date_time);
    let unix = DateTime::try_from(UNIX_EPOCH).expect("in range");
    assert_eq!(unix.ticks(), 116_444_736_000_000_000);
    let bytes = [0x01, 0x9D, 0xB1, 0xDE, 0xD5, 0x3E, 0x80, 0x00];
    assert_layout(unix, &bytes, W::write_date_time, R::read_date_time);
    let second = TimeSpan::try_from(Duration::from_secs(1)).expect("in range");
    let bytes = [0, 0, 0, 0, 0, 0x98, 0x96, 0x80];
    assert_layout(second, &bytes, W::write_time_span, R::read_time_span);
}

#[test]
fn only_the_numbers_of_a_guid_follow_the_byte_order() {
    let guid: Guid = "00112233-4455-6677-8899-AABBCCDDEEFF".parse().unwrap();
    assert_eq!(guid.to_string(), "00112233-4455-6677-8899-aabbccddeeff");
    assert_eq!(Guid::from_u128(guid.to_u128()), guid);
    let big = b"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xAA\xBB\xCC\xDD\xEE\xFF";
    let little = b"\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xAA\xBB\xCC\xDD\xEE\xFF";
    for (order, bytes) in [
        (ByteOrder::BigEndian, big),
        (ByteOrder::LittleEndian, little),
    ] {
        assert_eq!(written(order, |writer| writer.write_guid(guid)), &bytes[..]);
        assert_eq!(reader(order, bytes).read_guid().unwrap(), guid);
    }
}

#[test]
fn a_text_of_another_form_is_no_guid() {
    let cases = [
        ("", 0),
        ("00112233-4455-6677-8899-aabbccddeef", 35),
        ("00112233-4455-6677-8899-aabbccddeefff", 36),
        ("001122334455-6677-8899-aabbccddeeff", 8),
        ("0011223-34455-6677-8899-aabbccddeeff", 7),
        ("{0112233-4455-6677-8899-aabbccddeeff}", 0),
        ("00112233-4455-6677-8899-aabbccddeeé", 34),
        ("+0112233-4455-6677-8899-aabbccddeeff", 0),
    ];
    for (text, expected) in cases {
        match text.parse::<Guid>() {
            Err(DataError::InvalidGuid { position }) => assert_eq!(position, expected, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn a_boolean_is_one_byte_and_true_unless_zero() {
    let bytes = written(ByteOrder::LittleEndian, |writer| {
        writer.write_boolean(true);
        writer.write_boolean(false);
    });
    assert_eq!(bytes, &[1, 0][..]);
    let mut reader = DataReader::from_bytes(vec![2, 0]);
    assert!(reader.read_boolean().unwrap());
    assert!(!reader.read_boolean().unwrap());
}

#[test]
fn strings_stand_in_their_encoding_and_are_counted_in_code_units() {
    let text = "aé€😀";
    let expected: [&[u8]; 3] = [
        b"a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80",
        b"a\x00\xE9\x00\xAC\x20\x3D\xD8\x00\xDE",
        b"\x00a\x00\xE9\x20\xAC\xD8\x3D\xDE\x00",
    ];
    for ((encoding, bytes), code_units) in ENCODINGS.into_iter().zip(expected).zip([10, 5, 5]) {
        let mut writer = DataWriter::new();
        writer.set_unicode_encoding(encoding);
        assert_eq!(writer.measure_string(text), bytes.len());
        assert_eq!(writer.write_string(text), bytes.len());
        assert_eq!(writer.detach_buffer(), bytes);
        let mut reader = DataReader::from_bytes(bytes.to_vec());
        reader.set_unicode_encoding(encoding);
        assert_eq!(reader.read_string(code_units).unwrap(), text);
        assert_eq!(reader.unconsumed_buffer_length(), 0);
    }
}

#[test]
fn a_read_past_the_end_consumes_nothing() {
    let mut reader = DataReader::from_bytes(vec![1, 2, 3]);
    assert_eq!(reader.read_byte().unwrap(), 1);
    reader.set_unicode_encoding(UnicodeEncoding::Utf16Be);
    let huge = usize::MAX;
    let failures = [
        (reader.read_u32().err(), 4),
        (reader.read_guid().err(), 16),
        (reader.read_date_time().err(), 8),
        (reader.read_bytes(&mut [0; 3]).err(), 3),
        (reader.read_buffer(huge).err(), huge),
        (reader.read_string(2).err(), 4),
        (reader.read_string(huge).err(), huge),
    ];
    for (error, expected) in failures {
        let error = error.expect("past the end");
        let DataError::OutOfBounds { wanted, available } = error else {
            panic!("{error:?}");
        };
        assert_eq!((wanted, available), (expected, 2));
        assert_eq!(format!("{:x}", error.hresult()), "8000000b");
        let converted = io::Error::from(error.clone());
        assert_eq!(converted.kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(Error::from(error).kind(), ErrorKind::InvalidArgument);
    }
    assert_eq!(reader.read_u16().unwrap(), 0x0203);
}

#[test]
fn bytes_that_are_no_text_are_left_where_they_are() {
    let cases: [(UnicodeEncoding, &[u8], usize, usize); 6] = [
        (UnicodeEncoding::Utf8, b"ab\xFFc", 4, 2),
        (UnicodeEncoding::Utf8, b"a\xED\xA0\x80", 4, 1),
        // A character that is cut off by the count.
        (UnicodeEncoding::Utf8, b"a\xC3\xA9", 2, 1),
        (UnicodeEncoding::Utf16Le, b"a\x00\x3D\xD8b\x00", 3, 1),
        (UnicodeEncoding::Utf16Be, b"\xD8\x3D\xDE\x00\xDE\x00", 3, 2),
        (UnicodeEncoding::Utf16Be, b"\x00a\xD8\x3D\xDE\x00", 2, 1),
    ];
    for (encoding, bytes, code_units, expected) in cases {
        let mut reader = DataReader::from_bytes(bytes.to_vec());
        reader.set_unicode_encoding(encoding);
        let error = reader.read_string(code_units).unwrap_err();
        let DataError::InvalidUnicode { position, .. } = error else {
            panic!("{error:?}");
        };
        assert_eq!(position, expected, "{bytes:?}");
        assert_eq!(format!("{:x}", error.hresult()), "80070459");
        assert_eq!(reader.detach_buffer(), bytes);
    }
}

#[test]
fn a_part_that_is_no_part_of_a_buffer_is_not_written() {
    let buffer = Bytes::from_static(b"hello");
    let mut writer = DataWriter::new();
    for (start, count) in [(5, 1), (6, 0), (0, 6), (1, usize::MAX), (usize::MAX, 1)] {
        let error = writer.write_buffer_range(&buffer, start, count);
        let error = error.unwrap_err();
        assert!(matches!(error, DataError::InvalidRange { length: 5, .. }));
        assert_eq!(format!("{:x}", error.hresult()), "80070057");
    }
    assert_eq!(writer.unstored_buffer_length(), 0);
    writer.write_buffer_range(&buffer, 1, 3).unwrap();
    writer.write_buffer_range(&buffer, 5, 0).unwrap();
    writer.write_buffer(&buffer);
    assert_eq!(writer.detach_buffer(), "ellhello");
}

#[test]
fn times_out_of_range_are_refused() {
    assert!(TimeSpan::try_from(Duration::MAX).is_err());
    assert!(Duration::try_from(TimeSpan::from_ticks(-1)).is_err());
    let longest = TimeSpan::from_ticks(i64::MAX);
    assert_eq!(
        TimeSpan::try_from(Duration::try_from(longest).unwrap()).unwrap(),
        longest
    );
    let error = TimeSpan::try_from(Duration::MAX).unwrap_err();
    assert_eq!(Error::from(error).kind(), ErrorKind::InvalidArgument);
    for far in [
        UNIX_EPOCH.checked_add(Duration::from_secs(1 << 62)),
        UNIX_EPOCH.checked_sub(Duration::from_secs(1 << 62)),
    ] {
        assert!(far.is_none_or(|far| DateTime::try_from(far).is_err()));
    }
}

#[cfg(unix)]
#[test]
fn points_in_time_are_rounded_towards_the_past() {
    let nanosecond = Duration::from_nanos(1);
    let epoch = DateTime::try_from(UNIX_EPOCH).unwrap().ticks();
    let after = DateTime::try_from(UNIX_EPOCH + nanosecond).unwrap();
    assert_eq!(after.ticks(), epoch);
    let before = DateTime::try_from(UNIX_EPOCH - nanosecond).unwrap();
    assert_eq!(before.ticks(), epoch - 1);
}

#[test]
fn the_numbers_are_those_of_the_universal_windows_platform() {
    assert_eq!(ENCODINGS.map(UnicodeEncoding::number), [0, 1, 2]);
    assert_eq!(ByteOrder::LittleEndian.number(), 0);
    assert_eq!(ByteOrder::default().number(), 1);
    assert_eq!(UnicodeEncoding::default().number(), 0);
    let flags = InputStreamOptions::Partial.number() | InputStreamOptions::ReadAhead.number();
    assert_eq!(InputStreamOptions::PartialReadAhead.number(), flags);
    assert_eq!(InputStreamOptions::default().number(), 0);
}
