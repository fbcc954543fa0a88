"""Checks that each path carries lines and a stream, and by itself an ordinary request."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

import components
from components import PASSWORD, USER
from harness.checks import Check, require_equal
from laboratory import USER_INFORMATION, Laboratory
from traffic import echo_lines, echo_stream

# What `twinsock serve` answers a request that asks for no WebSocket.
NO_WEBSOCKET = "426"


@dataclass(frozen=True)
class Target:
    """A server at the end of a forward proxy."""

    name: str
    uri: Callable[[Laboratory], str]


@dataclass(frozen=True)
class Forward:
    """A way through a forward proxy: the program's words for it, and curl's."""

    name: str
    words: Callable[[Laboratory], list[str]]
    curl: Callable[[Laboratory], list[str]]


@dataclass(frozen=True)
class Reverse:
    """A server behind something, the program's words for it, and curl's."""

    name: str
    uri: Callable[[Laboratory], str]
    words: tuple[str, ...] = ()
    curl: tuple[str, ...] = ()


CREDENTIALS = f"{USER}:{PASSWORD}"

TARGETS = (
    Target("ws", lambda lab: f"ws://{lab.server()}/"),
    Target("wss", lambda lab: f"wss://{lab.secure_server()}/"),
)


def in_uri(scheme: str, address: str) -> list[str]:
    return ["--proxy", f"{scheme}://{USER_INFORMATION}@{address}"]


def beside(scheme: str, address: str) -> list[str]:
    return ["--proxy", f"{scheme}://{address}", "--proxy-user", CREDENTIALS]


FORWARDS = (
    Forward(
        "squid", lambda lab: ["--proxy", f"http://{lab.squid('none').address}"],
        lambda lab: ["-x", f"http://{lab.squid('none').address}"],
    ),
    Forward(
        "squid with Basic", lambda lab: in_uri("http", lab.squid("basic").address),
        lambda lab: ["-x", f"http://{lab.squid('basic').address}", "--proxy-basic", "-U", CREDENTIALS],
    ),
    Forward(
        "squid with Digest", lambda lab: beside("http", lab.squid("digest").address),
        lambda lab: ["-x", f"http://{lab.squid('digest').address}", "--proxy-digest", "-U", CREDENTIALS],
    ),
    Forward(
        "squid with Basic behind TLS", lambda lab: beside("https", lab.squid_behind_tls()),
        lambda lab: ["-x", f"https://{lab.squid_behind_tls()}", "--proxy-cacert", str(lab.certificates.authority), "-U", CREDENTIALS],
    ),
    Forward(
        "dante, names resolved here", lambda lab: ["--proxy", f"socks5://{lab.dante('none').address}"],
        lambda lab: ["-x", f"socks5://{lab.dante('none').address}"],
    ),
    Forward(
        "dante, names resolved there", lambda lab: ["--proxy", f"socks5h://{lab.dante('none').address}"],
        lambda lab: ["-x", f"socks5h://{lab.dante('none').address}"],
    ),
    Forward(
        "dante with password", lambda lab: in_uri("socks5h", lab.dante("username").address),
        lambda lab: ["-x", f"socks5h://{lab.dante('username').address}", "-U", CREDENTIALS],
    ),
)

REVERSES = (
    Reverse("nginx", lambda lab: f"wss://{lab.nginx()}/"),
    Reverse("HAProxy", lambda lab: f"wss://{lab.haproxy()}/"),
    Reverse("nginx with Basic", lambda lab: f"wss://{lab.nginx()}/basic", ("--user", CREDENTIALS), ("-u", CREDENTIALS)),
    Reverse("server with Digest", lambda lab: f"ws://{lab.digest_gate()}/", ("--user", CREDENTIALS), ("--digest", "-u", CREDENTIALS)),
)


def trust(lab: Laboratory) -> list[str]:
    return ["--ca", str(lab.certificates.authority)]


def check_with_curl(lab: Laboratory, uri: str, words: list[str]) -> str:
    """An ordinary request goes the same way, so that the path itself is known to be there."""
    command = [
        components.find("curl"), "--silent", "--show-error", "--max-time", "20", "--output", os.devnull,
        "--write-out", "%{http_code}", "--cacert", str(lab.certificates.authority), "--proxytunnel",
    ]
    done = subprocess.run(
        [*command, *words, uri.replace("ws", "http", 1)], capture_output=True, text=True, timeout=60,
        env=lab.program.environment(),
    )
    require_equal("curl", (0, NO_WEBSOCKET), (done.returncode, done.stdout or done.stderr))
    return f"curl gets {done.stdout}"


def component_checks(lab: Laboratory) -> list[Check]:
    checks = []
    for forward in FORWARDS:
        for name, uri in (("ws", lambda: f"ws://{lab.server()}/"), ("wss of nginx", lambda: f"wss://{lab.nginx()}/")):
            run = lambda forward=forward, uri=uri: check_with_curl(lab, uri(), forward.curl(lab))
            checks.append(Check(f"component: {forward.name}, {name}", run))
    for reverse in REVERSES:
        run = lambda reverse=reverse: check_with_curl(lab, reverse.uri(lab), list(reverse.curl))
        checks.append(Check(f"component: {reverse.name}", run))
    return checks


def path_checks(lab: Laboratory, size: int) -> list[Check]:
    ways: list[tuple[str, Callable[[], list[str]]]] = []
    for target in TARGETS:
        words = lambda target=target: [target.uri(lab), *trust(lab), "--proxy", "none"]
        ways.append((f"direct, {target.name}", words))
    for forward in FORWARDS:
        for target in TARGETS:
            words = lambda forward=forward, target=target: [target.uri(lab), *trust(lab), *forward.words(lab)]
            ways.append((f"{forward.name}, {target.name}", words))
    for reverse in REVERSES:
        ways.append((reverse.name, lambda reverse=reverse: [reverse.uri(lab), *trust(lab), *reverse.words]))
    checks = []
    for name, words in ways:
        checks.append(Check(f"{name}: lines", lambda words=words: echo_lines(lab.program, words())))
        checks.append(Check(f"{name}: stream", lambda words=words: echo_stream(lab.program, words(), size)))
    return checks
