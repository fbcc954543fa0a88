//! Test support for twinsock: raw frames, and connections on a virtual network and clock.

pub mod endpoint;
pub mod pair;
pub mod wire;
