"""The programs under test and the peers, as the checks run them."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.checks import CheckFailed, require
from harness.processes import Child, Deadline
from parameters import Parameters
from relay import Relay, relay_to

HERE = Path(__file__).resolve().parent
START_SECONDS = 20
EXCHANGE_SECONDS = 120
STOP_SECONDS = 20


@dataclass(frozen=True)
class Script:
    """A peer's name and how its script is started."""

    name: str
    command: list[str]
    environment: dict[str, str]


@dataclass
class Bench:
    """The programs, and a folder for the logs of all processes."""

    # `twinsock`, and the one that sends back in fragments too.
    program: Path
    deflate_peer: Path
    folder: Path
    _numbers: itertools.count = field(default_factory=itertools.count)

    @contextlib.contextmanager
    def server(self, kind: str, terms: Parameters, level: int | None = None, origin: str = "") -> Iterator[tuple[Child, Relay]]:
        """Our server of that kind, `program` or `fragments`, behind a relay."""
        if kind == "program":
            words = [str(self.program), "serve", "--listen", "127.0.0.1:0", f"--deflate={terms.text()}"]
            words += [f"--deflate-level={level}"] if level else []
            words += ["--origin", origin] if origin else []
        else:
            words = [str(self.deflate_peer), "server", f"terms={terms.text()}", *([f"level={level}"] if level else [])]
        with self._start(words) as child:
            line = child.first_line(Deadline(START_SECONDS)) or ""
            found = re.search(r"^listening on .*?(\d+)$", line)
            require(found is not None, f"expected a server, got {line!r}\n{child.last_lines()}")
            with relay_to(int(found[1])) as relay:
                yield child, relay

    def client(self, uri: str, offer: Parameters, level: int | None = None) -> Child:
        """Our client, which sends back what comes."""
        words = [str(self.deflate_peer), "client", f"uri={uri}", f"offer={offer.text()}", *([f"level={level}"] if level else [])]
        return self._start(words)

    def command(self, *words: object) -> Child:
        """`twinsock` with its standard input open."""
        return Child([str(word) for word in (self.program, *words)], self._log("command"), stdin=subprocess.PIPE)

    def peer(self, script: Script, *words: object) -> Child:
        return Child([*script.command, *map(str, words)], self._log("peer"), environment=script.environment)

    @contextlib.contextmanager
    def peer_server(self, script: Script, *words: object) -> Iterator[tuple[Child, Relay]]:
        """A peer's server, as the words say, behind a relay."""
        with self.peer(script, *words) as child:
            line = child.first_line(Deadline(START_SECONDS))
            require(line is not None, f"expected a server, got\n{child.last_lines()}")
            with relay_to(int(str(line))) as relay:
                yield child, relay

    def _start(self, words: list[str]) -> Child:
        return Child(words, self._log(Path(words[0]).name), environment={"RUST_BACKTRACE": "1"})

    def _log(self, name: str) -> Path:
        return self.folder / f"{next(self._numbers):03}-{name}.log"


def answer(peer: Child) -> dict:
    """What a peer's script prints at its end."""
    code = peer.wait(Deadline(EXCHANGE_SECONDS))
    if code is None:
        raise CheckFailed(f"the peer did not end within {EXCHANGE_SECONDS} s; its last words:\n{peer.last_lines()}")
    lines = peer.stdout().splitlines()
    require(code == 0 and bool(lines), f"the peer ended with {code}; its last words:\n{peer.last_lines()}")
    return json.loads(lines[-1])


def line_of(child: Child, beginning: str) -> str:
    """The first line of our program that begins so, once it is there."""
    for _ in Deadline(STOP_SECONDS).ticks():
        for line in child.stdout().splitlines():
            if line.startswith(beginning):
                return line
    raise CheckFailed(f"expected a line that begins with {beginning!r}, got\n{child.last_lines()}")
