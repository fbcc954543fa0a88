#!/usr/bin/env python3
"""Checks the program `twinsock` against other WebSocket libraries, in both roles, and with wrong input.

Prints a line for each check and at the end `N passed, N failed`. Exit status: 0 all passed, 1 some failed, 2 the
checks could not be run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import cli_errors  # noqa: E402
import connect_checks  # noqa: E402
import peer_setup  # noqa: E402
import serve_checks  # noqa: E402
import stream_checks  # noqa: E402
from harness.checks import Check, run_checks  # noqa: E402
from harness.environments import SetupFailed  # noqa: E402
from harness.processes import end_cleanly_on_sigterm  # noqa: E402
from harness.programs import BuildFailed, release_binary  # noqa: E402
from subject import Bench  # noqa: E402
from traffic import Traffic  # noqa: E402

MESSAGES = 1000
FRAGMENTED_MESSAGES = 200


def all_checks(bench: Bench, stream_echo: Path) -> list[Check]:
    traffic = Traffic(bench.folder)
    mixed = traffic.write_plan("mixed", traffic.mixed(MESSAGES, ("text", "binary")))
    fragmented = traffic.write_plan("fragmented", traffic.fragmented(FRAGMENTED_MESSAGES))
    lines = traffic.mixed(MESSAGES, ("text",))
    small_lines = [line for line in lines if line.size < 1 << 17][:FRAGMENTED_MESSAGES]

    checks = []
    for peer in peer_setup.ensure():
        checks += serve_checks.checks(bench, peer, mixed, MESSAGES, fragmented, FRAGMENTED_MESSAGES)
        checks += connect_checks.checks(bench, peer, traffic, lines, small_lines)
        if peer.name.startswith("Python"):
            checks += stream_checks.checks(bench, peer, stream_echo)
    checks.append(Check("serve: SIGTERM without clients", lambda: serve_checks.shutdown_without_clients(bench)))
    return checks + cli_errors.checks(bench)


def main() -> int:
    end_cleanly_on_sigterm()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, metavar="PATH", help="the program to check (default: built with cargo)")
    parser.add_argument("--only", default="", metavar="TEXT", help="only checks whose name contains this")
    parser.add_argument("--list", action="store_true", help="print the checks' names and end")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="twinsock-peers-") as folder:
        try:
            program = options.program or release_binary("twinsock-cli", "twinsock")
            stream_echo = release_binary("twinsock-testkit", "stream-echo")
            checks = all_checks(Bench(program.resolve(), Path(folder)), stream_echo)
            chosen = [check for check in checks if options.only in check.name]
        except (SetupFailed, BuildFailed) as failure:
            print(f"error: {failure}", file=sys.stderr)
            return 2
        if options.list:
            print("\n".join(check.name for check in chosen))
            return 0
        return run_checks(chosen)


if __name__ == "__main__":
    sys.exit(main())
