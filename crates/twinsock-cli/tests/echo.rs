//! The server and the line client against each other.
#![cfg(unix)]

mod program;

use program::Program;

#[test]
fn lines_come_back_in_order_and_unchanged() {
    let (server, uri) = Program::serve(&[]);
    let mut client = Program::start(&["connect", &uri]);
    let lines: String = (0..1_000)
        .map(|number| format!(" line {number} ✓\t😀\r\n"))
        .chain(["\n".to_owned(), "x".repeat(3 << 20) + "\n"])
        .collect();
    let typist = std::thread::spawn({
        let lines = lines.clone();
        let mut stdin = client.take_input();
        move || std::io::Write::write_all(&mut stdin, lines.as_bytes())
    });
    let ended = client.end();
    typist.join().unwrap().unwrap();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout == lines, "{} bytes came", ended.stdout.len());
    assert_eq!(ended.stderr, "");
    server.signal("TERM");
    let ended = server.end();
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
}

#[test]
fn a_line_is_echoed_while_the_input_stays_open() {
    let (_server, uri) = Program::serve(&[]);
    let mut client = Program::start(&["connect", &uri]);
    for line in ["first", "", "third"] {
        client.write(format!("{line}\n").as_bytes());
        assert_eq!(client.read_line(), line);
    }
    client.write(b"last without line end");
    client.end_input();
    let ended = client.end();
    assert_eq!(
        (ended.code, &*ended.stdout),
        (Some(0), "last without line end\n")
    );
}

#[test]
fn a_reader_that_goes_ends_the_client_quietly() {
    let (_server, uri) = Program::serve(&[]);
    let mut client = Program::start(&["connect", &uri]);
    client.write(b"one\n");
    assert_eq!(client.read_line(), "one");
    client.drop_output();
    // More than one line: for a moment another program that is being started may hold the pipe.
    let mut stdin = client.take_input();
    let typist =
        std::thread::spawn(
            move || while std::io::Write::write_all(&mut stdin, b"two\n").is_ok() {},
        );
    let ended = client.end();
    typist.join().unwrap();
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
}

#[test]
fn a_line_that_is_not_utf_8_is_an_error_after_the_lines_before_it() {
    let (_server, uri) = Program::serve(&[]);
    let mut client = Program::start(&["connect", &uri]);
    client.write(b"good\n\xff\xfe\nnever sent\n");
    let ended = client.end();
    assert_eq!((ended.code, &*ended.stdout), (Some(7), "good\n"));
    assert!(
        ended
            .error()
            .starts_with("line 2 of standard input is not UTF-8")
    );
}

#[test]
fn the_demonstration_succeeds() {
    let ended = program::run(&["demo", "--stream-size", "3MiB"]);
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
    for sign in [
        "\nclosed cleanly by this endpoint: 1000 (normal closure)\n",
        "\nthere and back went 3145728 bytes with SHA-1 ",
    ] {
        assert!(ended.stdout.contains(sign), "{}", ended.stdout);
    }
}
