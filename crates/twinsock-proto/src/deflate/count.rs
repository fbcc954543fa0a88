//! How much compression saves.

/// The payload of compressed messages in one direction, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DeflateCount {
    /// As it goes over the network.
    pub(crate) deflated: u64,
    /// As the application has it.
    pub(crate) inflated: u64,
}

impl DeflateCount {
    pub(crate) fn add(&mut self, deflated: usize, inflated: usize) {
        self.deflated += deflated as u64;
        self.inflated += inflated as u64;
    }
}
