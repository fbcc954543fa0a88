"""Frames (RFC 6455 §5.2), as bytes that were recorded or are to be sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
FIN, RSV1, MASKED = 0x80, 0x40, 0x80


@dataclass(frozen=True)
class Frame:
    """A frame; its payload is without the mask."""

    fin: bool
    rsv1: bool
    opcode: int
    payload: bytes
    # How many bytes it is, its header included.
    size: int


def read_frame(data: bytes | bytearray, start: int) -> Frame | None:
    """The frame that begins at that place; None while it is not all there."""
    header = data[start:start + 14]
    if len(header) < 2:
        return None
    length, place = header[1] & 0x7F, 2
    if length >= 126:
        width = 2 if length == 126 else 8
        if len(header) < 2 + width:
            return None
        length, place = int.from_bytes(header[2:2 + width], "big"), 2 + width
    mask = b""
    if header[1] & MASKED:
        mask, place = bytes(header[place:place + 4]), place + 4
    end = start + place + length
    if len(data) < end:
        return None
    payload = bytes(data[start + place:end])
    if header[0] & 0x30:
        raise ValueError(f"a frame has RSV2 or RSV3 set: {header[0]:#x}")
    return Frame(bool(header[0] & FIN), bool(header[0] & RSV1), header[0] & 0x0F, masked(payload, mask), place + length)


def write_frame(first: int, payload: bytes, mask: bytes = b"") -> bytes:
    """A frame with that first byte; masked if there is a mask."""
    flag, length = MASKED if mask else 0, len(payload)
    if length < 126:
        header = bytes([first, flag | length])
    elif length < 1 << 16:
        header = bytes([first, flag | 126]) + length.to_bytes(2, "big")
    else:
        header = bytes([first, flag | 127]) + length.to_bytes(8, "big")
    return header + mask + masked(payload, mask)


def masked(payload: bytes, mask: bytes) -> bytes:
    if not any(mask):
        return payload
    repeated = (mask * (len(payload) // 4 + 1))[:len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(len(payload), "big")


@dataclass
class Direction:
    """What went in one direction of a connection."""

    bytes: int = 0
    frames: int = 0
    messages: int = 0
    compressed: int = 0
    fragmented: int = 0
    pings: int = 0
    # The size of each message's payload as it was sent.
    sizes: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, data: bytes) -> Direction:
        """Of the bytes behind the handshake."""
        direction = cls(bytes=len(data))
        begun: list[Frame] = []
        for frame in read_frames(data):
            direction.frames += 1
            direction.pings += frame.opcode == PING
            if frame.opcode >= CLOSE:
                if frame.rsv1:
                    raise ValueError(f"a control frame has RSV1 set: {frame.opcode:#x}")
                continue
            begun.append(frame)
            if frame.fin:
                direction._add(begun)
                begun = []
        return direction

    def _add(self, message: list[Frame]) -> None:
        if any(frame.rsv1 or frame.opcode != CONTINUATION for frame in message[1:]):
            raise ValueError("a fragment behind the first has RSV1 set or begins a message")
        self.messages += 1
        self.compressed += message[0].rsv1
        self.fragmented += len(message) > 1
        self.sizes.append(sum(len(frame.payload) for frame in message))


def read_frames(data: bytes) -> Iterator[Frame]:
    place = 0
    while (frame := read_frame(data, place)) is not None:
        yield frame
        place += frame.size
    if place != len(data):
        raise ValueError(f"{len(data) - place} bytes at the end are no frame")
