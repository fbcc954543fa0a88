"""This library against Python's zlib: random messages, compressed in every way there is, have to come back.

What our program sends is inflated with the window that was agreed on and no larger one, whatever zlib would put up with.
"""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench import Bench
from compressor import Compressor, Inflater
from exchanges import TAKEOVER, require_end
from frames import BINARY, CONTINUATION, FIN, PING, RSV1, TEXT, write_frame
from harness.checks import Check, CheckFailed, require, require_equal
from messages import ALPHABET, WORDS
from parameters import Parameters, both, read_header
from raw_peer import SECONDS, RawPeer, client_of, server_for

WINDOWS = range(8, 16)
MASK = b"\x37\xfa\x21\x3d"
MIXED_AGREEMENTS = 8
# One of these kinds has our program as client, the others as server.
KINDS = {"program": "twinsock serve", "fragments": "our server in fragments", "client": "our client"}


@dataclass(frozen=True)
class Sent:
    """A message of ours, the frames that carry it, and how they were made."""

    opcode: int
    content: bytes
    frames: bytes
    how: str


@dataclass(frozen=True)
class Sequence:
    """What a check sends, and from which seed it follows."""

    seed: str
    messages: int


class Sender:
    """Makes the messages of one direction."""

    def __init__(self, bits: int, takeover: bool, mask: bytes, source: random.Random) -> None:
        self.compressor = Compressor(bits, takeover, source)
        self.source, self.mask = source, mask
        self.past = bytearray(source.randbytes(512))

    def next(self) -> Sent:
        if self.compressor.is_full() and self.source.random() < 0.1:
            content, payload, how = self.compressor.far_match(self.source.randint(3, min(600, self.compressor.size)))
            return Sent(BINARY, content, self._fragments(BINARY | RSV1, payload), how)
        opcode = self.source.choice((TEXT, BINARY, BINARY))
        content = self._text() if opcode == TEXT else self._bytes()
        self.past = (self.past + content)[-(1 << 16):]
        if self.source.random() < 0.15:
            return Sent(opcode, content, self._fragments(opcode, content), "not compressed")
        payload, how = self.compressor.message(content)
        return Sent(opcode, content, self._fragments(opcode | RSV1, payload), how)

    def _size(self) -> int:
        exponent = self.source.choices((6, 11, 16.2), (60, 38, 2))[0]
        return int(2 ** self.source.uniform(0, exponent)) - 1

    def _text(self) -> bytes:
        alphabet = self.source.choice((ALPHABET, WORDS))
        return "".join(self.source.choices(alphabet, k=self._size())).encode()

    def _bytes(self) -> bytes:
        """Random ones, a run, or a repetition of what came before with a flaw in it."""
        size, way = self._size(), self.source.random()
        if way < 0.2:
            return self.source.randbytes(size)
        if way < 0.3:
            return bytes([self.source.randrange(256)]) * size
        start = self.source.randrange(len(self.past))
        content = self.past[start:start + size]
        if content and way < 0.6:
            content[self.source.randrange(len(content))] ^= 0x55
        return bytes(content)

    def _fragments(self, first: int, payload: bytes) -> bytes:
        """One frame, single bytes, one cut, or many; with Pings and empty fragments among them."""
        way = self.source.random()
        if way < 0.4:
            cuts = []
        elif way < 0.6 and len(payload) <= 600:
            cuts = list(range(1, len(payload)))
        else:
            cuts = sorted(self.source.randrange(len(payload) + 1) for _ in range(self.source.choice((1, 1, 6))))
        ends, frames, before = [*cuts, len(payload)], bytearray(), 0
        for number, end in enumerate(ends):
            fin = FIN if number == len(ends) - 1 else 0
            frames += write_frame(fin | (first if number == 0 else CONTINUATION), payload[before:end], self.mask)
            if self.source.random() < 0.01:
                frames += write_frame(FIN | PING, b"between", self.mask)
            before = end
        return bytes(frames)


def exchange(peer: RawPeer, sent: list[Sent], inflater: Inflater) -> str:
    """Sends all and compares what comes back."""
    sending = threading.Thread(target=send_all, args=(peer, sent), daemon=True)
    sending.start()
    compressed = payload_bytes = 0
    messages = peer.messages()
    for number, expected in enumerate(sent):
        try:
            got = next(messages, None)
        except CheckFailed as failure:
            raise CheckFailed(f"message {number} ({expected.how}): {failure}") from failure
        require(got is not None, f"message {number} ({expected.how}): a Close came instead")
        try:
            content = inflater.message(got.payload) if got.compressed else got.payload
        except (zlib.error, ValueError) as error:
            raise CheckFailed(f"message {number} ({expected.how}): what came back cannot be inflated: {error}") from error
        is_same = (got.opcode, content) == (expected.opcode, expected.content)
        require(is_same, f"message {number} ({expected.how}): {difference(expected.content, content)}")
        compressed += got.compressed
        payload_bytes += len(got.payload)
    sending.join(SECONDS)
    peer.close()
    total = sum(len(message.content) for message in sent)
    finals, far = (sum(what in message.how for message in sent) for what in ("BFINAL", "matches at the distance"))
    return (
        f"{len(sent)} messages of {total / 1e3:.0f} kB ({finals} with BFINAL, {far} with matches at the window's end), "
        f"{compressed} came back compressed, in {payload_bytes / 1e3:.0f} kB"
    )


def send_all(peer: RawPeer, sent: list[Sent]) -> None:
    with contextlib.suppress(OSError):
        for message in sent:
            peer.send(message.frames)


def difference(expected: bytes, got: bytes) -> str:
    place = next((place for place, (one, other) in enumerate(zip(expected, got)) if one != other), min(len(expected), len(got)))
    return f"expected {len(expected)} bytes, got {len(got)}, which differ from byte {place} on"


def as_client(bench: Bench, kind: str, agreed: Parameters, sequence: Sequence) -> str:
    """Our program is the server. It may do as it likes, the client says what holds."""
    source = random.Random(f"{sequence.seed} {kind} {agreed.text()}")
    level = source.randint(1, 9)
    with bench.server(kind, Parameters(), level) as (server, relay), client_of(relay.port, agreed, MASK) as (peer, answer):
        require_equal("server's window", agreed.server_max_window_bits, read_header(answer).server_max_window_bits)
        require_equal("server's takeover", agreed.server_no_context_takeover, read_header(answer).server_no_context_takeover)
        ours = Sender(agreed.client_max_window_bits, not agreed.client_no_context_takeover, MASK, source)
        theirs = Inflater(agreed.server_max_window_bits, not agreed.server_no_context_takeover)
        told = exchange(peer, [ours.next() for _ in range(sequence.messages)], theirs)
        require("panicked" not in server.stderr(), f"our server panicked:\n{server.last_lines()}")
        return f"{told}; level {level}"


def as_server(bench: Bench, agreed: Parameters, sequence: Sequence) -> str:
    """Our program is the client. It offers anything, the server says what holds."""
    source = random.Random(f"{sequence.seed} client {agreed.text()}")
    level = source.randint(1, 9)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(SECONDS)
        uri = f"ws://127.0.0.1:{listener.getsockname()[1]}"
        with bench.client(uri, Parameters(client_max_window_bits=True), level) as client:
            with server_for(listener, agreed) as (peer, offer):
                require_equal("offer", "permessage-deflate; client_max_window_bits", offer)
                ours = Sender(agreed.server_max_window_bits, not agreed.server_no_context_takeover, b"", source)
                theirs = Inflater(agreed.client_max_window_bits, not agreed.client_no_context_takeover)
                told = exchange(peer, [ours.next() for _ in range(sequence.messages)], theirs)
            require_end(client)
    return f"{told}; level {level}"


def run(bench: Bench, kind: str, agreed: Parameters, sequence: Sequence) -> str:
    try:
        told = as_server(bench, agreed, sequence) if kind == "client" else as_client(bench, kind, agreed, sequence)
    except (CheckFailed, OSError) as failure:
        raise CheckFailed(f"--seed {sequence.seed}, {agreed.text()}: {failure}") from failure
    return told


def mixed(source: random.Random) -> Iterator[Parameters]:
    """Agreements that differ between the directions."""
    for _ in range(MIXED_AGREEMENTS):
        yield Parameters(
            source.random() < 0.5, source.random() < 0.5, source.choice(WINDOWS), source.choice(WINDOWS),
        )


def checks(bench: Bench, sequence: Sequence) -> list[Check]:
    found = [
        Check(f"zlib: {title}, window {bits}, {TAKEOVER[takeover]}", runner(bench, kind, both(bits, takeover), sequence))
        for kind, title in KINDS.items() for takeover in TAKEOVER for bits in WINDOWS
    ]
    for kind, title in KINDS.items():
        for agreed in mixed(random.Random(f"{sequence.seed} mixed {kind}")):
            found.append(Check(f"zlib: {title}, mixed, {agreed.text()}", runner(bench, kind, agreed, sequence)))
    return found


def runner(bench: Bench, kind: str, agreed: Parameters, sequence: Sequence) -> Callable[[], str]:
    return lambda: run(bench, kind, agreed, sequence)
