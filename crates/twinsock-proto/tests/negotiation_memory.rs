//! What a hostile server or proxy makes a client hold before a connection is open, counted by the allocator.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, HeaderValue, header};
use peak_alloc::PeakAlloc;
use twinsock_proto::authentication::{Authenticator, Credential, Party, Target};
use twinsock_proto::handshake::HeadLimits;
use twinsock_proto::proxy::http::{self as tunnel, AwaitTunnel, ConnectRequest};
use twinsock_proto::proxy::socks5::{self, Socks5};
use twinsock_proto::uri::{Destination, WebSocketUri};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The allocator counts for the whole process: one test at a time.
static TURN: Mutex<()> = Mutex::new(());

const KIB: usize = 1024;

/// What the test runner's other threads allocate meanwhile.
const FIXED: usize = 16 * KIB;

/// Held by a test from its first line to its last.
fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The most that is allocated at a time while `action` runs.
#[expect(clippy::print_stdout, reason = "the measured numbers are the result")]
fn assert_peak(attack: &str, limit: usize, action: impl FnOnce()) {
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage();
    action();
    let peak = ALLOCATOR.peak_usage().saturating_sub(before);
    println!("{attack}: peak {peak} bytes");
    assert!(peak <= limit + FIXED, "{attack}: peak {peak} > {limit}");
}

fn destination() -> Destination {
    Destination::new("a.example", 443).unwrap()
}

#[test]
fn a_tunnel_holds_no_more_than_its_limits() {
    let _turn = turn();
    let request = ConnectRequest::new(destination());
    // A head that is moved as it grows is there twice.
    let limit = 2 * HeadLimits::default().total;
    for (attack, start, endless) in [
        ("endless head", &b"HTTP/1.1 200 x\r\n"[..], &b"a: b\r\n"[..]),
        ("endless line", b"HTTP/1.1 200 ", b"xxxxxxxx"),
        ("endless refusal", b"HTTP/1.1 403 x\r\n\r\n", b"xxxxxxxx"),
        (
            "endless chunks",
            b"HTTP/1.1 403 x\r\nTransfer-Encoding: chunked\r\n\r\n1;",
            b"xxxxxxxx",
        ),
    ] {
        let piece = endless.repeat(1000);
        assert_peak(attack, limit, || {
            let (mut step, _) = AwaitTunnel::start(&request, HeadLimits::default());
            for piece in std::iter::once(start).chain(std::iter::repeat_n(&piece[..], 1000)) {
                step = match step.proceed(piece) {
                    Ok(tunnel::Step::Incomplete(step)) => step,
                    Ok(tunnel::Step::Established(_)) => panic!("{attack} was taken for a tunnel"),
                    Err(_) => return,
                };
            }
        });
    }
}

#[test]
fn socks_5_holds_no_more_than_one_answer() {
    let _turn = turn();
    assert_peak("longest reply", KIB, || {
        let (step, _) = Socks5::start(destination(), None).unwrap();
        let Ok(socks5::Step::Send(mut step, _)) = step.proceed(&[5, 0]) else {
            panic!("expected the request");
        };
        for byte in [5, 0, 0, 3, 255].into_iter().chain([b'x'; 256]) {
            let Ok(socks5::Step::Incomplete(next)) = step.proceed(&[byte]) else {
                panic!("expected more to come");
            };
            step = next;
        }
    });
}

#[test]
fn challenges_cost_a_small_multiple_of_their_bytes_whatever_they_are() {
    let _turn = turn();
    let uri: WebSocketUri = "wss://a.example".parse().unwrap();
    let escaped = format!(
        "Digest nonce=n, qop=auth, realm=\"{}\"",
        "\\\"".repeat(30_000)
    );
    let most = format!(
        "{} ",
        (0..31)
            .map(|name| format!("p{name}=v,"))
            .collect::<String>()
    );
    for (attack, lines) in [
        ("escaped realm", vec![escaped]),
        ("commas", vec![",".repeat(60_000) + "Basic"]),
        ("schemes", vec!["a,".repeat(30_000)]),
        ("lines", vec!["a".to_owned(); 20_000]),
        ("parameters", vec![format!("x {most}"); 100]),
        (
            "repeated name",
            vec![format!("x {}", "a=b,".repeat(10_000))],
        ),
    ] {
        let value = |line: &String| HeaderValue::from_str(line).unwrap();
        let values = lines
            .iter()
            .map(|line| (header::WWW_AUTHENTICATE, value(line)));
        let headers: HeaderMap = values.collect();
        let credential = Credential::new("u", "p").unwrap();
        let mut authenticator = Authenticator::new(credential, Party::Server);
        // The unescaped value, the text that is hashed, and the answer, which is moved as it grows.
        assert_peak(attack, 3 * 64 * KIB, || {
            let _ = authenticator.answer(&headers, Target::get(&uri), [7; 16]);
        });
    }
}

#[test]
fn a_location_costs_a_small_multiple_of_its_bytes_whatever_it_is() {
    let _turn = turn();
    let uri: WebSocketUri = "wss://a.example/b/c".parse().unwrap();
    let limit = 3 * 64 * KIB;
    for (attack, location) in [
        ("slashes", "/".repeat(64 * KIB)),
        ("dots", "./".repeat(32 * KIB)),
        ("parents", "a/../".repeat(13_000)),
        ("host", format!("//{}", "a".repeat(64 * KIB))),
        ("zone", format!("//[fe80::1%25{}]", "%41".repeat(21_000))),
        ("script", format!("//{}", "ü".repeat(32 * KIB))),
    ] {
        assert_peak(attack, limit, || {
            let _ = uri.join(&location);
        });
    }
}
