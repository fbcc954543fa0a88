//! What an idle connection holds after it has compressed messages, as a table.
//!
//! `cargo run --release -p twinsock --example deflate_memory -- 2000`
//!
//! For each row a server of its own has so many connections (200 unless told), over TCP, with
//! clients in another process. Each has echoed 100 messages of about 1 KiB and is idle: first with
//! what zlib holds between messages, then after `release_deflate`. Linux only: it asks `/proc`.

#![expect(clippy::print_stdout, reason = "the table is the result")]

mod agreement;
mod clients;
mod server;

use std::env;
use std::error::Error;
use std::process::Command;

use peak_alloc::PeakAlloc;

use crate::agreement::Agreement;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        [] => table("200"),
        [count] => table(count),
        ["server", agreement, count] => server::run(&agreement.parse()?, count.parse()?),
        ["clients", address, count] => clients::run(address.parse()?, count.parse()?),
        _ => Err("expected a number of connections".into()),
    }
}

/// Each row by a process of its own: what one leaves behind does not count for the next.
fn table(count: &str) -> Outcome<()> {
    println!("bytes for each of {count} idle connections, allocated (resident)");
    println!();
    println!("| agreed on | after 100 messages | after `release_deflate` |");
    println!("| --- | --- | --- |");
    for agreement in Agreement::ALL {
        let mut server = Command::new(env::current_exe()?);
        let name = agreement.to_string();
        let ended = server.args(["server", &name, count]).status()?;
        if !ended.success() {
            return Err(format!("the server for {name} failed: {ended}").into());
        }
    }
    Ok(())
}
