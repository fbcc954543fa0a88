//! How the network's bytes are read in: receive memory, lent messages, large frames.

use bytes::BufMut;
use twinsock_proto::{Event, Message, Role};
use twinsock_testkit::endpoint::Endpoint;
use twinsock_testkit::wire;

/// One read, as far as the memory goes, without looking at the events.
fn read(endpoint: &mut Endpoint, bytes: &[u8]) -> usize {
    let mut memory = endpoint.connection.receive_memory();
    let count = bytes.len().min(memory.remaining_mut());
    memory.put_slice(&bytes[..count]);
    drop(memory);
    endpoint.connection.handle_received(endpoint.now);
    count
}

fn next_message(endpoint: &mut Endpoint) -> Option<Message> {
    match endpoint.connection.poll_event()? {
        Event::MessageReceived(message) => Some(message.into_owned()),
        event => unreachable!("{event:?}"),
    }
}

#[test]
fn reading_on_while_a_message_is_lent_goes_on_behind_it() {
    let mut server = Endpoint::new(Role::Server);
    read(&mut server, &wire::text("one").masked().bytes());
    assert_eq!(next_message(&mut server), Some("one".into()));
    read(&mut server, &wire::text("two").masked().bytes());
    assert_eq!(next_message(&mut server), Some("two".into()));
    assert_eq!(next_message(&mut server), None);
}

#[test]
fn lending_memory_while_a_message_is_lent_keeps_what_is_unread() {
    let mut server = Endpoint::new(Role::Server);
    let frames = [wire::text("one").masked(), wire::text("two").masked()];
    read(&mut server, &wire::join(&frames));
    assert_eq!(next_message(&mut server), Some("one".into()));
    server.connection.lend_memory(Vec::with_capacity(1 << 20));
    assert_eq!(next_message(&mut server), Some("two".into()));
    assert_eq!(next_message(&mut server), None);
}

#[test]
fn several_reads_of_a_large_frame_may_precede_a_look_at_it() {
    let mut server = Endpoint::new(Role::Server);
    let frames = [
        wire::binary([7; 200_000]).masked(),
        wire::text("next").masked(),
    ];
    let bytes = wire::join(&frames);
    let mut at = read(&mut server, &bytes[..100]);
    assert_eq!(next_message(&mut server), None);
    while at < bytes.len() {
        at += read(&mut server, &bytes[at..]);
    }
    assert_eq!(next_message(&mut server), Some(vec![7; 200_000].into()));
    assert_eq!(next_message(&mut server), Some("next".into()));
}

#[test]
fn bytes_of_a_large_frame_are_unread_until_they_are_looked_at() {
    let mut server = Endpoint::new(Role::Server);
    let bytes = wire::binary([7; 100_000]).masked().bytes();
    let mut at = read(&mut server, &bytes[..20]);
    while at < bytes.len() {
        assert!(server.connection.has_unread_bytes());
        assert_eq!(next_message(&mut server), None);
        assert!(!server.connection.has_unread_bytes());
        at += read(&mut server, &bytes[at..]);
    }
    assert!(server.connection.has_unread_bytes());
    assert_eq!(next_message(&mut server), Some(vec![7; 100_000].into()));
    assert!(!server.connection.has_unread_bytes());
}

#[test]
fn idle_memory_may_be_taken_whenever_no_message_is_lent() {
    let mut server = Endpoint::new(Role::Server);
    for byte in wire::text("schön").masked().bytes() {
        read(&mut server, &[byte]);
        assert!(server.connection.take_idle_memory().is_some());
        if let Some(message) = next_message(&mut server) {
            assert_eq!(message, "schön".into());
            return;
        }
    }
    panic!("the message did not come");
}
