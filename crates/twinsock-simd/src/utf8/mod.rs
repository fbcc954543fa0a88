//! Whether bytes are UTF-8 (RFC 3629, RFC 6455 §8.1).

#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod look_up;
mod portable;

use std::fmt;
use std::mem::MaybeUninit;
use std::slice;

use crate::level::Level;
use crate::mask::{copy_masked_with, mask_with};

/// The bytes are not UTF-8, or end inside a character.
///
/// ```
/// let error = twinsock_simd::from_utf8(b"\xC0\x80").unwrap_err();
/// assert_eq!(error.to_string(), "not UTF-8");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidUtf8;

impl fmt::Display for InvalidUtf8 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("not UTF-8")
    }
}

impl std::error::Error for InvalidUtf8 {}

/// The text that `bytes` are.
///
/// # Errors
///
/// If they are not UTF-8, or end inside a character.
///
/// ```
/// use twinsock_simd::{InvalidUtf8, from_utf8};
///
/// assert_eq!(from_utf8("Grüße".as_bytes()), Ok("Grüße"));
/// assert_eq!(from_utf8(b"\xF4\x90\x80\x80"), Err(InvalidUtf8)); // above U+10FFFF
/// ```
#[inline]
pub fn from_utf8(bytes: &[u8]) -> Result<&str, InvalidUtf8> {
    match split_cut_character(bytes)? {
        (text, []) => Ok(text),
        _ => Err(InvalidUtf8),
    }
}

/// The text that `piece` is, and the beginning of a character that may follow it, of at most
/// three bytes.
///
/// # Errors
///
/// If something cannot belong to UTF-8.
///
/// ```
/// use twinsock_simd::{InvalidUtf8, split_cut_character};
///
/// assert_eq!(split_cut_character(b"5 \xE2\x82"), Ok(("5 ", &b"\xE2\x82"[..])));
/// assert_eq!(split_cut_character(b"5 \xED\xA0"), Err(InvalidUtf8)); // a surrogate
/// ```
#[inline]
pub fn split_cut_character(piece: &[u8]) -> Result<(&str, &[u8]), InvalidUtf8> {
    let (text, cut) = piece.split_at(whole_characters(Level::current(), piece)?);
    // SAFETY: these bytes were found to be whole characters.
    Ok((unsafe { str::from_utf8_unchecked(text) }, cut))
}

/// Unmasks `bytes` where they stand, as [`mask`](crate::mask()) does it, and returns the text
/// that they are, in one pass over the memory.
///
/// # Errors
///
/// If they are not UTF-8, or end inside a character. What `bytes` hold then is not specified.
///
/// ```
/// let mut payload = [0x7f, 0x9f, 0x4d, 0x51, 0x58];
/// let text = twinsock_simd::unmask_utf8(&mut payload, [0x37, 0xfa, 0x21, 0x3d]);
/// assert_eq!(text, Ok("Hello"));
/// ```
#[inline]
pub fn unmask_utf8(bytes: &mut [u8], key: [u8; 4]) -> Result<&str, InvalidUtf8> {
    if unmask_whole_characters(Level::current(), bytes, key)? < bytes.len() {
        return Err(InvalidUtf8);
    }
    // SAFETY: all of these bytes were found to be whole characters.
    Ok(unsafe { str::from_utf8_unchecked(bytes) })
}

/// How many bytes of `piece` are whole characters: all, or all but the beginning of a last one.
///
/// An error says that nothing which follows could make it UTF-8.
#[inline]
pub(crate) fn whole_characters(level: Level, piece: &[u8]) -> Result<usize, InvalidUtf8> {
    let end = match level {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512(found) => avx512::check(found, piece)?,
        _ => portable::check(piece)?,
    };
    end.whole_characters(piece)
}

/// Unmasks `piece`, and returns what [`whole_characters`] does.
#[inline]
pub(crate) fn unmask_whole_characters(
    level: Level,
    piece: &mut [u8],
    key: [u8; 4],
) -> Result<usize, InvalidUtf8> {
    #[cfg(target_arch = "x86_64")]
    if let Level::Avx512(found) = level {
        return avx512::unmask_and_check(found, piece, key)?.whole_characters(piece);
    }
    unmask_in_steps(level, piece, key)
}

/// Fills `to` with `from`, unmasked, and returns what [`whole_characters`] does.
///
/// All of `to` is initialised afterwards, also after an error.
///
/// # Panics
///
/// If the lengths differ.
#[inline]
pub(crate) fn copy_whole_characters(
    level: Level,
    from: &[u8],
    to: &mut [MaybeUninit<u8>],
    key: [u8; 4],
) -> Result<usize, InvalidUtf8> {
    assert_eq!(from.len(), to.len(), "each byte has its place");
    #[cfg(target_arch = "x86_64")]
    if let Level::Avx512(found) = level {
        let end = avx512::copy_and_check(found, from, to, key)?;
        // SAFETY: all of it was written just now.
        return end.whole_characters(unsafe { initialised(to) });
    }
    copy_in_steps(level, from, to, key)
}

/// How many bytes of a long text are unmasked before they are checked: few enough that they are
/// still in the first cache then.
const STEP: usize = 4096;

fn unmask_in_steps(level: Level, piece: &mut [u8], key: [u8; 4]) -> Result<usize, InvalidUtf8> {
    let (mut whole, mut unmasked) = (0, 0);
    while let Some(rest @ [_, ..]) = piece.get_mut(unmasked..) {
        let step = rest.len().min(STEP);
        let (now, _) = rest.split_at_mut(step);
        // A step is a multiple of the key's length, but for the last one.
        mask_with(level, now, key);
        unmasked += step;
        whole += whole_characters(level, &piece[whole..unmasked])?;
    }
    Ok(whole)
}

fn copy_in_steps(
    level: Level,
    from: &[u8],
    to: &mut [MaybeUninit<u8>],
    key: [u8; 4],
) -> Result<usize, InvalidUtf8> {
    let (mut whole, mut copied) = (0, 0);
    let mut result = Ok(());
    for step in from.chunks(STEP) {
        let end = copied + step.len();
        copy_masked_with(level, step, &mut to[copied..end], key);
        copied = end;
        // SAFETY: the bytes up to `copied` were written just now or in steps before.
        let new = unsafe { initialised(&to[whole..copied]) };
        // After an error the rest is still copied: all of `to` is to be initialised.
        result = result.and_then(|()| {
            whole += whole_characters(level, new)?;
            Ok(())
        });
    }
    result.map(|()| whole)
}

/// # Safety
///
/// All of `bytes` must be initialised.
#[inline]
pub(crate) unsafe fn initialised(bytes: &[MaybeUninit<u8>]) -> &[u8] {
    // SAFETY: same place, length and lifetime, and the caller vouches for the content.
    unsafe { slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len()) }
}

/// How a piece ends in which nothing was found that UTF-8 forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// With a whole character, or it is empty.
    Whole,
    /// With bytes that may begin a character: not checked yet.
    Cut,
}

impl End {
    /// How many bytes of `piece`, which ends so, are whole characters.
    #[inline]
    fn whole_characters(self, piece: &[u8]) -> Result<usize, InvalidUtf8> {
        match self {
            Self::Whole => Ok(piece.len()),
            Self::Cut => before_cut(piece),
        }
    }
}

/// How many bytes stand before the character that `piece` cuts.
#[cold]
fn before_cut(piece: &[u8]) -> Result<usize, InvalidUtf8> {
    let (whole, cut) = piece.split_at(piece.len() - cut_length(piece));
    match str::from_utf8(cut) {
        // No error length: these bytes may begin a character.
        Err(error) if error.error_len().is_none() => Ok(whole.len()),
        _ => Err(InvalidUtf8),
    }
}

/// How many bytes at the end of `piece` begin a character that does not end there.
fn cut_length(piece: &[u8]) -> usize {
    for (index, byte) in piece.iter().rev().take(3).enumerate() {
        let length = index + 1;
        match byte {
            0x80..=0xBF => {}
            0xF0.. if length < 4 => return length,
            0xE0..=0xEF if length < 3 => return length,
            0xC0..=0xDF if length < 2 => return length,
            _ => return 0,
        }
    }
    0
}
