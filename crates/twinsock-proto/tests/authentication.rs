//! Answers to challenges (RFC 9110 §11, RFC 7617, RFC 7616), as seen by a caller.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use twinsock_proto::authentication::{
    AuthenticationError, Authenticator, Credential, InvalidCredential, Party, Target,
};
use twinsock_proto::uri::{Destination, WebSocketUri};

const NONCE: [u8; 16] = [7; 16];
const CLIENT_NONCE: &str = "07070707070707070707070707070707";

fn challenges(name: HeaderName, lines: &[&str]) -> HeaderMap {
    let value = |line: &&str| HeaderValue::from_bytes(line.as_bytes()).unwrap();
    lines
        .iter()
        .map(|line| (name.clone(), value(line)))
        .collect()
}

fn server(user_name: &str, password: &str) -> Authenticator {
    Authenticator::new(Credential::new(user_name, password).unwrap(), Party::Server)
}

fn mufasa() -> Authenticator {
    server("Mufasa", "Circle of Life")
}

/// The answer to a server's challenges, for `/dir/index.html`.
fn answer(
    authenticator: &mut Authenticator,
    lines: &[&str],
) -> Result<String, AuthenticationError> {
    let uri: WebSocketUri = "wss://www.example.org/dir/index.html".parse().unwrap();
    let headers = challenges(header::WWW_AUTHENTICATE, lines);
    let (name, value) = authenticator.answer(&headers, Target::get(&uri), NONCE)?;
    assert_eq!(name, header::AUTHORIZATION);
    assert!(value.is_sensitive());
    Ok(String::from_utf8(value.as_bytes().to_vec()).unwrap())
}

fn answered(line: &str) -> String {
    answer(&mut mufasa(), &[line]).unwrap()
}

fn refused(lines: &[&str]) -> AuthenticationError {
    answer(&mut mufasa(), lines).unwrap_err()
}

// Credentials.

#[test]
fn a_credential_is_two_texts_without_control_characters() {
    for (user_name, password, expected) in [
        ("", "p", InvalidCredential::EmptyUserName),
        ("u", "", InvalidCredential::EmptyPassword),
        ("u\r\n", "p", InvalidCredential::UserName),
        ("u", "p\0", InvalidCredential::Password),
        ("u", "p\u{85}", InvalidCredential::Password),
    ] {
        assert_eq!(Credential::new(user_name, password).unwrap_err(), expected);
    }
    assert!(Credential::new("u:\"ü", " ").is_ok());
}

// Basic.

#[test]
fn rfc_7617_section_2_examples() {
    let mut aladdin = server("Aladdin", "open sesame");
    assert_eq!(
        answer(&mut aladdin, &["Basic realm=\"WallyWorld\""]).as_deref(),
        Ok("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
    );
    let mut test = server("test", "123\u{a3}");
    assert_eq!(
        answer(&mut test, &["Basic realm=\"foo\", charset=\"UTF-8\""]).as_deref(),
        Ok("Basic dGVzdDoxMjPCow==")
    );
}

#[test]
fn rfc_7617_section_2_a_colon_in_the_user_name_leaves_digest_alone() {
    let mut named = server("a:b", "secret");
    let basic = answer(&mut named, &["Basic realm=x"]);
    assert_eq!(basic, Err(AuthenticationError::ColonInUserName));
    // Nothing was answered yet, so the next challenge is the first.
    let digest = answer(&mut named, &["Digest realm=x, nonce=y, qop=auth"]).unwrap();
    assert!(digest.starts_with("Digest username=\"a:b\", "));
}

// Digest; the RFC's own vectors are with the module, for their client nonces are no 16 bytes.

#[test]
fn rfc_7616_section_3_4_answer_has_each_parameter_in_its_form() {
    let line = "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=SHA-256, \
        nonce=\"7ypf\", opaque=\"FQhe\"";
    let digest = answered(line);
    let (before, after) = digest.split_once("response=\"").unwrap();
    assert_eq!(
        before,
        format!(
            "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", nonce=\"7ypf\", \
             uri=\"/dir/index.html\", algorithm=SHA-256, cnonce=\"{CLIENT_NONCE}\", nc=00000001, \
             qop=auth, "
        )
    );
    assert_eq!(after.get(64..), Some("\", opaque=\"FQhe\""));
    let simple = answered("Digest realm=x,nonce=y");
    assert!(
        !simple.contains("qop") && !simple.contains("algorithm") && !simple.contains("nonce=0")
    );
}

/// Computed with Python's `hashlib`, for a realm and a nonce with escaped characters.
#[test]
fn rfc_7616_section_3_4_2_each_algorithm_hashes_the_unescaped_values() {
    let destination = Destination::new("game.example", 443).unwrap();
    for (algorithm, expected) in [
        ("MD5", "01f67104aec18f599d36f437ce12256c"),
        ("md5-SESS", "867f42fb3d9481234937ede3be216ac9"),
        (
            "SHA-256",
            "7351fd5d74d341b76e5bdc45b6bf020ef9b960d155f1bb6f1c43aafc1c9c7e4c",
        ),
        (
            "SHA-256-sess",
            "b0241cb934b7c2038e922c0a505eab3534b00606d26d211a5130d36a862d6186",
        ),
    ] {
        let line = format!(
            "digest QOP=Auth,nonce=\"n\\\\1\" , realm = \"\\r\\\"x\", algorithm={algorithm}"
        );
        let headers = challenges(header::PROXY_AUTHENTICATE, &[&line]);
        let credential = Credential::new("Mufasa", "Circle of Life").unwrap();
        let mut proxy = Authenticator::new(credential, Party::Proxy);
        let (name, value) = proxy
            .answer(&headers, Target::connect(&destination), NONCE)
            .unwrap();
        assert_eq!(name, header::PROXY_AUTHORIZATION);
        let value = value.to_str().unwrap();
        assert!(
            value.contains(&format!("response=\"{expected}\"")),
            "{value}"
        );
        assert!(value.contains("realm=\"r\\\"x\", nonce=\"n\\\\1\", uri=\"game.example:443\""));
        assert!(value.contains(&format!("algorithm={algorithm},")));
    }
}

/// Credential, realm and nonce of RFC 7616 §3.9.2, with SHA-256; computed with Python's `hashlib`.
#[test]
fn rfc_7616_section_3_9_2_user_names_are_hashed_or_escaped() {
    let mut jason = server("J\u{e4}s\u{f8}n Doe", "Secret, or not?");
    let line = "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-256, \
        nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", charset=UTF-8, userhash=true";
    let uri = "ws://api.example.org/doe.json".parse().unwrap();
    let headers = challenges(header::WWW_AUTHENTICATE, &[line]);
    let (_, value) = jason.answer(&headers, Target::get(&uri), NONCE).unwrap();
    let value = value.to_str().unwrap();
    for part in [
        "username=\"5a1a8a47df5c298551b9b42ba9b05835174a5bd7d511ff7fe9191d8e946fc4e7\"",
        "userhash=true",
        "response=\"cf0007b6a32d54872a58d41d3051c10b7877956ba828c9e19f6bb1e56f2720f0\"",
    ] {
        assert!(value.contains(part), "{value}");
    }
    let mut jason = server("J\u{e4}s\u{f8}n Doe", "Secret, or not?");
    let escaped = answer(
        &mut jason,
        &["Digest realm=x, nonce=y, qop=auth, charset=utf-8"],
    );
    assert!(
        escaped
            .unwrap()
            .starts_with("Digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, realm")
    );
    let mut jason = server("J\u{e4}s\u{f8}n \"Doe", "Secret, or not?");
    let plain = answer(&mut jason, &["Digest realm=x, nonce=y, qop=auth"]).unwrap();
    assert!(plain.starts_with("Digest username=\"J\u{e4}s\u{f8}n \\\"Doe\", realm"));
}

// The choice.

#[test]
fn rfc_7616_section_3_7_the_strongest_challenge_is_answered() {
    let basic = "Basic realm=\"basic\"";
    let md5 = "Digest realm=\"md5\", nonce=n, qop=auth";
    let old = "Digest realm=\"old\", nonce=n";
    let sha256 = "Digest realm=\"sha256\", nonce=n, qop=auth, algorithm=SHA-256";
    let unknown = "Digest realm=\"unknown\", nonce=n, qop=auth, algorithm=SHA-512-256";
    let integrity = "Digest realm=\"integrity\", nonce=n, qop=auth-int, algorithm=SHA-256";
    let joined = format!("{basic}, {md5}, Negotiate, {sha256}");
    let second = md5.replace("md5", "second");
    for (lines, expected) in [
        (&[basic, old, md5, sha256][..], "realm=\"sha256\""),
        (&[sha256, md5, basic], "realm=\"sha256\""),
        (&[&joined], "realm=\"sha256\""),
        (&[old, md5], "realm=\"md5\""),
        (&[md5, &second], "realm=\"md5\""),
        (&[unknown, integrity, md5], "realm=\"md5\""),
        (&[unknown, basic], "Basic "),
        (&["Bearer, Negotiate YWJj==, NTLM", basic], "Basic "),
    ] {
        let answer = answer(&mut mufasa(), lines).unwrap();
        assert!(answer.contains(expected), "{lines:?}: {answer}");
    }
}

#[test]
fn challenges_that_are_not_known_are_named() {
    for (lines, expected) in [
        (&[][..], "expected a www-authenticate header, got none"),
        (
            &["Negotiate, NTLM"],
            "expected Digest or Basic authentication, got \"Negotiate\"",
        ),
        (
            &["Digest realm=x, nonce=y, qop=auth, algorithm=SHA-512-256"],
            "expected Digest with SHA-256 or MD5, got \"SHA-512-256\"",
        ),
        (
            &["Digest realm=x, nonce=y, qop=\"auth-int\""],
            "expected Digest with qop \"auth\", got \"auth-int\"",
        ),
        (
            &["Digest realm=x, nonce=y, algorithm=MD5-sess"],
            "expected Digest with qop \"auth\", got \"\"",
        ),
    ] {
        assert_eq!(refused(lines).to_string(), expected);
    }
}

#[test]
fn the_other_partys_challenges_are_not_answered() {
    let headers = challenges(header::PROXY_AUTHENTICATE, &["Basic realm=x"]);
    let uri = "wss://a.example".parse().unwrap();
    let refused = mufasa().answer(&headers, Target::get(&uri), NONCE);
    assert!(matches!(
        refused,
        Err(AuthenticationError::NoChallenge { .. })
    ));
}

// When to give up.

#[test]
fn a_second_challenge_means_that_the_credential_is_wrong() {
    let digest = "Digest realm=\"x\", nonce=y, qop=auth";
    for line in [digest, "Basic realm=\"x\"", "Basic realm=\"x\", stale=true"] {
        let mut mufasa = mufasa();
        answer(&mut mufasa, &[line]).unwrap();
        let rejected = answer(&mut mufasa, &[line]).unwrap_err();
        assert_eq!(
            rejected.to_string(),
            "expected user name and password to be accepted for \"x\", got another challenge"
        );
    }
    // A peer that asks with `stale` at once changes nothing.
    let mut mufasa = mufasa();
    answer(
        &mut mufasa,
        &["Digest realm=x, nonce=y, qop=auth, stale=true"],
    )
    .unwrap();
    assert!(answer(&mut mufasa, &[digest]).is_err());
}

#[test]
fn rfc_7616_section_3_3_a_stale_nonce_is_replaced_once() {
    let mut mufasa = mufasa();
    let stale = "Digest realm=x, nonce=z, qop=auth, stale=TRUE";
    let first = answer(&mut mufasa, &["Digest realm=x, nonce=y, qop=auth"]).unwrap();
    let second = answer(&mut mufasa, &[stale]).unwrap();
    assert!(first.contains("nonce=\"y\"") && second.contains("nonce=\"z\""));
    assert!(matches!(
        answer(&mut mufasa, &[stale]),
        Err(AuthenticationError::Rejected { .. })
    ));
}

// The grammar.

#[test]
fn rfc_9110_section_11_6_1_well_formed_lists_are_read() {
    for line in [
        "Basic",
        "basic realm=\"a, Digest b=c\"",
        ",, Basic realm=\"\\\"\" ,, ",
        "Newauth realm=\"apps\", type=1, title=\"Login to \\\"apps\\\"\", Basic realm=\"simple\"",
        "Negotiate a=b, Basic",
        "Negotiate ab==, Basic",
        "Negotiate ab==\t,\tBasic\trealm\t=\tx",
        "Basic realm=\"\u{fc}\"",
        "X , a=b, Basic",
    ] {
        assert!(answered(line).starts_with("Basic "), "{line}");
    }
}

#[test]
fn rfc_9110_section_11_6_1_malformed_lists_are_refused() {
    for line in [
        "",
        ",",
        "=",
        "realm=x",
        "Basic realm =",
        "Basic a=b, realm=",
        "Basic realm=x y",
        "Basic realm=\"x",
        "Basic realm=\"x\\",
        "Basic realm=\"x\"y",
        "Basic realm=x, realm=y",
        "Basic realm=x, REALM=y",
        "Basic a b",
        "Basic ab==, realm=x",
        "Basic ab==c",
        "Basic\"x\"",
        "Basic/x",
        "Basic \"x\"",
        "Basic; realm=x",
        "Digest realm=x, qop=auth",
        "Digest nonce=x, qop=auth",
        "Digest ab==",
        "Basic realm=x, Digest",
    ] {
        let error = refused(&[line]);
        assert!(
            matches!(error, AuthenticationError::MalformedChallenge { .. }),
            "{line}: {error:?}"
        );
    }
    // One bad line is enough, whatever is in the others.
    refused(&["Basic realm=x", "Basic realm=\""]);
}

#[test]
fn challenges_are_bounded() {
    let many = "a, ".repeat(33);
    let parameters: String = (0..33).map(|index| format!("a{index}=b, ")).collect();
    let parameters = format!("a {parameters}");
    let long = format!("a a=\"{}\"", "b".repeat(33_000));
    for (lines, limit) in [
        (&[&many[..]][..], 32),
        (&["b"; 33], 32),
        (&[&parameters], 32),
        (&[&long, &long], 65_536),
    ] {
        let error = refused(lines);
        assert_eq!(error, AuthenticationError::TooManyChallenges { limit });
    }
    let long = format!("{} \"", "x".repeat(10_000));
    assert!(refused(&[&long]).to_string().len() < 200);
}

// Secrets.

#[test]
fn nothing_that_is_made_of_a_credential_shows_it() {
    let mut authenticator = server("user", "hunter2:x");
    let basic = "Basic realm=x";
    let headers = challenges(header::WWW_AUTHENTICATE, &[basic]);
    let uri = "wss://a.example".parse().unwrap();
    let target = Target::get(&uri);
    let answer = authenticator.answer(&headers, target, NONCE).unwrap();
    let rejected = authenticator.answer(&headers, target, NONCE).unwrap_err();
    let colon = server("us:er", "hunter2:x")
        .answer(&headers, target, NONCE)
        .unwrap_err();
    let invalid = Credential::new("user", "hunter2\n").unwrap_err();
    let invalid_name = Credential::new("hunter2\n", "x").unwrap_err();
    let headers: HeaderMap = [answer.clone()].into_iter().collect();
    let request = twinsock_proto::handshake::client::Request::new(uri.clone())
        .header(answer.0.clone(), answer.1.clone())
        .unwrap();
    for shown in [
        format!("{:?}", Credential::new("user", "hunter2:x").unwrap()),
        format!("{authenticator:?} {answer:?} {headers:?} {request:?}"),
        format!("{rejected:?} {rejected} {colon:?} {colon}"),
        format!("{invalid:?} {invalid} {invalid_name:?} {invalid_name} {target:?}"),
    ] {
        for secret in ["hunter2", "aHVudGVy", "dXNlcj", "odW50ZXI"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_challenges_never_panic_and_answers_are_no_longer_than_they(
        lines in proptest::collection::vec(proptest::collection::vec(prop_oneof![
            Just(b"Digest realm=\"x\", nonce=\"y\", qop=auth, ".to_vec()),
            Just(b"Digest realm=\"\\\"\", nonce=\"".to_vec()),
            Just(b"Basic ".to_vec()),
            Just(b"opaque=\"".to_vec()),
            proptest::collection::vec(proptest::sample::select(b" \t,=\"\\ab\xfc".to_vec()), 0..20),
            proptest::collection::vec(any::<u8>(), 0..20),
        ], 0..4), 0..4)
    ) {
        let values = lines.iter().map(|parts| HeaderValue::from_bytes(&parts.concat()));
        let values = values.filter_map(Result::ok);
        let headers: HeaderMap = values.map(|value| (header::WWW_AUTHENTICATE, value)).collect();
        let uri = "wss://a.example".parse().unwrap();
        let came: usize = headers.values().map(HeaderValue::len).sum();
        match mufasa().answer(&headers, Target::get(&uri), NONCE) {
            // Each byte may have to be escaped; the rest is what an answer has of its own.
            Ok((_, value)) => prop_assert!(value.len() <= 2 * came + 400),
            Err(error) => prop_assert!(error.to_string().len() < 400),
        }
    }

    #[test]
    fn what_is_quoted_in_a_challenge_comes_back_quoted(
        realm in "[ -~\u{a0}-\u{ff}]{0,40}", nonce in "[ -~]{0,40}", opaque in "[ -~]{0,40}"
    ) {
        let quote = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let (realm, nonce, opaque) = (quote(&realm), quote(&nonce), quote(&opaque));
        let line = format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", opaque=\"{opaque}\", qop=auth");
        let digest = answered(&line);
        let expected = format!("realm=\"{realm}\", nonce=\"{nonce}\", uri=");
        prop_assert!(digest.contains(&expected));
        let opaque = format!("opaque=\"{opaque}\"");
        prop_assert!(digest.ends_with(&opaque));
    }
}
