//! What the program prints of passwords, tokens and cookies: nothing, whatever goes wrong.
#![cfg(unix)]

mod program;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

const SECRET: &str = "Hunter2-Secret";

/// Base64 of `joe:Hunter2-Secret`.
const BASE64: &str = "am9lOkh1bnRlcjItU2VjcmV0";

/// A server or proxy that gives this answer to each connection.
fn answering(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound").to_string();
    thread::spawn(move || {
        while let Ok((mut connection, _)) = listener.accept() {
            // The request comes in one piece.
            let _ = connection.read(&mut [0; 4096]);
            let _ = connection.write_all(answer.as_bytes());
        }
    });
    address
}

fn assert_shows_nothing(words: &[&str]) {
    let ended = program::run(words);
    let code = ended.code.expect("it ends by itself");
    assert!((1..=11).contains(&code), "{words:?}: {ended:?}");
    let shown = [ended.stdout, ended.stderr].concat();
    for secret in [SECRET, BASE64] {
        assert!(!shown.contains(secret), "{words:?}: {shown}");
    }
}

/// All ways to tell the program a secret.
fn secretive<'a>(uri: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut words = vec!["connect", uri, "-v", "--connect-timeout", "2"];
    words.extend(["--user", "joe:Hunter2-Secret"]);
    words.extend(["--proxy-user", "joe:Hunter2-Secret"]);
    words.extend(["--header", "Authorization: Bearer Hunter2-Secret"]);
    words.extend(["--header", "Cookie: id=Hunter2-Secret"]);
    words.extend(["--header", "X-Api-Key: Hunter2-Secret"]);
    words.extend(more);
    words
}

const ANSWERS: [&str; 9] = [
    "HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 401 Who\r\nWWW-Authenticate: Digest realm=\"x\", nonce=\"y\"\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 407 Who\r\nProxy-Authenticate: Digest realm=\"x\"\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 302 Moved\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 403 No\r\nSet-Cookie: id=Hunter2-Secret\r\nContent-Length: 14\r\n\r\nHunter2-Secret",
    "HTTP/1.1 101 Yes\r\nSet-Cookie: id=Hunter2-Secret\r\n\r\n",
    "SSH-2.0-x\r\n",
    "",
];

#[test]
fn no_answer_of_a_server_has_a_secret_shown() {
    for answer in ANSWERS {
        let uri = format!("ws://{}/", answering(answer));
        assert_shows_nothing(&secretive(&uri, &["--proxy", "none"]));
        assert_shows_nothing(&secretive(&uri, &["--proxy", "none", "--follow-redirects"]));
    }
    let uri = format!("wss://{}/", answering("SSH-2.0-x\r\n"));
    assert_shows_nothing(&secretive(&uri, &["--proxy", "none"]));
    assert_shows_nothing(&secretive("ws://127.0.0.1:1/", &["--proxy", "none"]));
}

#[test]
fn no_answer_of_a_proxy_has_a_secret_shown() {
    for answer in ANSWERS {
        let address = answering(answer);
        for scheme in ["http", "socks5h"] {
            let proxy = format!("{scheme}://joe:Hunter2-Secret@{address}");
            assert_shows_nothing(&secretive("ws://server.example/", &["--proxy", &proxy]));
        }
    }
    let proxy = "http://joe:Hunter2-Secret@127.0.0.1:1";
    assert_shows_nothing(&secretive("ws://server.example/", &["--proxy", proxy]));
}

#[test]
fn no_wrong_user_is_shown() {
    for option in ["--user", "--proxy-user"] {
        for user in [
            "Hunter2-Secret",
            ":Hunter2-Secret",
            "Hunter2-Secret:",
            "joe:Hunter2-Secret\u{7}",
            "joe\u{7}:Hunter2-Secret",
            "joe;Hunter2-Secret",
            "",
        ] {
            assert_shows_nothing(&["connect", "ws://127.0.0.1:1/", "-v", option, user]);
            let joined = format!("{option}={user}");
            assert_shows_nothing(&["stream", "ws://127.0.0.1:1/", "-v", &joined]);
        }
        let twice = [option, "joe:Hunter2-Secret", option, "joe:Hunter2-Secret"];
        let words = [&["connect", "ws://127.0.0.1:1/"][..], &twice].concat();
        assert_shows_nothing(&words);
    }
}

#[test]
fn no_wrong_proxy_is_shown() {
    for proxy in [
        "http://joe:Hunter2-Secret",
        "http://joe:Hunter2-Secret@",
        "joe:Hunter2-Secret",
        "joe:Hunter2-Secret@",
        "joe:Hunter2-Secret@host:0",
        "http://joe:Hunter2-Secret@host:99999",
        "http://joe:x/Hunter2-Secret@host",
        "http://joe:x?Hunter2-Secret@host",
        "http://joe:x#Hunter2-Secret@host",
        "http://joe:Hunter2-Secret%@host",
        "http://joe:Hunter2-Secret%zz@host",
        "http://joe:Hunter2-Secret\u{7}@host",
        "http://joe:Hunter2-Secret @ho st",
        "http://:Hunter2-Secret@host",
        "socks4://joe:Hunter2-Secret@host",
        "ftp://joe:Hunter2-Secret@host",
        "http:/joe:Hunter2-Secret@host",
        "http:joe:Hunter2-Secret@host",
        "http//joe:Hunter2-Secret@host",
        "joe:Hunter2-Secret://host",
        "socks5h://joe:Hunter2-Secret@[::1",
    ] {
        let words = ["connect", "ws://server.example/", "-v", "--proxy", proxy];
        assert_shows_nothing(&words);
    }
}

/// What is open: see each reason.
mod open {
    use super::*;

    #[test]
    fn a_header_without_a_colon_is_not_shown() {
        for header in ["Authorization Bearer Hunter2-Secret", "Hunter2-Secret"] {
            assert_shows_nothing(&["connect", "ws://127.0.0.1:1/", "--header", header]);
        }
    }

    #[test]
    fn a_header_with_its_colon_too_late_is_not_shown() {
        let header = "Authorization Bearer Hunter2-Secret:";
        assert_shows_nothing(&["connect", "ws://127.0.0.1:1/", "--header", header]);
    }

    #[test]
    fn the_query_of_an_address_is_not_shown() {
        let uri = "ws://127.0.0.1:1/?token=Hunter2-Secret";
        assert_shows_nothing(&["connect", uri, "--proxy", "none"]);
    }

    #[test]
    fn a_location_is_not_shown() {
        let answer =
            "HTTP/1.1 302 Moved\r\nLocation: /?token=Hunter2-Secret\r\nContent-Length: 0\r\n\r\n";
        let uri = format!("ws://{}/", answering(answer));
        assert_shows_nothing(&["connect", &uri, "--proxy", "none"]);
        assert_shows_nothing(&["connect", &uri, "--proxy", "none", "-v"]);
    }

    #[test]
    fn a_password_in_an_address_is_not_shown() {
        for uri in [
            "ws://joe:x/Hunter2-Secret@host/",
            "ws://joe:Hunter2-Secret",
            "ws://joe:x?Hunter2-Secret@host",
        ] {
            assert_shows_nothing(&["connect", uri, "--proxy", "none"]);
        }
    }
}
