//! Compressed messages between the server and the clients.
#![cfg(unix)]

mod program;

use program::{Ended, Program};

/// What the client says with `-v` of a direction's compression: bytes before and after.
fn compressed(ended: &Ended, direction: &str) -> Option<(u64, u64)> {
    let beginning = format!("* {direction}: ");
    ended.stderr.lines().find_map(|line| {
        let (before, after) = line
            .strip_prefix(&beginning)?
            .split_once(" bytes compressed to ")?;
        Some((before.parse().ok()?, after.parse().ok()?))
    })
}

fn lines() -> String {
    (0..2_000)
        .map(|number| {
            format!(
                "{{\"number\":{number},\"text\":\"{}\"}}\n",
                "größer ".repeat(20)
            )
        })
        .collect()
}

/// Has a client send the lines, which all come back, and tells how it ended.
fn echo(server: &[&str], client: &[&str]) -> Ended {
    let (_server, uri) = Program::serve(server);
    let words = [&["connect", &uri, "-v"][..], client].concat();
    let mut client = Program::start(&words);
    let mut input = client.take_input();
    let typist =
        std::thread::spawn(move || std::io::Write::write_all(&mut input, lines().as_bytes()));
    let ended = client.end();
    let typed = typist.join().expect("the typist lives");
    typed.expect("all was read");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout == lines(), "{} bytes came", ended.stdout.len());
    ended
}

#[test]
fn lines_are_compressed_in_both_directions() {
    let ended = echo(&["--deflate"], &["--deflate"]);
    let payload = (lines().len() - 2_000) as u64;
    for direction in ["sent", "received"] {
        let (before, after) = compressed(&ended, direction).expect("compressed");
        assert_eq!(before, payload);
        assert!(after < before / 2, "{direction}: {after} of {before}");
    }
    assert!(
        ended
            .stderr
            .contains("permessage-deflate: sent with a window of 32768 bytes, no context takeover")
    );
}

#[test]
fn with_context_takeover_and_a_higher_level_less_is_sent() {
    let least = echo(&["--deflate="], &["--deflate", "--deflate-level", "9"]);
    let usual = echo(&["--deflate"], &["--deflate"]);
    let sent = |ended| compressed(ended, "sent").expect("compressed").1;
    assert!(sent(&least) * 2 < sent(&usual));
    assert!(least.stderr.contains("32768 bytes, with context takeover"));
}

#[test]
fn each_end_may_bound_the_windows() {
    let ended = echo(
        &["--deflate=client_max_window_bits=9"],
        &["--deflate=server_max_window_bits=10; client_max_window_bits"],
    );
    let agreed = [
        "sent with a window of 512 bytes, with context takeover",
        "received with a window of 1024 bytes, with context takeover",
    ];
    for line in agreed {
        assert!(ended.stderr.contains(line), "{}", ended.stderr);
    }
}

#[test]
fn who_does_not_ask_for_compression_gets_none() {
    for (server, client) in [(&["--deflate"][..], &[][..]), (&[], &["--deflate"])] {
        let ended = echo(server, client);
        assert_eq!(compressed(&ended, "sent"), None);
        assert_eq!(compressed(&ended, "received"), None);
    }
}

#[test]
fn a_stream_is_compressed_too() {
    let (_server, uri) = Program::serve(&["--deflate="]);
    for framing in [&[][..], &["--endless-message"]] {
        let words = [&["stream", &uri, "-v", "--deflate"][..], framing].concat();
        let mut client = Program::start(&words);
        let mut input = client.take_input();
        let bytes = lines().repeat(20).into_bytes();
        let expected = bytes.clone();
        let writer = std::thread::spawn(move || std::io::Write::write_all(&mut input, &bytes));
        let (ended, output) = client.end_with_bytes();
        writer.join().unwrap().unwrap();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(output == expected, "{} bytes came", output.len());
        for direction in ["sent", "received"] {
            let (before, after) = compressed(&ended, direction).expect("compressed");
            assert_eq!(before, expected.len() as u64);
            assert!(after < before / 10, "{direction}: {after} of {before}");
        }
    }
}
