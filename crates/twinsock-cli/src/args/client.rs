//! What every client is told on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use twinsock::{CertificateError, DeflateLevel, DeflateOffer};

use crate::args::values::{self, Secret};

/// What every client is told on the command line.
#[derive(Args)]
pub(crate) struct ClientOptions {
    /// The server's address, such as ws://127.0.0.1:9001
    pub(crate) uri: String,
    /// A header for the handshake, such as 'Authorization: Bearer …'
    #[arg(long = "header", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<Secret>,
    /// A subprotocol to offer, the preferred one first
    #[arg(long = "protocol", value_name = "PROTOCOL")]
    pub(crate) protocols: Vec<String>,
    /// The time for all of connecting, from the name to the end of the handshake
    #[arg(long, value_name = "SECONDS", value_parser = values::positive_seconds, allow_negative_numbers = true)]
    pub(crate) connect_timeout: Option<Duration>,
    /// Certificates that are trusted, PEM, rather than those of the system, for the server and an https:// --proxy;
    /// again for more
    #[arg(long = "ca", value_name = "FILE")]
    pub(crate) roots: Vec<PathBuf>,
    /// The client's certificate chain, PEM, for servers that want one
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,
    /// The key of that certificate, PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
    /// The proxy, as http://, https://, socks5:// or socks5h:// with host and port, or `none` [default: what the
    /// environment says: wss_proxy, https_proxy, ws_proxy, http_proxy, all_proxy, no_proxy]
    #[arg(long, value_name = "URI")]
    pub(crate) proxy: Option<Secret>,
    /// The proxy's user
    #[arg(long, value_name = "NAME:PASSWORD")]
    pub(crate) proxy_user: Option<Secret>,
    /// The server's user, for Basic and Digest; over ws:// Basic tells the password to whoever listens
    #[arg(long, value_name = "NAME:PASSWORD")]
    pub(crate) user: Option<Secret>,
    /// Follows redirects, 10 at most, but never from wss:// to ws://
    #[arg(long)]
    pub(crate) follow_redirects: bool,
    /// Connects in spite of this error of the server's certificate: whoever is in between can then read and change
    /// everything. Again for more
    #[arg(long = "insecure-ignore-certificate-error", value_name = "NAME", value_parser = certificate_error)]
    pub(crate) ignored_certificate_errors: Vec<CertificateError>,
    /// Offers to compress messages (permessage-deflate); PARAMETERS are those of the offer, such as
    /// 'server_no_context_takeover; server_max_window_bits=12'. Again for a further offer, if the server declines this
    /// one
    #[arg(long, value_name = "PARAMETERS", num_args = 0..=1, require_equals = true, default_missing_value = "client_max_window_bits")]
    pub(crate) deflate: Vec<DeflateOffer>,
    /// How hard is tried to compress, from 1 (fast) to 9 (small) [default: 2]
    #[arg(long, value_name = "LEVEL", requires = "deflate", value_parser = values::deflate_level, allow_negative_numbers = true)]
    pub(crate) deflate_level: Option<DeflateLevel>,
    /// Tells what happens while connecting: each step with its time, TLS, the server's headers
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

fn certificate_error(name: &str) -> Result<CertificateError, String> {
    let mut known = CertificateError::ALL.iter().copied();
    known
        .find(|error| format!("{error:?}").eq_ignore_ascii_case(name))
        .ok_or_else(|| {
            let names = CertificateError::ALL
                .iter()
                .map(|error| format!("{error:?}"));
            let names: Vec<_> = names.collect();
            format!("expected one of {}", names.join(", "))
        })
}
