//! Certificates and keys from the files that the user names.

use std::path::Path;

use twinsock::{
    Certificate, ClientCertificates, ClientTls, ClientTlsBuilder, Error, Identity, ServerTls,
};

use crate::args::{ClientOptions, ServeOptions};
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// What the user wants of TLS with a proxy: the certificate of `--cert` is for the server alone.
pub(crate) fn of_proxy(options: &ClientOptions) -> Result<ClientTls, Failure> {
    built(trusting(options)?)
}

/// What the user wants of TLS with the server.
pub(crate) fn of_client(options: &ClientOptions) -> Result<ClientTls, Failure> {
    let mut tls = trusting(options)?;
    if let (Some(chain), Some(key)) = (&options.cert, &options.key) {
        tls = tls.identity(identity(("--cert", chain), ("--key", key))?);
    }
    built(tls)
}

fn trusting(options: &ClientOptions) -> Result<ClientTlsBuilder, Failure> {
    let mut roots = Vec::new();
    for path in &options.roots {
        roots.extend(certificates("--ca", path)?);
    }
    Ok(match options.roots.as_slice() {
        [] => ClientTls::builder(),
        _ => ClientTls::builder().only_roots(roots),
    })
}

fn built(tls: ClientTlsBuilder) -> Result<ClientTls, Failure> {
    let tls = tls.build();
    tls.map_err(|error| Failure::of_library("TLS", &error))
}

/// What the user wants of a server's TLS; `None` for `ws://`.
pub(crate) fn of_server(options: &ServeOptions) -> Result<Option<ServerTls>, Failure> {
    let Some(identity) = server_identity(options)? else {
        return Ok(None);
    };
    let mut tls = ServerTls::builder(identity);
    if let Some(path) = &options.tls_client_ca {
        let roots = certificates("--tls-client-ca", path)?;
        tls = tls.client_certificates(ClientCertificates::Required(roots));
    }
    let tls = tls.build();
    tls.map(Some)
        .map_err(|error| Failure::of_library("TLS", &error))
}

/// The server's certificate and key as they are in their files now.
pub(crate) fn server_identity(options: &ServeOptions) -> Result<Option<Identity>, Failure> {
    match (&options.tls_cert, &options.tls_key) {
        (Some(chain), Some(key)) => identity(("--tls-cert", chain), ("--tls-key", key)).map(Some),
        _ => Ok(None),
    }
}

/// The options with their files: first the chain, then the key.
fn identity(chain: (&str, &Path), key: (&str, &Path)) -> Result<Identity, Failure> {
    let (chain_bytes, key_bytes) = (read(chain)?, read(key)?);
    let names = (chain.0, chain.1.display(), key.0, key.1.display());
    Identity::from_pem(chain_bytes, key_bytes).map_err(|error| {
        let (chain_option, chain, key_option, key) = names;
        refused(
            &format!("{chain_option} {chain} with {key_option} {key}"),
            &error,
        )
    })
}

fn certificates(option: &str, path: &Path) -> Result<Vec<Certificate>, Failure> {
    let pem = read((option, path))?;
    Certificate::from_pem(pem)
        .map_err(|error| refused(&format!("{option} {}", path.display()), &error))
}

fn read((option, path): (&str, &Path)) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| {
        let message = format!("{option} {}: {error}", path.display());
        Failure::new(ExitCode::Usage, message)
    })
}

fn refused(what: &str, error: &Error) -> Failure {
    Failure::of_library(what, error)
}
