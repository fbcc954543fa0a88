"""A peer that is no WebSocket library: the opening handshake with permessage-deflate, and frames by hand."""

from __future__ import annotations

import base64
import hashlib
import socket
import threading
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

TEXT, BINARY, CLOSE, PONG = 1, 2, 8, 10
FINAL, COMPRESSED = 0x80, 0x40
# Allowed, and the payload need not be touched (RFC 6455 §5.3).
MASK_KEY = bytes(4)
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
PATIENCE = 20


@dataclass(frozen=True)
class Frame:
    opcode: int
    is_final: bool
    is_compressed: bool
    payload: bytes

    def close_code(self) -> int | None:
        return int.from_bytes(self.payload[:2], "big") if self.opcode == CLOSE and self.payload else None


class Sender:
    """Sends frames from a thread of its own, until their end or that of the connection."""

    def __init__(self, stream: socket.socket, frames: Iterable[bytes]) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send, args=(stream, frames), daemon=True)
        self._thread.start()

    def _send(self, stream: socket.socket, frames: Iterable[bytes]) -> None:
        try:
            for frame in frames:
                if self._stop.is_set():
                    return
                stream.sendall(frame)
        except OSError:
            pass

    def finish(self) -> None:
        """Waits until all is sent."""
        self._thread.join(PATIENCE)

    def stop(self) -> None:
        """The frame at hand is sent to its end, and no other."""
        self._stop.set()
        self.finish()


class Connection:
    """One connection; `key` is the mask of what is sent, none in a server."""

    def __init__(self, stream: socket.socket, key: bytes | None) -> None:
        self.stream = stream
        self._key = key
        self._has_closed = False
        self._input = stream.makefile("rb", buffering=64 << 10)
        # One for all messages: with context takeover they refer to earlier ones.
        self._inflate = zlib.decompressobj(-15)

    def frame(self, first: int, payload: bytes) -> bytes:
        masked = 0 if self._key is None else 0x80
        length = len(payload)
        if length < 126:
            header = bytes([first, masked | length])
        elif length < 1 << 16:
            header = bytes([first, masked | 126]) + length.to_bytes(2, "big")
        else:
            header = bytes([first, masked | 127]) + length.to_bytes(8, "big")
        return header + (self._key or b"") + payload

    def message(self, kind: int, pieces: list[bytes]) -> Iterator[bytes]:
        """A compressed message, a frame for each piece."""
        for index, piece in enumerate(pieces):
            first = (kind | COMPRESSED) if index == 0 else 0
            yield self.frame(first | (FINAL if index + 1 == len(pieces) else 0), piece)

    def message_without_end(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        first = BINARY | COMPRESSED
        for piece in pieces:
            yield self.frame(first, piece)
            first = 0

    def send_in_background(self, frames: Iterable[bytes]) -> Sender:
        return Sender(self.stream, frames)

    def receive(self) -> Frame | None:
        """The next frame; None at the end of the stream."""
        header = self._input.read(2)
        if len(header) < 2:
            return None
        length = header[1] & 0x7F
        if length >= 126:
            length = int.from_bytes(self._input.read(2 if length == 126 else 8), "big")
        key = self._input.read(4) if header[1] & 0x80 else None
        payload = self._input.read(length)
        if key is not None:
            # Only our own client masks, and it sends little here.
            payload = bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))
        return Frame(header[0] & 0x0F, bool(header[0] & FINAL), bool(header[0] & COMPRESSED), payload)

    def inflated(self, frame: Frame) -> bytes:
        """What a frame of a compressed message stands for."""
        tail = b"\x00\x00\xff\xff" if frame.is_final else b""
        try:
            return self._inflate.decompress(frame.payload + tail)
        except zlib.error as error:
            raise OSError(f"expected DEFLATE, got {error}") from error

    def close(self) -> None:
        self._has_closed = True
        self.stream.sendall(self.frame(FINAL | CLOSE, (1000).to_bytes(2, "big")))

    def answer_close(self, frame: Frame) -> None:
        """Answers, unless it is an answer itself, and waits for the end of the connection."""
        if self._has_closed:
            return
        try:
            self.stream.sendall(self.frame(FINAL | CLOSE, frame.payload[:2]))
            while self._input.read(64 << 10):
                pass
        except OSError:
            # A server that has had enough may reset what it does not read.
            pass

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        # Not `close` alone: a thread may be sending.
        try:
            self.stream.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._input.close()
        self.stream.close()


def read_head(stream: socket.socket) -> bytes:
    """An HTTP head, byte by byte, so that nothing behind it is taken."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = stream.recv(1)
        if not byte:
            raise OSError(f"expected an HTTP head, got {head!r}")
        head += byte
    return head


def connect(port: int) -> Connection:
    """A client that offers to compress, of a server that has to accept."""
    stream = socket.create_connection(("127.0.0.1", port), PATIENCE)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream.sendall(
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
    )
    head = read_head(stream).lower()
    if not head.startswith(b"http/1.1 101 ") or b"permessage-deflate" not in head:
        raise OSError(f"expected a connection that compresses, got {head!r}")
    return Connection(stream, MASK_KEY)


def accept(stream: socket.socket) -> Connection:
    """A server that accepts the offer as it stands."""
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    lines = read_head(stream).decode("ascii").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
    if "permessage-deflate" not in headers.get("sec-websocket-extensions", ""):
        raise OSError(f"expected an offer to compress, got {lines}")
    key = next(line.split(": ", 1)[1] for line in lines if line.lower().startswith("sec-websocket-key: "))
    digest = base64.b64encode(hashlib.sha1(key.encode() + GUID).digest())
    stream.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + digest + b"\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    )
    return Connection(stream, None)
