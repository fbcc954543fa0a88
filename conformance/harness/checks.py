"""A list of named checks, run one after another, a line for each."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


class CheckFailed(Exception):
    """The check's subject did not do what it has to; the text says what was expected and what came."""


@dataclass(frozen=True)
class Check:
    """A named check. `run` returns what it saw, in a few words, or raises `CheckFailed`."""

    name: str
    run: Callable[[], str]


def require(condition: bool, complaint: str) -> None:
    if not condition:
        raise CheckFailed(complaint)


def require_equal(what: str, expected: object, got: object) -> None:
    require(expected == got, f"{what}: expected {expected!r}, got {got!r}")


def run_checks(checks: list[Check]) -> int:
    """Runs all of them, prints the totals, and returns the exit status."""
    failed = 0
    for check in checks:
        started = time.monotonic()
        try:
            verdict, detail = "ok  ", check.run()
        except (CheckFailed, OSError, ValueError, KeyError) as error:
            verdict, detail = "FAIL", str(error) or repr(error)
            failed += 1
        print(f"{verdict} {check.name} ({time.monotonic() - started:.1f} s): {detail}", flush=True)
    print(f"{len(checks) - failed} passed, {failed} failed", flush=True)
    return 1 if failed or not checks else 0
