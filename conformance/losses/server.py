#!/usr/bin/env python3
"""A server that opens one WebSocket and then loses it: `server.py ADDRESS {fin,reset,silent,close}`.

Prints `listening PORT`. `fin` ends the TCP connection, `reset` resets it, `silent` keeps it and never reads or says
anything again, `close` closes with 1000. It waits for one frame of the client's before it does so.
"""

from __future__ import annotations

import base64
import hashlib
import socket
import struct
import sys
import time

MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def open_websocket(connection: socket.socket) -> None:
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(4096)
    lines = head.decode("latin-1").split("\r\n")
    key = next(line.split(":", 1)[1].strip() for line in lines if line.lower().startswith("sec-websocket-key:"))
    accept = base64.b64encode(hashlib.sha1((key + MAGIC).encode()).digest()).decode()
    connection.sendall(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
    )


def main() -> int:
    address, manner = sys.argv[1], sys.argv[2]
    with socket.create_server((address, 0)) as listener:
        print(f"listening {listener.getsockname()[1]}", flush=True)
        connection, _peer = listener.accept()
        open_websocket(connection)
        connection.recv(4096)
        if manner == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif manner == "silent":
            time.sleep(600)
        elif manner == "close":
            connection.sendall(b"\x88\x02\x03\xe8")
            connection.recv(4096)
        connection.close()
        time.sleep(600)
    return 0


if __name__ == "__main__":
    sys.exit(main())
