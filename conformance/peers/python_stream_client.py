"""A client in Python that sends the messages of stream_plan.py to an echo server of bytes: `python_stream_client.py URI`.

Prints one JSON object: how much came back, its hash, in how many messages, how many pings were answered, and the close code.
"""

import asyncio
import json
import sys

import stream_plan
from websockets.asyncio.client import connect


async def main(uri):
    expected = len(stream_plan.content())
    received = bytearray()
    seen = {"messages": 0, "pongs": 0}

    def note_pong(pong):
        if not pong.cancelled() and pong.exception() is None:
            seen["pongs"] += 1

    async with connect(uri, max_size=None, ping_interval=None) as socket:
        async def with_pings(fragments):
            for fragment in fragments:
                yield fragment
                pong = await socket.ping()
                pong.add_done_callback(note_pong)

        async def send():
            for fragments in stream_plan.messages():
                await socket.send(with_pings(fragments))

        sending = asyncio.create_task(send())
        while len(received) < expected:
            received += await socket.recv(decode=False)
            seen["messages"] += 1
        await sending
        await socket.close()
        code = socket.protocol.close_rcvd.code
    print(json.dumps({**seen, "bytes": len(received), "sha256": stream_plan.digest(bytes(received)), "code": code}), flush=True)


asyncio.run(main(sys.argv[1]))
