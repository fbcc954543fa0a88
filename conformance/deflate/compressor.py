"""Compresses messages with Python's zlib in every way that RFC 7692 allows, also in those that no library uses."""

from __future__ import annotations

import random
import zlib
from bisect import bisect_right

# RFC 7692 §7.2.1: what a message leaves out at its end.
TAIL = b"\x00\x00\xff\xff"
STRATEGIES = (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED)
FLUSHES = (zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH, zlib.Z_PARTIAL_FLUSH, zlib.Z_BLOCK)
# A stored block's beginning (§7.2.3.6), nothing at all, a block with fixed codes and one more, two stored ones.
EMPTY = ((b"\x00", "a zero"), (b"", "nothing"), (b"\x02\x00", "an empty block"), (b"\x00" + TAIL + b"\x00", "two empty blocks"))
# zlib looks no farther back than its window less this.
MARGIN = 262


class Compressor:
    """The messages of one direction, none of which refers farther back than the window.

    What follows a block with BFINAL refers to nothing before it, as the data of DEFLATE does.
    """

    def __init__(self, bits: int, takeover: bool, source: random.Random) -> None:
        self.size = 1 << bits
        self.takeover = takeover
        self.source = source
        # What later messages may refer to.
        self.history = b""
        self._engine: zlib._Compress | None = None

    def message(self, content: bytes) -> tuple[bytes, str]:
        """The payload of a message with that content, and how it was made."""
        if not self.takeover:
            self._forget()
        if not content and self.source.random() < 0.5:
            return self.source.choice(EMPTY)
        if self.source.random() < 0.3:
            self._engine = None
        if self._engine is None and 2 * len(content) < self.size and self.source.random() < 0.5:
            return self._far_reaching(content)
        return self._in_pieces(content)

    def far_match(self, length: int) -> tuple[bytes, bytes, str]:
        """A message that repeats the oldest bytes of the window, which has to be full, with matches from there."""
        content = self.history[:length]
        self._remember(content)
        self._engine = None
        return content, fixed_block_of_matches(length, self.size), f"matches at the distance {self.size}"

    def is_full(self) -> bool:
        return self.takeover and len(self.history) == self.size

    def _in_pieces(self, content: bytes) -> tuple[bytes, str]:
        made, how = [], []
        cuts = sorted(self.source.randrange(len(content) + 1) for _ in range(self.source.choice((0, 0, 1, 4))))
        before = 0
        for cut in cuts:
            made.append(self._piece(content[before:cut], how))
            before = cut
        made.append(self._last_piece(content[before:], how))
        return b"".join(made), ", ".join(how)

    def _piece(self, content: bytes, how: list[str]) -> bytes:
        made = self._compress(content, how)
        way = self.source.random()
        if way < 0.2:
            return made
        if way < 0.35:
            return made + self._finish(how)
        flushes = [self.source.choice(FLUSHES) for _ in range(self.source.choice((1, 1, 3)))]
        how += [f"flush {flush}" for flush in flushes]
        return made + b"".join(self._flush(flush) for flush in flushes)

    def _last_piece(self, content: bytes, how: list[str]) -> bytes:
        made = self._compress(content, how)
        way = self.source.random()
        if way < 0.15:
            # §7.2.3.4; some senders leave out the zeros behind it.
            return made + self._finish(how) + self.source.choice((b"\x00", b""))
        flush = self.source.choice((zlib.Z_SYNC_FLUSH, zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH))
        how.append(f"flush {flush}")
        made += self._flush(flush)
        if not made.endswith(TAIL):
            raise ValueError(f"zlib left no empty block: {how}")
        return made[:-len(TAIL)]

    def _compress(self, content: bytes, how: list[str]) -> bytes:
        if self._engine is None:
            self._engine = self._new_engine(max(9, self.size.bit_length() - 1), self.history, how)
        self._remember(content)
        how.append(f"{len(content)} bytes")
        return self._engine.compress(content)

    def _flush(self, mode: int) -> bytes:
        # zlib writes nothing for a flush that follows another at once.
        return self._engine.compress(b"") + self._engine.flush(mode) if self._engine else b""

    def _finish(self, how: list[str]) -> bytes:
        how.append("BFINAL")
        made = self._flush(zlib.Z_FINISH)
        self._forget()
        return made

    def _far_reaching(self, content: bytes) -> tuple[bytes, str]:
        """With an engine that has a larger window, but is told only as much as may be referred to: so it looks back to its end."""
        bits = min(15, (self.size + MARGIN).bit_length() + 1)
        how: list[str] = []
        known = self.history[-(self.size - len(content)):]
        engine = self._new_engine(bits, known, how)
        self._remember(content)
        payload = engine.compress(content) + engine.flush(zlib.Z_SYNC_FLUSH)
        return payload[:-len(TAIL)], f"far-reaching, {', '.join(how)}"

    def _new_engine(self, bits: int, known: bytes, how: list[str]) -> zlib._Compress:
        level = self.source.choice((0, 1, 1, 5, 6, 9))
        memory, strategy = self.source.randint(1, 9), self.source.choice(STRATEGIES)
        how.append(f"level {level}, window {bits}, memory {memory}, strategy {strategy}")
        words = {"zdict": known} if known else {}
        return zlib.compressobj(level, zlib.DEFLATED, -bits, memory, strategy, **words)

    def _remember(self, content: bytes) -> None:
        self.history = (self.history + content)[-self.size:]

    def _forget(self) -> None:
        self.history, self._engine = b"", None


# RFC 1951 §3.2.5: the least length and the least distance of each code.
LENGTHS = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227]
DISTANCES = [1, 2, 3, 4] + [(2 + odd << extra) + 1 for extra in range(1, 14) for odd in (0, 1)]


class Bits:
    """Bits as DEFLATE packs them: numbers from their lowest bit on, codes from their highest (RFC 1951 §3.1.1)."""

    def __init__(self) -> None:
        self.bits: list[int] = []

    def number(self, value: int, width: int) -> None:
        self.bits += [value >> place & 1 for place in range(width)]

    def code(self, value: int, width: int) -> None:
        self.bits += [value >> place & 1 for place in reversed(range(width))]

    def bytes(self) -> bytes:
        padded = self.bits + [0] * (-len(self.bits) % 8)
        return bytes(sum(bit << place for place, bit in enumerate(padded[start:start + 8])) for start in range(0, len(padded), 8))


def fixed_block_of_matches(length: int, distance: int) -> bytes:
    """So many bytes from that far back, at least 3, as a block with fixed codes (RFC 1951 §3.2.6), then an empty block."""
    bits = Bits()
    bits.number(0, 1)
    bits.number(1, 2)
    while length:
        # What remains must be nothing or at least 3.
        match = length if length <= 257 else min(257, length - 3)
        write_match(bits, match, distance)
        length -= match
    bits.code(0, 7)
    bits.number(0, 3)
    return bits.bytes()


def write_match(bits: Bits, length: int, distance: int) -> None:
    place = bisect_right(LENGTHS, length) - 1
    symbol = 257 + place
    if symbol < 280:
        bits.code(symbol - 256, 7)
    else:
        bits.code(0xC0 + symbol - 280, 8)
    bits.number(length - LENGTHS[place], max(0, place // 4 - 1))
    place = bisect_right(DISTANCES, distance) - 1
    bits.code(place, 5)
    bits.number(distance - DISTANCES[place], max(0, place // 2 - 1))


class Inflater:
    """Inflates the messages of one direction, with no larger window than was agreed on."""

    def __init__(self, bits: int, takeover: bool) -> None:
        self.bits, self.takeover = bits, takeover
        self._engine = zlib.decompressobj(-bits)

    def message(self, payload: bytes) -> bytes:
        if not self.takeover:
            self._engine = zlib.decompressobj(-self.bits)
        content = inflate_strictly(self._engine, payload + TAIL)
        if self._engine.eof or self._engine.unused_data:
            raise ValueError("the message has a block with BFINAL")
        return content


def inflate_strictly(engine: zlib._Decompress, data: bytes) -> bytes:
    """Byte by byte: in what comes of one call zlib would look back farther than the window."""
    content = bytearray()
    for place in range(len(data)):
        rest = data[place:place + 1]
        while (piece := engine.decompress(rest, 1)) or engine.unconsumed_tail:
            content += piece
            rest = engine.unconsumed_tail
    return bytes(content)
