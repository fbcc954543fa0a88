#!/usr/bin/env python3
"""Checks compressed messages (permessage-deflate, RFC 7692) against other implementations, in both roles.

The peers are Python's websockets, Node's ws and Chromium, with each window and with context takeover and without; a last
one is made of Python's zlib alone, which compresses in unusual ways and takes our program at its word about windows.

Prints a line for each check and at the end `N passed, N failed`. Exit status: 0 all passed, 1 some failed, 2 the
checks could not be run.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "peers"), str(HERE)]

import agreements  # noqa: E402
import chromium  # noqa: E402
import commands  # noqa: E402
import differential  # noqa: E402
import exchanges  # noqa: E402
import peer_setup  # noqa: E402
from bench import Bench, Script  # noqa: E402
from harness.checks import Check, run_checks  # noqa: E402
from harness.environments import SetupFailed  # noqa: E402
from harness.processes import end_cleanly_on_sigterm  # noqa: E402
from harness.programs import BuildFailed, release_binary  # noqa: E402
from messages import Pools, plan  # noqa: E402


def scripts() -> list[Script]:
    python, node = peer_setup.ensure()
    return [
        Script("Python websockets", [python.client[0], str(HERE / "python_peer.py")], python.environment),
        Script("Node ws", [node.client[0], str(HERE / "node_peer.js")], node.environment),
    ]


def traffic_of(folder: Path, count: int, seed: str) -> exchanges.Traffic:
    pools = Pools(folder, seed)
    messages = plan(pools, count, random.Random(f"plan {seed}"))
    return exchanges.Traffic(pools.write_plan("plan", messages), len(messages), sum(message.size for message in messages))


def all_checks(bench: Bench, page: chromium.Page, options: argparse.Namespace) -> list[Check]:
    traffic = traffic_of(bench.folder, options.messages, options.seed)
    checks = []
    for script in scripts():
        checks += exchanges.script_checks(bench, script, traffic) + agreements.checks(bench, script, traffic)
        checks += commands.checks(bench, script, options.seed)
    checks += exchanges.page_checks(bench, page, traffic) + agreements.page_checks(bench, page, traffic)
    return checks + differential.checks(bench, differential.Sequence(options.seed, options.sequence))


def main() -> int:
    end_cleanly_on_sigterm()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=10_000, metavar="COUNT", help="messages in each check (default: 10000)")
    parser.add_argument("--sequence", type=int, default=1000, metavar="COUNT", help="those in each check against zlib (default: 1000)")
    any_seed = str(random.SystemRandom().randrange(10**9))
    parser.add_argument("--seed", default=any_seed, metavar="TEXT", help="what the messages follow from (default: any; it is printed)")
    parser.add_argument("--only", default="", metavar="TEXT", help="only checks whose name contains this")
    parser.add_argument("--list", action="store_true", help="print the checks' names and end")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        try:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="twinsock-deflate-")))
            programs = release_binary("twinsock-cli", "twinsock"), release_binary("twinsock-testkit", "deflate-peer")
            page = stack.enter_context(chromium.page(chromium.find(), folder))
            checks = all_checks(Bench(*programs, folder), page, options)
        except (SetupFailed, BuildFailed) as failure:
            print(f"error: {failure}", file=sys.stderr)
            return 2
        chosen = [check for check in checks if options.only in check.name]
        if options.list:
            print("\n".join(check.name for check in chosen))
            return 0
        print(f"--seed {options.seed}", flush=True)
        return run_checks(chosen)


if __name__ == "__main__":
    sys.exit(main())
