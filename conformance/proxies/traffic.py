"""What goes over each path: lines that must all come back, and a stream whose SHA-256 must."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from harness.checks import CheckFailed, require_equal

MESSAGES = 1000
MIB = 1 << 20
CHUNK = 256 << 10
POOL = 8 * MIB
# The slowest machine, with a proxy between.
SLOWEST = 10 * MIB
# One to four bytes in UTF-8.
ALPHABET = "abcdefghijklmnopqrstuvwxyz 0123456789\t\"\\'{}%äößéñŁΩжשع€→漢字かな한글😀🚀𝔘"
EDGE_SIZES = [0, 1, 125, 126, 127, 1023, 1024, 4095, 4096, 16384, 65535, 65536, 65537, 262144]


@dataclass(frozen=True)
class Program:
    """The program `twinsock`, and an environment in which no variable names a proxy but those given."""

    path: Path
    folder: Path

    def environment(self, variables: dict[str, str] | None = None) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        return {**kept, "RUST_BACKTRACE": "1", "NO_COLOR": "1", **(variables or {})}

    def run(self, words: list[str], stdin: IO[bytes] | int = subprocess.DEVNULL, seconds: float = 60,
            variables: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
        """Runs it to its end, and no longer than so many seconds."""
        try:
            return subprocess.run(
                [str(self.path), *words], stdin=stdin, capture_output=True, timeout=seconds,
                env=self.environment(variables),
            )
        except subprocess.TimeoutExpired as late:
            said = (late.stderr or b"").decode("utf-8", "replace")
            raise ValueError(f"the program did not end within {seconds:.0f} s; it said: {said!r}") from late

    @contextlib.contextmanager
    def piped(self, words: list[str], seconds: float) -> Iterator[subprocess.Popen[bytes]]:
        """Runs it with pipes, and ends it when the time is over."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen([str(self.path), *words], bufsize=0, env=self.environment(), **pipes) as child:
            watchdog = threading.Timer(seconds, child.kill)
            watchdog.start()
            try:
                yield child
            finally:
                watchdog.cancel()
                child.kill()


def lines() -> bytes:
    """The same lines in every run: all edge sizes, else mostly short ones."""
    source = random.Random("proxies")
    sizes = EDGE_SIZES + [int(2 ** source.uniform(0, 14)) for _ in range(MESSAGES - len(EDGE_SIZES))]
    source.shuffle(sizes)
    return "".join("".join(source.choices(ALPHABET, k=size)) + "\n" for size in sizes).encode()


def chunks(total: int) -> Iterator[memoryview]:
    """The same bytes in every run: pieces of a pool at offsets that move, so that none is like the one before."""
    pool = memoryview(random.Random(1).randbytes(POOL + CHUNK))
    offset = 0
    while total > 0:
        piece = pool[offset:offset + min(CHUNK, total)]
        yield piece
        total -= len(piece)
        offset = (offset + CHUNK + 4099) % POOL


def echo_lines(program: Program, words: list[str], variables: dict[str, str] | None = None) -> str:
    sent = lines()
    path = program.folder / "lines"
    path.write_bytes(sent)
    started = time.monotonic()
    with path.open("rb") as stdin:
        done = program.run(["connect", *words], stdin, 120, variables)
    said = done.stderr.decode("utf-8", "replace")
    require_equal("exit code and standard error", (0, ""), (done.returncode, said))
    if done.stdout != sent:
        place = difference(sent, done.stdout)
        raise CheckFailed(f"expected the {len(sent)} bytes that were sent, got {len(done.stdout)}, others from {place} on")
    return f"{MESSAGES} messages, {len(sent) / MIB:.1f} MiB, in {time.monotonic() - started:.2f} s"


def difference(one: bytes, other: bytes) -> int:
    return next((place for place, (left, right) in enumerate(zip(one, other)) if left != right), min(len(one), len(other)))


def echo_stream(program: Program, words: list[str], total: int) -> str:
    sent, received, count = hashlib.sha256(), hashlib.sha256(), 0
    started = time.monotonic()
    with program.piped(["stream", *words], 60 + total / SLOWEST) as client:
        def feed() -> None:
            # A client that ends early is judged by its exit code.
            with contextlib.suppress(BrokenPipeError), client.stdin:
                for piece in chunks(total):
                    sent.update(piece)
                    client.stdin.write(piece)

        feeder = threading.Thread(target=feed)
        feeder.start()
        memory = bytearray(CHUNK)
        while size := client.stdout.readinto(memory):
            received.update(memoryview(memory)[:size])
            count += size
        said = client.stderr.read().decode("utf-8", "replace")
        code = client.wait()
        feeder.join()
    seconds = time.monotonic() - started
    require_equal("exit code and standard error", (0, ""), (code, said))
    require_equal("bytes", total, count)
    require_equal("SHA-256", sent.hexdigest(), received.hexdigest())
    return f"{total / MIB:.0f} MiB there and back at {total / seconds / 1e6:.0f} MB/s, with generator and hash"
