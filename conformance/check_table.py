#!/usr/bin/env python3
"""Checks rfc6455.md and rfc7692.md: each row has a reason, or names tests that exist.

A file without a folder is in crates/twinsock-proto/tests, others are below crates.
The last line is `N passed, N failed`, counted in rows of both. Exit status: 0 all passed, 1 some failed.
"""

import re
import sys
from functools import cache
from pathlib import Path

TABLES = [Path(__file__).with_name(name) for name in ("rfc6455.md", "rfc7692.md")]
CRATES = Path(__file__).parent.parent / "crates"
TESTS = CRATES / "twinsock-proto" / "tests"

HEADER = ["clause", "level", "rule", "proof"]
REASON = re.compile(r"not (applicable|fulfilled): \S")
# The attribute, perhaps others, then the function's name.
TEST = re.compile(r"#\[(?:tokio::)?test\b[^\]]*\]\s*(?:#\[[^\]]*\]\s*)*(?:async\s+)?fn\s+(\w+)")


@cache
def tests_in(file: str) -> frozenset[str]:
    """The names of the tests in a file; none when there is no such file."""
    path = CRATES / file if "/" in file else TESTS / file
    return frozenset(TEST.findall(path.read_text("utf-8"))) if path.is_file() else frozenset()


def complaints(cells: list[str]) -> list[str]:
    """What is wrong with a row."""
    if len(cells) != len(HEADER) or not all(cells):
        return [f"expected {len(HEADER)} cells with text in each, got {cells}"]
    proof = cells[-1]
    named = re.findall(r"`([^`]*)`", proof)
    if not named and not REASON.match(proof):
        return [f"expected a test or a reason, got {proof!r}"]
    missing = []
    for name in named:
        file, _, test = name.partition("::")
        if test not in tests_in(file):
            missing.append(f"no test {name}")
    return missing


def rows(text: str) -> list[tuple[int, list[str]]]:
    """The rows below the headings of the tables, with their line numbers."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("|"):
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if cells != HEADER and set(line) != set("|- "):
            found.append((number, cells))
    return found


def check(table: Path) -> tuple[int, int]:
    """How many rows of a table passed, and how many failed."""
    passed = failed = 0
    for number, cells in rows(table.read_text("utf-8")):
        wrong = complaints(cells)
        for complaint in wrong:
            print(f"{table.name}:{number}: {cells[0]}: {complaint}")
        passed += not wrong
        failed += bool(wrong)
    if not passed + failed:
        print(f"{table.name}: no rows")
        failed = 1
    return passed, failed


def main() -> int:
    results = [check(table) for table in TABLES]
    passed, failed = map(sum, zip(*results))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
