//! Values as bytes, whatever they are: all that is written is read back.

use std::time::SystemTime;

use proptest::collection::vec;
use proptest::prelude::*;
use twinsock::{
    ByteOrder, DataError, DataReader, DataWriter, DateTime, Guid, TimeSpan, UnicodeEncoding,
};

const ENCODINGS: [UnicodeEncoding; 3] = [
    UnicodeEncoding::Utf8,
    UnicodeEncoding::Utf16Le,
    UnicodeEncoding::Utf16Be,
];

/// One value and its kind.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Byte(u8),
    Bytes(Vec<u8>),
    Buffer(Vec<u8>),
    Boolean(bool),
    I16(i16),
    I32(i32),
    I64(i64),
    U16(u16),
    U32(u32),
    U64(u64),
    /// Bits, so that what is not a number can be compared.
    F32(u32),
    F64(u64),
    Guid(u128),
    DateTime(i64),
    TimeSpan(i64),
    String(String),
}

fn values() -> impl Strategy<Value = Value> {
    let bytes = || vec(any::<u8>(), 0..20);
    prop_oneof![
        any::<u8>().prop_map(Value::Byte),
        bytes().prop_map(Value::Bytes),
        bytes().prop_map(Value::Buffer),
        any::<bool>().prop_map(Value::Boolean),
        any::<i16>().prop_map(Value::I16),
        any::<i32>().prop_map(Value::I32),
        any::<i64>().prop_map(Value::I64),
        any::<u16>().prop_map(Value::U16),
        any::<u32>().prop_map(Value::U32),
        any::<u64>().prop_map(Value::U64),
        any::<u32>().prop_map(Value::F32),
        any::<u64>().prop_map(Value::F64),
        any::<u128>().prop_map(Value::Guid),
        any::<i64>().prop_map(Value::DateTime),
        any::<i64>().prop_map(Value::TimeSpan),
        any::<String>().prop_map(Value::String),
    ]
}

fn write(writer: &mut DataWriter, value: &Value) {
    match value {
        Value::Byte(value) => writer.write_byte(*value),
        Value::Bytes(value) => writer.write_bytes(value),
        Value::Buffer(value) => writer.write_buffer(&value.clone().into()),
        Value::Boolean(value) => writer.write_boolean(*value),
        Value::I16(value) => writer.write_i16(*value),
        Value::I32(value) => writer.write_i32(*value),
        Value::I64(value) => writer.write_i64(*value),
        Value::U16(value) => writer.write_u16(*value),
        Value::U32(value) => writer.write_u32(*value),
        Value::U64(value) => writer.write_u64(*value),
        Value::F32(value) => writer.write_f32(f32::from_bits(*value)),
        Value::F64(value) => writer.write_f64(f64::from_bits(*value)),
        Value::Guid(value) => writer.write_guid(Guid::from_u128(*value)),
        Value::DateTime(value) => writer.write_date_time(DateTime::from_ticks(*value)),
        Value::TimeSpan(value) => writer.write_time_span(TimeSpan::from_ticks(*value)),
        Value::String(value) => {
            let measured = writer.measure_string(value);
            assert_eq!(writer.write_string(value), measured);
        }
    }
}

/// Reads a value of the kind and length of `like`.
fn read(reader: &mut DataReader, like: &Value) -> Result<Value, DataError> {
    Ok(match like {
        Value::Byte(_) => Value::Byte(reader.read_byte()?),
        Value::Bytes(like) => {
            let mut bytes = vec![0; like.len()];
            reader.read_bytes(&mut bytes)?;
            Value::Bytes(bytes)
        }
        Value::Buffer(like) => Value::Buffer(reader.read_buffer(like.len())?.into()),
        Value::Boolean(_) => Value::Boolean(reader.read_boolean()?),
        Value::I16(_) => Value::I16(reader.read_i16()?),
        Value::I32(_) => Value::I32(reader.read_i32()?),
        Value::I64(_) => Value::I64(reader.read_i64()?),
        Value::U16(_) => Value::U16(reader.read_u16()?),
        Value::U32(_) => Value::U32(reader.read_u32()?),
        Value::U64(_) => Value::U64(reader.read_u64()?),
        Value::F32(_) => Value::F32(reader.read_f32()?.to_bits()),
        Value::F64(_) => Value::F64(reader.read_f64()?.to_bits()),
        Value::Guid(_) => Value::Guid(reader.read_guid()?.to_u128()),
        Value::DateTime(_) => Value::DateTime(reader.read_date_time()?.ticks()),
        Value::TimeSpan(_) => Value::TimeSpan(reader.read_time_span()?.ticks()),
        Value::String(like) => Value::String(match reader.unicode_encoding() {
            UnicodeEncoding::Utf8 => reader.read_string(like.len())?,
            _ => reader.read_string(like.encode_utf16().count())?,
        }),
    })
}

fn orders() -> impl Strategy<Value = ByteOrder> {
    prop_oneof![Just(ByteOrder::LittleEndian), Just(ByteOrder::BigEndian)]
}

proptest! {
    #[test]
    fn what_was_written_is_read_back(
        steps in vec((orders(), 0..ENCODINGS.len(), values()), 0..30),
    ) {
        let mut writer = DataWriter::new();
        for (order, encoding, value) in &steps {
            writer.set_byte_order(*order);
            writer.set_unicode_encoding(ENCODINGS[*encoding]);
            write(&mut writer, value);
        }
        let length = writer.unstored_buffer_length();
        let mut reader = DataReader::from_bytes(writer.detach_buffer());
        prop_assert_eq!(reader.unconsumed_buffer_length(), length);
        for (order, encoding, value) in &steps {
            reader.set_byte_order(*order);
            reader.set_unicode_encoding(ENCODINGS[*encoding]);
            prop_assert_eq!(&read(&mut reader, value).expect("all there"), value);
        }
        prop_assert_eq!(reader.unconsumed_buffer_length(), 0);
    }

    #[test]
    fn any_bytes_are_text_or_an_error(bytes in vec(any::<u8>(), 0..40), units in 0..50usize) {
        for encoding in ENCODINGS {
            let mut reader = DataReader::from_bytes(bytes.clone());
            reader.set_unicode_encoding(encoding);
            if reader.read_string(units).is_err() {
                prop_assert_eq!(reader.detach_buffer(), &bytes);
            }
        }
    }

    #[test]
    fn points_in_time_survive_the_systems_clock(ticks in any::<i64>()) {
        let time = DateTime::from_ticks(ticks);
        // Not every system's clock reaches before 1601.
        if let Ok(system_time) = SystemTime::try_from(time) {
            prop_assert_eq!(DateTime::try_from(system_time).expect("in range"), time);
        } else {
            prop_assert!(cfg!(windows) && ticks < 0);
        }
    }

    #[test]
    fn a_guid_is_read_from_its_text(number in any::<u128>()) {
        let guid = Guid::from_u128(number);
        prop_assert_eq!(guid.to_string().parse::<Guid>().expect("its form"), guid);
    }
}
