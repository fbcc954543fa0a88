//! Values of options that have a form of their own.

use std::time::Duration;

use twinsock::{Compression, DeflateLevel};

/// A header of the handshake. It has no `Debug`: the value may be a secret.
#[derive(Clone)]
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// A text that may hold a password: the command line's own errors would show it, so it is taken
/// as it is and looked at later. It has no `Debug`.
#[derive(Clone)]
pub(crate) struct Secret(pub(crate) String);

impl Header {
    /// The text itself is not shown in an error: it may be the value.
    pub(crate) fn parse(Secret(text): &Secret) -> Result<Self, &'static str> {
        let (name, value) = text
            .split_once(':')
            .ok_or("expected a name, a colon and a value, got no colon")?;
        Ok(Self {
            name: name.to_owned(),
            value: value.trim_matches([' ', '\t']).to_owned(),
        })
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

pub(super) fn positive_seconds(text: &str) -> Result<Duration, &'static str> {
    text.parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|duration| !duration.is_zero())
        .ok_or("expected a number of seconds above 0")
}

/// A number of bytes, such as `65536` or `64KiB`.
pub(super) fn size(text: &str) -> Result<u64, &'static str> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30)];
    let (number, shift) = units
        .iter()
        .find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, *shift)))
        .unwrap_or((text, 0));
    number
        .trim_end()
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(1 << shift))
        .ok_or("expected a number of bytes, such as 65536 or 64KiB")
}

pub(super) fn deflate_level(text: &str) -> Result<DeflateLevel, &'static str> {
    text.parse()
        .ok()
        .and_then(DeflateLevel::new)
        .ok_or("expected a number from 1 to 9")
}

/// The library's own, but for the level that was asked for.
pub(crate) fn compression(level: Option<DeflateLevel>) -> Compression {
    Compression {
        level: level.unwrap_or_default(),
        ..Compression::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_cut_at_its_first_colon() {
        let parse = |text: &str| Header::parse(&Secret(text.to_owned()));
        let header = parse("X-Time:  12:30 \t").unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((&*header.name, &*header.value), ("X-Time", "12:30"));
        assert!(parse("no colon").is_err());
    }

    #[test]
    fn a_deflate_level_is_a_number_from_1_to_9() {
        assert_eq!(deflate_level("9"), Ok(DeflateLevel::SMALLEST));
        for text in ["0", "10", "-1", "", "fast", "1.5"] {
            assert!(deflate_level(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_timeout_is_a_positive_number_of_seconds() {
        assert_eq!(positive_seconds("0.25"), Ok(Duration::from_millis(250)));
        for text in ["0", "-1", "soon", "", "NaN", "inf", "1e300", "1e-300"] {
            assert!(positive_seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_size_may_have_a_unit() {
        assert_eq!(size("65536"), Ok(65_536));
        assert_eq!(size("64KiB"), size("65536"));
        assert_eq!((size("3MiB"), size("1 GiB")), (Ok(3 << 20), Ok(1 << 30)));
        for text in ["", "GiB", "-1", "1.5GiB", "1GB", "17179869184GiB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
