"""Starting, watching and ending child processes. Nothing here waits without a deadline."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

POLL_SECONDS = 0.02
GRACE_SECONDS = 5.0


class Deadline:
    """A moment after which waiting is over."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        return max(0.0, self._end - time.monotonic())

    def passed(self) -> bool:
        return self.remaining() == 0.0

    def ticks(self) -> Iterator[None]:
        """Yields at short intervals until the moment has come; at least once."""
        yield
        while not self.passed():
            time.sleep(POLL_SECONDS)
            yield


class Child:
    """A child process, the leader of its own process group, whose output goes to files.

    Files, not pipes: a child that says more than expected can then never block on us.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        environment: dict[str, str] | None = None,
        folder: Path | None = None,
        stdin: int = subprocess.DEVNULL,
    ) -> None:
        self.command = list(command)
        self.stdout_path = log.with_suffix(".out")
        self.stderr_path = log.with_suffix(".err")
        with self.stdout_path.open("wb") as out, self.stderr_path.open("wb") as err:
            self.process = subprocess.Popen(
                self.command,
                stdin=stdin,
                stdout=out,
                stderr=err,
                env={**os.environ, **(environment or {})},
                cwd=folder,
                start_new_session=True,
            )

    def is_running(self) -> bool:
        return self.process.poll() is None

    def exit_code(self) -> int | None:
        return self.process.poll()

    def wait(self, deadline: Deadline) -> int | None:
        """The exit code, or None when the deadline passed first."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(deadline.remaining())
        return None

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self) -> None:
        """Ends the process and what it started: politely, then for certain."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not self.is_running():
                return
            # The group's id is the child's own pid, so this reaches nothing that we did not start.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
            self.wait(Deadline(GRACE_SECONDS))

    def stdout(self) -> str:
        return self.stdout_path.read_text("utf-8", errors="replace")

    def stderr(self) -> str:
        return self.stderr_path.read_text("utf-8", errors="replace")

    def last_lines(self, count: int = 5) -> str:
        lines = (self.stdout() + self.stderr()).splitlines()
        return "\n".join(f"    | {line}" for line in lines[-count:]) or "    (none)"

    def first_line(self, deadline: Deadline) -> str | None:
        """The first whole line of standard output; None when the child ended or the deadline passed before it."""
        for _ in deadline.ticks():
            running = self.is_running()
            line, newline, _rest = self.stdout().partition("\n")
            if newline:
                return line
            if not running:
                return None
        return None

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()
        self.stop()


def free_port() -> int:
    """A loopback port that nobody listened on a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def wait_until_listening(port: int, child: Child, deadline: Deadline) -> bool:
    """Whether something accepts connections on the port before the child ends or the deadline passes."""
    for _ in deadline.ticks():
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        if not child.is_running():
            return False
    return False


def end_cleanly_on_sigterm() -> None:
    """Turns SIGTERM into an exception, so that the children are ended on the way out."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))
