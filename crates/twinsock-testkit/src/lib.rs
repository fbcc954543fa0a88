//! Test support for twinsock: raw frames, connections on a virtual network and clock, byte streams
//! that misbehave, and peers that do.

pub mod counting;
pub mod credentials;
pub mod endpoint;
pub mod http_peer;
pub mod noise;
pub mod pair;
pub mod raw;
pub mod script;
pub mod sockets;
pub mod socks_peer;
pub mod streams;
pub mod wire;
pub mod words;
