"""A client in Python. Prints one JSON object with what it saw.

  exchange URI FOLDER PLAN          send the plan's messages with a bounded window, compare the echoes, close with 1000
  await-close URI                   echo one message, print `open`, then wait until the server closes
  oversize URI SIZE                 send one message of SIZE bytes; close with 1000 if it is echoed
  handshake URI ORIGIN PROTOCOL…    tell the status, or the subprotocol that was agreed on
"""

import asyncio
import json
import sys
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

LARGEST = 64 << 20
WINDOW_MESSAGES = 64
WINDOW_BYTES = 32 << 20
PING_SECONDS = 30


class Window:
    """Bounds what is on the way. A message larger than the window goes alone."""

    def __init__(self):
        self.messages = self.bytes = 0
        self.changed = asyncio.Condition()

    async def enter(self, size):
        async with self.changed:
            await self.changed.wait_for(
                lambda: self.messages == 0
                or (self.messages < WINDOW_MESSAGES and self.bytes + size <= WINDOW_BYTES)
            )
            self.messages += 1
            self.bytes += size

    async def leave(self, size):
        async with self.changed:
            self.messages -= 1
            self.bytes -= size
            self.changed.notify_all()


def content(pools, planned):
    data = pools[planned["kind"]][planned["start"]:planned["start"] + planned["size"]]
    return data.decode() if planned["kind"] == "text" else data


async def fragments(socket, message, planned, pongs):
    """The message in pieces; the last one is empty. Halfway a ping goes out, between two fragments."""
    count = planned["fragments"]
    step = len(message) // (count - 1) + 1
    for number in range(count):
        if planned["ping"] and number == count // 2:
            pongs.append(await socket.ping(b"between fragments %d" % len(pongs)))
        yield message[number * step:(number + 1) * step]


async def exchange(uri, folder, plan):
    pools = {kind: (Path(folder) / f"{kind}.pool").read_bytes() for kind in ("text", "binary")}
    messages = json.loads(Path(plan).read_text())
    window, pongs, seen = Window(), [], {"messages": 0, "bytes": 0, "mismatch": None}

    async with connect(uri, max_size=LARGEST, ping_interval=None) as socket:
        async def send():
            for planned in messages:
                await window.enter(planned["size"])
                message = content(pools, planned)
                if planned["fragments"] > 1:
                    await socket.send(fragments(socket, message, planned, pongs))
                else:
                    await socket.send(message)

        async def receive():
            for number, planned in enumerate(messages):
                echo = await socket.recv()
                if echo != content(pools, planned):
                    got = f"{type(echo).__name__} of length {len(echo)}"
                    seen["mismatch"] = f"echo {number} of {planned} is a {got}"
                    return
                seen["messages"] += 1
                seen["bytes"] += planned["size"]
                await window.leave(planned["size"])

        sender = asyncio.create_task(send())
        try:
            await receive()
            for pong in pongs:
                await asyncio.wait_for(pong, PING_SECONDS)
        except ConnectionClosed as closed:
            seen["mismatch"] = f"the connection ended early: {closed}"
        except asyncio.TimeoutError:
            seen["mismatch"] = "a ping was not answered"
        sender.cancel()
        seen["pongs"] = len(pongs)
        await socket.close(1000, "done")
        return {**seen, **how_closed(socket)}


def how_closed(socket):
    close = socket.protocol.close_rcvd
    return {"code": close.code if close else None, "reason": close.reason if close else None}


async def await_close(uri):
    async with connect(uri, ping_interval=None) as socket:
        await socket.send("ready?")
        assert await socket.recv() == "ready?"
        print("open", flush=True)
        await socket.wait_closed()
        return how_closed(socket)


async def oversize(uri, size):
    async with connect(uri, max_size=LARGEST, ping_interval=None) as socket:
        try:
            await socket.send(b"x" * int(size))
            await socket.recv()
            await socket.close(1000)
        except ConnectionClosed:
            pass
        return how_closed(socket)


async def handshake(uri, origin, *protocols):
    try:
        async with connect(uri, origin=origin or None, subprotocols=list(protocols) or None) as socket:
            return {"status": 101, "protocol": socket.subprotocol}
    except InvalidStatus as refusal:
        return {"status": refusal.response.status_code, "protocol": None}


COMMANDS = {"exchange": exchange, "await-close": await_close, "oversize": oversize, "handshake": handshake}
print(json.dumps(asyncio.run(COMMANDS[sys.argv[1]](*sys.argv[2:]))), flush=True)
