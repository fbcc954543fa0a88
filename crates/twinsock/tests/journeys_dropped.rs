//! A connect that is dropped on a long way, through a proxy, TLS, redirects and challenges, leaves
//! nothing behind: no descriptor, no task.

#![cfg(target_os = "linux")]

mod certificates;

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use certificates::{Authority, params};
use tokio::runtime::Handle;
use twinsock::{
    ClientTls, Credential, Error, MessageWebSocket, Proxy, ProxyChoice, RedirectPolicy,
};
use twinsock_testkit::http_peer::{Answer, HttpPeer, Request, tls};
use twinsock_testkit::socks_peer::{SocksPeer, Users};

/// How often a connect is dropped after each number of polls.
const TIMES: usize = 1;

/// The ways, in the order of [`Way::choices`].
const NAMES: [&str; 4] = ["straight", "HTTP", "HTTP over TLS", "SOCKS 5"];

/// More polls than any connect here takes.
const MOST_POLLS: usize = 500;

/// How long what was dropped may take to go: the servers have to see it first.
const SETTLING: Duration = Duration::from_secs(20);

/// What the process holds: descriptors, and tasks.
type Held = (usize, usize);

fn held() -> Held {
    let descriptors = std::fs::read_dir("/proc/self/fd").expect("Linux").count();
    (descriptors, Handle::current().metrics().num_alive_tasks())
}

/// Waits until the process holds no more than this; tells what it holds then.
async fn settle(before: Held) -> Held {
    let settling = async {
        while held() != before {
            tokio::task::yield_now().await;
        }
    };
    let _ = tokio::time::timeout(SETTLING, settling).await;
    held()
}

/// Polls a connect so often at most, then drops it; tells whether it was done before.
async fn is_done_within(
    polls: usize,
    connecting: impl Future<Output = Result<MessageWebSocket, Error>>,
) -> bool {
    let mut connecting = pin!(connecting);
    let mut count = 0;
    poll_fn(|context| {
        count += 1;
        match connecting.as_mut().poll(context) {
            Poll::Ready(opened) => {
                opened.expect("nothing is wrong");
                Poll::Ready(true)
            }
            Poll::Pending if count == polls => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// The peers on the way, and what is needed to go it.
struct Way {
    trusted: ClientTls,
    server: HttpPeer,
    plain_proxy: HttpPeer,
    secure_proxy: HttpPeer,
    socks_proxy: SocksPeer,
}

impl Way {
    async fn start() -> Self {
        let root = Authority::root();
        let leaf = root.issue(params());
        let tls = tls(&leaf.chain, &leaf.key).expect("made right");
        let to_server =
            |request: &Request| match (request.target(), request.header("authorization")) {
                (_, None) => Answer::status(401, "WWW-Authenticate: Basic\r\n"),
                ("/", _) => Answer::redirect(302, "/moved"),
                _ => Answer::open(),
            };
        let to_proxy = |request: &Request| match request.header("proxy-authorization") {
            None => Answer::status(
                407,
                "Proxy-Authenticate: Digest realm=\"x\", nonce=\"y\"\r\n",
            ),
            Some(_) => Answer::Tunnel,
        };
        let users = Users::One("ann", "secret");
        Self {
            trusted: root.trusted(),
            server: HttpPeer::start_over_tls(tls.clone(), to_server)
                .await
                .expect("a port"),
            plain_proxy: HttpPeer::start(to_proxy).await.expect("a port"),
            secure_proxy: HttpPeer::start_over_tls(tls, to_proxy)
                .await
                .expect("a port"),
            socks_proxy: SocksPeer::start(users).await.expect("a port"),
        }
    }

    /// Each way to the server: straight, and through each sort of proxy.
    fn choices(&self) -> [ProxyChoice; 4] {
        let proxy = |scheme, port| {
            let proxy = Proxy::parse(&format!("{scheme}://ann:secret@127.0.0.1:{port}"));
            let proxy = proxy.expect("made right").tls(self.trusted.clone());
            ProxyChoice::from(proxy)
        };
        [
            ProxyChoice::Direct,
            proxy("http", self.plain_proxy.address().port()),
            proxy("https", self.secure_proxy.address().port()),
            proxy("socks5h", self.socks_proxy.address().port()),
        ]
    }

    /// Four requests: a challenge, a redirect, a challenge again, and the opening.
    async fn go(&self, choice: ProxyChoice) -> Result<MessageWebSocket, Error> {
        let credential = Credential::new("joe", "hunter2").expect("made right");
        let connecting = MessageWebSocket::builder()
            .proxy(choice)
            .tls(self.trusted.clone())
            .redirects(RedirectPolicy::follow())
            .server_credential(credential);
        let uri = format!("wss://127.0.0.1:{}/", self.server.address().port());
        connecting.connect(&uri).await
    }
}

/// Drops connects after one poll, after two, and so on, until they are all done before; tells how
/// many were dropped, and how many polls that took.
async fn drop_after_every_poll(way: &Way, choice: &ProxyChoice) -> (usize, usize) {
    let mut drops = 0;
    for polls in 1..MOST_POLLS {
        let mut done = 0;
        for _ in 0..TIMES {
            done += usize::from(is_done_within(polls, way.go(choice.clone())).await);
        }
        drops += TIMES - done;
        if done == TIMES {
            return (drops, polls);
        }
    }
    (drops, MOST_POLLS)
}

#[expect(clippy::print_stdout, reason = "the measured numbers are the result")]
#[tokio::test]
async fn a_connect_that_is_dropped_on_a_long_way_leaves_nothing_behind() {
    let way = Way::start().await;
    // The four listeners, each with its task, and nothing else yet.
    let before = held();
    assert_eq!(before.1, 4);
    for (choice, name) in way.choices().into_iter().zip(NAMES) {
        let (drops, polls) = drop_after_every_poll(&way, &choice).await;
        let after = settle(before).await;
        println!("{name}: {drops} dropped, done after {polls} polls; {before:?}, {after:?}");
        assert_eq!(after, before);
        assert!(drops > 10 * TIMES && polls < MOST_POLLS);
    }
}
