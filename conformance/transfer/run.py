#!/usr/bin/env python3
"""Copies many bytes through `twinsock stream` and `twinsock serve`, and checks that they come back in bounded memory.

Each size is copied with each framing: a generator's bytes go in, what comes out must have the same SHA-256. A last copy
without a generator and a hash tells the rate. No program may need more than 32 MiB, nor more for a larger size.

Prints a line for each check and at the end `N passed, N failed`. Exit status: 0 all passed, 1 some failed, 2 the
checks could not be run.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from harness.checks import Check, CheckFailed, require, require_equal, run_checks  # noqa: E402
from harness.processes import Child, Deadline, end_cleanly_on_sigterm  # noqa: E402
from harness.programs import BuildFailed, release_binary  # noqa: E402

MIB = 1 << 20
UNITS = {"": 1, "KiB": 1 << 10, "MiB": MIB, "GiB": 1 << 30}
CHUNK = 256 << 10
POOL = 8 * MIB
MOST_MEMORY = 32 * MIB
# What an allocator may keep more after a longer run.
TOLERANCE = 4 * MIB
SLOWEST = 20 * MIB
START_SECONDS = 20
SAMPLE_SECONDS = 0.02
FRAMINGS = {"message per flush": (), "endless message": ("--endless-message",)}


def size(text: str) -> int:
    found = re.fullmatch(r"(\d+) ?(|KiB|MiB|GiB)", text)
    if found is None or int(found[1]) == 0:
        raise argparse.ArgumentTypeError(f"expected a size such as 256MiB, got {text!r}")
    return int(found[1]) * UNITS[found[2]]


def shown(count: int) -> str:
    return f"{count >> 30} GiB" if count % (1 << 30) == 0 else f"{count / MIB:.0f} MiB"


def chunks(total: int) -> Iterator[memoryview]:
    """The same bytes in every run: pieces of a pool at offsets that move, so that none is like the one before."""
    pool = memoryview(random.Random(1).randbytes(POOL + CHUNK))
    offset = 0
    while total > 0:
        piece = pool[offset:offset + min(CHUNK, total)]
        yield piece
        total -= len(piece)
        offset = (offset + CHUNK + 4099) % POOL


def peak_memory(pid: int) -> int | None:
    """The most memory the process has had; None where the system does not tell, or when the process is gone."""
    with contextlib.suppress(OSError):
        found = re.search(r"^VmHWM:\s*(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
        return int(found[1]) << 10 if found else None
    return None


@dataclass
class Copy:
    """What a copy came to."""

    code: int
    errors: str
    seconds: float
    sent: str = ""
    received: str = ""
    count: int = 0
    peak: int = 0


@dataclass
class Bench:
    """The program, and the most memory that each copy took."""

    program: Path
    folder: Path
    peaks: dict[str, dict[int, tuple[int, int]]] = field(default_factory=dict)

    @contextlib.contextmanager
    def serve(self) -> Iterator[tuple[Child, str]]:
        with Child([str(self.program), "serve", "--listen", "127.0.0.1:0"], self.folder / "serve.log") as server:
            found = re.fullmatch(r"listening on (ws://\S+)", server.first_line(Deadline(START_SECONDS)) or "")
            if found is None:
                raise CheckFailed(f"the server did not start; its last words:\n{server.last_lines()}")
            yield server, found[1]

    @contextlib.contextmanager
    def stream(self, words: tuple[str, ...], total: int, **streams: object) -> Iterator[subprocess.Popen[bytes]]:
        """Runs `twinsock stream`, and ends it when the time is over that the slowest machine needs."""
        command = [str(self.program), "stream", *words]
        with subprocess.Popen(command, stderr=subprocess.PIPE, **streams) as client:
            watchdog = threading.Timer(60 + total / SLOWEST, client.kill)
            watchdog.start()
            try:
                yield client
            finally:
                watchdog.cancel()
                client.kill()


def sample_memory(client: subprocess.Popen[bytes], copy: Copy) -> None:
    """The mark only rises, so that the last look before the end tells."""
    while (peak := peak_memory(client.pid)) is not None:
        copy.peak = peak
        time.sleep(SAMPLE_SECONDS)


def feed(stdin: IO[bytes], total: int, copy: Copy) -> None:
    digest = hashlib.sha256()
    # A client that ends early is judged by its exit code.
    with contextlib.suppress(BrokenPipeError), stdin:
        for piece in chunks(total):
            digest.update(piece)
            stdin.write(piece)
    copy.sent = digest.hexdigest()


def drain(stdout: IO[bytes], copy: Copy) -> None:
    digest, memory = hashlib.sha256(), bytearray(CHUNK)
    while count := stdout.readinto(memory):
        digest.update(memoryview(memory)[:count])
        copy.count += count
    copy.received = digest.hexdigest()


def checked_copy(bench: Bench, uri: str, options: tuple[str, ...], total: int) -> Copy:
    copy, started = Copy(-1, "", 0.0), time.monotonic()
    with bench.stream((uri, *options), total, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as client:
        sampler = threading.Thread(target=sample_memory, args=(client, copy))
        feeder = threading.Thread(target=feed, args=(client.stdin, total, copy))
        sampler.start()
        feeder.start()
        drain(client.stdout, copy)
        copy.errors = client.stderr.read().decode(errors="replace")
        copy.code = client.wait()
        feeder.join()
        sampler.join()
    copy.seconds = time.monotonic() - started
    return copy


def check_copy(bench: Bench, framing: str, total: int) -> str:
    with bench.serve() as (server, uri):
        copy = checked_copy(bench, uri, FRAMINGS[framing], total)
        serving = peak_memory(server.process.pid)
        require_equal("exit code", 0, copy.code)
        require_equal("standard error", "", copy.errors)
        require_equal("bytes", total, copy.count)
        require_equal("SHA-256", copy.sent, copy.received)
        require_equal("the server's errors", "", server.stderr())
    rate = f"{total / copy.seconds / 1e6:.0f} MB/s with generator and hash"
    if not copy.peak or serving is None:
        return f"{rate}; memory is not told here"
    bench.peaks.setdefault(framing, {})[total] = (copy.peak, serving)
    memory = f"at most {copy.peak / MIB:.1f} MiB in `stream`, {serving / MIB:.1f} MiB in `serve`"
    require(max(copy.peak, serving) < MOST_MEMORY, f"expected less than {shown(MOST_MEMORY)}, got {memory}")
    return f"{rate}; {memory}"


def check_growth(bench: Bench, framing: str) -> str:
    peaks = bench.peaks.get(framing, {})
    if len(peaks) < 2:
        return "memory is not told here, or a copy failed"
    small, large = peaks[min(peaks)], peaks[max(peaks)]
    growth = [more - less for less, more in zip(small, large)]
    told = " and ".join(f"{count / 1024:+.0f} KiB in `{name}`" for name, count in zip(("stream", "serve"), growth))
    require(max(growth) < TOLERANCE, f"expected no more than {shown(TOLERANCE)}, got {told}")
    return f"{told} from {shown(min(peaks))} to {shown(max(peaks))}"


def check_rate(bench: Bench, total: int) -> str:
    """Nothing but the two programs: a file without content goes in, nothing looks at what comes out."""
    hollow = bench.folder / "hollow"
    with hollow.open("wb") as file:
        file.truncate(total)
    with bench.serve() as (_, uri), hollow.open("rb") as stdin:
        started = time.monotonic()
        with bench.stream((uri,), total, stdin=stdin, stdout=subprocess.DEVNULL) as client:
            errors = client.stderr.read().decode(errors="replace")
            require_equal("exit code and errors", (0, ""), (client.wait(), errors))
        seconds = time.monotonic() - started
    return f"{total / seconds / 1e6:.0f} MB/s there, and as much back at the same time"


def main() -> int:
    end_cleanly_on_sigterm()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=size, default=size("4GiB"), metavar="SIZE", help="the larger size (default: 4GiB); the smaller one is a quarter of it")
    parser.add_argument("--program", type=Path, metavar="PATH", help="the program to check (default: built with cargo)")
    options = parser.parse_args()
    try:
        program = options.program or release_binary("twinsock-cli", "twinsock")
    except BuildFailed as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 2
    sizes = [max(1, options.size // 4), options.size]
    with tempfile.TemporaryDirectory(prefix="twinsock-transfer-") as folder:
        bench = Bench(program.resolve(), Path(folder))
        checks = []
        for framing in FRAMINGS:
            for total in sizes:
                checks.append(Check(f"{framing}, {shown(total)}", lambda f=framing, t=total: check_copy(bench, f, t)))
            checks.append(Check(f"{framing}, growth of memory", lambda f=framing: check_growth(bench, f)))
        checks.append(Check(f"rate, {shown(options.size)}", lambda: check_rate(bench, options.size)))
        return run_checks(checks)


if __name__ == "__main__":
    sys.exit(main())
