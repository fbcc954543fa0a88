//! `ws://` and `wss://` addresses (RFC 6455 §3).
