//! What an idle server socket holds, its task included.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;

use peak_alloc::PeakAlloc;
use tokio::sync::mpsc;
use twinsock::{Listener, MessageWebSocket};
use twinsock_testkit::wire;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const SOCKETS: usize = 64;

/// The most bytes for each; measured: 2,580 at first, 2,584 after messages.
const MOST: usize = 2_700;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

/// A client that holds no memory: the process counts it with the server's.
fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(REQUEST)?;
    let mut end = [0; 4];
    while &end != b"\r\n\r\n" {
        end.rotate_left(1);
        stream.read_exact(&mut end[3..])?;
    }
    Ok(stream)
}

/// Tells of each message how long it was.
async fn receive_all(socket: MessageWebSocket, received: mpsc::Sender<usize>) {
    while let Ok(Some(message)) = socket.receive().await {
        let length = message.len();
        drop(message);
        let _ = received.send(length).await;
    }
}

#[expect(clippy::print_stdout, reason = "the measured numbers are the result")]
fn check(name: &str, before: usize) {
    let each = ALLOCATOR.current_usage().saturating_sub(before) / SOCKETS;
    println!("{name}: {each} bytes for each socket");
    assert!(each <= MOST, "{name}: {each}");
}

#[tokio::test]
async fn an_idle_socket_holds_little_also_after_a_large_message() -> io::Result<()> {
    let listener = Listener::bind("127.0.0.1:0").await?;
    let address = listener.local_address();
    let (received, mut messages) = mpsc::channel(1);
    let mut clients = Vec::with_capacity(SOCKETS + 1);
    let mut before = 0;
    for count in 0..=SOCKETS {
        if count == 1 {
            // The first one leaves what the runtime and the thread keep for all.
            before = ALLOCATOR.current_usage();
        }
        let client = thread::spawn(move || connect(address));
        let socket = listener.accept().await?.accept().await?;
        clients.push(client.join().expect("no panic")?);
        tokio::spawn(receive_all(socket, received.clone()));
        tokio::task::yield_now().await;
    }
    check("idle", before);
    for size in [16, 1 << 20] {
        for client in &clients {
            let mut client = client.try_clone()?;
            let frame = move || wire::binary(vec![7; size]).masked().bytes();
            let sender = thread::spawn(move || client.write_all(&frame()));
            assert_eq!(messages.recv().await, Some(size));
            sender.join().expect("no panic")?;
        }
        tokio::task::yield_now().await;
        check(&format!("after {size} bytes"), before);
    }
    Ok(())
}
