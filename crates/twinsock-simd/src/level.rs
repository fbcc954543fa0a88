//! Which vectors this processor has.

/// The instructions to use.
///
/// A value that names a kind of processor proves that the program runs on one: only this module
/// can make it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

/// Proof that the processor has AVX2.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Avx2(());

/// Proof that the processor has AVX-512 F, BW, VL and VBMI (and BMI2, which all of these have).
///
/// VBMI also leaves out the first processors with AVX-512, which lower their clock for it.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Avx512(());

impl Level {
    /// The best that this processor has.
    #[cfg(not(target_arch = "x86_64"))]
    #[inline]
    pub(crate) fn current() -> Self {
        Self::Portable
    }

    /// The best that this processor has: found out once, then a load and a comparison.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    pub(crate) fn current() -> Self {
        match x86_64::FOUND.load(std::sync::atomic::Ordering::Relaxed) {
            x86_64::AVX512 => Self::Avx512(Avx512(())),
            x86_64::AVX2 => Self::Avx2(Avx2(())),
            x86_64::PORTABLE => Self::Portable,
            _ => x86_64::find(),
        }
    }

    /// All that this processor has, the best one last: for tests and benchmarks.
    #[allow(dead_code, reason = "the library itself takes the best one")]
    pub(crate) fn available() -> Vec<Self> {
        #[cfg(target_arch = "x86_64")]
        return [Some(Self::Portable), x86_64::avx2(), x86_64::avx512()]
            .into_iter()
            .flatten()
            .collect();
        #[cfg(not(target_arch = "x86_64"))]
        return vec![Self::Portable];
    }
}

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::{Avx2, Avx512, Level};

    /// What [`find`] found; 0 before it ran. A value beside it depends on no other memory, so
    /// that relaxed loads and stores are enough.
    pub(super) static FOUND: AtomicU8 = AtomicU8::new(0);

    pub(super) const PORTABLE: u8 = 1;
    pub(super) const AVX2: u8 = 2;
    pub(super) const AVX512: u8 = 3;

    #[cold]
    pub(super) fn find() -> Level {
        let level = avx512().or_else(avx2).unwrap_or(Level::Portable);
        let found = match level {
            Level::Portable => PORTABLE,
            Level::Avx2(_) => AVX2,
            Level::Avx512(_) => AVX512,
        };
        FOUND.store(found, Ordering::Relaxed);
        level
    }

    pub(super) fn avx2() -> Option<Level> {
        is_x86_feature_detected!("avx2").then_some(Level::Avx2(Avx2(())))
    }

    pub(super) fn avx512() -> Option<Level> {
        let found = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vbmi")
            && is_x86_feature_detected!("bmi2");
        found.then_some(Level::Avx512(Avx512(())))
    }
}
