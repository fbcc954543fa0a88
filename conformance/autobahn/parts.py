"""One part of a run: a suite and the program under test, with some of the cases. Parts run side by side."""

from __future__ import annotations

import base64
import json
import os
import re
import socket
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import suite_setup
from harness.processes import Child, Deadline, free_port, wait_until_listening

START_SECONDS = 60
REPORT_SECONDS = 120


class RunFailed(Exception):
    """The run could not be carried through, so that the reports say nothing, or not everything."""


@dataclass(frozen=True)
class Plan:
    """What a part is to do: which cases, under which name, with which program, into which folder."""

    suite: suite_setup.Suite
    agent: str
    case_ids: list[str]
    command: list[str]
    reports: Path


class Part:
    """The two processes. They are started by the classes of the roles, and ended with `children`."""

    suite: Child
    subject: Child

    def __init__(self, plan: Plan, children: ExitStack) -> None:
        self.plan = plan
        self.port = free_port()
        self._children = children

    def start_suite(self, mode: str, specification: dict) -> None:
        # The cases go in by their full ids: the suite's own patterns match at the start only.
        folder, suite = self.plan.reports, self.plan.suite
        common = {"outdir": str(folder), "cases": self.plan.case_ids, "exclude-cases": [], "exclude-agent-cases": {}}
        path = folder / "spec.json"
        path.write_text(json.dumps({**common, **specification}, indent=1))
        environment = {**suite.environment, "PYTHONWARNINGS": "ignore"}
        child = Child(suite.command(mode, path), folder / "suite.log", environment=environment, folder=folder)
        self.suite = self._children.enter_context(child)

    def start_subject(self) -> None:
        values = {"{url}": f"ws://127.0.0.1:{self.port}", "{port}": str(self.port), "{name}": self.plan.agent}
        words = [re.sub(r"\{(url|port|name)\}", lambda found: values[found.group()], word) for word in self.plan.command]
        try:
            self.subject = self._children.enter_context(Child(words, self.plan.reports / "subject.log"))
        except OSError as error:
            raise RunFailed(f"`{' '.join(words)}` could not be started: {error}") from error


class ClientPart(Part):
    """A client under test: it is over when the client ends."""

    def start(self) -> None:
        self.start_suite("fuzzingserver", {"url": f"ws://127.0.0.1:{self.port}"})
        if not wait_until_listening(self.port, self.suite, Deadline(START_SECONDS)):
            raise RunFailed(f"the suite does not listen; its last words:\n{self.suite.last_lines()}")
        self.start_subject()

    def is_over(self) -> bool:
        return not self.subject.is_running() or not self.suite.is_running()

    def conclude(self) -> str | None:
        """Gets the reports; returns what went wrong on the way, if anything."""
        trouble = None
        if not self.suite.is_running():
            raise RunFailed(f"the suite ended during the run; its last words:\n{self.suite.last_lines()}")
        if self.subject.is_running():
            trouble = f"the client was not done in time; its last words:\n{self.subject.last_lines()}"
            self.subject.stop()
        elif self.subject.exit_code() != 0:
            trouble = f"the client ended with {self.subject.exit_code()}; its last words:\n{self.subject.last_lines()}"
        # Asked for here, not left to the client: one that dies half-way leaves a report too.
        ask_for_reports(self.port, self.plan.agent)
        return trouble


class ServerPart(Part):
    """A server under test: it is over when the suite ends."""

    def start(self) -> None:
        self.start_subject()
        if not wait_until_listening(self.port, self.subject, Deadline(START_SECONDS)):
            raise RunFailed(f"the server does not listen on port {self.port}; its last words:\n{self.subject.last_lines()}")
        peers = [{"agent": self.plan.agent, "url": f"ws://127.0.0.1:{self.port}"}]
        self.start_suite("fuzzingclient", {"servers": peers})

    def is_over(self) -> bool:
        # When the server dies, the next connection is refused; then the suite writes its reports and ends.
        return not self.suite.is_running()

    def conclude(self) -> str | None:
        """The suite has written its reports; returns what went wrong on the way, if anything."""
        if self.suite.is_running():
            raise RunFailed(f"the suite was not done in time; the server's last words:\n{self.subject.last_lines()}")
        if self.suite.exit_code() != 0:
            raise RunFailed(f"the suite ended with {self.suite.exit_code()}; its last words:\n{self.suite.last_lines()}")
        if not self.subject.is_running():
            return f"the server ended during the run with {self.subject.exit_code()}; its last words:\n{self.subject.last_lines()}"
        return None


ROLES = {"client": ClientPart, "server": ServerPart}


def run(role: str, plans: list[Plan], seconds: float) -> list[str]:
    """Runs the parts side by side, for so long at most; returns what went wrong on the way."""
    troubles = []
    with ExitStack() as children:
        parts = [ROLES[role](plan, children) for plan in plans]
        for part in parts:
            part.start()
        for _ in Deadline(seconds).ticks():
            if all(part.is_over() for part in parts):
                break
        for part in parts:
            try:
                troubles.append(part.conclude())
            except RunFailed as failure:
                troubles.append(str(failure))
    return [trouble for trouble in troubles if trouble]


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
