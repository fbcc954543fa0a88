#!/usr/bin/env python3
"""Checks which addresses of a name a client tries, in which order, how long that takes, and what its error says.

The client resolves a name to a list of addresses of which some answer, some refuse, some drop every packet and to some
there is no way. Needs root on Linux, for network namespaces.

Prints a line for each check and at the end `N passed, N failed`. Exit status: 0 all passed, 1 some failed, 2 the
checks could not be run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "losses")]

from harness.checks import Check, require, require_equal, run_checks  # noqa: E402
from harness.environments import SetupFailed  # noqa: E402
from harness.processes import Child, Deadline, end_cleanly_on_sigterm  # noqa: E402
from harness.programs import BuildFailed, release_binary  # noqa: E402
from network import NOBODY, Cable  # noqa: E402

PORT = 9001
DELAY = 0.25
# A busy machine may be so many times slower than the schedule says, and so many seconds late besides.
FACTOR, SLACK = 3, 1.0

GOOD4, GOOD6 = "10.231.0.11", "fd31::11"
SERVED = (GOOD4, GOOD6)
REFUSED = ("10.231.0.21", "10.231.0.22", "10.231.0.23", "10.231.0.24", "10.231.0.25", "fd31::21")
HOLES4 = ("10.231.0.31", "10.231.0.32", "10.231.0.33", "10.231.0.34", "10.231.0.35")
HOLES6 = ("fd31::31", "fd31::32", "fd31::33")
# The first has a route that says so; to the others there is none.
UNREACHABLE = ("10.232.0.1", "10.233.0.1", "fd32::1")


class Addresses(Cable):
    """A server's and a client's network; what becomes of a packet depends on the address."""

    def __init__(self) -> None:
        super().__init__()
        try:
            self.server.ip("address", "add", "fd31::1/64", "dev", "cable", "nodad")
            self.client.ip("address", "add", "fd31::2/64", "dev", "cable", "nodad")
            for address in (*SERVED, *REFUSED):
                width = "64" if ":" in address else "24"
                words = ["nodad"] if ":" in address else []
                self.server.ip("address", "add", f"{address}/{width}", "dev", "cable", *words)
            for hole in (*HOLES4, *HOLES6):
                self.client.ip("neighbour", "replace", hole, "lladdr", NOBODY, "dev", "cable", "nud", "permanent")
            self.client.ip("route", "add", "unreachable", f"{UNREACHABLE[0]}/32")
        except SetupFailed:
            self.__exit__()
            raise


@dataclass(frozen=True)
class Case:
    """What the name resolves to, with how many seconds for each address; what is tried and how it ends, and when."""

    name: str
    resolved: tuple[str, ...]
    tried: tuple[str, ...]
    outcome: str
    seconds: float
    connect: int = 60


CASES = (
    Case("the first address is black-holed", (HOLES4[0], GOOD4), (HOLES4[0], GOOD4), GOOD4, DELAY),
    Case("all IPv6 is black-holed, IPv4 is good", (*HOLES6, GOOD4), (HOLES6[0], GOOD4), GOOD4, DELAY),
    Case("all IPv4 is black-holed, IPv6 is good", (*HOLES4, GOOD6), (HOLES4[0], GOOD6), GOOD6, DELAY),
    Case("to IPv6 there is no way, IPv4 is good", (UNREACHABLE[2], GOOD4), (UNREACHABLE[2], GOOD4), GOOD4, 0),
    Case("both families are good, IPv6 first", (GOOD6, GOOD4), (GOOD6,), GOOD6, 0),
    Case("four are black-holed, the fifth is good", (*HOLES4[:4], GOOD4), (*HOLES4[:4], GOOD4), GOOD4, 4 * DELAY),
    Case("five refuse, the sixth is good", (*REFUSED[:5], GOOD4), REFUSED[:5], "CannotConnect", 0),
    Case("five are black-holed, the sixth is good", (*HOLES4, GOOD4), HOLES4, "Timeout", 1 + 4 * DELAY, 1),
    Case("all refuse", (REFUSED[0], REFUSED[1], REFUSED[5]), (REFUSED[0], REFUSED[5], REFUSED[1]), "CannotConnect", 0),
    Case("one refuses", REFUSED[:1], REFUSED[:1], "CannotConnect", 0),
    Case("all are unreachable", UNREACHABLE, (UNREACHABLE[0], UNREACHABLE[2], UNREACHABLE[1]), "ServerUnreachable", 0),
    Case("one is black-holed, with 1 s for it", HOLES4[:1], HOLES4[:1], "Timeout", 1, 1),
    Case("to one there is no way, one is black-holed", (UNREACHABLE[2], HOLES4[0]), (UNREACHABLE[2], HOLES4[0]),
         "Timeout", 1, 1),
    Case("one is black-holed, one refuses", (HOLES6[0], REFUSED[0]), (HOLES6[0], REFUSED[0]), "CannotConnect", 1, 1),
)


def check(client: Path, folder: Path, case: Case, number: int) -> str:
    with Addresses() as network:
        serve = network.server.inside([sys.executable, str(HERE / "server.py"), str(PORT), *SERVED])
        with Child(serve, folder / f"server-{number}") as server:
            line = server.first_line(Deadline(10))
            require(line == "listening", f"expected a server, got {line!r}\n{server.last_lines()}")
            words = [str(client), str(PORT), str(case.connect), *case.resolved]
            with Child(network.client.inside(words), folder / f"client-{number}") as child:
                code = child.wait(Deadline(case.seconds * FACTOR + SLACK + 20))
                require_equal(f"exit status of the client\n{child.last_lines()}", 0, code)
                return judge(case, child.stdout(), server.stdout())


def judge(case: Case, told: str, served: str) -> str:
    (verdict, took, *rest), *tried = [line.split("\t") for line in told.splitlines()]
    seconds = int(took) / 1000
    outcome = rest[0]
    require_equal("outcome", case.outcome, outcome)
    order = [address.rsplit(":", 1)[0].strip("[]") for _, _, _, address, _ in tried]
    require_equal("addresses tried, in this order", list(case.tried), order)
    # Timers may not end early: but for a rounded millisecond this bound is exact.
    latest = case.seconds * FACTOR + SLACK
    require(case.seconds - 0.01 <= seconds <= latest, f"expected {case.seconds} to {latest} s, took {seconds} s")
    accepted = [line.split()[1] for line in served.splitlines() if line.startswith("accepted ")]
    require_equal("connections that the server saw", [outcome] if verdict == "connected" else [], accepted)
    attempts = ", ".join(f"{name} at {int(began)} ms" for name, (_, began, *_) in zip(order, tried))
    if verdict == "connected":
        return f"{outcome} after {seconds:.3f} s; tried {attempts}"
    text = rest[1]
    listed = case.tried if len(case.tried) > 1 else ()
    for address in listed:
        require(f"{address}:{PORT}: " in text.replace("[", "").replace("]", ""), f"{address} is not in {text!r}")
    return f"{outcome} after {seconds:.3f} s, {text!r}; tried {attempts}"


def main() -> int:
    end_cleanly_on_sigterm()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="TEXT", help="only checks whose name contains this")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="twinsock-addresses-") as folder:
        try:
            Addresses().__exit__()
            client = release_binary("twinsock-testkit", "address-client")
        except (SetupFailed, BuildFailed) as failure:
            print(f"error: {failure}", file=sys.stderr)
            return 2
        checks = [
            Check(case.name, lambda case=case, number=number: check(client, Path(folder), case, number))
            for number, case in enumerate(CASES)
        ]
        return run_checks([check for check in checks if options.only in check.name])


if __name__ == "__main__":
    sys.exit(main())
