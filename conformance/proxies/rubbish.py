"""Checks against proxies that do not speak as one: something else, nothing, too much, or a byte now and then."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass

from failures import HANDSHAKE_FAILED, PROXY_FAILED, SECONDS, TIMED_OUT, TLS_FAILED, Failure, judge
from harness.checks import Check
from harness.tcp_server import Handler, tcp_server
from laboratory import USER_INFORMATION, Laboratory

TIMEOUT = "1"
MARGIN = 3.0


def answers(*replies: bytes) -> Handler:
    """Each reply follows something of the client's; then the client's end is awaited."""
    def handle(connection: socket.socket) -> None:
        for reply in replies:
            connection.recv(65536)
            connection.sendall(reply)
        stay_silent(connection)

    return handle


def close_at_once(_connection: socket.socket) -> None:
    pass


def close_after_request(connection: socket.socket) -> None:
    connection.recv(65536)


def stay_silent(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def half_a_reply(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(WITHOUT_PASSWORD)
    connection.recv(65536)
    connection.sendall(b"\x05\x00\x00\x01")


def drip(connection: socket.socket) -> None:
    """A byte now and then: there is always progress, and never an end."""
    connection.recv(65536)
    for byte in b"HTTP/1.1 200 OK\r\nX-Padding: " + b"x" * 600:
        connection.sendall(bytes([byte]))
        time.sleep(0.1)


@dataclass(frozen=True)
class Rubbish:
    """A proxy that does not speak as one, and the exit code."""

    name: str
    scheme: str
    handle: Handler
    code: int = PROXY_FAILED


WITHOUT_PASSWORD = b"\x05\x00"
NO_BODY = b"Content-Length: 0\r\n\r\n"
ESTABLISHED = b"HTTP/1.1 200 OK\r\n\r\n"
BASIC = b'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="x"\r\n' + NO_BODY
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
ENDLESS = b"HTTP/1.1 200 OK\r\n" + b"X-Padding: 0123456789abcdef\r\n" * 100_000

RUBBISH = (
    Rubbish("an SSH server", "http", answers(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")),
    Rubbish("bytes that are no text", "http", answers(bytes(range(256)) * 4)),
    Rubbish("a head without end", "http", answers(ENDLESS)),
    Rubbish("a status out of range", "http", answers(b"HTTP/1.1 2000 OK\r\n\r\n")),
    Rubbish("a redirect", "http", answers(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n" + NO_BODY)),
    Rubbish("101", "http", answers(SWITCHED)),
    Rubbish("407 without a challenge", "http", answers(b"HTTP/1.1 407 Who Are You\r\n" + NO_BODY)),
    Rubbish("407 again and again", "http", answers(*[BASIC] * 20)),
    Rubbish("a proxy that closes at once", "http", close_at_once),
    Rubbish("a proxy that closes after the request", "http", close_after_request),
    Rubbish("a web page behind the tunnel", "http", answers(ESTABLISHED, b"HTTP/1.1 200 OK\r\n" + NO_BODY), HANDSHAKE_FAILED),
    Rubbish("bytes behind the tunnel that nobody asked for", "http", answers(ESTABLISHED + b"rubbish\r\n\r\n")),
    Rubbish("an HTTP server", "socks5h", answers(b"HTTP/1.1 400 Bad Request\r\n" + NO_BODY)),
    Rubbish("SOCKS4", "socks5h", answers(b"\x00\x5a" + bytes(6))),
    Rubbish("no method", "socks5h", answers(b"\x05\xff")),
    Rubbish("a method that was not offered", "socks5h", answers(b"\x05\x01")),
    Rubbish("an unknown kind of address", "socks5h", answers(WITHOUT_PASSWORD, b"\x05\x00\x00\x09" + bytes(6))),
    Rubbish("an unknown reply", "socks5h", answers(WITHOUT_PASSWORD, b"\x05\x63\x00\x01" + bytes(6))),
    Rubbish("half a reply", "socks5h", half_a_reply),
    Rubbish("a proxy that closes at once", "socks5h", close_at_once),
    Rubbish("a plain HTTP proxy", "https", answers(b"HTTP/1.1 400 Bad Request\r\n" + NO_BODY), TLS_FAILED),
    Rubbish("silence", "http", stay_silent, TIMED_OUT),
    Rubbish("silence", "https", stay_silent, TIMED_OUT),
    Rubbish("silence", "socks5h", stay_silent, TIMED_OUT),
    Rubbish("silence after the method", "socks5h", answers(WITHOUT_PASSWORD, b""), TIMED_OUT),
    Rubbish("a byte now and then", "http", drip, TIMED_OUT),
)


def check_rubbish(lab: Laboratory, rubbish: Rubbish) -> str:
    with tcp_server(rubbish.handle) as port:
        # To a SOCKS proxy no password is offered, so that it may choose to go on without.
        user_information = "" if rubbish.scheme == "socks5h" else f"{USER_INFORMATION}@"
        words = ["connect", f"ws://{lab.server()}/", "--proxy", f"{rubbish.scheme}://{user_information}127.0.0.1:{port}"]
        # What is behind a tunnel is the server's doing.
        names = lab.server() if rubbish.code == HANDSHAKE_FAILED else f"127.0.0.1:{port}"
        seconds = SECONDS
        if rubbish.code == TIMED_OUT:
            words += ["--connect-timeout", TIMEOUT]
            seconds = float(TIMEOUT) + MARGIN
            names = lab.server()
        return judge(lab, Failure(rubbish.name, rubbish.code, lambda _lab: words, lambda _lab: [names]), words, seconds)


def checks(lab: Laboratory) -> list[Check]:
    return [
        Check(f"rubbish: {rubbish.scheme}, {rubbish.name}", lambda rubbish=rubbish: check_rubbish(lab, rubbish))
        for rubbish in RUBBISH
    ]
