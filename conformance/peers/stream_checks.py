"""Byte streams against Python's `websockets`: fragments, empty and huge messages, and pings in between."""

from __future__ import annotations

from pathlib import Path

import stream_plan
from connect_checks import Typist, await_output, words
from harness.checks import Check, require, require_equal
from peer_setup import Peer
from subject import STOP_SECONDS, Bench, Served, answer, connection_reports, ended, listening_uri, require_no_panic

EXCHANGE_SECONDS = 120
SHORT_SECONDS = 30


def program_as_client(bench: Bench, peer: Peer) -> str:
    """`twinsock stream`: what the peer sends comes out, and what goes in reaches the peer."""
    expected = stream_plan.content()
    sent = [b"line %d of what goes to the peer" % number for number in range(100_000)]
    with bench.peer_server(peer, "stream") as server, bench.start("stream", listening_uri(server)) as program:
        typist = Typist(program, sent)
        await_output(program, len(expected), EXCHANGE_SECONDS)
        typist.join()
        typist.end()
        code = ended(program, STOP_SECONDS, "stream")
        require_no_panic(program)
        require_equal("exit code", 0, code)
        require(program.stdout_path.read_bytes() == expected, f"the bytes differ; its last words:\n{words(program)}")
        [report] = connection_reports(server, 1, SHORT_SECONDS)
        require_equal("close code at the peer", 1000, report["code"])
        require_equal("hash at the peer", stream_plan.digest(b"".join(line + b"\n" for line in sent)), report["sha256"])
        fragments = sum(count for _size, count in stream_plan.MESSAGES)
        require_equal("pings answered", fragments, report["pongs"])
        return f"{len(expected) >> 20} MiB came, 3 MiB went in {report['messages']} messages, {fragments} pings, close 1000"


def socket_as_server(bench: Bench, peer: Peer, echo: Path) -> str:
    """A `StreamWebSocket` that accepts: all bytes come back, whatever the borders."""
    expected = stream_plan.content()
    client = [peer.client[0], str(Path(peer.client[1]).with_name("python_stream_client.py"))]
    with Served(bench.run(echo)) as served, bench.run(*client, served.uri) as child:
        report = answer(child, EXCHANGE_SECONDS)
        require_equal("bytes back", len(expected), report["bytes"])
        require_equal("hash", stream_plan.digest(expected), report["sha256"])
        require_equal("pings answered", sum(count for _size, count in stream_plan.MESSAGES), report["pongs"])
        require_equal("close code", 1000, report["code"])
        require_no_panic(served.child)
        return f"{len(expected) >> 20} MiB there and back in {report['messages']} messages, {report['pongs']} pings, close 1000"


def checks(bench: Bench, peer: Peer, echo: Path) -> list[Check]:
    return [
        Check(f"stream, {peer.name}: fragments, empty and huge messages, pings", lambda: program_as_client(bench, peer)),
        Check(f"stream socket as server, {peer.name}: the same", lambda: socket_as_server(bench, peer, echo)),
    ]
