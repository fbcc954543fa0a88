//! What a server is told on the command line.

use std::path::PathBuf;

use clap::Args;

#[derive(Args)]
pub(crate) struct ServeOptions {
    /// The address to listen on; port 0 is any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9001")]
    pub(crate) listen: String,
    /// The largest message that is echoed, in bytes; when more of one has come, the connection is closed with 1009,
    /// though its beginning may have gone back already [default: no limit]
    #[arg(long, value_name = "BYTES", allow_negative_numbers = true)]
    pub(crate) max_message_size: Option<u64>,
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
