#!/usr/bin/env python3
"""Checks TLS against OpenSSL and Node in both roles: versions, certificates of either end, resumption, refusals.

The peers are Python's ssl with websockets, Node's tls with ws, and the openssl command; the certificates are made on the
spot. Prints a line for each check and at the end `N passed, N failed`. Exit status: 0 all passed, 1 some failed, 2 the
checks could not be run.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "peers")]

import peer_setup  # noqa: E402
from authority import Authority  # noqa: E402
from harness.checks import Check, require, run_checks  # noqa: E402
from harness.environments import SetupFailed, install_debian_packages  # noqa: E402
from harness.processes import Child, Deadline, end_cleanly_on_sigterm, free_port  # noqa: E402
from harness.programs import BuildFailed, release_binary  # noqa: E402

SECONDS = 20
VERSIONS = ("1.2", "1.3")
REQUEST = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


class Bench:
    """The programs, the certificates, and what starts and asks them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ours = str(release_binary("twinsock-testkit", "tls-peer"))
        python, node = peer_setup.ensure()
        self.peers = {
            "Python": ([python.client[0], str(HERE / "python_peer.py")], python.environment),
            "Node": ([node.client[0], str(HERE / "node_peer.js")], node.environment),
        }
        self.authority, self.stranger = Authority(folder / "known"), Authority(folder / "stranger")
        self.authority.issue("server", "server", "RSA")
        self.authority.issue("elsewhere", "elsewhere")
        self.authority.issue("client", "client")
        self.stranger.issue("server", "server")
        self.stranger.issue("client", "client", "RSA")
        self.root = str(self.authority.certificate("root"))
        self._count = 0

    def log(self) -> Path:
        self._count += 1
        return self.folder / f"log-{self._count}"

    def peer(self, name: str, *words: object) -> Child:
        command, environment = self.peers[name]
        return Child([*command, *map(str, words)], self.log(), environment=environment)

    def peer_server(self, name: str, version: str, authority: Authority, shown: str, *roots: str) -> Child:
        return self.peer(name, "server", authority.certificate(shown), authority.key(shown), version, *roots)

    def client(self, port: str, *words: str) -> list[str]:
        """What our client says of a server on the port."""
        uri = f"uri=wss://localhost:{port}/"
        with Child([self.ours, "client", uri, f"roots={self.root}", *words], self.log()) as child:
            code = child.wait(Deadline(SECONDS))
            require(code == 0, f"the client ended with {code}\n{child.last_lines()}")
            return child.stdout().splitlines()

    def server(self, *words: str) -> Child:
        authority = self.authority
        shown = [f"chain={authority.certificate('server')}", f"key={authority.key('server')}"]
        return Child([self.ours, "server", *shown, *words], self.log())

    def identity(self, authority: Authority) -> list[str]:
        return [f"chain={authority.certificate('client')}", f"key={authority.key('client')}"]

    def s_client(self, port: str, *words: str, request: bytes = REQUEST) -> str:
        """What openssl says of our server; it is given a request and waits for what comes of it."""
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", self.root, "-ign_eof", *words]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
            try:
                # An empty text, then a Close frame: the server ends the connection.
                out, _ = child.communicate(request + CLOSE, timeout=SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                out, _ = child.communicate()
        return out.decode("utf-8", "replace")


# With the mask key 0.
CLOSE = b"\x88\x82\x00\x00\x00\x00\x03\xe8"


def first_line(child: Child) -> str:
    line = child.first_line(Deadline(SECONDS))
    require(line is not None, f"expected a server, got\n{child.last_lines()}")
    return str(line).split()[-1]


def require_in(expected: str, got: str) -> None:
    require(expected in got, f"expected {expected!r}, got {got!r}")


def wait_for_line(child: Child, text: str) -> str:
    """The first line with the text, once it is there."""
    for _ in Deadline(SECONDS).ticks():
        for line in child.stdout().splitlines():
            if text in line:
                return line
    require(False, f"expected a line with {text!r}, got\n{child.last_lines()}")
    return ""


def echo_from_client(bench: Bench, name: str, version: str) -> str:
    with bench.peer_server(name, version, bench.authority, "server") as server:
        [line] = bench.client(first_line(server))
        require_in(f"open version=TLS {version} resumed=no peer=localhost", line)
        theirs = wait_for_line(server, "open")
        require_in(f"version=TLSv{version}", theirs)
        require_in("alpn=http/1.1", theirs)
        require_in("closed 1000", wait_for_line(server, "closed"))
        return theirs


def resumption_of_client(bench: Bench, name: str, version: str) -> str:
    with bench.peer_server(name, version, bench.authority, "server") as server:
        lines = bench.client(first_line(server), "count=3")
        require(len(lines) == 3 and "resumed=no" in lines[0], f"expected three connections, got {lines}")
        require(all("resumed=yes" in line for line in lines[1:]), f"expected resumed ones, got {lines}")
        return lines[-1]


def certificate_of_client(bench: Bench, name: str, version: str) -> str:
    with bench.peer_server(name, version, bench.authority, "server", bench.root) as server:
        port = first_line(server)
        require_in("open", bench.client(port, *bench.identity(bench.authority))[0])
        theirs = wait_for_line(server, "open")
        require_in("peer=client.example", theirs)
        # In TLS 1.3 neither of the two sends an alert: they just let go, so that the kind may be ConnectionLost.
        for wrong in ([], bench.identity(bench.stranger)):
            require_in("failed kind=TlsFailed" if version == "1.2" else "failed kind=", bench.client(port, *wrong)[0])
        return theirs


def alert_to_client(bench: Bench, version: str) -> str:
    authority, port = bench.authority, str(free_port())
    command = [
        "openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-www", f"-tls{version.replace('.', '_')}",
        "-cert", str(authority.certificate("server")), "-key", str(authority.key("server")),
        "-Verify", "1", "-verify_return_error", "-CAfile", bench.root,
    ]
    with Child(command, bench.log()) as server:
        wait_for_line(server, "ACCEPT")
        [none] = bench.client(port)
        require_in("failed kind=TlsFailed", none)
        [wrong] = bench.client(port, *bench.identity(bench.stranger))
        require_in("failed kind=TlsFailed", wrong)
        # It speaks no WebSocket, but it does take the certificate.
        [right] = bench.client(port, *bench.identity(authority))
        require_in("failed kind=HandshakeRefused", right)
        return none


def refusal_by_client(bench: Bench, name: str, authority: Authority, shown: str, error: str) -> str:
    with bench.peer_server(name, "1.3", authority, shown) as server:
        [line] = bench.client(first_line(server))
        require_in(f"failed kind=CertificateRejected errors=[{error}]", line)
        return line


def version_in_common(bench: Bench, name: str) -> str:
    with bench.peer_server(name, "1.2", bench.authority, "server") as server:
        [line] = bench.client(first_line(server), "version=1.3")
        require_in("failed kind=TlsFailed", line)
        return line


def echo_from_peer(bench: Bench, name: str, version: str) -> str:
    with bench.server() as server:
        uri = f"wss://localhost:{first_line(server)}/"
        with bench.peer(name, "client", uri, bench.root, version) as client:
            line = wait_for_line(client, "open")
            require_in(f"version=TLSv{version}", line)
            require_in("alpn=http/1.1", line)
        require_in(f"version=TLS {version}", wait_for_line(server, "open"))
        return line


def openssl_upgrades(bench: Bench, version: str) -> str:
    with bench.server() as server:
        said = bench.s_client(first_line(server), f"-tls{version.replace('.', '_')}", "-alpn", "http/1.1",
                              "-verify_hostname", "localhost", "-verify_return_error")
        for expected in ("101 Switching Protocols", "ALPN protocol: http/1.1", "Verify return code: 0 (ok)"):
            require_in(expected, said)
        # OpenSSL 3 says so when TCP ends without a close_notify.
        require("unexpected eof" not in said.lower(), f"expected a close_notify, got {said[-300:]!r}")
        return f"101, TLS {version}"


def openssl_resumes(bench: Bench, version: str) -> str:
    session = str(bench.log())
    words = [f"-tls{version.replace('.', '_')}"]
    with bench.server() as server:
        port = first_line(server)
        require_in("New, TLSv1", bench.s_client(port, *words, "-sess_out", session))
        said = bench.s_client(port, *words, "-sess_in", session)
        require_in("Reused, TLSv1", said)
        require_in("101 Switching Protocols", said)
        require(server.stdout().count("resumed=yes") == 1, f"got\n{server.last_lines()}")
        return "Reused"


def openssl_reconnects(bench: Bench) -> str:
    with bench.server() as server:
        said = bench.s_client(first_line(server), "-tls1_2", "-reconnect")
        count = said.count("Reused, TLSv1.2")
        require(count == 5, f"expected 5 reused sessions, got {count}")
        return "5 times Reused"


def certificate_for_server(bench: Bench, version: str) -> str:
    words = [f"-tls{version.replace('.', '_')}"]
    authority, stranger = bench.authority, bench.stranger
    with bench.server("clients=required", f"roots={bench.root}") as server:
        port = first_line(server)
        right = ["-cert", str(authority.certificate("client")), "-key", str(authority.key("client"))]
        require_in("101 Switching Protocols", bench.s_client(port, *words, *right))
        require_in("peer=client.example", wait_for_line(server, "open"))
        none = bench.s_client(port, *words)
        # RFC 8446 §6.2, and RFC 5246 §7.4.6.
        require_in("certificate required" if version == "1.3" else "alert", none)
        require("101 Switching" not in none, f"got {none!r}")
        wrong = ["-cert", str(stranger.certificate("client")), "-key", str(stranger.key("client"))]
        refused = bench.s_client(port, *words, *wrong)
        require("alert" in refused and "101 Switching" not in refused, f"expected an alert, got {refused!r}")
        require(server.stdout().count("failed kind=TlsFailed") == 2, f"got\n{server.last_lines()}")
    with bench.server("clients=optional", f"roots={bench.root}") as server:
        require_in("101 Switching Protocols", bench.s_client(first_line(server), *words))
        return wait_for_line(server, "peer=none")


def alert_for(bench: Bench, alert: str, *words: str) -> str:
    with bench.server() as server:
        require_in(alert, bench.s_client(first_line(server), *words))
        return wait_for_line(server, "failed kind=TlsFailed")


def plain_http(bench: Bench) -> str:
    with bench.server() as server:
        curl = ["curl", "--silent", "--include", "--max-time", "10", f"http://127.0.0.1:{first_line(server)}/"]
        said = subprocess.run(curl, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=SECONDS).stdout.decode()
        require_in("400 Bad Request", said)
        require_in("plain HTTP", wait_for_line(server, "failed kind=TlsFailed"))
        return said.splitlines()[-1]


def all_checks(bench: Bench) -> list[Check]:
    checks: list[Check] = []

    def add(name: str, check: Callable[..., str], *words: object) -> None:
        checks.append(Check(name, lambda: check(bench, *words)))

    for name in bench.peers:
        for version in VERSIONS:
            add(f"client with {name}, TLS {version}: an echo", echo_from_client, name, version)
            add(f"client with {name}, TLS {version}: its certificate", certificate_of_client, name, version)
            add(f"server with {name}, TLS {version}: an echo", echo_from_peer, name, version)
        for version in VERSIONS:
            add(f"client with {name}, TLS {version}: resumption", resumption_of_client, name, version)
        known, stranger = bench.authority, bench.stranger
        add(f"client with {name}: another name", refusal_by_client, name, known, "elsewhere", "InvalidName")
        add(f"client with {name}: an unknown issuer", refusal_by_client, name, stranger, "server", "IncompleteChain")
        add(f"client with {name}: no version in common", version_in_common, name)
    for version in VERSIONS:
        add(f"server with openssl, TLS {version}: an upgrade and a clean end", openssl_upgrades, version)
        add(f"server with openssl, TLS {version}: resumption", openssl_resumes, version)
        add(f"server with openssl, TLS {version}: its certificate", certificate_for_server, version)
        add(f"client with openssl, TLS {version}: alerts", alert_to_client, version)
    add("server with openssl: reconnecting", openssl_reconnects)
    add("server with openssl: HTTP/2 alone", alert_for, "no application protocol", "-alpn", "h2")
    add("server with openssl: TLS 1.1", alert_for, "alert", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
    add("server with curl: plain HTTP", plain_http)
    return checks


def main() -> int:
    end_cleanly_on_sigterm()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="TEXT", help="only checks whose name contains this")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="twinsock-tls-") as folder:
        try:
            for tool in ("openssl", "curl"):
                if shutil.which(tool) is None:
                    install_debian_packages(tool)
            bench = Bench(Path(folder))
        except (SetupFailed, BuildFailed) as failure:
            print(f"error: {failure}", file=sys.stderr)
            return 2
        return run_checks([check for check in all_checks(bench) if options.only in check.name])


if __name__ == "__main__":
    sys.exit(main())
