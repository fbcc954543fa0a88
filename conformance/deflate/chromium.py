"""A headless Chromium with one page, which a small HTTP server here hands jobs to and gets reports from."""

from __future__ import annotations

import contextlib
import http.server
import itertools
import json
import os
import queue
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

from harness.checks import require
from harness.environments import SetupFailed, install_debian_packages
from harness.processes import Child, Deadline

HERE = Path(__file__).resolve().parent
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FILES = {"/": "chromium_page.html", "/exchange.js": "exchange.js"}
# The page asks again for a job after so many seconds.
JOB_SECONDS = 5


def find() -> str:
    """The browser's path; installed first if it is not there."""
    if not any(map(shutil.which, PROGRAMS)):
        install_debian_packages("chromium")
    path = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if path is None:
        raise SetupFailed("chromium is not there, though its package was installed")
    return path


class Page:
    """The page: takes jobs and tells what came of them."""

    def __init__(self, browser: str, folder: Path) -> None:
        self.browser, self.folder = browser, folder
        self.jobs: queue.Queue[dict] = queue.Queue()
        self.reports: queue.Queue[dict] = queue.Queue()
        self.origin = ""
        self._child: Child | None = None
        self._numbers = itertools.count(1)

    def exchange(self, uri: str, plan: Path, seconds: float) -> dict:
        """What the page has seen of the plan's messages."""
        child, number = self._running(), next(self._numbers)
        self.jobs.put({"uri": uri, "plan": plan.name, "number": number})
        for _ in Deadline(seconds).ticks():
            with contextlib.suppress(queue.Empty):
                report = self.reports.get_nowait()
                # One that was given up may come late.
                if report.pop("job") in (number, None):
                    return report
            require(child.is_running(), f"the browser ended; its last words:\n{child.last_lines()}")
        require(False, f"the page did not report within {seconds:.0f} s; the browser's last words:\n{child.last_lines()}")
        return {}

    def _running(self) -> Child:
        """The browser, which is started for the first exchange."""
        if self._child is None:
            profile = self.folder / "profile"
            command = [
                self.browser, "--headless", "--no-first-run", "--disable-gpu", "--disable-extensions",
                "--disable-background-networking", "--disable-dev-shm-usage", f"--user-data-dir={profile}",
                # A page in the background would get less time.
                "--disable-background-timer-throttling", "--disable-renderer-backgrounding",
                "--no-proxy-server",
            ]
            if os.geteuid() == 0:
                command.append("--no-sandbox")
            self._child = Child([*command, f"{self.origin}/"], self.folder / "chromium.log", environment={"HOME": str(self.folder)})
        return self._child

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()


@contextlib.contextmanager
def page(browser: str, folder: Path) -> Iterator[Page]:
    """A page that gets the folder's pools and plans."""
    served = Page(browser, folder)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/job":
                self.answer(json.dumps(next_job(served)).encode(), "application/json")
                return
            file = HERE / FILES[self.path] if self.path in FILES else folder / Path(self.path).name
            if not file.is_file():
                self.send_error(404)
                return
            kind = {".html": "text/html", ".js": "text/javascript"}.get(file.suffix, "application/octet-stream")
            self.answer(file.read_bytes(), kind)

        def do_POST(self) -> None:
            served.reports.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.answer(b"", "text/plain")

        def answer(self, body: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    served.origin = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield served
    finally:
        served.stop()
        server.shutdown()
        server.server_close()


def next_job(served: Page) -> dict | None:
    with contextlib.suppress(queue.Empty):
        return served.jobs.get(timeout=JOB_SECONDS)
    return None
