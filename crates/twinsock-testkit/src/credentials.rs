//! What a server or a proxy does with a user's credentials, written a second time.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha2::{Digest as _, Sha256};

/// The value of an `Authorization` header by Basic (RFC 7617).
#[must_use]
pub fn basic(user_name: &str, password: &str) -> String {
    format!(
        "Basic {}",
        STANDARD.encode(format!("{user_name}:{password}"))
    )
}

/// Whether the value of an `Authorization` header by Digest is right for this method and password
/// (RFC 7616 §3.4).
#[must_use]
pub fn is_digest(value: &str, method: &str, password: &str) -> bool {
    let Some(fields) = value.strip_prefix("Digest ") else {
        return false;
    };
    let field = |name: &str| {
        let mut fields = fields.split(", ").filter_map(|field| field.split_once('='));
        let value = fields.find(|(found, _)| *found == name);
        value.map_or("", |(_, value)| value.trim_matches('"'))
    };
    let algorithm = field("algorithm").to_ascii_uppercase();
    let hash = |text: String| match algorithm.starts_with("SHA-256") {
        true => hexadecimal(&Sha256::digest(text)),
        false => hexadecimal(&Md5::digest(text)),
    };
    let (nonce, client_nonce) = (field("nonce"), field("cnonce"));
    let mut secret = hash(format!(
        "{}:{}:{password}",
        field("username"),
        field("realm")
    ));
    if algorithm.ends_with("-SESS") {
        secret = hash(format!("{secret}:{nonce}:{client_nonce}"));
    }
    let request = hash(format!("{method}:{}", field("uri")));
    let expected = match field("qop") {
        "" => hash(format!("{secret}:{nonce}:{request}")),
        qop => hash(format!(
            "{secret}:{nonce}:{}:{client_nonce}:{qop}:{request}",
            field("nc")
        )),
    };
    field("response") == expected
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
