"""A TCP relay between the two ends, which keeps what goes through it: so none of them is asked what it sent."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from frames import Direction
from harness.checks import CheckFailed, require, require_equal
from harness.processes import Deadline
from harness.tcp_server import PATIENCE, tcp_server
from parameters import NAME, Parameters, read_header

HEADER = "sec-websocket-extensions:"


@dataclass
class Recording:
    """One connection: the bytes in each direction, the handshake first."""

    client: bytearray = field(default_factory=bytearray)
    server: bytearray = field(default_factory=bytearray)
    over: threading.Event = field(default_factory=threading.Event)

    def offered(self) -> str:
        return extensions(self.client)

    def answered(self) -> str:
        return extensions(self.server)

    def agreed(self) -> Parameters:
        answer = self.answered()
        require(bool(answer), f"expected {NAME}, got no extension")
        return read_header(answer)

    def sent_by(self, role: str) -> Direction:
        data = {"client": self.client, "server": self.server}[role]
        return Direction.of(bytes(data).partition(b"\r\n\r\n")[2])


def extensions(data: bytearray) -> str:
    """The value of the header in the request or the response; empty without one."""
    head = bytes(data).partition(b"\r\n\r\n")[0].decode("latin-1")
    lines = [line[len(HEADER):].strip() for line in head.split("\r\n") if line.lower().startswith(HEADER)]
    return ", ".join(lines)


class Relay:
    """Where the connections go, and their recordings."""

    def __init__(self) -> None:
        self.port = 0
        self.recordings: list[Recording] = []

    @property
    def uri(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def only(self, seconds: float = PATIENCE) -> Recording:
        """The recording of the only connection, once it is over."""
        require_equal("connections", 1, len(self.recordings))
        if not self.recordings[0].over.wait(Deadline(seconds).remaining()):
            raise CheckFailed(f"the connection was not over within {seconds:.0f} s")
        return self.recordings[0]


@contextlib.contextmanager
def relay_to(port: int) -> Iterator[Relay]:
    relay = Relay()

    def handle(client: socket.socket) -> None:
        recording = Recording()
        relay.recordings.append(recording)
        try:
            with socket.create_connection(("127.0.0.1", port), PATIENCE) as server:
                back = threading.Thread(target=pump, args=(server, client, recording.server), daemon=True)
                back.start()
                pump(client, server, recording.client)
                back.join(PATIENCE)
        finally:
            recording.over.set()

    with tcp_server(handle) as relay.port:
        yield relay


def pump(source: socket.socket, target: socket.socket, record: bytearray) -> None:
    """Passes all bytes on, and then the end."""
    with contextlib.suppress(OSError):
        target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while data := source.recv(1 << 18):
            record += data
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
