"""A server in Python on a free port. Prints the port, then one JSON object for each connection that ended.

  python_server.py echo         each message with its own type
  python_server.py fragments    each message in three fragments, with a ping between them
  python_server.py farewell     a text message, then Close 4000 `enough`
  python_server.py binary       a binary message, then a text message, then as `echo`
  python_server.py abort        a text message, then the end of TCP without a Close
  python_server.py stream       the messages of stream_plan.py with pings between them, and takes what comes
"""

import asyncio
import hashlib
import json
import sys

import stream_plan

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

LARGEST = 64 << 20


class Session:
    """One connection and what it is to be reported with."""

    def __init__(self, socket):
        self.socket = socket
        self.seen = {"messages": 0, "pongs": 0}

    async def echo(self):
        async for message in self.socket:
            self.seen["messages"] += 1
            await self.socket.send(message)

    async def fragments(self):
        async for message in self.socket:
            self.seen["messages"] += 1
            await self.socket.send(self.thirds(message))

    async def thirds(self, message):
        step = len(message) // 3
        yield message[:step]
        # Not awaited: behind a full receive queue the library reads no pong before we take the next message.
        pong = await self.socket.ping(b"between fragments %d" % self.seen["messages"])
        pong.add_done_callback(self.note_pong)
        yield message[step:2 * step]
        yield message[2 * step:]

    def note_pong(self, pong):
        if not pong.cancelled() and pong.exception() is None:
            self.seen["pongs"] += 1

    async def farewell(self):
        await self.socket.send("farewell")
        await self.socket.close(4000, "enough")

    async def binary(self):
        await self.socket.send(b"\x00\x01\x02\xfe\xff")
        await self.socket.send("after the binary one")
        await self.echo()

    async def stream(self):
        received = hashlib.sha256()
        sending = asyncio.create_task(self.send_stream())
        async for message in self.socket:
            self.seen["messages"] += 1
            received.update(message)
            self.seen["sha256"] = received.hexdigest()
        await sending

    async def send_stream(self):
        for fragments in stream_plan.messages():
            await self.socket.send(self.with_pings(fragments))

    async def with_pings(self, fragments):
        for fragment in fragments:
            yield fragment
            pong = await self.socket.ping()
            pong.add_done_callback(self.note_pong)

    async def abort(self):
        await self.socket.send("still here")
        await asyncio.sleep(0.2)
        self.socket.transport.abort()


async def main(behaviour):
    async def handle(socket):
        session = Session(socket)
        try:
            await getattr(session, behaviour)()
        except ConnectionClosed:
            pass
        await socket.wait_closed()
        close = socket.protocol.close_rcvd
        headers = {name.lower(): value for name, value in socket.request.headers.raw_items()}
        print(json.dumps({
            **session.seen, "code": close.code if close else None,
            "protocol": socket.subprotocol, "headers": headers,
        }), flush=True)

    def choose(connection, offered):
        return offered[0] if offered else None

    options = {"max_size": LARGEST, "ping_interval": None, "select_subprotocol": choose}
    async with serve(handle, "127.0.0.1", 0, **options) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().create_future()


asyncio.run(main(sys.argv[1]))
