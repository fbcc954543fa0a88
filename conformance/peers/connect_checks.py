"""`twinsock connect` against peers' servers."""

from __future__ import annotations

import threading
from contextlib import suppress

from harness.checks import Check, CheckFailed, require, require_equal
from harness.processes import Child, Deadline
from peer_setup import Peer
from subject import STOP_SECONDS, Bench, connection_reports, ended, listening_uri, require_no_panic
from traffic import PlannedMessage, Traffic

EXCHANGE_SECONDS = 240
SHORT_SECONDS = 30


class Typist:
    """Writes to a program's standard input from a thread of its own, because the program may stop reading."""

    def __init__(self, program: Child, lines: list[bytes]) -> None:
        self._stdin = program.process.stdin
        self._lines = lines
        self._thread = threading.Thread(target=self._type, daemon=True)
        self._thread.start()

    def _type(self) -> None:
        # When the program ends early the pipe breaks; the check itself then says what is missing.
        with suppress(OSError, ValueError):
            for line in self._lines:
                self._stdin.write(line + b"\n")
            self._stdin.flush()

    def join(self) -> None:
        """Waits until all is typed; a check without such a limit would wait for a program that hangs."""
        self._thread.join(EXCHANGE_SECONDS)

    def end(self) -> None:
        with suppress(OSError):
            self._stdin.close()


def await_output(program: Child, size: int, seconds: float) -> None:
    """Waits until that many bytes are on standard output, or the program ended."""
    for _ in Deadline(seconds).ticks():
        if program.stdout_path.stat().st_size >= size:
            return
        if not program.is_running():
            raise CheckFailed(f"connect ended early with {program.exit_code()}; its last words:\n{words(program)}")
    got = program.stdout_path.stat().st_size
    raise CheckFailed(f"only {got} of {size} bytes on standard output after {seconds:.0f} s; its last words:\n{words(program)}")


def words(program: Child) -> str:
    """What the program said on standard error, and no more of it than fits a report."""
    return "\n".join(f"    | {line[:300]}" for line in program.stderr().splitlines()[-5:]) or "    (none)"


def compare_lines(expected: list[bytes], output: bytes) -> None:
    if output == b"".join(line + b"\n" for line in expected):
        return
    got = output.split(b"\n")
    for number, line in enumerate(expected):
        if number >= len(got) - 1 or got[number] != line:
            came = f"{len(got[number])} bytes {got[number][:40]!r}" if number < len(got) - 1 else "nothing"
            raise CheckFailed(f"line {number + 1}: expected {len(line)} bytes {line[:40]!r}, got {came}")
    raise CheckFailed(f"{len(got) - 1 - len(expected)} lines too many on standard output")


def lines_there_and_back(bench: Bench, peer: Peer, behaviour: str, lines: list[bytes]) -> str:
    """Standard input comes out of standard output, byte by byte; then both sides see Close 1000."""
    with bench.peer_server(peer, behaviour) as server, bench.connect(listening_uri(server)) as program:
        typist = Typist(program, lines)
        # A server may drop what is still to be echoed when the Close comes, so wait for all of it first.
        await_output(program, sum(len(line) + 1 for line in lines), EXCHANGE_SECONDS)
        typist.end()
        code = ended(program, STOP_SECONDS, "connect")
        compare_lines(lines, program.stdout_path.read_bytes())
        require_no_panic(program)
        require("error:" not in program.stderr(), f"an error was reported:\n{words(program)}")
        require_equal("exit code", 0, code)
        [report] = connection_reports(server, 1, SHORT_SECONDS)
        require_equal("close code at the peer", 1000, report["code"])
        require_equal("messages at the peer", len(lines), report["messages"])
        if behaviour == "fragments":
            require_equal("pings answered", len(lines), report["pongs"])
        size = sum(map(len, lines)) / 2**20
        return f"{len(lines)} lines, {size:.0f} MiB, {report['pongs']} pings, close 1000, exit code 0"


def input_ends_at_once(bench: Bench, peer: Peer) -> str:
    """As in `printf … | twinsock connect …`: what the server sends before its Close is still printed."""
    lines = [f"line {number} ✓".encode() for number in range(100)]
    with bench.peer_server(peer, "echo") as server, bench.connect(listening_uri(server)) as program:
        program.process.stdin.write(b"".join(line + b"\n" for line in lines))
        program.process.stdin.close()
        code = ended(program, SHORT_SECONDS, "connect")
        compare_lines(lines, program.stdout_path.read_bytes())
        require_equal("exit code", 0, code)
        return "100 lines, exit code 0"


def last_line_without_end(bench: Bench, peer: Peer) -> str:
    with bench.peer_server(peer, "echo") as server, bench.connect(listening_uri(server)) as program:
        program.process.stdin.write(b"first\nlast without line end")
        program.process.stdin.close()
        code = ended(program, SHORT_SECONDS, "connect")
        require_equal("standard output", b"first\nlast without line end\n", program.stdout_path.read_bytes())
        require_equal("exit code", 0, code)
        return "printed, exit code 0"


def peer_closes(bench: Bench, peer: Peer) -> str:
    """The program ends by itself when the peer closes with 4000, although its standard input stays open."""
    with bench.peer_server(peer, "farewell") as server, bench.connect(listening_uri(server)) as program:
        code = ended(program, SHORT_SECONDS, "connect")
        require_no_panic(program)
        require_equal("standard output", "farewell\n", program.stdout())
        said = program.stderr().strip()
        require("4000" in said and "enough" in said, f"standard error names no code 4000 and reason `enough`: {said!r}")
        [report] = connection_reports(server, 1, SHORT_SECONDS)
        require_equal("close code in return", 4000, report["code"])
        return f"exit code {code}, {said!r}"


def peer_vanishes(bench: Bench, peer: Peer) -> str:
    """The end of TCP without a Close is an error."""
    with bench.peer_server(peer, "abort") as server, bench.connect(listening_uri(server)) as program:
        code = ended(program, SHORT_SECONDS, "connect")
        require_no_panic(program)
        require_equal("standard output", "still here\n", program.stdout())
        errors = [line for line in program.stderr().splitlines() if line.startswith("error: ")]
        require_equal("`error: ` lines", 1, len(errors))
        require(code != 0, "the exit code is 0")
        return f"exit code {code}, {errors[0]!r}"


def binary_is_described(bench: Bench, peer: Peer) -> str:
    with bench.peer_server(peer, "binary") as server, bench.connect(listening_uri(server)) as program:
        await_output(program, len("after the binary one\n"), SHORT_SECONDS)
        program.process.stdin.close()
        require_equal("exit code", 0, ended(program, STOP_SECONDS, "connect"))
        require_equal("standard output", "after the binary one\n", program.stdout())
        said = program.stderr().strip()
        require("binary" in said and "5" in said, f"standard error does not tell of 5 binary bytes: {said!r}")
        return repr(said)


def request_is_shaped(bench: Bench, peer: Peer) -> str:
    """Headers and subprotocols from the command line are in the handshake."""
    options = ["--header", "X-Test: one two", "--header", "Authorization: Bearer abc", "--protocol", "chat", "--protocol", "superchat"]
    with bench.peer_server(peer, "echo") as server, bench.connect(listening_uri(server), *options) as program:
        program.process.stdin.close()
        require_equal("exit code", 0, ended(program, SHORT_SECONDS, "connect"))
        [report] = connection_reports(server, 1, SHORT_SECONDS)
        headers = report["headers"]
        require_equal("X-Test", "one two", headers.get("x-test"))
        require_equal("Authorization", "Bearer abc", headers.get("authorization"))
        require_equal("subprotocol", "chat", report["protocol"])
        require("Bearer abc" not in program.stderr(), "the credentials were printed")
        return "two headers arrived, chat agreed on"


def checks(bench: Bench, peer: Peer, traffic: Traffic, mixed: list[PlannedMessage], small: list[PlannedMessage]) -> list[Check]:
    name = f"connect, {peer.name}"
    found = [
        Check(
            f"{name}: {len(mixed)} lines",
            lambda: lines_there_and_back(bench, peer, "echo", [traffic.content(message) for message in mixed]),
        ),
        Check(
            f"{name}: fragments and pings",
            lambda: lines_there_and_back(bench, peer, "fragments", [traffic.content(message) for message in small]),
        ),
        Check(f"{name}: the peer closes with 4000", lambda: peer_closes(bench, peer)),
        Check(f"{name}: the peer vanishes", lambda: peer_vanishes(bench, peer)),
        Check(f"{name}: binary messages", lambda: binary_is_described(bench, peer)),
        Check(f"{name}: headers and subprotocol", lambda: request_is_shaped(bench, peer)),
    ]
    if peer.echoes_before_close:
        found += [
            Check(f"{name}: input ends at once", lambda: input_ends_at_once(bench, peer)),
            Check(f"{name}: last line without line end", lambda: last_line_without_end(bench, peer)),
        ]
    return found
