"""Who asks for what: agreements that only one end wants, that differ between the directions, and the smallest window.

zlib cannot compress with a window of 8 bits. So Python's websockets refuses to, and Node's ws and Chromium take 9, which looks back
no farther than 250 bytes and so is right for 8 too.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench import EXCHANGE_SECONDS, Bench, Script, answer, line_of
from chromium import Page
from exchanges import Agreed, Traffic, our_client, require_end, require_seen, same, their_client, with_our_server
from harness.checks import Check, require, require_equal
from harness.processes import Deadline
from parameters import Parameters, both

PYTHON = "Python websockets"
ASKED = 10
# The client can be limited, but does not ask for anything.
OPEN = Parameters(client_max_window_bits=True)
# The client cannot be limited either.
CLOSED = Parameters()
MIN = 8


@dataclass(frozen=True)
class Case:
    """Who asks for what, what the server answers, and what that comes to."""

    name: str
    client: Parameters
    server: Parameters
    answered: Parameters
    agreed: Agreed


def with_our_server_cases(script: Script) -> list[Case]:
    least = 9 if script.name == PYTHON else MIN
    return [
        Case("only the client asks", both(ASKED, True), Parameters(), both(ASKED, True), same(ASKED, True)),
        Case("only the server asks", OPEN, both(ASKED, True), Parameters(client_max_window_bits=ASKED), same(ASKED, True)),
        # What the client may refer to would be too much to keep: so it must not.
        Case("the client cannot be limited", unlimited(script), both(ASKED, True), Parameters(client_no_context_takeover=True),
             Agreed((ASKED, True), (15, False))),
        Case("the server's takeover alone", Parameters(client_no_context_takeover=True, client_max_window_bits=True), Parameters(),
             Parameters(client_no_context_takeover=True), Agreed((15, True), (15, False))),
        Case("the client's takeover alone", Parameters(server_no_context_takeover=True, client_max_window_bits=True), Parameters(),
             Parameters(server_no_context_takeover=True), Agreed((15, False), (15, True))),
        Case("window 8", Parameters(False, False, MIN, least), Parameters(), Parameters(False, False, MIN, least),
             Agreed((MIN, True), (least, True))),
    ]


def with_our_client_cases(script: Script) -> list[Case]:
    least = 9 if script.name == PYTHON else MIN
    return [
        Case("only the client asks", both(ASKED, True), Parameters(), both(ASKED, True), same(ASKED, True)),
        Case("only the server asks", OPEN, both(ASKED, True), both(ASKED, True), same(ASKED, True)),
        Case("the server's takeover alone", OPEN, Parameters(client_no_context_takeover=True), Parameters(client_no_context_takeover=True),
             Agreed((15, True), (15, False))),
        Case("the client's takeover alone", OPEN, Parameters(server_no_context_takeover=True), Parameters(server_no_context_takeover=True),
             Agreed((15, False), (15, True))),
        Case("window 8", OPEN, Parameters(False, False, least, MIN), Parameters(False, False, least, MIN),
             Agreed((least, True), (MIN, True))),
    ]


def unlimited(script: Script) -> Parameters:
    """How the peer is told to offer nothing about its own window: ws wants it forbidden, websockets left out."""
    return CLOSED if script.name == PYTHON else Parameters(client_max_window_bits=False)


def python_declines_window_8(bench: Bench, script: Script, traffic: Traffic) -> str:
    """Its server goes on without compression, and so does our client."""
    offer = Parameters(server_max_window_bits=MIN, client_max_window_bits=True)
    with bench.peer_server(script, "server", bench.folder, traffic.plan, CLOSED.options()) as (server, relay):
        with bench.client(relay.uri, offer) as client:
            require_seen(traffic, answer(server))
            require_end(client)
            require_equal("agreement", "open uncompressed", line_of(client, "open "))
        recording = relay.only()
    require_equal("answer", "", recording.answered())
    require_equal("compressed messages", 0, recording.sent_by("client").compressed + recording.sent_by("server").compressed)
    return f"declined; {traffic.messages} messages without compression"


def python_refuses_window_8(bench: Bench, script: Script, traffic: Traffic) -> str:
    """Its client offers to be limited, but not so far, and then fails the connection itself."""
    with bench.server("program", both(MIN, True)) as (server, relay):
        with bench.peer(script, "client", bench.folder, traffic.plan, OPEN.options(), relay.uri) as client:
            code = client.wait(Deadline(EXCHANGE_SECONDS))
            words = client.stderr().strip().splitlines()[-1:]
            is_refusal = code not in (0, None) and "('client_max_window_bits', '8')" in "".join(words)
            require(is_refusal, f"expected a refusal, got {code} and {words}")
        require("panicked" not in server.stderr(), f"our server panicked:\n{server.last_lines()}")
        return f"it fails the connection: {words[0]}"


def page_with_window_8(bench: Bench, page: Page, traffic: Traffic) -> str:
    return with_our_server(
        bench, "program", both(MIN, True), traffic, lambda relay: page.exchange(relay.uri, traffic.plan, EXCHANGE_SECONDS),
        Parameters(client_max_window_bits=MIN), same(MIN, True), page.origin,
    )


def checks(bench: Bench, script: Script, traffic: Traffic) -> list[Check]:
    found = [
        Check(f"twinsock serve: {script.name}, {case.name}", lambda case=case: their_client(
            bench, script, "program", traffic, case.client, case.server, case.answered, case.agreed))
        for case in with_our_server_cases(script)
    ] + [
        Check(f"our client: {script.name}, {case.name}", lambda case=case: our_client(
            bench, script, traffic, case.client, case.server, case.answered, case.agreed))
        for case in with_our_client_cases(script)
    ]
    if script.name == PYTHON:
        found += [
            Check(f"our client: {script.name}, window 8 of its server", lambda: python_declines_window_8(bench, script, traffic)),
            Check(f"twinsock serve: {script.name}, window 8 of its client", lambda: python_refuses_window_8(bench, script, traffic)),
        ]
    return found


def page_checks(bench: Bench, page: Page, traffic: Traffic) -> list[Check]:
    return [Check("twinsock serve: Chromium, window 8", lambda: page_with_window_8(bench, page, traffic))]
