"""The program under test, `twinsock`, as the checks run it."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from harness.checks import CheckFailed, require  # noqa: E402
from harness.processes import Child, Deadline  # noqa: E402
from peer_setup import Peer  # noqa: E402

LARGEST_MESSAGE = 64 << 20
START_SECONDS = 20
STOP_SECONDS = 20


@dataclass
class Bench:
    """Where the checks run: the program's path and a folder for the logs of all processes."""

    program: Path
    folder: Path
    _numbers: itertools.count = field(default_factory=itertools.count)

    def _log(self, name: str) -> Path:
        return self.folder / f"{next(self._numbers):03}-{name}.log"

    def serve(self, *options: str) -> Served:
        return Served(self.start("serve", "--listen", "127.0.0.1:0", *options))

    def connect(self, uri: str, *options: str) -> Child:
        return self.start("connect", uri, "--max-message-size", str(LARGEST_MESSAGE), *options)

    def start(self, *words: str) -> Child:
        # Standard input stays open until a check closes it, as at a terminal. A backtrace must not appear even
        # when it is asked for.
        return Child(
            [str(self.program), *words], self._log(words[0]),
            stdin=subprocess.PIPE, environment={"RUST_BACKTRACE": "1", "NO_COLOR": "1"},
        )

    def run(self, *words: str | Path) -> Child:
        """Any other program."""
        return Child([str(word) for word in words], self._log(Path(words[0]).name))

    def peer_client(self, peer: Peer, *words: str) -> Child:
        return Child([*peer.client, *words], self._log("client"), environment=peer.environment)

    def peer_server(self, peer: Peer, behaviour: str) -> Child:
        return Child([*peer.server, behaviour], self._log("server"), environment=peer.environment)


class Served:
    """A running `twinsock serve` and its address."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.uri = ""

    def __enter__(self) -> Served:
        line = self.child.first_line(Deadline(START_SECONDS))
        found = re.fullmatch(r"listening on (ws://127\.0\.0\.1:[1-9]\d*)", line or "")
        if found is None:
            self.child.__exit__()
            raise CheckFailed(f"serve: expected `listening on ws://127.0.0.1:PORT`, got {line!r}\n{self.child.last_lines()}")
        self.uri = found[1]
        return self

    def __exit__(self, *error: object) -> None:
        self.child.__exit__(*error)


def ended(child: Child, seconds: float, who: str) -> int:
    """Waits for a child's own end and returns its exit code."""
    code = child.wait(Deadline(seconds))
    if code is None:
        raise CheckFailed(f"{who} did not end within {seconds:.0f} s; its last words:\n{child.last_lines()}")
    return code


def answer(client: Child, seconds: float) -> dict:
    """What a peer's client prints at its end."""
    code = ended(client, seconds, "the peer")
    lines = client.stdout().splitlines()
    require(code == 0 and bool(lines), f"the peer ended with {code}; its last words:\n{client.last_lines()}")
    return json.loads(lines[-1])


def connection_reports(server: Child, count: int, seconds: float) -> list[dict]:
    """What a peer's server prints after its port: one report for each connection that ended."""
    for _ in Deadline(seconds).ticks():
        lines = server.stdout().splitlines()[1:]
        if len(lines) >= count:
            return [json.loads(line) for line in lines]
    raise CheckFailed(f"the peer saw {len(lines)} of {count} connections end; its last words:\n{server.last_lines()}")


def listening_uri(server: Child) -> str:
    port = server.first_line(Deadline(START_SECONDS))
    require(port is not None, f"the peer's server did not start:\n{server.last_lines()}")
    return f"ws://127.0.0.1:{port}"


def require_no_panic(child: Child) -> None:
    words = child.stderr()
    for sign in ("panicked at", "stack backtrace"):
        require(sign not in words, f"the program panicked:\n{child.last_lines()}")
    code = child.exit_code()
    require(code is None or code >= 0 and code != 101, f"the program died: exit code {code}\n{child.last_lines()}")
