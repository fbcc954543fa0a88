//! The keys of sessions, for tools that look into recorded traffic.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::KeyLog;

use crate::error::Error;

/// A file in the format of `SSLKEYLOGFILE`.
#[derive(Debug)]
struct KeyLogFile(Mutex<File>);

/// Opens the file to append to it.
pub(super) fn open(path: &Path) -> Result<Arc<dyn KeyLog>, Error> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;

        // Whoever reads it reads all that is said.
        options.mode(0o600);
    }
    let file = options.open(path);
    let file = file.map_err(|error| {
        let context = format!("the key log {} cannot be written", path.display());
        Error::system(&context, error)
    })?;
    Ok(Arc::new(KeyLogFile(Mutex::new(file))))
}

impl KeyLog for KeyLogFile {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let line = format!("{label} {} {}\n", Hex(client_random), Hex(secret));
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A log that cannot be written is no reason for a connection to fail.
        let _ = file.write_all(line.as_bytes());
    }
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}
