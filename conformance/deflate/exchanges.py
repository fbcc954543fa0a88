"""Messages that go to and fro between this library and a peer, in either role."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench import EXCHANGE_SECONDS, STOP_SECONDS, Bench, Script, answer, line_of
from chromium import Page
from frames import Direction
from harness.checks import Check, require, require_equal
from harness.processes import Child, Deadline
from messages import TWIN_SIZE, TWINS
from parameters import Parameters, both
from relay import Recording, Relay

WINDOWS = range(9, 16)
TAKEOVER = {True: "takeover", False: "no takeover"}
# What of the messages is on the wire at most; about half of the pools can be made smaller.
MOST_ON_THE_WIRE = 0.9


@dataclass(frozen=True)
class Traffic:
    """A plan, with what it comes to."""

    plan: Path
    messages: int
    bytes: int


@dataclass(frozen=True)
class Agreed:
    """What both ends agree on: for each direction the window and whether there is takeover."""

    server: tuple[int, bool]
    client: tuple[int, bool]

    def line(self) -> str:
        """As our program says it."""
        (server, server_takeover), (client, client_takeover) = self.server, self.client
        return f"open server={server},{TAKEOVER[server_takeover]} client={client},{TAKEOVER[client_takeover]}"


def same(bits: int, takeover: bool) -> Agreed:
    return Agreed((bits, takeover), (bits, takeover))


def require_seen(traffic: Traffic, seen: dict) -> None:
    """The peer has got back all that it sent, and a clean end."""
    require(seen["mismatch"] is None, str(seen["mismatch"]))
    require_equal("messages", traffic.messages, seen["messages"])
    require_equal("bytes", traffic.bytes, seen["bytes"])
    require_equal("close code", 1000, seen["code"])


def require_compressed(direction: Direction, traffic: Traffic, bits: int, takeover: bool) -> None:
    """What the relay saw in a direction: as many messages, compressed, and only with takeover by what went before."""
    require_equal("messages on the wire", traffic.messages, direction.messages)
    require(
        direction.compressed > 0 and sum(direction.sizes) < MOST_ON_THE_WIRE * traffic.bytes,
        f"expected compressed messages, got {direction.compressed} and {sum(direction.sizes)} bytes of {traffic.bytes}",
    )
    smallest = min(direction.sizes[1:TWINS])
    if takeover and bits > 8:
        require(smallest < TWIN_SIZE / 2, f"expected a repetition to become small, got {smallest} of {TWIN_SIZE} bytes")
    elif not takeover:
        require(smallest >= TWIN_SIZE, f"expected nothing of earlier messages, got {smallest} of {TWIN_SIZE} bytes")


def judge(recording: Recording, traffic: Traffic, answered: Parameters, agreed: Agreed) -> str:
    require_equal("answer", answered, recording.agreed())
    client, server = recording.sent_by("client"), recording.sent_by("server")
    require_compressed(client, traffic, *agreed.client)
    require_compressed(server, traffic, *agreed.server)
    return (
        f"{traffic.messages} messages, {told(client)} to the server, {told(server)} back, of {traffic.bytes / 1e6:.1f} MB; "
        f"answer: {recording.answered()}"
    )


def told(direction: Direction) -> str:
    return (
        f"{direction.bytes / 1e6:.1f} MB ({direction.compressed} compressed, {direction.fragmented} in fragments, "
        f"{direction.pings} Pings)"
    )


def require_end(child: Child) -> None:
    """Our client ends by itself, and well."""
    code = child.wait(Deadline(STOP_SECONDS))
    require_equal("our exit code", 0, code)
    require("failed" not in child.stdout(), f"our client failed:\n{child.last_lines()}")


def with_our_server(
    bench: Bench, kind: str, terms: Parameters, traffic: Traffic, run: Callable[[Relay], dict], answered: Parameters,
    agreed: Agreed, origin: str = "",
) -> str:
    """A peer's client and our server."""
    with bench.server(kind, terms, origin=origin) as (server, relay):
        require_seen(traffic, run(relay))
        if kind == "fragments":
            require_equal("agreement", agreed.line(), line_of(server, "open "))
            require("closed=1000" in line_of(server, "ended "), f"our server said\n{server.last_lines()}")
        require("panicked" not in server.stderr(), f"our server panicked:\n{server.last_lines()}")
        return judge(relay.only(), traffic, answered, agreed)


def their_client(
    bench: Bench, script: Script, kind: str, traffic: Traffic, offer: Parameters, terms: Parameters, answered: Parameters,
    agreed: Agreed,
) -> str:
    def run(relay: Relay) -> dict:
        with bench.peer(script, "client", bench.folder, traffic.plan, offer.options(), relay.uri) as client:
            return answer(client)

    return with_our_server(bench, kind, terms, traffic, run, answered, agreed)


def our_client(
    bench: Bench, script: Script, traffic: Traffic, offer: Parameters, options: Parameters, answered: Parameters, agreed: Agreed,
) -> str:
    """A peer's server and our client."""
    with bench.peer_server(script, "server", bench.folder, traffic.plan, options.options()) as (server, relay):
        with bench.client(relay.uri, offer) as client:
            require_seen(traffic, answer(server))
            require_end(client)
            require_equal("agreement", agreed.line(), line_of(client, "open "))
        return judge(relay.only(), traffic, answered, agreed)


def from_page(bench: Bench, page: Page, kind: str, traffic: Traffic, bits: int, takeover: bool) -> str:
    """The browser offers `client_max_window_bits` alone, and our server's terms say the rest."""
    def run(relay: Relay) -> dict:
        return page.exchange(relay.uri, traffic.plan, EXCHANGE_SECONDS)

    # A window that is not smaller than the largest need not be told, and one of the server only if it is asked for.
    answered = Parameters(not takeover, not takeover, None, bits if bits < 15 else None)
    agreed = same(bits, takeover)
    return with_our_server(bench, kind, both(bits, takeover), traffic, run, answered, agreed, page.origin)


def script_checks(bench: Bench, script: Script, traffic: Traffic) -> list[Check]:
    """With each window and both with takeover and without."""
    checks = []
    for takeover, takeover_name in TAKEOVER.items():
        for bits in WINDOWS:
            name, asked, agreed = f"{script.name}, window {bits}, {takeover_name}", both(bits, takeover), same(bits, takeover)
            # What the client names is a hint, which our server makes binding.
            answered = both(bits, takeover)
            for kind, title in (("program", "twinsock serve"), ("fragments", "our server in fragments")):
                checks.append(Check(f"{title}: {name}", lambda kind=kind, asked=asked, answered=answered, agreed=agreed: their_client(
                    bench, script, kind, traffic, asked, asked, answered, agreed)))
            checks.append(Check(f"our client: {name}", lambda asked=asked, agreed=agreed: our_client(
                bench, script, traffic, asked, asked, asked, agreed)))
    return checks


def page_checks(bench: Bench, page: Page, traffic: Traffic) -> list[Check]:
    return [
        Check(f"{title}: Chromium, window {bits}, {TAKEOVER[takeover]}",
              lambda kind=kind, bits=bits, takeover=takeover: from_page(bench, page, kind, traffic, bits, takeover))
        for takeover in TAKEOVER for bits in WINDOWS
        for kind, title in (("program", "twinsock serve"), ("fragments", "our server in fragments"))
    ]
