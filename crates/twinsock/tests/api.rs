//! The public names, their signatures, and what may cross threads: a change here is a decision.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Sink, Stream};
use http::{HeaderMap, Request, Response, StatusCode};
use tokio::io::DuplexStream;
use tokio::net::TcpListener;
use twinsock::{
    AcceptOptions, BandwidthStatistics, ByteOrder, ByteStream, CloseCode, CloseReason, Closed,
    DataError, DataReader, DataWriter, DateTime, Error, ErrorKind, Failure, Guid, Handlers,
    InMemory, Incoming, Information, Initiator, InputStreamOptions, Listener, Message,
    MessageReceiver, MessageSender, MessageType, MessageWebSocket, MessageWebSocketBuilder,
    PendingHandshake, SocketState, Statistics, StreamReader, StreamWebSocket, StreamWriter,
    TimeSpan, Timeout, Timeouts, UnicodeEncoding, Utf8Bytes,
};

type Result<T> = std::result::Result<T, Error>;

fn is_shareable<T: Send + Sync + Unpin + std::fmt::Debug + 'static>() {}

fn gives<T>(future: impl Future<Output = T> + Send) {
    drop(future);
}

#[test]
fn every_type_may_be_shared_between_threads() {
    is_shareable::<AcceptOptions>();
    is_shareable::<BandwidthStatistics>();
    is_shareable::<ByteOrder>();
    is_shareable::<CloseCode>();
    is_shareable::<CloseReason>();
    is_shareable::<Closed>();
    is_shareable::<DataError>();
    is_shareable::<DataReader>();
    is_shareable::<DataReader<DuplexStream>>();
    is_shareable::<DataWriter>();
    is_shareable::<DataWriter<MessageSender>>();
    is_shareable::<DateTime>();
    is_shareable::<Error>();
    is_shareable::<ErrorKind>();
    is_shareable::<Failure>();
    is_shareable::<Guid>();
    is_shareable::<Handlers>();
    is_shareable::<InMemory>();
    is_shareable::<Incoming>();
    is_shareable::<Information>();
    is_shareable::<Initiator>();
    is_shareable::<InputStreamOptions>();
    is_shareable::<Listener>();
    is_shareable::<Message>();
    is_shareable::<MessageReceiver>();
    is_shareable::<MessageSender>();
    is_shareable::<MessageType>();
    is_shareable::<MessageWebSocket>();
    is_shareable::<MessageWebSocketBuilder>();
    is_shareable::<SocketState>();
    is_shareable::<Statistics>();
    is_shareable::<TimeSpan>();
    is_shareable::<Timeout>();
    is_shareable::<Timeouts>();
    is_shareable::<UnicodeEncoding>();
    is_shareable::<Utf8Bytes>();
}

#[test]
fn a_pending_handshake_may_be_sent_to_another_thread() {
    fn is_sendable<T: Send + Unpin + std::fmt::Debug + 'static>() {}
    is_sendable::<PendingHandshake>();
}

#[test]
fn a_socket_is_a_stream_and_a_sink_of_messages() {
    fn check<T>()
    where
        T: Stream<Item = Result<Message>> + Sink<Message, Error = Error>,
    {
    }
    check::<MessageWebSocket>();
}

#[test]
fn errors_are_errors_and_can_be_cloned() {
    fn check<T: std::error::Error + Clone + Into<std::io::Error>>() {}
    check::<Error>();
    let _: fn(&Error) -> ErrorKind = Error::kind;
    let _: fn(&Error) -> bool = Error::is_timeout;
    let _: fn(&Error) -> bool = Error::is_closed;
    let _: fn(&Error) -> Option<&Response<Bytes>> = Error::response;
}

#[expect(dead_code, reason = "that it compiles is the test")]
fn the_socket(socket: MessageWebSocket, stream: DuplexStream, other: DuplexStream) {
    gives::<Result<MessageWebSocket>>(MessageWebSocket::connect(""));
    gives::<Result<MessageWebSocket>>(MessageWebSocket::connect_over(stream, ""));
    gives::<Result<MessageWebSocket>>(MessageWebSocket::accept(other));
    gives::<Result<()>>(socket.send_text(""));
    gives::<Result<()>>(socket.send_binary(&[]));
    gives::<Result<()>>(socket.send(""));
    gives::<Result<()>>(socket.send(String::new()));
    gives::<Result<()>>(socket.send(Vec::new()));
    gives::<Result<()>>(socket.send(Bytes::new()));
    gives::<Result<()>>(socket.send(Message::from("")));
    gives::<Result<Option<Message>>>(socket.receive());
    gives::<Result<()>>(socket.ping(&[]));
    gives::<Result<()>>(socket.send_keep_alive());
    gives::<Result<()>>(socket.flush());
    gives::<Result<()>>(socket.close(CloseCode::NORMAL, ""));
    let _: Result<()> = socket.start_close(CloseCode::NORMAL, "");
    let _: Option<Closed> = socket.closed();
    let _: Option<&str> = socket.protocol();
    let _: Option<&Response<()>> = socket.response();
    let _: Option<&Request<()>> = socket.request();
    let _: Option<SocketAddr> = socket.local_address();
    let _: Option<SocketAddr> = socket.peer_address();
    let _: Option<Duration> = socket.round_trip_time();
    let _: MessageType = socket.message_type();
    socket.set_message_type(MessageType::Text);
    let _: &Information = socket.information();
    let _: (MessageSender, MessageReceiver) = socket.split();
}

#[expect(dead_code, reason = "that it compiles is the test")]
fn the_information(
    information: &Information,
    stream: &StreamWebSocket,
    halves: (&StreamReader, &StreamWriter),
) {
    let _: Information = information.clone();
    let _: Option<SocketAddr> = information.local_address();
    let _: Option<SocketAddr> = information.peer_address();
    let _: Option<&str> = information.protocol();
    let _: Option<&Response<()>> = information.response();
    let _: Option<&HeaderMap> = information.response_headers();
    let _: Option<&Request<()>> = information.request();
    let _: SocketState = information.state();
    let _: Option<Closed> = information.closed();
    let _: Statistics = information.statistics();
    let _: BandwidthStatistics = information.bandwidth_statistics();
    let _: Option<Duration> = information.round_trip_time();
    let _: Option<Duration> = information.actual_unsolicited_pong_interval();
    let _: &Information = stream.information();
    let _: Option<Duration> = stream.round_trip_time();
    let _: Option<Duration> = stream.actual_unsolicited_pong_interval();
    gives::<Result<()>>(stream.ping(&[]));
    gives::<Result<()>>(stream.send_keep_alive());
    let _: [&Information; 2] = [halves.0.information(), halves.1.information()];
}

#[expect(dead_code, reason = "that it compiles is the test")]
fn the_halves(sender: &MessageSender, receiver: &MessageReceiver) {
    gives::<Result<()>>(sender.send_text(""));
    gives::<Result<()>>(sender.send_binary(&[]));
    gives::<Result<()>>(sender.send(""));
    gives::<Result<()>>(sender.ping(&[]));
    gives::<Result<()>>(sender.send_keep_alive());
    gives::<Result<()>>(sender.flush());
    gives::<Result<()>>(sender.close(CloseCode::NORMAL, ""));
    gives::<Result<Option<Message>>>(receiver.receive());
    let _: Option<Closed> = receiver.closed();
    let _: [&MessageWebSocket; 2] = [sender.socket(), receiver.socket()];
}

#[expect(dead_code, reason = "that it compiles is the test")]
fn readers_and_writers(
    socket: &MessageWebSocket,
    sender: MessageSender,
    streams: [DuplexStream; 2],
) {
    type Stored = std::result::Result<usize, DataError>;
    gives::<Stored>(DataWriter::over(socket).store());
    let mut writer: DataWriter<MessageSender> = DataWriter::over(sender);
    gives::<Stored>(writer.store());
    gives::<std::result::Result<(), DataError>>(writer.flush());
    let _: MessageSender = writer.detach_stream();
    let [mut first, second] = streams;
    gives::<Stored>(DataWriter::over(&mut first).store());
    gives::<Stored>(DataReader::over(&mut first).load(1));
    let _: DuplexStream = DataReader::over(second).detach_stream();
    let _: Bytes = DataReader::from_bytes("").detach_buffer();
    let _: Bytes = DataWriter::new().detach_buffer();
}

#[expect(dead_code, reason = "that it compiles is the test")]
fn the_builder(builder: MessageWebSocketBuilder, stream: impl ByteStream + 'static) {
    let builder: MessageWebSocketBuilder = builder
        .protocol("")
        .header("", "")
        .max_message_size(1)
        .max_message_size(None)
        .timeouts(Timeouts::default());
    gives::<Result<MessageWebSocket>>(builder.connect(""));
    gives::<Result<MessageWebSocket>>(MessageWebSocket::builder().connect_over(stream, ""));
}

#[expect(dead_code, reason = "that it compiles is the test")]
fn the_server(listener: TcpListener, incoming: [Incoming; 2], pending: [PendingHandshake; 3]) {
    gives::<Result<Listener>>(Listener::bind("127.0.0.1:0"));
    if let Ok(listener) = Listener::over(listener) {
        let listener: Listener = listener.with_options(AcceptOptions::new());
        let _: SocketAddr = listener.local_address();
        gives::<Result<Incoming>>(listener.accept());
    }
    let [first, second] = incoming;
    let _: SocketAddr = first.peer_address();
    gives::<Result<MessageWebSocket>>(first.accept());
    gives::<Result<PendingHandshake>>(second.receive_request());
    let [first, second, third] = pending;
    let _: &Request<()> = first.request();
    let _: Vec<&str> = first.protocols().collect();
    gives::<Result<MessageWebSocket>>(first.accept());
    gives::<Result<()>>(second.reject(StatusCode::NOT_FOUND, ""));
    gives::<Result<()>>(third.reject_with(Response::new(Vec::new())));
}

#[expect(dead_code, reason = "that it compiles is the test")]
fn the_options(stream: DuplexStream, other: DuplexStream) -> Result<()> {
    let options: AcceptOptions = AcceptOptions::new()
        .protocol("")?
        .origin("")?
        .header("", "")?
        .any_origin_dangerously()
        .max_message_size(1)
        .max_message_size(None)
        .timeouts(Timeouts::default());
    gives::<Result<MessageWebSocket>>(options.accept(stream));
    gives::<Result<PendingHandshake>>(options.receive_request(other));
    Ok(())
}
