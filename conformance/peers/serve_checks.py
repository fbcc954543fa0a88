"""Peers' clients against `twinsock serve`."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from pathlib import Path

from harness.checks import Check, require, require_equal
from harness.processes import Deadline
from peer_setup import Peer
from subject import LARGEST_MESSAGE, START_SECONDS, STOP_SECONDS, Bench, answer, ended, require_no_panic

EXCHANGE_SECONDS = 240
SHORT_SECONDS = 30
LARGE_MESSAGES = ("--max-message-size", str(LARGEST_MESSAGE))
CLIENTS_AT_SHUTDOWN = 3


def exchange(bench: Bench, peer: Peer, plan: Path, count: int) -> str:
    """All messages of the plan come back unchanged and in order, all pings are answered, Close 1000 is returned."""
    with bench.serve(*LARGE_MESSAGES) as server:
        with bench.peer_client(peer, "exchange", server.uri, str(plan.parent), str(plan)) as client:
            seen = answer(client, EXCHANGE_SECONDS)
        require_no_panic(server.child)
        require(seen["mismatch"] is None, str(seen["mismatch"]))
        require_equal("messages", count, seen["messages"])
        require_equal("close code", 1000, seen["code"])
        return f"{count} messages, {seen['bytes'] / 2**20:.0f} MiB, {seen['pongs']} pings, close 1000"


def shutdown(bench: Bench, peer: Peer, number: signal.Signals) -> str:
    with ExitStack() as stack:
        server = stack.enter_context(bench.serve())
        clients = [stack.enter_context(bench.peer_client(peer, "await-close", server.uri)) for _ in range(CLIENTS_AT_SHUTDOWN)]
        for client in clients:
            require_equal("the client's echo", "open", client.first_line(Deadline(START_SECONDS)))
        server.child.signal(number)
        codes = [answer(client, STOP_SECONDS)["code"] for client in clients]
        require_equal("close codes", [1001] * CLIENTS_AT_SHUTDOWN, codes)
        require_equal("exit code", 0, ended(server.child, STOP_SECONDS, "serve"))
        return f"{CLIENTS_AT_SHUTDOWN} clients saw 1001, exit code 0"


def shutdown_without_clients(bench: Bench) -> str:
    with bench.serve() as server:
        server.child.signal(signal.SIGTERM)
        require_equal("exit code", 0, ended(server.child, STOP_SECONDS, "serve"))
        return "exit code 0"


def oversize(bench: Bench, peer: Peer) -> str:
    with bench.serve("--max-message-size", "1024") as server:
        codes = []
        for size in (1024, 1025, 1 << 20):
            with bench.peer_client(peer, "oversize", server.uri, str(size)) as client:
                codes.append(answer(client, SHORT_SECONDS)["code"])
        require_no_panic(server.child)
        # The first is within the limit: it is echoed, and the client closes with 1000 by itself.
        require_equal("close codes for 1024, 1025 and 1048576 bytes", [1000, 1009, 1009], codes)
        return "1024 bytes pass, 1025 bytes and 1 MiB are refused with 1009"


def agree(bench: Bench, peer: Peer, options: list[str], request: list[str]) -> dict:
    with bench.serve(*options) as server, bench.peer_client(peer, "handshake", server.uri, *request) as client:
        return answer(client, SHORT_SECONDS)


def subprotocol(bench: Bench, peer: Peer) -> str:
    options = ["--protocol", "chat", "--protocol", "superchat"]
    require_equal("one in common", {"status": 101, "protocol": "superchat"}, agree(bench, peer, options, ["", "other", "superchat"]))
    require_equal("none offered", {"status": 101, "protocol": None}, agree(bench, peer, options, [""]))
    return "superchat agreed on; none without an offer"


def origin(bench: Bench, peer: Peer) -> str:
    options = ["--origin", "https://good.example"]
    require_equal("allowed origin", 101, agree(bench, peer, options, ["https://good.example"])["status"])
    require_equal("foreign origin", 403, agree(bench, peer, options, ["https://evil.example"])["status"])
    return "101 for the allowed one, 403 for another"


def checks(bench: Bench, peer: Peer, mixed: Path, mixed_count: int, fragmented: Path, fragmented_count: int) -> list[Check]:
    name = f"serve, {peer.name}"
    return [
        Check(f"{name}: {mixed_count} mixed messages", lambda: exchange(bench, peer, mixed, mixed_count)),
        Check(f"{name}: fragments and pings", lambda: exchange(bench, peer, fragmented, fragmented_count)),
        Check(f"{name}: SIGTERM", lambda: shutdown(bench, peer, signal.SIGTERM)),
        Check(f"{name}: SIGINT", lambda: shutdown(bench, peer, signal.SIGINT)),
        Check(f"{name}: message size limit", lambda: oversize(bench, peer)),
        Check(f"{name}: subprotocol", lambda: subprotocol(bench, peer)),
        Check(f"{name}: origin", lambda: origin(bench, peer)),
    ]
