//! Which processor a side runs on: the library on the first, the neutral side on the second.

use std::sync::OnceLock;

use core_affinity::CoreId;

/// All of them: asked for once, because a thread that is pinned sees its own alone, and so do the
/// threads that it starts.
static PROCESSORS: OnceLock<Vec<CoreId>> = OnceLock::new();

pub(crate) fn pin_library() {
    pin(0);
}

pub(crate) fn pin_neutral_side() {
    pin(1);
}

/// How many there are.
pub(crate) fn count() -> usize {
    processors().len()
}

/// Where it cannot be, the system chooses.
fn pin(index: usize) {
    if let Some(processor) = processors().get(index) {
        core_affinity::set_for_current(*processor);
    }
}

fn processors() -> &'static [CoreId] {
    PROCESSORS.get_or_init(|| core_affinity::get_core_ids().unwrap_or_default())
}
