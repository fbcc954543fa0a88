//! A client or a server with TLS that tells what came of it, set by words such as `uri=wss://…`:
//!
//! * `tls-peer client uri=… roots=FILE [version=1.2|1.3] [chain=FILE key=FILE] [count=N]` connects
//!   N times, one after the other, and has a text echoed each time.
//! * `tls-peer server chain=FILE key=FILE [version=1.2|1.3] [clients=optional|required roots=FILE]`
//!   prints `listening on PORT` and sends back what comes.
//!
//! Both print a line for each connection: `open version=… resumed=… peer=…`, or `failed kind=…`.

use std::error::Error;
use std::fs::read;
use std::process::ExitCode;

use twinsock::{
    Certificate, ClientCertificates, ClientTls, Identity, Incoming, Information, Listener,
    MessageWebSocket, ServerTls, TlsVersion,
};

use twinsock_testkit::words::Words;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let (role, words) = Words::of_arguments();
    let done = match role.as_str() {
        "client" => client(&words).await,
        "server" => server(&words).await,
        _ => Err("expected client or server".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn versions(words: &Words) -> Vec<TlsVersion> {
    match words.optional("version") {
        Some("1.2") => vec![TlsVersion::Tls12],
        Some("1.3") => vec![TlsVersion::Tls13],
        _ => vec![TlsVersion::Tls12, TlsVersion::Tls13],
    }
}

fn roots(words: &Words) -> Outcome<Vec<Certificate>> {
    Ok(Certificate::from_pem(read(words.required("roots")?)?)?)
}

fn identity(words: &Words) -> Outcome<Identity> {
    let chain = read(words.required("chain")?)?;
    Ok(Identity::from_pem(chain, read(words.required("key")?)?)?)
}

async fn client(words: &Words) -> Outcome<()> {
    let tls = ClientTls::builder().only_roots(roots(words)?);
    let tls = match words.optional("chain") {
        Some(_) => tls.identity(identity(words)?),
        None => tls,
    };
    let tls = tls.versions(versions(words)).build()?;
    let count: usize = words.optional("count").unwrap_or("1").parse()?;
    for _ in 0..count {
        let builder = MessageWebSocket::builder().tls(tls.clone());
        match builder.connect(words.required("uri")?).await {
            Ok(socket) => echo_once(&socket).await?,
            Err(error) => tell(&error),
        }
    }
    Ok(())
}

async fn echo_once(socket: &MessageWebSocket) -> Outcome<()> {
    socket.send_text("echo").await?;
    let echo = socket.receive().await?;
    if echo.as_ref().and_then(|echo| echo.as_text()) != Some("echo") {
        return Err(format!("expected an echo, got {echo:?}").into());
    }
    socket.close(twinsock::CloseCode::NORMAL, "").await?;
    say(&description(socket.information()));
    Ok(())
}

async fn server(words: &Words) -> Outcome<()> {
    let clients = match words.optional("clients") {
        Some("optional") => ClientCertificates::Optional(roots(words)?),
        Some("required") => ClientCertificates::Required(roots(words)?),
        _ => ClientCertificates::NotAsked,
    };
    let tls = ServerTls::builder(identity(words)?).client_certificates(clients);
    let tls = tls.versions(versions(words)).build()?;
    let listener = Listener::bind("127.0.0.1:0").await?.with_tls(tls);
    say(&format!("listening on {}", listener.local_address().port()));
    loop {
        let incoming = listener.accept().await?;
        tokio::spawn(async move {
            if let Err(error) = echo(incoming).await {
                tell(&error);
            }
        });
    }
}

async fn echo(incoming: Incoming) -> Result<(), twinsock::Error> {
    let socket = incoming.accept().await?;
    say(&description(socket.information()));
    while let Some(message) = socket.receive().await? {
        socket.send(message).await?;
    }
    Ok(())
}

fn description(information: &Information) -> String {
    let Some(tls) = information.tls() else {
        return "open without TLS".to_owned();
    };
    let version = tls.version().map(|version| version.to_string());
    let peer = tls.peer_certificate().map(Certificate::dns_names);
    format!(
        "open version={} resumed={} peer={}",
        version.unwrap_or_default(),
        if tls.is_resumed() { "yes" } else { "no" },
        peer.map_or("none".to_owned(), |names| names.join(",")),
    )
}

fn tell(error: &twinsock::Error) {
    let errors = error.certificate_errors();
    say(&format!(
        "failed kind={:?} errors={errors:?} {error}",
        error.kind()
    ));
}

#[expect(clippy::print_stdout, reason = "what it tells is its result")]
fn say(line: &str) {
    println!("{line}");
}
