"""What is sent: compressed payloads that are more, or take longer, than they look. All without the tail 00 00 FF FF."""

from __future__ import annotations

import itertools
import random
import zlib
from collections.abc import Iterator

MIB = 1 << 20
TAIL = b"\x00\x00\xff\xff"
# Empty blocks: a stored one, four with fixed codes (each has ten bits), and one that is the last of a member
# (RFC 1951 §3.2.3).
EMPTY_STORED = b"\x00\x00\x00\xff\xff"
EMPTY_FIXED = b"\x02\x08\x20\x80\x00"
EMPTY_MEMBER = b"\x03\x00"
EMPTY_BLOCKS = (("stored", EMPTY_STORED), ("fixed", EMPTY_FIXED), ("last", EMPTY_MEMBER))
# `a` as a member of its own.
MEMBER_OF_A_BYTE = b"\x4b\x04\x00"
# Of an endless message; a little below the limit for what comes with nothing in it.
PIECE = 60 << 10


def deflated(*contents: bytes) -> bytes:
    """Compressed as small as zlib can."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    payload = b"".join(compressor.compress(content) for content in contents) + compressor.flush(zlib.Z_SYNC_FLUSH)
    return payload.removesuffix(TAIL)


def zeros(size: int) -> bytes:
    """So many bytes of zeros, 2 MiB at a time: each piece stands for itself."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = compressor.compress(bytes(2 * MIB)) + compressor.flush(zlib.Z_FULL_FLUSH)
    return (piece * (size // (2 * MIB))).removesuffix(TAIL)


def cut(payload: bytes, size: int = PIECE) -> list[bytes]:
    return [payload[start:start + size] for start in range(0, len(payload), size)]


def without_end(block: bytes) -> Iterator[bytes]:
    """The same block again and again, in pieces."""
    return itertools.repeat(block * (PIECE // len(block)))


def stored_without_end() -> Iterator[bytes]:
    """Blocks that are as long as what they stand for."""
    content = random.Random("bombs").randbytes(0xFFFF)
    return itertools.repeat(b"\x00\xff\xff\x00\x00" + content)


def text_with_a_wrong_end(size: int) -> bytes:
    return deflated(b"a" * (size - 1), b"\xff")
