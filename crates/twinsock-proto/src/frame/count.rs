//! How many frames and messages went in one direction.

/// Counts the frames and messages of one direction.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FrameCount {
    /// Control frames included.
    pub(crate) frames: u64,
    /// Each at its last frame.
    pub(crate) messages: u64,
}
