"""A WebSocket peer of sockets and frames alone, in either role, which sends what it is told byte by byte."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from frames import BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, TEXT, Frame, read_frame, write_frame
from harness.checks import require
from parameters import NAME, Parameters

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY = base64.b64encode(b"sixteen bytes of").decode()
SECONDS = 60
NORMAL = (1000).to_bytes(2, "big")


@dataclass(frozen=True)
class Received:
    """A message as it came: its payload may be compressed."""

    opcode: int
    compressed: bool
    payload: bytes


@dataclass
class RawPeer:
    """One end of a connection behind the handshake."""

    connection: socket.socket
    # Empty in a server.
    mask: bytes
    pings: int = 0
    _read: bytearray = field(default_factory=bytearray)
    _place: int = 0
    _sending: threading.Lock = field(default_factory=threading.Lock)

    def send(self, data: bytes) -> None:
        with self._sending:
            self.connection.sendall(data)

    def messages(self) -> Iterator[Received]:
        """What comes, until the peer's Close; Pings are answered."""
        begun: list[Frame] = []
        while True:
            frame = self._frame()
            if frame.opcode == PING:
                self.pings += 1
                self.send(write_frame(FIN | PONG, frame.payload, self.mask))
            elif frame.opcode == CLOSE:
                require(frame.payload == NORMAL, f"expected Close 1000, got {frame.payload!r}")
                return
            elif frame.opcode in (TEXT, BINARY, CONTINUATION):
                begun.append(frame)
                if frame.fin:
                    yield Received(begun[0].opcode, begun[0].rsv1, b"".join(part.payload for part in begun))
                    begun = []

    def close(self) -> None:
        """Ends the connection well; what still comes has to be its end."""
        self.send(write_frame(FIN | CLOSE, NORMAL, self.mask))
        rest = list(self.messages())
        require(not rest, f"expected a Close, got {len(rest)} messages more")

    def _frame(self) -> Frame:
        while (frame := read_frame(self._read, self._place)) is None:
            del self._read[:self._place]
            self._place = 0
            data = self.connection.recv(1 << 18)
            require(bool(data), "the connection ended without a Close")
            self._read += data
        self._place += frame.size
        return frame


@contextlib.contextmanager
def client_of(port: int, offer: Parameters, mask: bytes) -> Iterator[tuple[RawPeer, str]]:
    """A client, and the answer to its offer."""
    with socket.create_connection(("127.0.0.1", port), SECONDS) as connection:
        connection.sendall((
            f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n"
            f"Sec-WebSocket-Extensions: {header(offer)}\r\n\r\n"
        ).encode())
        head, rest = read_head(connection)
        require(head.startswith("HTTP/1.1 101 "), f"expected 101, got {head!r}")
        yield RawPeer(connection, mask, _read=rest), extension_in(head)


@contextlib.contextmanager
def server_for(listener: socket.socket, answer: Parameters) -> Iterator[tuple[RawPeer, str]]:
    """A server for the next client, and what that offered."""
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(SECONDS)
        head, rest = read_head(connection)
        key = value_of(head, "sec-websocket-key").encode()
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()
        connection.sendall((
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Extensions: {header(answer)}\r\n\r\n"
        ).encode())
        yield RawPeer(connection, b"", _read=rest), extension_in(head)


def header(parameters: Parameters) -> str:
    return "; ".join(filter(None, (NAME, parameters.text())))


def read_head(connection: socket.socket) -> tuple[str, bytearray]:
    data = bytearray()
    while b"\r\n\r\n" not in data:
        more = connection.recv(1 << 16)
        require(bool(more), f"the connection ended in the handshake: {bytes(data)!r}")
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    return head.decode("latin-1"), bytearray(rest)


def value_of(head: str, name: str) -> str:
    values = [value.strip() for line in head.split("\r\n")[1:] for key, _, value in [line.partition(":")] if key.lower() == name]
    return ", ".join(values)


def extension_in(head: str) -> str:
    return value_of(head, "sec-websocket-extensions")
