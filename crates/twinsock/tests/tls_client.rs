//! A client and a server of the library over TLS.

mod certificates;

use certificates::{Authority, Server, assert_echoes, params};
use twinsock::{MessageWebSocket, TlsVersion};

#[tokio::test]
async fn a_message_comes_back_over_tls() {
    let root = Authority::root();
    let server = Server::start(root.issue(params()).server_tls()).await;
    let builder = MessageWebSocket::builder().tls(root.trusted());
    let socket = builder.connect(&server.uri()).await.unwrap();
    assert_echoes(&socket).await;
    let tls = socket.information().tls().unwrap();
    assert_eq!(tls.version(), Some(TlsVersion::Tls13));
    assert_eq!(tls.alpn_protocol(), Some(&b"http/1.1"[..]));
}
