//! What a server is told on the command line.

use std::path::PathBuf;

use clap::Args;
use twinsock::{DeflateLevel, DeflateTerms};

use crate::args::values;

#[derive(Args)]
pub(crate) struct ServeOptions {
    /// The address to listen on; port 0 is any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9001")]
    pub(crate) listen: String,
    /// The largest message that is echoed, in bytes; when more of one has come, the connection is closed with 1009,
    /// though its beginning may have gone back already [default: no limit]
    #[arg(long, value_name = "BYTES", allow_negative_numbers = true)]
    pub(crate) max_message_size: Option<u64>,
    /// Compresses messages with clients that offer to (permessage-deflate); PARAMETERS bound what is agreed on, such as
    /// 'server_max_window_bits=12; client_no_context_takeover', and with none given each message stands for itself, so
    /// that nothing is kept between messages
    #[arg(long, value_name = "PARAMETERS", num_args = 0..=1, require_equals = true,
        default_missing_value = "server_no_context_takeover; client_no_context_takeover")]
    pub(crate) deflate: Option<DeflateTerms>,
    /// How hard is tried to compress, from 1 (fast) to 9 (small) [default: 2]
    #[arg(long, value_name = "LEVEL", requires = "deflate", value_parser = values::deflate_level, allow_negative_numbers = true)]
    pub(crate) deflate_level: Option<DeflateLevel>,
    /// A subprotocol that is spoken, the preferred one first
    #[arg(long = "protocol", value_name = "PROTOCOL")]
    pub(crate) protocols: Vec<String>,
    /// Another origin whose web pages may connect, as scheme://host or scheme://host:port
    #[arg(long = "origin", value_name = "ORIGIN")]
    pub(crate) origins: Vec<String>,
    /// The server's certificate chain, PEM, its own certificate first: it then serves wss://. SIGHUP has it read
    /// again, with the key, for new connections
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The key of that certificate, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Whose certificates clients must show, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_client_ca: Option<PathBuf>,
}
