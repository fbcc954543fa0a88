//! What `--verbose` tells of connecting, line by line on standard error.

use twinsock::http::header::{LOCATION, SET_COOKIE};
use twinsock::http::{HeaderMap, StatusCode};
use twinsock::{
    ConnectReport, ContextTakeover, DeflateDirection, Error, Information, Statistics,
    TlsInformation,
};

use crate::client::without_query;
use crate::terminal;

/// A connection that stands.
pub(crate) fn tell_of_connection(information: &Information) {
    information.connect_report().map(tell_of_steps);
    if let (Some(local), Some(peer)) = (information.local_address(), information.peer_address()) {
        say(format_args!("from {local} to {peer}"));
    }
    information.tls().map(tell_of_tls);
    if let Some(response) = information.response() {
        tell_of_response(response.status(), response.headers());
    }
    if let Some(parameters) = information.deflate() {
        tell_of_deflate("sent", parameters.client);
        tell_of_deflate("received", parameters.server);
    }
}

/// What went over a connection that has ended.
pub(crate) fn tell_of_traffic(statistics: Statistics) {
    for (direction, traffic) in [("sent", statistics.sent), ("received", statistics.received)] {
        say(format_args!(
            "{direction}: {} messages in {} frames, {} bytes",
            traffic.messages, traffic.frames, traffic.bytes
        ));
        if traffic.inflated_bytes > 0 {
            say(format_args!(
                "{direction}: {} bytes compressed to {}",
                traffic.inflated_bytes, traffic.deflated_bytes
            ));
        }
    }
}

/// A connection that could not be made; the error itself is told elsewhere.
pub(crate) fn tell_of_failure(error: &Error) {
    error.connect_report().map(tell_of_steps);
    for error in error.certificate_errors() {
        say(format_args!("certificate: {error:?}: {error}"));
    }
    if let Some(response) = error.response() {
        tell_of_response(response.status(), response.headers());
    }
}

fn tell_of_steps(report: &ConnectReport) {
    for step in report.steps() {
        let began = step.began().as_secs_f64() * 1e3;
        say(format_args!("{began:8.1} ms: {step}"));
    }
    let total = report.total().as_secs_f64() * 1e3;
    say(format_args!("{total:8.1} ms in all"));
}

fn tell_of_tls(tls: &TlsInformation) {
    let version = tls
        .version()
        .map_or("TLS".to_owned(), |version| version.to_string());
    let resumed = if tls.is_resumed() { ", resumed" } else { "" };
    say(format_args!("{version}, {}{resumed}", tls.cipher_suite()));
    if let Some(certificate) = tls.peer_certificate() {
        say(format_args!(
            "certificate: {}",
            certificate.dns_names().join(", ")
        ));
        say(format_args!(
            "certificate: SHA-256 {}",
            hexadecimal(&certificate.sha256())
        ));
    }
    for error in tls.certificate_errors() {
        say(format_args!("certificate: {error:?}, ignored: {error}"));
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn tell_of_deflate(direction: &str, deflate: DeflateDirection) {
    let takeover = match deflate.context_takeover {
        ContextTakeover::On => "with",
        ContextTakeover::Off => "no",
    };
    let size = deflate.window_bits.size();
    say(format_args!(
        "permessage-deflate: {direction} with a window of {size} bytes, {takeover} context takeover"
    ));
}

fn tell_of_response(status: StatusCode, headers: &HeaderMap) {
    say(format_args!("response: {status}"));
    for (name, value) in headers {
        let text = String::from_utf8_lossy(value.as_bytes());
        let value = match *name {
            SET_COOKIE => "(not shown)".into(),
            LOCATION => without_query(&text).into(),
            _ => text,
        };
        say(format_args!("  {name}: {value}"));
    }
}

fn say(line: std::fmt::Arguments<'_>) {
    terminal::say(format_args!("* {line}"));
}
