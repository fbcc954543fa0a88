#!/usr/bin/env python3
"""Checks that the program `twinsock` gets through real proxies, and says what is wrong when it does not.

Forward proxies: squid without credentials, with Basic, with Digest and behind TLS, and Dante (SOCKS5) without and with
a password, each to a `ws` and a `wss` server. Reverse proxies: nginx and HAProxy, which end TLS. Each path carries 1,000
messages and a stream; then come the environment's variables, and failures. Dante's users need root on Linux.

Prints a line for each check and at the end `N passed, N failed`. Exit status: 0 all passed, 1 some failed, 2 the
checks could not be run.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import components  # noqa: E402
import environment  # noqa: E402
import failures  # noqa: E402
import paths  # noqa: E402
import rubbish  # noqa: E402
from harness.checks import Check, run_checks  # noqa: E402
from harness.environments import SetupFailed  # noqa: E402
from harness.processes import end_cleanly_on_sigterm  # noqa: E402
from harness.programs import BuildFailed, release_binary  # noqa: E402
from laboratory import Laboratory, laboratory  # noqa: E402
from traffic import MIB  # noqa: E402

UNITS = {"KiB": 1 << 10, "MiB": MIB, "GiB": 1 << 30}


def size(text: str) -> int:
    found = re.fullmatch(r"([1-9]\d*) ?(KiB|MiB|GiB)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"expected a size such as 256MiB, got {text!r}")
    return int(found[1]) * UNITS[found[2]]


def all_checks(lab: Laboratory, total: int) -> list[Check]:
    return [
        *paths.component_checks(lab), *paths.path_checks(lab, total), *environment.checks(lab), *failures.checks(lab),
        *rubbish.checks(lab),
    ]


def main() -> int:
    end_cleanly_on_sigterm()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, metavar="PATH", help="the program to check (default: built with cargo)")
    parser.add_argument("--size", type=size, default=size("256MiB"), metavar="SIZE", help="how long each stream is (default: 256MiB)")
    parser.add_argument("--only", default="", metavar="TEXT", help="only checks whose name contains this")
    parser.add_argument("--list", action="store_true", help="print the checks' names and end")
    options = parser.parse_args()
    try:
        program = options.program or release_binary("twinsock-cli", "twinsock")
        for name in components.PACKAGES:
            components.find(name)
        with laboratory(program.resolve()) as lab:
            checks = [check for check in all_checks(lab, options.size) if options.only in check.name]
            if options.list:
                print("\n".join(check.name for check in checks))
                return 0
            return run_checks(checks)
    except (SetupFailed, BuildFailed) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
