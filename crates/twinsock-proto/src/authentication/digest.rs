//! The Digest scheme (RFC 7616; without `qop` as in RFC 2069).

use md5::Md5;
use sha2::{Digest as _, Sha256};

use super::authenticator::Target;
use super::challenge::Challenge;
use super::credential::Credential;
use super::error::AuthenticationError;
use crate::handshake::Excerpt;

/// A Digest challenge that can be answered.
#[derive(Debug)]
pub(super) struct DigestChallenge<'a> {
    challenge: &'a Challenge<'a>,
    realm: &'a [u8],
    nonce: &'a [u8],
    algorithm: Algorithm,
    protection: Protection,
}

/// RFC 7616 §3.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Algorithm {
    hash: Hash,
    session: Session,
}

/// The stronger one is the greater one, as in those below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Hash {
    Md5,
    Sha256,
}

/// Whether the hash of the password is one with that of both nonces, as the `-sess` algorithms ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Session {
    Plain,
    Session,
}

/// The quality of protection (`qop`) that is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Protection {
    /// RFC 2069: the peer has not heard of it.
    None,
    Authentication,
}

impl<'a> DigestChallenge<'a> {
    pub(super) fn read(challenge: &'a Challenge<'a>) -> Result<Self, AuthenticationError> {
        let required = |name| {
            challenge
                .parameter(name)
                .ok_or_else(|| challenge.malformed())
        };
        let algorithm = Algorithm::of(challenge)?;
        Ok(Self {
            challenge,
            realm: required("realm")?,
            nonce: required("nonce")?,
            algorithm,
            protection: Protection::of(challenge, algorithm)?,
        })
    }

    /// What makes a challenge better than another one.
    pub(super) fn strength(&self) -> impl Ord + use<> {
        (self.algorithm.hash, self.protection, self.algorithm.session)
    }

    /// Whether only the nonce was too old (RFC 7616 §3.3).
    pub(super) fn is_stale(&self) -> bool {
        self.is_set("stale")
    }

    /// The answer: the value of an `Authorization` header (RFC 7616 §3.4).
    pub(super) fn answer(
        &self,
        credential: &Credential,
        target: Target<'_>,
        client_nonce: &str,
    ) -> Vec<u8> {
        let mut fields = Fields(b"Digest ".to_vec());
        self.put_user_name(&mut fields, credential.user_name());
        fields.quoted("realm", self.realm);
        fields.quoted("nonce", self.nonce);
        fields.quoted("uri", target.uri().as_bytes());
        // The word that the peer used, which some compare letter by letter.
        if let Some(algorithm) = self.challenge.parameter("algorithm") {
            fields.plain("algorithm", algorithm);
        }
        if self.protection == Protection::Authentication {
            fields.quoted("cnonce", client_nonce.as_bytes());
            fields.plain("nc", NONCE_COUNT.as_bytes());
            fields.plain("qop", b"auth");
        }
        let response = self.response(credential, target, client_nonce);
        fields.quoted("response", response.as_bytes());
        if let Some(opaque) = self.challenge.parameter("opaque") {
            fields.quoted("opaque", opaque);
        }
        fields.0
    }

    /// RFC 7616 §3.4.4: hashed, if the peer asks for it; §3.4: escaped, if it is not ASCII and UTF-8 is asked for.
    fn put_user_name(&self, fields: &mut Fields, user_name: &str) {
        if self.is_set("userhash") {
            let hash = self.hash(&[user_name.as_bytes(), self.realm]);
            fields.quoted("username", hash.as_bytes());
            fields.plain("userhash", b"true");
            return;
        }
        let charset = self.challenge.parameter("charset");
        if !user_name.is_ascii()
            && charset.is_some_and(|charset| charset.eq_ignore_ascii_case(b"UTF-8"))
        {
            fields.plain("username*", extended_value(user_name).as_bytes());
        } else {
            fields.quoted("username", user_name.as_bytes());
        }
    }

    /// RFC 7616 §3.4.1 to §3.4.3.
    fn response(&self, credential: &Credential, target: Target<'_>, client_nonce: &str) -> String {
        let client_nonce = client_nonce.as_bytes();
        let user_name = credential.user_name().as_bytes();
        let mut secret = self.hash(&[user_name, self.realm, credential.password().as_bytes()]);
        if self.algorithm.session == Session::Session {
            secret = self.hash(&[secret.as_bytes(), self.nonce, client_nonce]);
        }
        let secret = secret.as_bytes();
        let request = self.hash(&[target.method().as_bytes(), target.uri().as_bytes()]);
        let request = request.as_bytes();
        match self.protection {
            Protection::None => self.hash(&[secret, self.nonce, request]),
            Protection::Authentication => {
                let count = NONCE_COUNT.as_bytes();
                self.hash(&[secret, self.nonce, count, client_nonce, b"auth", request])
            }
        }
    }

    /// The parts with colons between them, hashed, in hexadecimal digits.
    fn hash(&self, parts: &[&[u8]]) -> String {
        let text = parts.join(&b':');
        match self.algorithm.hash {
            Hash::Md5 => hexadecimal(&Md5::digest(text)),
            Hash::Sha256 => hexadecimal(&Sha256::digest(text)),
        }
    }

    fn is_set(&self, name: &str) -> bool {
        let value = self.challenge.parameter(name);
        value.is_some_and(|value| value.eq_ignore_ascii_case(b"true"))
    }
}

impl Algorithm {
    const RFC_2069: Self = Self {
        hash: Hash::Md5,
        session: Session::Plain,
    };

    fn of(challenge: &Challenge<'_>) -> Result<Self, AuthenticationError> {
        // RFC 7616 §3.3: without a word it is MD5.
        let name = challenge.parameter("algorithm").unwrap_or(b"MD5");
        let (hash, session) = match name.to_ascii_lowercase().as_slice() {
            b"md5" => (Hash::Md5, Session::Plain),
            b"md5-sess" => (Hash::Md5, Session::Session),
            b"sha-256" => (Hash::Sha256, Session::Plain),
            b"sha-256-sess" => (Hash::Sha256, Session::Session),
            _ => {
                return Err(AuthenticationError::Algorithm {
                    got: Excerpt::new(name),
                });
            }
        };
        Ok(Self { hash, session })
    }
}

impl Protection {
    fn of(challenge: &Challenge<'_>, algorithm: Algorithm) -> Result<Self, AuthenticationError> {
        let offered = match (challenge.parameter("qop"), algorithm) {
            (Some(offered), _) => offered,
            // RFC 2069 knows nothing but MD5.
            (None, Algorithm::RFC_2069) => return Ok(Self::None),
            (None, _) => b"",
        };
        let is_offered = offered
            .split(|&byte| byte == b',')
            .any(|word| word.trim_ascii().eq_ignore_ascii_case(b"auth"));
        if is_offered {
            Ok(Self::Authentication)
        } else {
            Err(AuthenticationError::QualityOfProtection {
                got: Excerpt::new(offered),
            })
        }
    }
}

/// The parameters of an answer, under construction.
struct Fields(Vec<u8>);

impl Fields {
    fn plain(&mut self, name: &str, value: &[u8]) {
        self.name(name);
        self.0.extend_from_slice(value);
    }

    fn quoted(&mut self, name: &str, value: &[u8]) {
        self.name(name);
        self.0.push(b'"');
        for &byte in value {
            if matches!(byte, b'"' | b'\\') {
                self.0.push(b'\\');
            }
            self.0.push(byte);
        }
        self.0.push(b'"');
    }

    fn name(&mut self, name: &str) {
        if self.0.last() != Some(&b' ') {
            self.0.extend_from_slice(b", ");
        }
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(b'=');
    }
}

/// RFC 8187 §3.2.
fn extended_value(text: &str) -> String {
    let mut value = String::from("UTF-8''");
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            value.push(char::from(byte));
        } else {
            value.push_str(&format!("%{byte:02X}"));
        }
    }
    value
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Each nonce is used for one request.
const NONCE_COUNT: &str = "00000001";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authentication::challenge::read_challenges;

    fn response(password: &str, line: &str, client_nonce: &str) -> String {
        let challenges = read_challenges([line.as_bytes()]).unwrap();
        let challenge = DigestChallenge::read(&challenges[0]).unwrap();
        let uri = "ws://www.example.org/dir/index.html".parse().unwrap();
        let credential = Credential::new("Mufasa", password).unwrap();
        challenge.response(&credential, Target::get(&uri), client_nonce)
    }

    #[test]
    fn rfc_7616_section_3_9_1_both_algorithms() {
        for (algorithm, expected) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            (
                "SHA-256",
                "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            ),
        ] {
            let line = format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                 opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            );
            let client_nonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
            assert_eq!(response("Circle of Life", &line, client_nonce), expected);
        }
    }

    #[test]
    fn rfc_2617_section_3_5_example() {
        let line = "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", \
            nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"";
        let expected = "6629fae49393a05397450978507c4ef1";
        assert_eq!(response("Circle Of Life", line, "0a4f113b"), expected);
    }

    /// As corrected by the RFC's erratum 749.
    #[test]
    fn rfc_2069_section_2_4_example() {
        let line =
            "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"";
        let expected = "1949323746fe6a43ef61f9606e7febea";
        assert_eq!(response("CircleOfLife", line, "unused"), expected);
    }
}
