//! Connects to a name that stands for the given addresses, and tells what came of each:
//! `address-client PORT CONNECT ADDRESS…`, the time for each address in seconds.
//!
//! Prints one line for the outcome and one for each address, in the order in which they began,
//! with tabs between the fields: `connected MILLISECONDS ADDRESS`, or `failed MILLISECONDS STATUS
//! TEXT`; and `tried BEGAN TOOK ADDRESS FAILURE`, both times in milliseconds.

use std::collections::HashMap;
use std::error::Error as _;
use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use twinsock::{ConnectPhase, ConnectReport, MessageWebSocket, Timeouts};

const HOST: &str = "many.example";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, connect, addresses @ ..] = arguments.as_slice() else {
        return complain("expected PORT CONNECT ADDRESS…");
    };
    let (Ok(port), Ok(connect)) = (port.parse::<u16>(), connect.parse()) else {
        return complain("expected a port and a time in seconds");
    };
    let addresses: Result<Vec<IpAddr>, _> = addresses.iter().map(|text| text.parse()).collect();
    let Ok(addresses) = addresses else {
        return complain("expected addresses");
    };
    let addresses = addresses.iter().map(|ip| SocketAddr::new(*ip, port));
    race(addresses.collect(), Duration::from_secs(connect)).await;
    ExitCode::SUCCESS
}

async fn race(addresses: Vec<SocketAddr>, connect: Duration) {
    let port = addresses.first().map_or(1, SocketAddr::port);
    let builder = MessageWebSocket::builder()
        .resolver(HashMap::from([(HOST.to_owned(), addresses)]))
        .timeouts(Timeouts {
            connect,
            ..Timeouts::default()
        });
    let started = Instant::now();
    let connected = builder.connect(&format!("ws://{HOST}:{port}/")).await;
    let took = started.elapsed().as_millis();
    match connected {
        Ok(socket) => {
            let peer = socket.peer_address().map(|peer| peer.ip().to_string());
            say(&format!("connected\t{took}\t{}", peer.unwrap_or_default()));
            tell(socket.information().connect_report());
        }
        Err(error) => {
            let cause = error.source().map(|cause| format!(": {cause}"));
            let text = format!("{error}{}", cause.unwrap_or_default());
            say(&format!("failed\t{took}\t{:?}\t{text}", error.status()));
            tell(error.connect_report());
        }
    }
}

fn tell(report: Option<&ConnectReport>) {
    let steps = report.into_iter().flat_map(ConnectReport::steps);
    let mut tried: Vec<_> = steps
        .filter(|step| step.phase() == ConnectPhase::Connect)
        .collect();
    tried.sort_by_key(|step| step.began());
    for step in tried {
        let (began, took) = (step.began().as_millis(), step.took().as_millis());
        let failure = step.failure().unwrap_or_default();
        say(&format!(
            "tried\t{began}\t{took}\t{}\t{failure}",
            step.subject()
        ));
    }
}

#[expect(clippy::print_stdout, reason = "what it tells is its result")]
fn say(line: &str) {
    println!("{line}");
}

#[expect(clippy::print_stderr, reason = "a program tells what is wrong")]
fn complain(line: &str) -> ExitCode {
    eprintln!("{line}");
    ExitCode::FAILURE
}
