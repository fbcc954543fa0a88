#!/usr/bin/env python3
"""A WebSocket server on several addresses of this host: `server.py PORT ADDRESS…`.

Prints `listening`, and `accepted ADDRESS` for each TCP connection to one of them. It answers the opening handshake and
waits for the client to go.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import sys

MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    print(f"accepted {writer.get_extra_info('sockname')[0]}", flush=True)
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = head.split("\r\n")
        key = next(line.split(":", 1)[1].strip() for line in lines if line.lower().startswith("sec-websocket-key:"))
        accept = base64.b64encode(hashlib.sha1((key + MAGIC).encode()).digest()).decode()
        writer.write(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )
        while await reader.read(4096):
            pass
    except (asyncio.IncompleteReadError, ConnectionError):
        # A client that lost its race goes without a word.
        pass
    finally:
        writer.close()


async def main() -> None:
    port, addresses = int(sys.argv[1]), sys.argv[2:]
    for address in addresses:
        await asyncio.start_server(serve, address, port)
    print("listening", flush=True)
    await asyncio.sleep(600)


if __name__ == "__main__":
    asyncio.run(main())
