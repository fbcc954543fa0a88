//! A client's way to the addresses of a name: who finds them, which are tried, from where, and
//! what is told of those that fail.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use twinsock::{
    AcceptOptions, AddressFailure, ConnectPhase, Error, ErrorKind, MessageWebSocket, Resolve,
    Resolving, StreamWebSocket, Timeout, Timeouts, WebErrorStatus,
};
use twinsock_testkit::raw::RawPeer;
use twinsock_testkit::sockets::{URI, echo_server};

const NAME: &str = "ws://many.example/";

/// A resolver for one name.
fn table(addresses: &[SocketAddr]) -> HashMap<String, Vec<SocketAddr>> {
    HashMap::from([("many.example".to_owned(), addresses.to_vec())])
}

async fn server() -> SocketAddr {
    let server = echo_server(AcceptOptions::new(), |_| ()).await;
    server.expect("a port").0
}

/// An address that nobody listens on, nor can while the socket lives.
fn refusing() -> (SocketAddr, TcpSocket) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    (socket.local_addr().expect("bound"), socket)
}

/// An address that answers no packet, for as long as what comes with it lives: the queue of those
/// that wait to be accepted is full.
async fn silent() -> (SocketAddr, impl Drop) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let listener = socket.listen(0).expect("a backlog of hardly anything");
    let address = listener.local_addr().expect("bound");
    let mut waiting = Vec::new();
    while let Ok(connected) =
        tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(address)).await
    {
        waiting.push(connected);
    }
    (address, Vec::from([(listener, waiting)]).into_iter())
}

async fn failure(addresses: &[SocketAddr]) -> Error {
    let builder = MessageWebSocket::builder().resolver(table(addresses));
    builder.connect(NAME).await.expect_err("dead addresses")
}

#[tokio::test]
async fn a_silent_address_does_not_hold_up_a_good_one() {
    let ((silent, _held), good) = (silent().await, server().await);
    let builder = MessageWebSocket::builder().resolver(table(&[silent, good]));
    let socket = builder.connect(NAME).await.expect("a good address");
    assert_eq!(socket.peer_address(), Some(good));
    let report = socket.information().connect_report().expect("a client");
    let steps = report.steps().iter();
    let tried: Vec<_> = steps
        .filter(|step| step.phase() == ConnectPhase::Connect)
        .map(|step| (step.subject(), step.failure()))
        .collect();
    let loser = format!("given up: {good} was faster");
    assert_eq!(
        tried,
        [
            (good.to_string().as_str(), None),
            (silent.to_string().as_str(), Some(loser.as_str()))
        ]
    );
}

#[tokio::test]
async fn the_error_has_each_address_with_its_reason() {
    let (one, other) = (refusing(), refusing());
    let addresses = [one.0, other.0];
    let error = failure(&addresses).await;
    assert_eq!(error.kind(), ErrorKind::CannotConnect);
    assert_eq!(error.status(), WebErrorStatus::CannotConnect);
    for (failed, address) in error.failed_addresses().iter().zip(addresses) {
        assert_eq!(failed.address(), address);
        let AddressFailure::Network(reason) = failed.reason() else {
            panic!("{failed}");
        };
        assert_eq!(reason.kind(), io::ErrorKind::ConnectionRefused);
        assert!(error.to_string().contains(&failed.to_string()), "{error}");
    }
}

#[tokio::test]
async fn the_time_for_all_ends_the_race_too() {
    let ((silent, _held), (refusing, _bound)) = (silent().await, refusing());
    let builder = MessageWebSocket::builder()
        .resolver(table(&[refusing, silent]))
        .timeouts(Timeouts {
            overall: Some(Duration::from_millis(100)),
            ..Timeouts::default()
        });
    let error = builder.connect(NAME).await.expect_err("dead addresses");
    assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::Connect));
    assert_eq!(error.failed_addresses().len(), 2, "{error}");
}

#[tokio::test]
async fn the_sixth_address_is_never_tried() {
    let good = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let dead: [_; 5] = std::array::from_fn(|_| refusing());
    let mut addresses: Vec<_> = dead.iter().map(|(address, _)| *address).collect();
    addresses.push(good.local_addr().expect("bound"));
    let error = failure(&addresses).await;
    let failed = error.failed_addresses().iter();
    let failed: Vec<_> = failed.map(twinsock::FailedAddress::address).collect();
    assert_eq!(failed, addresses[..5]);
    assert!(tokio_test::task::spawn(good.accept()).poll().is_pending());
}

/// A resolver that notes what it is asked.
#[derive(Clone, Default)]
struct Asked {
    address: Option<SocketAddr>,
    hosts: Arc<Mutex<Vec<(String, u16)>>>,
}

impl Resolve for Asked {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolving<'a> {
        let mut hosts = self.hosts.lock().expect("no panic");
        hosts.push((host.to_owned(), port));
        Box::pin(async { Ok(self.address.into_iter().collect()) })
    }
}

#[tokio::test]
async fn a_resolver_is_asked_once_for_a_name_and_never_for_an_address() {
    let good = server().await;
    let asked = Asked {
        address: Some(good),
        ..Asked::default()
    };
    let builder = || MessageWebSocket::builder().resolver(asked.clone());
    let literal = format!("ws://{good}/");
    builder().connect(&literal).await.expect("an address");
    assert_eq!(*asked.hosts.lock().expect("no panic"), []);
    builder()
        .connect("ws://MANY.example:81/")
        .await
        .expect("a name");
    let stream = StreamWebSocket::builder().resolver(asked.clone());
    stream.connect(NAME).await.expect("a name");
    let hosts = [
        ("many.example".to_owned(), 81),
        ("many.example".to_owned(), 80),
    ];
    assert_eq!(*asked.hosts.lock().expect("no panic"), hosts);
}

#[tokio::test]
async fn a_closure_is_a_resolver() {
    let good = server().await;
    let builder = MessageWebSocket::builder()
        .resolver(move |_: String, _: u16| async move { Ok(vec![good]) });
    let socket = builder.connect(NAME).await.expect("a name");
    assert_eq!(socket.peer_address(), Some(good));
}

#[tokio::test]
async fn the_system_finds_this_host() {
    let good = server().await;
    let uri = format!("ws://localhost:{}/", good.port());
    let socket = MessageWebSocket::connect(&uri).await.expect("localhost");
    assert_eq!(socket.peer_address(), Some(good));
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_never_answers_is_a_timeout_of_its_own() {
    let resolve = Duration::from_secs(7);
    let builder = MessageWebSocket::builder()
        .resolver(|_: String, _: u16| std::future::pending())
        .timeouts(Timeouts {
            resolve,
            ..Timeouts::default()
        });
    let started = tokio::time::Instant::now();
    let error = builder.connect(NAME).await.expect_err("no answer");
    assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::Resolve));
    assert_eq!(started.elapsed(), resolve);
}

#[tokio::test]
async fn a_name_without_addresses_is_not_resolved() {
    let error = failure(&[]).await;
    assert_eq!(error.kind(), ErrorKind::NameNotResolved);
    assert_eq!(error.status(), WebErrorStatus::HostNameNotResolved);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_client_connects_from_its_local_address() {
    let local = Ipv4Addr::new(127, 0, 0, 2);
    let uri = format!("ws://{}/", server().await);
    let builder = MessageWebSocket::builder().local_address(local);
    let socket = builder.connect(&uri).await.expect("this host");
    assert_eq!(
        socket.local_address().expect("TCP").ip(),
        IpAddr::from(local)
    );
    let builder = StreamWebSocket::builder().local_address(IpAddr::from(local));
    let stream = builder.connect(&uri).await.expect("this host");
    assert_eq!(
        stream.local_address().expect("TCP").ip(),
        IpAddr::from(local)
    );
}

#[tokio::test]
async fn a_local_port_can_be_used_again_at_once_and_for_several_servers() {
    let (local, bound) = refusing();
    drop(bound);
    let (one, other) = (server().await, server().await);
    let connect = async |server: SocketAddr| {
        let builder = MessageWebSocket::builder().local_address(local);
        let socket = builder.connect(&format!("ws://{server}/")).await;
        let socket = socket.expect("a free port");
        assert_eq!(socket.local_address(), Some(local));
        socket
    };
    let (first, _second) = (connect(one).await, connect(other).await);
    // This end closes: the port rests for a while.
    first
        .close(twinsock::CloseCode::NORMAL, "")
        .await
        .expect("open");
    drop(first);
    let third = server().await;
    connect(third).await;
}

#[tokio::test]
async fn addresses_of_the_other_family_are_not_tried_from_a_local_address() {
    let good = server().await;
    let other = SocketAddr::from((Ipv6Addr::LOCALHOST, 1));
    let builder = MessageWebSocket::builder()
        .resolver(table(&[other, good]))
        .max_addresses(1)
        .local_address(Ipv4Addr::LOCALHOST);
    let socket = builder.connect(NAME).await.expect("one is IPv4");
    let report = socket.information().connect_report().expect("a client");
    let mut steps = report.steps().iter();
    let skipped = steps.find(|step| step.subject() == other.to_string());
    let skipped = skipped.and_then(|step| step.failure());
    assert_eq!(skipped, Some("the local address is of the other family"));

    let builder = MessageWebSocket::builder()
        .resolver(table(&[other]))
        .local_address(Ipv4Addr::UNSPECIFIED);
    let error = builder.connect(NAME).await.expect_err("all are IPv6");
    assert_eq!(error.kind(), ErrorKind::CannotConnect);
    assert_eq!(error.status(), WebErrorStatus::ServerUnreachable);
    let [failed] = error.failed_addresses() else {
        panic!("{error}");
    };
    assert!(matches!(failed.reason(), AddressFailure::OtherFamily));
}

#[tokio::test]
async fn a_local_address_that_is_not_this_hosts_is_told() {
    let builder = MessageWebSocket::builder().local_address(Ipv4Addr::new(192, 0, 2, 1));
    let uri = format!("ws://{}/", server().await);
    let error = builder.connect(&uri).await.expect_err("another host's");
    assert_eq!(error.kind(), ErrorKind::CannotConnect);
    let [failed] = error.failed_addresses() else {
        panic!("{error}");
    };
    assert!(matches!(failed.reason(), AddressFailure::CannotBind(_)));
}

#[tokio::test]
async fn over_a_stream_of_ones_own_neither_has_an_effect() {
    let (near, far) = tokio::io::duplex(1024);
    let asked = Asked::default();
    let builder = MessageWebSocket::builder()
        .local_address(Ipv4Addr::new(192, 0, 2, 1))
        .resolver(asked.clone());
    let (client, _raw) = tokio::join!(builder.connect_over(near, URI), RawPeer::server(far));
    assert_eq!(client.expect("a handshake").local_address(), None);
    assert_eq!(*asked.hosts.lock().expect("no panic"), []);
}
