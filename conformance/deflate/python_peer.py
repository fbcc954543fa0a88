"""A peer in Python: sends the planned messages, as client or as server, and compares what comes back.

  python_peer.py client FOLDER PLAN OPTIONS URI
  python_peer.py server FOLDER PLAN OPTIONS       prints its port; serves one connection
  python_peer.py echo OPTIONS                     prints its port; sends back what comes over one connection

OPTIONS are the extension's parameters as JSON. Prints one JSON object with what it saw.
"""

import asyncio
import json
import sys
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory

UNDER_WAY = 32
PONG_SECONDS = 30


class Exchange:
    """The planned messages and what came of them."""

    def __init__(self, folder, plan):
        self.pools = {kind: (Path(folder) / f"{kind}.pool").read_bytes() for kind in ("text", "binary")}
        self.messages = json.loads(Path(plan).read_text())
        self.seen = {"messages": 0, "bytes": 0, "pings": 0, "mismatch": None}
        self.room = asyncio.Semaphore(UNDER_WAY)
        self.pongs = []

    def content(self, planned):
        return self.pools[planned["kind"]][planned["start"]:planned["start"] + planned["size"]]

    async def fragments(self, socket, planned):
        """In bytes, also of text: so it is cut inside characters too."""
        content, before = self.content(planned), 0
        for cut in [*planned["cuts"], planned["size"]]:
            yield content[before:cut]
            if planned["ping"] and before == 0:
                self.pongs.append(await socket.ping())
            before = cut

    async def send(self, socket):
        for planned in self.messages:
            await self.room.acquire()
            text = planned["kind"] == "text"
            if planned["cuts"]:
                await socket.send(self.fragments(socket, planned), text=text)
                continue
            if planned["ping"]:
                self.pongs.append(await socket.ping())
            await socket.send(self.content(planned), text=text)

    async def receive(self, socket):
        for number, planned in enumerate(self.messages):
            echo = await socket.recv()
            content = self.content(planned)
            if echo != (content.decode() if planned["kind"] == "text" else content):
                self.seen["mismatch"] = f"echo {number} of {planned} is a {type(echo).__name__} of length {len(echo)}"
                return
            self.seen["messages"] += 1
            self.seen["bytes"] += planned["size"]
            self.room.release()
        for pong in self.pongs:
            await asyncio.wait_for(pong, PONG_SECONDS)

    async def run(self, socket):
        sending = asyncio.create_task(self.send(socket))
        try:
            await self.receive(socket)
        except ConnectionClosed as closed:
            self.seen["mismatch"] = f"the connection ended early, behind {self.seen['messages']} messages: {closed}"
        except asyncio.TimeoutError:
            self.seen["mismatch"] = "a Ping was not answered"
        sending.cancel()
        self.seen["pings"] = len(self.pongs)
        await socket.close(1000, "done")
        close = socket.protocol.close_rcvd
        return {**self.seen, "code": close.code if close else None}


LIMITS = {"max_size": 1 << 26, "ping_interval": None}


async def client(folder, plan, options, uri):
    factory = ClientPerMessageDeflateFactory(**json.loads(options))
    async with connect(uri, extensions=[factory], compression=None, **LIMITS) as socket:
        return await Exchange(folder, plan).run(socket)


async def server(folder, plan, options):
    return await serve_one(options, Exchange(folder, plan).run)


async def echo(options):
    async def send_back(socket):
        count = 0
        async for message in socket:
            await socket.send(message)
            count += 1
        return {"messages": count, "code": socket.protocol.close_rcvd.code}

    return await serve_one(options, send_back)


async def serve_one(options, treat):
    factory = ServerPerMessageDeflateFactory(**json.loads(options))
    seen = asyncio.get_running_loop().create_future()

    async def handle(socket):
        seen.set_result(await treat(socket))

    async with serve(handle, "127.0.0.1", 0, extensions=[factory], compression=None, **LIMITS) as listening:
        print(listening.sockets[0].getsockname()[1], flush=True)
        return await seen


print(json.dumps(asyncio.run({"client": client, "server": server, "echo": echo}[sys.argv[1]](*sys.argv[2:]))), flush=True)
