//! Validation with the `simdutf8` crate: AVX2, SSE 4.2, NEON or plain code.

use super::{End, InvalidUtf8, cut_length};

/// Checks `piece` but for the character that it may cut at its end.
pub(super) fn check(piece: &[u8]) -> Result<End, InvalidUtf8> {
    let cut = cut_length(piece);
    let (whole, _) = piece.split_at(piece.len() - cut);
    simdutf8::basic::from_utf8(whole).map_err(|_| InvalidUtf8)?;
    Ok(if cut == 0 { End::Whole } else { End::Cut })
}
