//! The program over TLS: what it trusts, what it shows, and what it tells.
#![cfg(unix)]

mod program;

use std::fs;
use std::path::PathBuf;

use program::Program;
use rcgen::{CertifiedKey, generate_simple_self_signed};

/// Files with a certificate for 127.0.0.1 and its key.
struct Files {
    folder: PathBuf,
}

impl Files {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("twinsock-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let files = Self { folder };
        files.renew();
        files
    }

    /// Another certificate and key in the same files.
    fn renew(&self) {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("made");
        fs::write(self.folder.join("cert.pem"), cert.pem()).expect("written");
        fs::write(self.folder.join("key.pem"), signing_key.serialize_pem()).expect("written");
    }

    fn path(&self, name: &str) -> String {
        let path = self.folder.join(name);
        path.to_str().expect("UTF-8").to_owned()
    }

    fn serve(&self, more: &[&str]) -> (Program, String) {
        let (cert, key) = (self.path("cert.pem"), self.path("key.pem"));
        let mut words = vec!["--tls-cert", &cert, "--tls-key", &key];
        words.extend(more);
        Program::serve(&words)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Runs `connect` with one line of input.
fn connect(uri: &str, more: &[&str]) -> program::Ended {
    let mut words = vec!["connect", uri, "--proxy", "none"];
    words.extend(more);
    let mut client = Program::start(&words);
    client.write(b"hello\n");
    client.end_input();
    client.end()
}

#[test]
fn a_line_comes_back_over_wss() {
    let files = Files::new("echo");
    let (_server, uri) = files.serve(&[]);
    assert!(uri.starts_with("wss://127.0.0.1:"), "{uri}");
    let ended = connect(&uri, &["--ca", &files.path("cert.pem")]);
    assert_eq!((ended.code, &*ended.stdout), (Some(0), "hello\n"));
    assert_eq!(ended.stderr, "");
}

#[test]
fn a_stranger_is_not_trusted_but_may_be_ignored() {
    let files = Files::new("stranger");
    let (_server, uri) = files.serve(&[]);
    let ended = connect(&uri, &[]);
    assert_eq!((ended.code, &*ended.stdout), (Some(10), ""));
    assert!(ended.stderr.contains("nobody who is trusted has issued it"));
    assert!(ended.stderr.contains("hint: --ca FILE"));
    let ignore = ["--insecure-ignore-certificate-error", "untrusted", "-v"];
    let ended = connect(&uri, &ignore);
    assert_eq!((ended.code, &*ended.stdout), (Some(0), "hello\n"));
    assert!(ended.stderr.contains("Untrusted, ignored"));
}

#[test]
fn verbose_tells_steps_tls_and_headers() {
    let files = Files::new("verbose");
    let (_server, uri) = files.serve(&[]);
    let ended = connect(&uri, &["--ca", &files.path("cert.pem"), "-v"]);
    for part in [
        "connect 127.0.0.1:",
        "tls 127.0.0.1: ",
        "handshake 127.0.0.1:",
        "TLS 1.3, TLS13_",
        "certificate: SHA-256 ",
        "response: 101 Switching Protocols",
    ] {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
    let ended = connect("ws://127.0.0.1:1/", &["-v"]);
    assert!(ended.stderr.contains("* "), "{}", ended.stderr);
    assert!(ended.stderr.contains("connect 127.0.0.1:1: "));
}

#[test]
fn a_server_may_want_a_certificate() {
    let files = Files::new("clients");
    let cert = files.path("cert.pem");
    let (_server, uri) = files.serve(&["--tls-client-ca", &cert]);
    let ended = connect(&uri, &["--ca", &cert]);
    assert_eq!((ended.code, &*ended.stdout), (Some(10), ""));
    let key = files.path("key.pem");
    let ended = connect(&uri, &["--ca", &cert, "--cert", &cert, "--key", &key]);
    assert_eq!((ended.code, &*ended.stdout), (Some(0), "hello\n"));
}

#[test]
fn sighup_has_the_certificate_read_again() {
    let files = Files::new("reload");
    let (server, uri) = files.serve(&[]);
    let old = files.path("old.pem");
    fs::copy(files.path("cert.pem"), &old).expect("copied");
    files.renew();
    let trusts = |ca: &str| connect(&uri, &["--ca", ca]).code == Some(0);
    assert!(trusts(&old));
    server.signal("HUP");
    // The signal takes its time.
    while trusts(&old) {}
    assert!(trusts(&files.path("cert.pem")));
    server.signal("TERM");
    let ended = server.end();
    assert_eq!(ended.code, Some(0));
    assert!(ended.stderr.contains("the certificate was read again"));
}
