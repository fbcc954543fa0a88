"""Checks of the environment's variables: through which proxy the program goes when it is not told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.checks import Check, require
from harness.processes import Deadline, free_port
from laboratory import USER_INFORMATION, Laboratory
from paths import TARGETS, Target, trust
from traffic import echo_lines

WS, WSS = TARGETS


@dataclass(frozen=True)
class Case:
    """Variables, further words for the program, and the proxy that must have carried it; None for no proxy.

    In the values `{squid}` and `{dante}` are those proxies with credentials, `{dead}` is one where nobody listens.
    """

    target: Target
    variables: str
    carrier: str | None
    words: str = ""


CASES = (
    Case(WS, "http_proxy={squid}", "squid"),
    Case(WS, "ws_proxy={squid} http_proxy={dead}", "squid"),
    Case(WS, "WS_PROXY={squid} http_proxy={dead}", "squid"),
    Case(WS, "all_proxy={dante}", "dante"),
    Case(WS, "ALL_PROXY={dante}", "dante"),
    Case(WS, "HTTP_PROXY={dead}", None),
    Case(WS, "https_proxy={dead} wss_proxy={dead}", None),
    Case(WS, "http_proxy= all_proxy={dante}", "dante"),
    Case(WS, "http_proxy={dead} no_proxy=*", None),
    Case(WS, "http_proxy={dead} no_proxy=10.0.0.0/8,127.0.0.0/8", None),
    Case(WS, "http_proxy={squid} no_proxy=127.0.0.2,example.com", "squid"),
    Case(WSS, "https_proxy={squid}", "squid"),
    Case(WSS, "HTTPS_PROXY={squid}", "squid"),
    Case(WSS, "https_proxy={squid} HTTPS_PROXY={dead}", "squid"),
    Case(WSS, "wss_proxy={dante} https_proxy={dead}", "dante"),
    Case(WSS, "all_proxy={dead} no_proxy=LocalHost", None),
    Case(WSS, "all_proxy={dead} NO_PROXY=.localhost", None),
    Case(WS, "http_proxy={dead}", None, "--proxy none"),
    Case(WSS, "https_proxy={dead}", "squid", "--proxy {squid}"),
    Case(WSS, "no_proxy=*", "squid", "--proxy {squid}"),
)


def check(lab: Laboratory, case: Case) -> str:
    proxies = {
        "squid": f"http://{USER_INFORMATION}@{lab.squid('basic').address}",
        "dante": f"socks5h://{USER_INFORMATION}@{lab.dante('username').address}",
        "dead": f"http://127.0.0.1:{free_port()}",
    }
    variables = dict(variable.format(**proxies).split("=", 1) for variable in case.variables.split(" "))
    words = [case.target.uri(lab), *trust(lab), *case.words.format(**proxies).split()]
    logs = {name: log_reader(lab, name) for name in ("squid", "dante")}
    before = {name: read() for name, read in logs.items()}
    echoed = echo_lines(lab.program, words, variables)
    if case.carrier is not None:
        carried = any(logs[case.carrier]() > before[case.carrier] for _ in Deadline(5).ticks())
        require(carried, f"expected the connection to go through {case.carrier}; its log has nothing of it")
    for name in logs.keys() - {case.carrier}:
        require(logs[name]() == before[name], f"expected nothing to go through {name}; its log has a connection")
    return f"{echoed}, {case.carrier or 'no proxy'}"


def log_reader(lab: Laboratory, name: str) -> Callable[[], int]:
    """How many connections the proxy has written down; both do at a connection's end."""
    component = lab.squid("basic") if name == "squid" else lab.dante("username")

    def read() -> int:
        text = component.log.read_text(errors="replace") if component.log and component.log.exists() else ""
        return sum("CONNECT" in line or "pass(" in line for line in text.splitlines())

    return read


def checks(lab: Laboratory) -> list[Check]:
    return [
        Check(f"environment: {case.target.name} with {case.variables} {case.words}".rstrip(), lambda case=case: check(lab, case))
        for case in CASES
    ]
