"""The program's commands that send: `twinsock connect` and `twinsock stream`, with a peer that sends back what comes."""

from __future__ import annotations

import random

from bench import EXCHANGE_SECONDS, STOP_SECONDS, Bench, Script, answer
from connect_checks import Typist, await_output
from exchanges import TAKEOVER, told
from harness.checks import Check, require, require_equal
from harness.processes import Deadline
from messages import WORDS
from parameters import both

LINES = 2000
BITS = 12


def lines(source: random.Random) -> list[bytes]:
    """Text lines, many of which have something in common."""
    words = [word.replace("\n", " ") for word in WORDS]
    return ["".join(source.choices(words, k=int(2 ** source.uniform(0, 9)))).encode() for _ in range(LINES)]


def sent_back(bench: Bench, script: Script, command: str, expected: list[bytes], takeover: bool) -> str:
    """What goes in comes out, compressed in between."""
    asked, total = both(BITS, takeover), sum(len(line) + 1 for line in expected)
    with bench.peer_server(script, "echo", asked.options()) as (server, relay):
        with bench.command(command, relay.uri, f"--deflate={asked.text()}") as program:
            typist = Typist(program, expected)
            await_output(program, total, EXCHANGE_SECONDS)
            typist.join()
            typist.end()
            require_equal("exit code", 0, program.wait(Deadline(STOP_SECONDS)))
            output = program.stdout_path.read_bytes()
        is_same = output == b"".join(line + b"\n" for line in expected)
        require(is_same, f"expected the {total} bytes that were sent, got {len(output)} others")
        seen, recording = answer(server), relay.only()
    require_equal("close code at the peer", 1000, seen["code"])
    require_equal("answer", asked, recording.agreed())
    ours, theirs = recording.sent_by("client"), recording.sent_by("server")
    for direction in (ours, theirs):
        is_small = direction.compressed > 0 and direction.bytes < total / 2
        require(is_small, f"expected compressed messages, got {told(direction)} of {total} bytes")
    return f"{seen['messages']} messages of {total / 1e6:.1f} MB, {told(ours)} to the server, {told(theirs)} back"


def checks(bench: Bench, script: Script, seed: str) -> list[Check]:
    found = []
    for takeover, name in TAKEOVER.items():
        typed = lines(random.Random(f"{seed} lines"))
        streamed = [line for _ in range(4) for line in typed]
        for command, content in (("connect", typed), ("stream", streamed)):
            def run(command: str = command, content: list[bytes] = content, takeover: bool = takeover) -> str:
                return sent_back(bench, script, command, content, takeover)

            found.append(Check(f"twinsock {command}: {script.name}, {name}", run))
    return found
