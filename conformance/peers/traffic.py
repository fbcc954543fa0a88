"""What is sent: a plan of messages, cut out of two pools of bytes that both sides read from files.

The pools and the plan are the same in every run, so that a failure can be had again.
"""

from __future__ import annotations

import json
import random
from dataclasses import asdict, dataclass
from pathlib import Path

KIB, MIB = 1 << 10, 1 << 20
LARGEST = 16 * MIB
POOL_SIZE = LARGEST + MIB

# Each side of where the length field grows (RFC 6455 §5.2), and the sizes of common buffers.
EDGE_SIZES = [0, 1, 2, 125, 126, 127, 1023, 1024, 4095, 4096, 8191, 8192, 16384, 65534, 65535, 65536, 65537, 131072]
LARGE_SIZES = [LARGEST] * 4 + [LARGEST - 1] * 2 + [MIB, MIB + 1, 2 * MIB, 3 * MIB, 5 * MIB, 8 * MIB] * 4
# One to four bytes in UTF-8; no line ends, because the line client's messages are lines.
ALPHABET = "abcdefghijklmnopqrstuvwxyz 0123456789\t\"\\'<>{}%äößéñçŁΩжשع‱€→漢字かな한글😀🚀𝔘🜁"


@dataclass(frozen=True)
class PlannedMessage:
    """A message: which piece of which pool, in how many fragments, and whether a ping goes along."""

    kind: str
    start: int
    size: int
    fragments: int = 1
    ping: bool = False


class Traffic:
    """The pools, in memory and as files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        source = random.Random("twinsock")
        text = "".join(source.choices(ALPHABET, k=300_000)).encode()
        self.pools = {
            "binary": source.randbytes(POOL_SIZE),
            "text": (text * (POOL_SIZE // len(text) + 1))[:POOL_SIZE],
        }
        for kind, pool in self.pools.items():
            (folder / f"{kind}.pool").write_bytes(pool)

    def content(self, message: PlannedMessage) -> bytes:
        return self.pools[message.kind][message.start:message.start + message.size]

    def write_plan(self, name: str, messages: list[PlannedMessage]) -> Path:
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps([asdict(message) for message in messages]))
        return path

    def piece(self, kind: str, size: int, source: random.Random, **how: object) -> PlannedMessage:
        """A piece from a random place; of text, whole characters."""
        pool = self.pools[kind]
        start = source.randrange(POOL_SIZE - size - KIB)
        if kind == "text":
            while not (starts_character(pool[start]) and starts_character(pool[start + size])):
                start += 1
        return PlannedMessage(kind, start, size, **how)

    def mixed(self, count: int, kinds: tuple[str, ...]) -> list[PlannedMessage]:
        """Mostly small messages, with all edge sizes in each kind, and about 200 MiB in a few large ones."""
        source = random.Random("mixed")
        sizes = [(kind, size) for kind in kinds for size in EDGE_SIZES]
        sizes += [(kinds[place % len(kinds)], size) for place, size in enumerate(LARGE_SIZES)]
        while len(sizes) < count:
            sizes.append((source.choice(kinds), int(2 ** source.uniform(0, 15))))
        source.shuffle(sizes)
        return [self.piece(kind, size, source) for kind, size in sizes]

    def fragmented(self, count: int) -> list[PlannedMessage]:
        """Messages in 2 to 40 fragments, some of them empty, with pings between the fragments."""
        source = random.Random("fragmented")
        return [
            self.piece(
                source.choice(("text", "binary")), int(2 ** source.uniform(0, 19)), source,
                fragments=source.randint(2, 40), ping=place % 2 == 0,
            )
            for place in range(count)
        ]


def starts_character(byte: int) -> bool:
    """Whether a byte of valid UTF-8 is the first of its character."""
    return byte & 0xC0 != 0x80
