//! The XOR that hides a client's payload (RFC 6455 §5.3).

mod portable;
#[cfg(target_arch = "x86_64")]
mod x86_64;

use std::mem::MaybeUninit;

use crate::level::Level;

/// XORs `bytes` in place: byte `i` with `key[i % 4]`.
///
/// Masking and unmasking are the same operation. For a payload's rest after `n` bytes, rotate the
/// key left by `n % 4` first.
///
/// ```
/// let mut payload = *b"Hello";
/// twinsock_simd::mask(&mut payload, [0x37, 0xfa, 0x21, 0x3d]);
/// assert_eq!(payload, [0x7f, 0x9f, 0x4d, 0x51, 0x58]);
/// ```
#[inline]
pub fn mask(bytes: &mut [u8], key: [u8; 4]) {
    mask_with(Level::current(), bytes, key);
}

/// Appends `bytes` XORed with `key`, as [`mask`] does it: copied and masked in one pass.
///
/// Room for them is reserved once, as [`Vec::reserve`] does it.
///
/// ```
/// let mut frame = vec![0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d];
/// twinsock_simd::append_masked(&mut frame, b"Hello", [0x37, 0xfa, 0x21, 0x3d]);
/// assert_eq!(frame[6..], [0x7f, 0x9f, 0x4d, 0x51, 0x58]);
/// ```
#[inline]
pub fn append_masked(out: &mut Vec<u8>, bytes: &[u8], key: [u8; 4]) {
    append_masked_with(Level::current(), out, bytes, key);
}

#[inline]
pub(crate) fn mask_with(level: Level, bytes: &mut [u8], key: [u8; 4]) {
    match level {
        Level::Portable => portable::mask(bytes, key),
        #[cfg(target_arch = "x86_64")]
        Level::Avx2(found) => x86_64::mask_avx2(found, bytes, key),
        #[cfg(target_arch = "x86_64")]
        Level::Avx512(found) => x86_64::mask_avx512(found, bytes, key),
    }
}

#[inline]
pub(crate) fn append_masked_with(level: Level, out: &mut Vec<u8>, bytes: &[u8], key: [u8; 4]) {
    out.reserve(bytes.len());
    let (room, _) = out.spare_capacity_mut().split_at_mut(bytes.len());
    copy_masked_with(level, bytes, room, key);
    // SAFETY: the bytes after the old length were reserved, and all of them were written.
    unsafe { out.set_len(out.len() + bytes.len()) };
}

/// Fills `to` with `from`, masked.
///
/// All of `to` is initialised afterwards.
///
/// # Panics
///
/// If the lengths differ.
#[inline]
pub(crate) fn copy_masked_with(
    level: Level,
    from: &[u8],
    to: &mut [MaybeUninit<u8>],
    key: [u8; 4],
) {
    assert_eq!(from.len(), to.len(), "each byte has its place");
    match level {
        Level::Portable => portable::copy_masked(from, to, key),
        #[cfg(target_arch = "x86_64")]
        Level::Avx2(found) => x86_64::copy_masked_avx2(found, from, to, key),
        #[cfg(target_arch = "x86_64")]
        Level::Avx512(found) => x86_64::copy_masked_avx512(found, from, to, key),
    }
}
