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
import base64
import json
import os
import re
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import case_sets  # noqa: E402
import report  # noqa: E402
import suite_setup  # noqa: E402
from harness.environments import SetupFailed  # noqa: E402
from harness.processes import (  # noqa: E402
    Child, Deadline, end_cleanly_on_sigterm, free_port, wait_until_listening,
)
from harness.programs import BuildFailed, release_binary  # noqa: E402

START_SECONDS = 60
REPORT_SECONDS = 120
# Echoing in Python, a case takes 1.4 s on average over the whole suite; a peer in Rust needs far less.
SECONDS_PER_CASE = 2
LARGEST_MESSAGE = 64 << 20
FOLDER_MARK = ".autobahn-reports"


class RunFailed(Exception):
    """The run could not be carried through, so that the reports say nothing, or not everything."""


@dataclass(frozen=True)
class Plan:
    """One run: which cases, under which name, into which folder, for how long at most."""

    suite: suite_setup.Suite
    agent: str
    case_ids: list[str]
    reports: Path
    limit: float

    def start_suite(self, mode: str, specification: dict) -> Child:
        # The cases go in by their full ids: the suite's own patterns match at the start only.
        common = {"outdir": str(self.reports), "cases": self.case_ids, "exclude-cases": [], "exclude-agent-cases": {}}
        path = self.reports / "spec.json"
        path.write_text(json.dumps({**common, **specification}, indent=1))
        environment = {**self.suite.environment, "PYTHONWARNINGS": "ignore"}
        return Child(self.suite.command(mode, path), self.reports / "suite.log", environment=environment, folder=self.reports)

    def start_subject(self, command: list[str], port: int) -> Child:
        values = {"{url}": f"ws://127.0.0.1:{port}", "{port}": str(port), "{name}": self.agent}
        words = [re.sub(r"\{(url|port|name)\}", lambda found: values[found.group()], word) for word in command]
        try:
            return Child(words, self.reports / "subject.log")
        except OSError as error:
            raise RunFailed(f"`{' '.join(words)}` could not be started: {error}") from error


def test_client(plan: Plan, command: list[str]) -> str | None:
    """Runs a client through the cases; returns what went wrong on the way, if anything."""
    port = free_port()
    with plan.start_suite("fuzzingserver", {"url": f"ws://127.0.0.1:{port}"}) as suite:
        if not wait_until_listening(port, suite, Deadline(START_SECONDS)):
            raise RunFailed(f"the suite does not listen; its last words:\n{suite.last_lines()}")
        trouble = None
        with plan.start_subject(command, port) as client:
            deadline = Deadline(plan.limit)
            for _ in deadline.ticks():
                if not client.is_running() or not suite.is_running():
                    break
            if not suite.is_running():
                raise RunFailed(f"the suite ended during the run; its last words:\n{suite.last_lines()}")
            if client.is_running():
                trouble = f"the client was not done after {plan.limit:.0f} s; its last words:\n{client.last_lines()}"
            elif client.exit_code() != 0:
                trouble = f"the client ended with {client.exit_code()}; its last words:\n{client.last_lines()}"
        # Asked for here, not left to the client: one that dies half-way leaves a report too.
        ask_for_reports(port, plan.agent)
        return trouble


def ask_for_reports(port: int, agent: str) -> None:
    """Has the suite's server write its reports, and waits until they are there."""
    key = base64.b64encode(os.urandom(16)).decode()
    request = (
        f"GET /updateReports?agent={agent} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    )
    deadline = Deadline(REPORT_SECONDS)
    try:
        with socket.create_connection(("127.0.0.1", port), REPORT_SECONDS) as connection:
            connection.sendall(request.encode())
            # The suite writes the reports, then sends its Close frame: an unmasked 0x88 after the response's head.
            received = b""
            while b"\x88" not in received.partition(b"\r\n\r\n")[2]:
                connection.settimeout(deadline.remaining() or 0.001)
                part = connection.recv(4096)
                if not part:
                    break
                received += part
    except OSError as error:
        raise RunFailed(f"the suite wrote no reports: {error}") from error


def test_server(plan: Plan, command: list[str]) -> str | None:
    """Runs the cases against a server; returns what went wrong on the way, if anything."""
    port = free_port()
    with plan.start_subject(command, port) as server:
        if not wait_until_listening(port, server, Deadline(START_SECONDS)):
            raise RunFailed(f"the server does not listen on port {port}; its last words:\n{server.last_lines()}")
        peers = [{"agent": plan.agent, "url": f"ws://127.0.0.1:{port}"}]
        with plan.start_suite("fuzzingclient", {"servers": peers}) as suite:
            # When the server dies, the next connection is refused; then the suite writes its reports and ends.
            code = suite.wait(Deadline(plan.limit))
            if code is None:
                raise RunFailed(f"the suite was not done after {plan.limit:.0f} s; the server's last words:\n{server.last_lines()}")
            if code != 0:
                raise RunFailed(f"the suite ended with {code}; its last words:\n{suite.last_lines()}")
        if not server.is_running():
            return f"the server ended during the run with {server.exit_code()}; its last words:\n{server.last_lines()}"
        return None


def own_program(role: str) -> list[str]:
    if role == "client":
        return [str(release_binary("twinsock-testkit", "autobahn-client")), "{url}", "{name}"]
    server = release_binary("twinsock-cli", "twinsock")
    return [str(server), "serve", "--listen", "127.0.0.1:{port}", "--max-message-size", str(LARGEST_MESSAGE)]


def make_report_folder(folder: Path) -> Path:
    """An empty folder for the reports. Clears an earlier run's, but nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = list(folder.iterdir())
    if entries and not (folder / FOLDER_MARK).exists():
        raise RunFailed(f"{folder} is not empty and not a report folder")
    for entry in entries:
        if entry.is_file():
            entry.unlink()
    (folder / FOLDER_MARK).touch()
    return folder.resolve()


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
    troubles = []
    reports: dict[str, report.CaseReport] = {}
    try:
        suite = suite_setup.ensure()
        planned = case_sets.select(suite.case_ids, case_sets.patterns(options.cases), case_sets.patterns(options.exclude))
        if not planned:
            # The suite itself would wait for ever.
            raise RunFailed(f"no case matches {' '.join(options.cases)}")
        command = command or own_program(options.role)
        folder = make_report_folder(options.out or HERE / "reports" / options.role)
        limit = options.limit or 120 + SECONDS_PER_CASE * len(planned)
        plan = Plan(suite, options.name, planned, folder, limit)
        troubles.append((test_client if options.role == "client" else test_server)(plan, command))
        reports = report.read(folder, options.name)
    except (SetupFailed, BuildFailed, RunFailed, report.ReportUnreadable) as failure:
        troubles.append(str(failure))
    troubles = [trouble for trouble in troubles if trouble]

    failed = report.print_summary(options.name, planned, reports, report.Strictness(options.strict, options.codes))
    for trouble in troubles:
        print(f"error: {trouble}", file=sys.stderr, flush=True)
    print(f"{len(planned) - failed} passed, {failed} failed", flush=True)
    if troubles:
        return 2
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
