#!/usr/bin/env python3
"""Sends bombs (compressed messages that are more, or take longer, than they look) to the servers and to the client.

Each must be answered with the right Close frame within a second, and must cost little memory; other connections must not
suffer. Prints a line for each check, with what the bomb cost the process that it was sent to, and at the end
`N passed, N failed`. Exit status: 0 all passed, 1 some failed, 2 the checks could not be run.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import payloads  # noqa: E402
import wire  # noqa: E402
from harness.checks import Check, require, require_equal, run_checks  # noqa: E402
from harness.processes import Child, Deadline, end_cleanly_on_sigterm  # noqa: E402
from harness.programs import BuildFailed, release_binary  # noqa: E402
from harness.tcp_server import tcp_server  # noqa: E402
from meter import MIB, Cost, Meter  # noqa: E402
from payloads import PIECE, cut, deflated  # noqa: E402
from wire import BINARY, TEXT, Connection, Sender  # noqa: E402

LIMIT = MIB
# 1009 is due within so many seconds, and at most so much memory may be held meanwhile.
SECONDS = 1.0
# What comes behind the Close frame must not cost work either.
PROCESSOR = 0.1
MEMORY = 32 * MIB
MANY = 100
TOO_BIG, NOT_DEFLATE = 1009, 1007
# What is sent, as frames, over a connection.
Bomb = Callable[[Connection], Iterable[bytes]]


@dataclass(frozen=True)
class Outcome:
    """What came of a bomb: the code of the Close frame, or none and the size of the echo; what that cost, and what came after."""

    code: int | None
    echoed: int
    cost: Cost
    processor_seconds: float = 0.0

    def __str__(self) -> str:
        told = f"echoed {self.echoed} bytes" if self.code is None else f"{self.code}"
        return f"{told} after {self.cost}; {self.processor_seconds:.2f} s of the processor until the end"


def one_frame(payload: bytes, kind: int = BINARY) -> Bomb:
    return lambda connection: connection.message(kind, [payload])


def in_frames(pieces: list[bytes]) -> Bomb:
    return lambda connection: connection.message(BINARY, pieces)


def endless(pieces: Callable[[], Iterator[bytes]]) -> Bomb:
    return lambda connection: connection.message_without_end(pieces())


def await_end(connection: Connection, sender: Sender, meter: Meter) -> Outcome:
    """Reads until a Close frame or the end of a message."""
    size, is_compressed = 0, False
    while (frame := connection.receive()) is not None:
        if frame.opcode == wire.CLOSE:
            cost = meter.cost()
            sender.stop()
            connection.answer_close(frame)
            return Outcome(frame.close_code(), size, cost, meter.processor_seconds())
        is_compressed = frame.is_compressed if frame.opcode else is_compressed
        size += len(connection.inflated(frame) if is_compressed else frame.payload)
        if frame.is_final:
            return Outcome(None, size, meter.cost())
    raise OSError("expected a Close frame, got the end of the connection")


def blow(connection: Connection, pid: int, bomb: Bomb) -> Outcome:
    frames = bomb(connection)
    meter = Meter(pid)
    sender = connection.send_in_background(frames)
    outcome = await_end(connection, sender, meter)
    sender.finish()
    return outcome


def judge(outcome: Outcome, code: int | None, size: int | None = None) -> str:
    require_equal("close code", code, outcome.code)
    if size is not None:
        require_equal("size of the echo", size, outcome.echoed)
    if code is not None:
        require(outcome.cost.seconds < SECONDS, f"expected an answer within {SECONDS} s, got {outcome}")
    require(outcome.processor_seconds < PROCESSOR, f"expected at most {PROCESSOR} s of the processor, got {outcome}")
    require(outcome.cost.memory < MEMORY, f"expected less than {MEMORY // MIB} MiB, got {outcome}")
    return str(outcome)


class Bench:
    """The programs, and what starts them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = str(release_binary("twinsock-cli", "twinsock"))
        # `serve` sends each part back at once: whole messages need a server that collects them.
        self.collector = str(release_binary("twinsock-testkit", "deflate-echo"))
        self._count = 0

    def log(self) -> Path:
        self._count += 1
        return self.folder / f"log-{self._count}"

    @contextlib.contextmanager
    def server(self, name: str) -> Iterator[tuple[Child, int]]:
        """`serve` in parts and `collect` whole messages, both with a limit of a MiB; `+takeover`: with context takeover."""
        takeover = name.endswith("+takeover")
        if name.startswith("serve"):
            deflate = "--deflate=" if takeover else "--deflate"
            command = [self.program, "serve", "--listen", "127.0.0.1:0", deflate, "--max-message-size", str(LIMIT)]
        else:
            command = [self.collector, str(LIMIT), *([""] if takeover else [])]
        with Child(command, self.log()) as child:
            line = child.first_line(Deadline(20)) or ""
            found = re.fullmatch(r"listening on ws://\S+:(\d+)", line)
            require(found is not None, f"expected a server, got {line!r}\n{child.last_lines()}")
            yield child, int(found[1])


def check_server(bench: Bench, name: str, bomb: Bomb, code: int | None, size: int | None = None) -> str:
    with bench.server(name) as (child, port):
        with wire.connect(port) as connection:
            return judge(blow(connection, child.process.pid, bomb), code, size)


def check_in_a_row(bench: Bench, name: str) -> str:
    """Messages that are just within the limit, 64 in one connection, then one that is not."""
    fits, bursts = deflated(bytes(LIMIT)), deflated(bytes(LIMIT + 1))
    with bench.server(name) as (child, port), wire.connect(port) as connection:
        for _ in range(64):
            # What was sent before is in the window, so that this is no longer the smallest form, but a right one.
            last = blow(connection, child.process.pid, one_frame(fits))
            judge(last, None, LIMIT)
        return judge(blow(connection, child.process.pid, one_frame(bursts)), TOO_BIG)


def check_speed(bench: Bench, name: str, block: bytes) -> str:
    """A byte comes out of each block, so that the work is that for what goes in: for twice as much no more than thrice."""
    rates, seconds = [], []
    for size in (3 * MIB // 2, 3 * MIB):
        count = size // len(block)
        with bench.server(name) as (child, port), wire.connect(port) as connection:
            outcome = blow(connection, child.process.pid, in_frames(cut(block * count)))
            judge(outcome, None, count)
            seconds.append(outcome.cost.processor_seconds)
            rates.append(size / MIB / max(outcome.cost.processor_seconds, 0.01))
    require(seconds[1] < 3 * seconds[0] + 0.2, f"expected linear work, got {seconds[0]} s and {seconds[1]} s")
    return f"{rates[0]:.0f} and {rates[1]:.0f} MiB of input for each second of the processor"


def check_crowd(bench: Bench, name: str) -> str:
    """A hundred bombs at a time."""
    bomb = payloads.zeros(1 << 30)
    with bench.server(name) as (child, port):
        meter, codes = Meter(child.process.pid), []

        def one() -> None:
            with wire.connect(port) as connection:
                codes.append(blow(connection, child.process.pid, one_frame(bomb)).code)

        threads = [threading.Thread(target=one, daemon=True) for _ in range(MANY)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(wire.PATIENCE)
        cost = meter.cost()
        require_equal("close codes", [TOO_BIG] * MANY, codes)
        # A message that grows to the limit holds its old memory while it moves, and 64 KiB are read at a time.
        most = MEMORY + MANY * (2 * LIMIT + MIB // 8)
        require(cost.memory < most, f"expected less than {most / MIB:.0f} MiB, got {cost}")
        return f"{MANY} times {TOO_BIG} after {cost}"


def check_others(bench: Bench, name: str) -> str:
    """Bombs of all kinds, while 50 connections echo."""
    kinds = [one_frame(payloads.zeros(1 << 30)), endless(lambda: payloads.without_end(payloads.EMPTY_STORED)),
             endless(lambda: payloads.without_end(payloads.EMPTY_MEMBER)), endless(payloads.stored_without_end)]
    with bench.server(name) as (child, port):
        calm = echoes(bench, port, lambda: threading.Event().wait(1))

        def bombard() -> None:
            for bomb in kinds * 5:
                with wire.connect(port) as connection:
                    require_equal("close code", TOO_BIG, blow(connection, child.process.pid, bomb).code)

        rounds, failures, delay = echoes(bench, port, bombard)
        require_equal("echoes that failed", 0, failures)
        require(delay < SECONDS, f"expected echoes within {SECONDS} s, got one after {delay} s")
        return f"{rounds} echoes, none failed, the largest delay {delay * 1e3:.0f} ms ({calm[2] * 1e3:.0f} ms without bombs)"


def echoes(bench: Bench, port: int, meanwhile: Callable[[], object]) -> tuple[int, int, float]:
    command = [sys.executable, str(HERE / "echoes.py"), str(port)]
    with Child(command, bench.log(), stdin=subprocess.PIPE) as child:
        require_equal("first line", "ready", child.first_line(Deadline(20)))
        meanwhile()
        child.process.stdin.close()
        require_equal("exit code", 0, child.wait(Deadline(30)))
        rounds, failures, delay = child.stdout().splitlines()[-1].split()
        return int(rounds), int(failures), float(delay)


def check_client(bench: Bench, bomb: Bomb, code: int | None) -> str:
    """`connect`, of a server that sends bombs. What is within the limit it prints."""
    outcomes: list[Outcome | Exception] = []
    process = threading.Event()
    pids: list[int] = []

    def handle(stream: object) -> None:
        with wire.accept(stream) as connection:
            process.wait(20)
            try:
                meter = Meter(pids[0])
                sender = connection.send_in_background(bomb(connection))
                if code is None:
                    sender.finish()
                    connection.close()
                outcomes.append(await_end(connection, sender, meter))
            except OSError as error:
                outcomes.append(error)

    with tcp_server(handle) as port:
        words = ["connect", f"ws://127.0.0.1:{port}/", "--deflate", "--max-message-size", str(LIMIT)]
        with Child([bench.program, *words], bench.log(), stdin=subprocess.PIPE) as child:
            pids.append(child.process.pid)
            process.set()
            ended = child.wait(Deadline(20))
            require(len(outcomes) == 1, f"expected an answer, got none\n{child.last_lines()}")
            if isinstance(outcomes[0], Exception):
                raise outcomes[0]
            require_equal("exit code", 0 if code is None else 5, ended)
            expected = 1000 if code is None else code
            return judge(outcomes[0], expected)


@dataclass(frozen=True)
class Kind:
    """A bomb, the code that answers it, and where it differs that of a server that collects whole messages."""

    name: str
    bomb: Bomb
    code: int | None
    of_collector: int | None
    size: int | None = None


def kinds() -> list[Kind]:
    gibibyte = payloads.zeros(1 << 30)
    dense = deflated(bytes(64 * MIB))
    ratio = 64 * MIB / len(dense)

    def kind(name: str, bomb: Bomb, code: int | None = TOO_BIG, size: int | None = None) -> Kind:
        return Kind(name, bomb, code, code, size)

    found = [
        kind(f"1 GiB of zeros from {len(gibibyte) / MIB:.2f} MiB in one frame", one_frame(gibibyte)),
        kind("1 GiB of zeros in frames of 64 KiB", in_frames(cut(gibibyte))),
        kind("1 GiB of zeros in frames of 100 bytes", in_frames(cut(gibibyte, 100))),
        kind(f"64 MiB of zeros in one block, {ratio:.0f}:1", one_frame(dense)),
        kind("a bomb in a bomb", one_frame(deflated(payloads.zeros(512 * MIB))), None, len(payloads.zeros(512 * MIB))),
        kind("exactly the limit", one_frame(deflated(bytes(LIMIT))), None, LIMIT),
        kind("a byte more than the limit", one_frame(deflated(bytes(LIMIT + 1)))),
        kind("stored blocks without end", endless(payloads.stored_without_end)),
        kind("garbage behind a member", one_frame(payloads.MEMBER_OF_A_BYTE + b"\xff" * 100), NOT_DEFLATE),
        kind("garbage behind a bomb", one_frame(dense + b"\xff" * 100)),
        kind("text of the limit, its end not UTF-8", one_frame(payloads.text_with_a_wrong_end(LIMIT), TEXT), NOT_DEFLATE),
        kind("text of 64 MiB, its end not UTF-8", one_frame(payloads.text_with_a_wrong_end(64 * MIB), TEXT)),
        # Compressed it is three times the limit: in parts nobody minds.
        Kind("a million members of a byte", in_frames(cut(payloads.MEMBER_OF_A_BYTE * 1_000_000)), None, TOO_BIG),
        kind("a million empty members", in_frames(cut(payloads.EMPTY_MEMBER * 1_000_000))),
    ]
    for name, block in payloads.EMPTY_BLOCKS:
        found.append(kind(f"empty {name} blocks without end", endless(lambda block=block: payloads.without_end(block))))
    return found


def all_checks(bench: Bench) -> list[Check]:
    checks: list[Check] = []

    def add(name: str, check: Callable[..., str], *words: object) -> None:
        checks.append(Check(name, lambda: check(bench, *words)))

    found = kinds()
    for kind in found:
        add(f"serve: {kind.name}", check_server, "serve", kind.bomb, kind.code, kind.size)
        add(f"collect: {kind.name}", check_server, "collect", kind.bomb, kind.of_collector, kind.size)
        of_client = kind.of_collector
        # `connect` prints text and counts bytes; a message within the limit ends well.
        add(f"connect: {kind.name}", check_client, kind.bomb, of_client)
    for name in ("serve+takeover", "collect+takeover"):
        add(f"{name}: 1 GiB of zeros", check_server, name, found[0].bomb, TOO_BIG)
        add(f"{name}: 64 messages at the limit, then one above", check_in_a_row, name)
    add("serve: linear work for members of a byte", check_speed, "serve", payloads.MEMBER_OF_A_BYTE)
    for name, block in payloads.EMPTY_BLOCKS:
        nearly_empty = block * (PIECE // len(block)) + payloads.MEMBER_OF_A_BYTE
        add(f"serve: linear work for empty {name} blocks", check_speed, "serve", nearly_empty)
    for name in ("serve", "collect"):
        add(f"{name}: {MANY} bombs at a time", check_crowd, name)
        add(f"{name}: bombs while 50 connections echo", check_others, name)
    return checks


def main() -> int:
    end_cleanly_on_sigterm()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="TEXT", help="only checks whose name contains this")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="twinsock-bombs-") as folder:
        try:
            bench = Bench(Path(folder))
        except BuildFailed as failure:
            print(f"error: {failure}", file=sys.stderr)
            return 2
        return run_checks([check for check in all_checks(bench) if options.only in check.name])


if __name__ == "__main__":
    sys.exit(main())
