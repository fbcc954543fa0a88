//! Objects out of PEM (RFC 7468).

use rustls::pki_types::pem::{self, PemObject};

use crate::error::Error;

/// All objects of a sort; there has to be one at least. Other sorts are passed over.
pub(super) fn all<T: PemObject>(pem: &[u8], what: &str) -> Result<Vec<T>, Error> {
    let objects: Result<Vec<T>, pem::Error> = T::pem_slice_iter(pem).collect();
    let objects = objects.map_err(|error| unreadable(what, &error))?;
    if objects.is_empty() {
        return Err(missing(what));
    }
    Ok(objects)
}

/// The first object of a sort.
pub(super) fn first<T: PemObject>(pem: &[u8], what: &str) -> Result<T, Error> {
    T::from_pem_slice(pem).map_err(|error| match error {
        pem::Error::NoItemsFound => missing(what),
        error => unreadable(what, &error),
    })
}

fn missing(what: &str) -> Error {
    Error::invalid_argument(format!("expected {what} in PEM, got none"))
}

fn unreadable(what: &str, error: &pem::Error) -> Error {
    Error::invalid_argument(format!("expected {what} in PEM, got: {error}"))
}
