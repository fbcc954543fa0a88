"""What is sent: a plan of messages, cut out of two pools of bytes that both sides read from files.

The pools and the plan follow from a seed, so that a failure can be had again.
"""

from __future__ import annotations

import json
import random
from dataclasses import asdict, dataclass
from pathlib import Path

KIB, MIB = 1 << 10, 1 << 20
POOL_SIZE = 3 * MIB
# Most messages are from here, so that what they have in common is at every distance up to the largest window.
HOT_SIZE = 48 * KIB

# So many of the first messages are the same random bytes: only what went before makes a later one smaller.
TWINS = 12
TWIN_SIZE = 200

# Each side of where the length field grows (RFC 6455 §5.2), of the least size that is compressed, and of the windows.
EDGE_SIZES = [
    0, 1, 2, 125, 126, 127, 128, 129, *((1 << bits) + more for bits in range(8, 16) for more in (-1, 0, 1)),
    65534, 65535, 65536, 65537,
]
LARGE_SIZES = [MIB] * 4
# One to four bytes in UTF-8.
ALPHABET = "abcdefghijklmnopqrstuvwxyz 0123456789\t\n\"\\'<>{}%äößéñçŁΩжשع‱€→漢字かな한글😀🚀𝔘🜁"
WORDS = [
    "Übermut", "größer", "naïve", "жук", "漢字かな", "한글", "🚀 launch", "€ 3,50", "value", "\"key\": ", "null", "\n  ", "twinsock",
]


@dataclass(frozen=True)
class PlannedMessage:
    """A message: which piece of which pool, where it is cut, and how it is sent by a peer that can."""

    kind: str
    start: int
    size: int
    # Places in bytes, ascending; twice the same is an empty fragment.
    cuts: tuple[int, ...] = ()
    # Not compressed, though it could be.
    plain: bool = False
    # With a Ping, behind the first fragment if there are several.
    ping: bool = False


class Pools:
    """The pools, in memory and as files in a folder."""

    def __init__(self, folder: Path, seed: str) -> None:
        self.folder = folder
        source = random.Random(f"pools {seed}")
        self.bytes = {"text": text_pool(source), "binary": binary_pool(source)}
        for kind, pool in self.bytes.items():
            (folder / f"{kind}.pool").write_bytes(pool)

    def piece(self, kind: str, size: int, source: random.Random, **how: object) -> PlannedMessage:
        """A piece from a random place; of text, whole characters."""
        pool = self.bytes[kind]
        reach = HOT_SIZE if size < HOT_SIZE // 2 and source.random() < 0.7 else POOL_SIZE - size - KIB
        start = source.randrange(reach)
        if kind == "text":
            while not (starts_character(pool[start]) and starts_character(pool[start + size])):
                start += 1
        return PlannedMessage(kind, start, size, **how)

    def write_plan(self, name: str, messages: list[PlannedMessage]) -> Path:
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps([asdict(message) for message in messages]))
        return path


def text_pool(source: random.Random) -> bytes:
    """Characters without order and words that recur, in turn."""
    parts, size = [], 0
    while size < POOL_SIZE:
        if source.random() < 0.5:
            part = "".join(source.choices(ALPHABET, k=source.randrange(2000)))
        else:
            part = "".join(source.choices(WORDS, k=source.randrange(2000)))
        parts.append(part.encode())
        size += len(parts[-1])
    return b"".join(parts)[:POOL_SIZE]


def binary_pool(source: random.Random) -> bytes:
    """Random bytes, runs of the same one, few different ones, and counters, in turn. It begins with random ones."""
    parts = [source.randbytes(HOT_SIZE // 4)]
    size = len(parts[0])
    while size < POOL_SIZE:
        count = source.randrange(1, 4000)
        parts.append(source.choice([
            source.randbytes, lambda count: bytes([source.randrange(256)]) * count,
            lambda count: bytes(source.choices(b"\x00\x01\x80\xff", k=count)),
            lambda count: b"".join(number.to_bytes(4, "big") for number in range(count // 4)),
        ])(count))
        size += len(parts[-1])
    return b"".join(parts)[:POOL_SIZE]


def plan(pools: Pools, count: int, source: random.Random) -> list[PlannedMessage]:
    """So many messages: the twins first, then the others in random order."""
    messages = [*short_messages_with_each_cut(pools, source), *edges(pools, source)]
    while len(messages) < count - TWINS:
        size = random_size(source)
        messages.append(pools.piece(
            source.choice(("text", "binary")), size, source, cuts=random_cuts(size, source),
            plain=source.random() < 0.15, ping=source.random() < 0.02,
        ))
    source.shuffle(messages)
    return [PlannedMessage("binary", 0, TWIN_SIZE)] * TWINS + messages[:count - TWINS]


def edges(pools: Pools, source: random.Random) -> list[PlannedMessage]:
    sizes = [(kind, size) for kind in ("text", "binary") for size in EDGE_SIZES]
    sizes += [(("text", "binary")[place % 2], size) for place, size in enumerate(LARGE_SIZES)]
    return [pools.piece(kind, size, source) for kind, size in sizes]


def random_size(source: random.Random) -> int:
    """Mostly small; now and then up to 64 KiB."""
    exponent = source.choices(((0, 9), (7, 13), (13, 16)), (90, 9.5, 0.5))[0]
    return int(2 ** source.uniform(*exponent))


def random_cuts(size: int, source: random.Random) -> tuple[int, ...]:
    if source.random() < 0.75:
        return ()
    return tuple(sorted(source.randrange(size + 1) for _ in range(source.randint(1, 8))))


def short_messages_with_each_cut(pools: Pools, source: random.Random) -> list[PlannedMessage]:
    """Each message in two fragments in every way there is, and in single bytes."""
    messages = []
    for kind, size in (("text", 0), ("text", 40), ("binary", 40)):
        piece = pools.piece(kind, size, source)
        ways = [(cut,) for cut in range(size + 1)] + [tuple(range(1, size)), (size // 2, size // 2)]
        messages += [PlannedMessage(kind, piece.start, size, cuts=cuts, ping=cuts == (7,)) for cuts in ways]
    return messages


def starts_character(byte: int) -> bool:
    """Whether a byte of valid UTF-8 is the first of its character."""
    return byte & 0xC0 != 0x80
