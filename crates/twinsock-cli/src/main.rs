//! The program `twinsock`: an echo server, clients for lines and for bytes, and a demonstration.
//!
//! Data goes to standard output, all else to standard error. Whatever goes wrong is one
//! `error: ` line, at most one `hint: ` line, and an exit code with a name.

mod args;
mod client;
mod connect;
mod copy;
mod demo;
mod echo;
mod exit_code;
mod failure;
mod measurement;
mod peak_memory;
mod progress;
mod sample;
mod self_signed;
mod serve;
mod signals;
mod standard_bytes;
mod standard_input;
mod stream;
mod terminal;
mod tls;
mod verbose;

use crate::args::Command;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

fn main() -> std::process::ExitCode {
    let exit_code = match run() {
        Ok(()) => ExitCode::Success,
        Err(failure) => failure.report(),
    };
    exit_code.into()
}

fn run() -> Result<(), Failure> {
    let Some(command) = args::parse()? else {
        return Ok(());
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::system("cannot start", &error))?;
    let outcome = runtime.block_on(async {
        match command {
            Command::Serve(options) => serve::run(options).await,
            Command::Connect(options) => connect::run(options).await,
            Command::Stream(options) => stream::run(options).await,
            Command::Demo(options) => demo::run(options).await,
        }
    });
    // What is still under way, such as the end of a client that dawdles, does not keep the user
    // waiting.
    runtime.shutdown_background();
    outcome
}
