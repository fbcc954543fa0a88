//! Wrong input: one error line that names the offender, and an exit code with a name.
#![cfg(unix)]

mod program;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

/// A port that nobody listens on.
fn unused_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it is bound").to_string()
}

fn assert_error(words: &[&str], code: i32, offender: &str) {
    let ended = program::run(words);
    assert_eq!(ended.code, Some(code), "{words:?}: {}", ended.stderr);
    assert_eq!(ended.stdout, "", "{words:?}");
    assert!(
        ended.error().contains(offender),
        "{words:?}: {}",
        ended.stderr
    );
}

#[test]
fn wrong_command_lines_exit_with_2() {
    for (words, offender) in [
        (&[][..], "command"),
        (&["frobnicate"], "frobnicate"),
        (&["connect"], "URI"),
        (&["connect", ""], ""),
        (&["connect", "not a uri"], "not a uri"),
        (&["connect", "http://a.example/"], "http://a.example/"),
        (&["connect", "ws://a.example/", "--no-such"], "--no-such"),
        (
            &["connect", "ws://a.example/", "--header", "none"],
            "--header: expected a name, a colon",
        ),
        (
            &["connect", "ws://a.example/", "--header", "bad name: x"],
            "got \"bad\"",
        ),
        (
            &["connect", "ws://a.example/", "--header", "Upgrade: x"],
            "Upgrade",
        ),
        (
            &["connect", "ws://a.example/", "--protocol", "two words"],
            "two words",
        ),
        (
            &["connect", "ws://a.example/", "--connect-timeout", "-1"],
            "-1",
        ),
        (
            &["connect", "ws://a.example/", "--connect-timeout", "0"],
            "'0'",
        ),
        (
            &["connect", "ws://a.example/", "--max-message-size", "big"],
            "big",
        ),
        (&["stream"], "URI"),
        (&["stream", "not a uri"], "not a uri"),
        (
            &["stream", "ws://a.example/", "--header", "Upgrade: x"],
            "Upgrade",
        ),
        (
            &["stream", "ws://a.example/", "--max-message-size", "9"],
            "--max-message-size",
        ),
        (&["demo", "--stream-size", "1 elephant"], "1 elephant"),
        (&["serve", "--listen", "no\u{7}where"], r"no\u{7}where"),
        (&["serve", "--listen", "nowhere"], "nowhere"),
        (&["serve", "--protocol", "two words"], "two words"),
        (&["serve", "--origin", "nothing"], "nothing"),
    ] {
        assert_error(words, 2, offender);
    }
}

#[test]
fn wrong_options_of_tls_proxies_and_users_exit_with_2() {
    for (line, offender) in [
        ("connect wss://a.example --ca /no/such", "--ca /no/such"),
        ("connect wss://a.example --ca Cargo.toml", "--ca Cargo.toml"),
        ("connect wss://a.example --cert x", "--key"),
        ("serve --tls-cert /no/such", "--tls-key"),
        (
            "serve --tls-cert /no/such --tls-key /no/such",
            "--tls-cert /no/such",
        ),
        (
            "connect wss://a.example --insecure-ignore-certificate-error Typo",
            "expected one of Untrusted, Revoked, Expired",
        ),
        (
            "connect wss://a.example --insecure-ignore-certificate-error Revoked",
            "got Revoked",
        ),
        ("connect ws://a.example --proxy ftp://x", "ftp"),
        ("connect ws://a.example --user nobody", "--user"),
        ("connect ws://a.example --proxy-user :x", "--proxy-user"),
    ] {
        let words: Vec<_> = line.split(' ').collect();
        assert_error(&words, 2, offender);
    }
}

#[test]
fn wrong_options_of_compression_exit_with_2() {
    for (line, offender) in [
        (
            "connect ws://a.example --deflate=server_max_window_bits=16",
            "expected a valid value of server_max_window_bits, got \"16\"",
        ),
        (
            "stream ws://a.example --deflate=nonsense",
            "expected a parameter of permessage-deflate, got \"nonsense\"",
        ),
        (
            "serve --deflate=client_max_window_bits",
            "expected a value of client_max_window_bits, got none",
        ),
        (
            "serve --deflate --deflate-level 10",
            "expected a number from 1 to 9",
        ),
        ("connect ws://a.example --deflate-level 1", "--deflate"),
    ] {
        let words: Vec<_> = line.split(' ').collect();
        assert_error(&words, 2, offender);
    }
    let offers = ["--deflate"; 9];
    let words = [&["connect", "ws://a.example"][..], &offers].concat();
    assert_error(&words, 2, "expected at most 8 offers to compress, got more");
}

#[test]
fn a_secret_in_a_header_is_not_shown() {
    let header = "Authorization: Bearer s3cret\u{7}";
    let ended = program::run(&["connect", "ws://a.example/", "--header", header]);
    assert!(ended.error().to_lowercase().contains("authorization"));
    assert!(!ended.stderr.contains("s3cret"));
}

#[test]
fn a_server_that_cannot_be_reached_exits_with_3() {
    let address = unused_address();
    for command in ["connect", "stream"] {
        assert_error(&[command, &format!("ws://{address}")], 3, &address);
    }
}

#[test]
fn an_address_in_use_exits_with_8() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    assert_error(&["serve", "--listen", &address], 8, &address);
}

/// Serves one connection on a free port with these bytes, and returns the address.
fn answer_with(reply: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound").to_string();
    thread::spawn(move || {
        let (mut connection, _) = listener.accept()?;
        // The request comes in one piece.
        let _ = connection.read(&mut [0; 4096])?;
        connection.write_all(reply.as_bytes())
    });
    address
}

#[test]
fn a_server_that_speaks_no_websocket_exits_with_4() {
    for reply in [
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 301 Moved\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "",
    ] {
        for command in ["connect", "stream"] {
            let address = answer_with(reply);
            assert_error(&[command, &format!("ws://{address}/")], 4, &address);
        }
    }
}

#[test]
fn a_silent_server_exits_with_6() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let uri = format!("ws://{address}/");
    for command in ["connect", "stream"] {
        assert_error(&[command, &uri, "--connect-timeout", "0.2"], 6, &address);
    }
}

#[test]
fn help_and_version_are_data() {
    let help = program::run(&["connect", "--help"]);
    assert_eq!((help.code, &*help.stderr), (Some(0), ""));
    assert!(help.stdout.contains("Exit codes:"));
    let version = program::run(&["--version"]);
    assert_eq!(
        version.stdout,
        format!("twinsock {}\n", env!("CARGO_PKG_VERSION"))
    );
}
