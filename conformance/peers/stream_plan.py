"""What a peer sends to a byte stream: messages of all sorts, whose borders must not matter. Both sides know it."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator

MIB = 1 << 20

# Size of a message, and into how many fragments it is cut; some of these are empty.
MESSAGES = [
    (0, 1), (1, 1), (0, 3), (125, 1), (126, 2), (65535, 1), (65536, 7), (MIB, 1), (0, 1), (3 * MIB + 1, 40), (64 * MIB, 1), (5, 5),
]


def content() -> bytes:
    """All bytes that are sent."""
    return b"".join(b"".join(fragments) for fragments in messages())


def messages() -> Iterator[list[bytes]]:
    """Each message as its fragments."""
    source = random.Random("stream")
    for size, count in MESSAGES:
        payload = source.randbytes(size)
        cuts = sorted(source.choices(range(size + 1), k=count - 1))
        yield [payload[start:end] for start, end in zip([0, *cuts], [*cuts, size])]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
