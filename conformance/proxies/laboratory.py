"""All that runs around the program under test. Each part is started when the first check needs it."""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import components
from certificates import Certificates, make_certificates
from components import PASSWORD, USER, Component
from harness.checks import CheckFailed
from harness.environments import SetupFailed
from harness.processes import Child, Deadline, free_port
from traffic import Program

USER_INFORMATION = f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}"


@dataclass
class Laboratory:
    """The folder of a run, its certificates, and the components that have been started."""

    program: Program
    folder: Path
    certificates: Certificates
    _stack: contextlib.ExitStack
    _started: dict[str, Component] = field(default_factory=dict)
    # Allowed by no proxy; nobody listens there.
    forbidden_port: int = field(default_factory=free_port)

    def server(self) -> str:
        """`twinsock serve`, as host and port."""
        return self._serve("serve", "ws").address

    def secure_server(self) -> str:
        """`twinsock serve` with TLS, as host and port."""
        tls = ["--tls-cert", str(self.certificates.certificate), "--tls-key", str(self.certificates.key)]
        return f"localhost:{self._serve('serve-tls', 'wss', *tls).port}"

    def squid(self, method: str) -> Component:
        return self._once(f"squid-{method}", lambda: components.squid(self.folder, method, self.forbidden_port))

    def dante(self, method: str) -> Component:
        return self._once(f"dante-{method}", lambda: components.dante(self.folder, method, self.forbidden_port))

    def squid_behind_tls(self) -> str:
        """Squid, reached by TLS, as host and port."""
        squid = self.squid("basic").address
        front = self._once("front", lambda: components.haproxy(self.folder, "tcp", self.certificates, squid))
        return f"localhost:{front.port}"

    def nginx(self) -> str:
        server = self.server()
        return f"localhost:{self._once('nginx', lambda: components.nginx(self.folder, self.certificates, server)).port}"

    def haproxy(self) -> str:
        server = self.server()
        started = self._once("haproxy", lambda: components.haproxy(self.folder, "http", self.certificates, server))
        return f"localhost:{started.port}"

    def digest_gate(self) -> str:
        server = self.server()
        return self._once("gate", lambda: components.digest_gate(self.folder, server)).address

    def _once(self, name: str, start: Callable[[], Component]) -> Component:
        if name not in self._started:
            try:
                component = start()
            except SetupFailed as failure:
                # Other paths may be there all the same.
                raise CheckFailed(str(failure)) from failure
            self._stack.push(component.child)
            self._started[name] = component
        return self._started[name]

    def _serve(self, name: str, scheme: str, *options: str) -> Component:
        def start() -> Component:
            command = [str(self.program.path), "serve", "--listen", "127.0.0.1:0", *options]
            child = Child(command, self.folder / f"{name}.log")
            line = child.first_line(Deadline(components.START_SECONDS))
            found = re.fullmatch(rf"listening on {scheme}://127\.0\.0\.1:([1-9]\d*)", line or "")
            if found is None:
                child.stop()
                raise CheckFailed(f"`twinsock {' '.join(command[1:])}`: expected `listening on {scheme}://…`, got {line!r}\n{child.last_lines()}")
            return Component(child, int(found[1]))

        return self._once(name, start)


@contextlib.contextmanager
def laboratory(path: Path) -> Iterator[Laboratory]:
    with contextlib.ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="twinsock-proxies-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        # Servers that give up their rights as root read their files here.
        folder.chmod(0o755)
        certificates = make_certificates(folder / "certificates")
        yield Laboratory(Program(path, folder), folder, certificates, stack)
