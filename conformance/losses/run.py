#!/usr/bin/env python3
"""Checks that every way to lose a connection is noticed in time and told apart, by call, by event and as a stream.

The peer ends TCP, resets it, falls silent, or all packets between the two are dropped: each must give its own
`WebErrorStatus` and failure, in each form exactly once. Needs root on Linux, for network namespaces.

Prints a line for each check and at the end `N passed, N failed`. Exit status: 0 all passed, 1 some failed, 2 the
checks could not be run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from harness.checks import Check, CheckFailed, require, require_equal, run_checks  # noqa: E402
from harness.environments import SetupFailed  # noqa: E402
from harness.processes import Child, Deadline, end_cleanly_on_sigterm  # noqa: E402
from harness.programs import BuildFailed, release_binary  # noqa: E402
from network import SERVER_ADDRESS, Cable  # noqa: E402

FORMS = ("call", "event", "stream")
SEND, KEEP_ALIVE, PONG = 3, 2, 2
MARGIN = 1.5


@dataclass(frozen=True)
class Loss:
    """A way to lose a connection, what the client does meanwhile, and what it must be told within so many seconds."""

    name: str
    manner: str
    traffic: str
    failure: str
    status: str
    seconds: float
    drops_packets: bool = False


LOSSES = (
    Loss("the server ends TCP without a Close frame", "fin", "idle", "EndOfStream", "ConnectionAborted", 0),
    Loss("the server resets the connection", "reset", "idle", "Reset", "ConnectionReset", 0),
    Loss("the server falls silent", "silent", "idle", "TimedOut(Pong)", "ServerUnreachable", KEEP_ALIVE + PONG),
    Loss("packets are dropped while data is under way", "silent", "sending", "TimedOut(Send)", "Timeout", SEND, True),
    Loss("packets are dropped while nothing is sent", "silent", "idle", "TimedOut(Pong)", "ServerUnreachable",
         KEEP_ALIVE + PONG, True),
    Loss("the server closes", "close", "idle", "none", "none", 0),
)


def check(client: Path, folder: Path, loss: Loss, form: str) -> str:
    with Cable() as cable:
        serve = cable.server.inside([sys.executable, str(HERE / "server.py"), SERVER_ADDRESS, loss.manner])
        with Child(serve, folder / f"server-{loss.manner}-{form}") as server:
            line = server.first_line(Deadline(10))
            require(line is not None, f"expected a server, got\n{server.last_lines()}")
            uri = f"ws://{SERVER_ADDRESS}:{str(line).split()[1]}/"
            # While data is under way the keep-alive would be the first to notice: it is given more time.
            keep_alive = 20 if loss.traffic == "sending" else KEEP_ALIVE
            words = [str(client), uri, form, loss.traffic, str(SEND), str(keep_alive), str(PONG)]
            with Child(cable.client.inside(words), folder / f"client-{loss.manner}-{form}-{loss.traffic}") as child:
                return judge(cable, child, loss)


def judge(cable: Cable, child: Child, loss: Loss) -> str:
    require_equal("first line", "open", child.first_line(Deadline(10)))
    if loss.drops_packets:
        time.sleep(0.3)
        cable.drop_all_packets()
    started = time.monotonic()
    code = child.wait(Deadline(loss.seconds + MARGIN + 10))
    seconds = time.monotonic() - started
    if code is None:
        raise CheckFailed(f"nothing was noticed in {seconds:.1f} s\n{child.last_lines()}")
    lines = child.stdout().splitlines()[1:]
    require_equal("what was told", [f"closed failure={loss.failure} status={loss.status}"], lines)
    require(seconds < loss.seconds + MARGIN, f"expected it within {loss.seconds + MARGIN:.1f} s, took {seconds:.1f} s")
    return f"{loss.failure}, status {loss.status}, after {seconds:.1f} s"


def main() -> int:
    end_cleanly_on_sigterm()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="TEXT", help="only checks whose name contains this")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="twinsock-losses-") as folder:
        try:
            Cable().__exit__()
            client = release_binary("twinsock-testkit", "loss-client")
        except (SetupFailed, BuildFailed) as failure:
            print(f"error: {failure}", file=sys.stderr)
            return 2
        checks = [
            Check(f"{loss.name}, by {form}", lambda loss=loss, form=form: check(client, Path(folder), loss, form))
            for loss in LOSSES
            for form in FORMS
        ]
        return run_checks([check for check in checks if options.only in check.name])


if __name__ == "__main__":
    sys.exit(main())
