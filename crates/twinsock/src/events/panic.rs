//! What happens when a handler panics: nothing, to anybody else.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// The application's code panicked.
#[derive(Debug)]
pub(super) struct Panicked;

/// Calls the application; what it leaves behind is not used again after a panic.
pub(super) fn guarded<T>(action: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(action)).map_err(|payload| {
        // Dropping what it panicked with may panic too, and that payload in its turn.
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(payload);
        }
        Panicked
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct PanicsWhenDropped(u32);

    impl Drop for PanicsWhenDropped {
        fn drop(&mut self) {
            if self.0 > 0 {
                std::panic::panic_any(Self(self.0 - 1));
            }
        }
    }

    #[test]
    fn a_panic_goes_no_further_whatever_it_panicked_with() {
        assert!(guarded(|| ()).is_ok());
        for depth in 0..4 {
            let result = guarded(|| std::panic::panic_any(PanicsWhenDropped(depth)));
            assert!(result.is_err());
        }
    }
}
