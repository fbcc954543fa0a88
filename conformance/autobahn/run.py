#!/usr/bin/env python3
"""Runs the Autobahn test suite against a WebSocket client or server.

In COMMAND, {url} stands for the suite's address, {port} for the port and {name} for the name in the reports.
A client is run once: it reads the number of cases from {url}/getCaseCount, echoes on {url}/runCase?case=N&agent={name}
for each N from 1, and ends. A server listens on 127.0.0.1:{port}, echoes, and is ended by SIGTERM.
Without COMMAND this project's own client or server is built and tested.

Exit status: 0 all cases passed, 1 some failed or did not run, 2 the run itself went wrong.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import case_sets  # noqa: E402
import parts  # noqa: E402
import report  # noqa: E402
import suite_setup  # noqa: E402
from harness.environments import SetupFailed  # noqa: E402
from harness.processes import end_cleanly_on_sigterm  # noqa: E402
from harness.programs import BuildFailed, release_binary  # noqa: E402
from parts import Plan, RunFailed  # noqa: E402

# Echoing in Python, a case takes 1.4 s on average over the whole suite; a peer in Rust needs far less.
SECONDS_PER_CASE = 2
LARGEST_MESSAGE = 64 << 20
FOLDER_MARK = ".autobahn-reports"


def own_program(role: str) -> list[str]:
    if role == "client":
        return [str(release_binary("twinsock-testkit", "autobahn-client")), "{url}", "{name}"]
    server = release_binary("twinsock-cli", "twinsock")
    # Nothing is limited, so that what is agreed on is what the suite asks for in each case.
    return [str(server), "serve", "--listen", "127.0.0.1:{port}", "--max-message-size", str(LARGEST_MESSAGE), "--deflate="]


def make_report_folder(folder: Path) -> Path:
    """An empty folder for the reports. Clears an earlier run's, but nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = list(folder.iterdir())
    if entries and not (folder / FOLDER_MARK).exists():
        raise RunFailed(f"{folder} is not empty and not a report folder")
    for entry in entries:
        if entry.is_file():
            entry.unlink()
        elif (entry / FOLDER_MARK).exists():
            shutil.rmtree(entry)
    (folder / FOLDER_MARK).touch()
    return folder.resolve()


def report_folders(folder: Path, count: int) -> list[Path]:
    """The folder itself, or one in it for each of several parts: the suite writes an index of its own in each."""
    folder = make_report_folder(folder)
    if count == 1:
        return [folder]
    return [make_report_folder(folder / f"part-{number}") for number in range(1, count + 1)]


def job_count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError("expected a number from 1")
    return int(text)


def arguments() -> tuple[argparse.Namespace, list[str]]:
    words, command = sys.argv[1:], []
    if "--" in words:
        cut = words.index("--")
        words, command = words[:cut], words[cut + 1:]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, usage="%(prog)s client|server [options] [-- COMMAND…]",
    )
    parser.add_argument("role", choices=["client", "server"], help="what is tested")
    parser.add_argument("--cases", nargs="+", default=["basic"], metavar="SET",
                        help="basic (default), plain, all, or patterns such as 6.4.* that match whole ids")
    parser.add_argument("--exclude", nargs="+", default=[], metavar="PATTERN", help="cases to leave out")
    parser.add_argument("--strict", action="store_true", help="NON-STRICT, UNIMPLEMENTED and FAILED BY CLIENT are failures")
    parser.add_argument("--codes", action="store_true", help="failing the connection without telling a right close code is a failure")
    parser.add_argument("--jobs", type=job_count, default=1, metavar="N", help="deal the cases to N suites side by side (default: 1)")
    parser.add_argument("--name", default="twinsock", help="name in the reports")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the reports (default: reports/ROLE beside this file)")
    parser.add_argument("--limit", type=float, metavar="SECONDS", help="time for the whole run (default: by the number of cases)")
    options = parser.parse_args(words)
    if not re.fullmatch(r"[\w.-]+", options.name, re.ASCII):
        parser.error("a name has letters, digits, `.`, `_` and `-`")
    return options, command


def main() -> int:
    end_cleanly_on_sigterm()
    options, command = arguments()
    planned: list[str] = []
    troubles: list[str] = []
    reports: dict[str, report.CaseReport] = {}
    try:
        suite = suite_setup.ensure()
        planned = case_sets.select(suite.case_ids, case_sets.patterns(options.cases), case_sets.patterns(options.exclude))
        if not planned:
            # The suite itself would wait for ever.
            raise RunFailed(f"no case matches {' '.join(options.cases)}")
        hands = case_sets.deal(planned, options.jobs)
        folders = report_folders(options.out or HERE / "reports" / options.role, len(hands))
        command = command or own_program(options.role)
        plans = [Plan(suite, options.name, hand, command, folder) for hand, folder in zip(hands, folders)]
        limit = options.limit or 120 + SECONDS_PER_CASE * len(planned)
        troubles += parts.run(options.role, plans, limit)
        for folder in folders:
            reports.update(report.read(folder, options.name))
    except (SetupFailed, BuildFailed, RunFailed, report.ReportUnreadable) as failure:
        troubles.append(str(failure))

    failed = report.print_summary(options.name, planned, reports, report.Strictness(options.strict, options.codes))
    for trouble in troubles:
        print(f"error: {trouble}", file=sys.stderr, flush=True)
    print(f"{len(planned) - failed} passed, {failed} failed", flush=True)
    if troubles:
        return 2
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
