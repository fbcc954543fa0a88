#!/usr/bin/env python3
"""Lets through who knows a name and a password: `digest_gate.py PORT SERVER USER PASSWORD REALM`.

Each request is answered with 401 and a Digest challenge (RFC 7616; SHA-256 and MD5), on the same connection, until one
has the right answer; from then on the bytes of both directions are handed on to the server and back.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
import socket
import sys
import threading
from dataclasses import dataclass, field

ALGORITHMS = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}
CHUNK = 256 << 10


@dataclass
class Gate:
    """Who may pass, and which nonces were given out and used."""

    server: tuple[str, int]
    user: str
    password: str
    realm: str
    nonces: set[str] = field(default_factory=set)
    used: set[tuple[str, str]] = field(default_factory=set)

    def challenge(self) -> bytes:
        nonce = secrets.token_hex(16)
        self.nonces.add(nonce)
        lines = "".join(
            f'WWW-Authenticate: Digest realm="{self.realm}", qop="auth", algorithm={name}, nonce="{nonce}"\r\n'
            for name in ALGORITHMS
        )
        return f"HTTP/1.1 401 Unauthorized\r\n{lines}Content-Length: 0\r\n\r\n".encode()

    def is_right(self, head: str) -> bool:
        method, target, _version = head.split("\r\n", 1)[0].split(" ")
        found = re.search(r"^authorization:\s*digest\s+(.*)$", head, re.IGNORECASE | re.MULTILINE)
        if found is None:
            return False
        pairs = re.findall(r'([\w*]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))', found[1])
        given = {name.lower(): re.sub(r"\\(.)", r"\1", quoted) or plain for name, quoted, plain in pairs}
        once = (given.get("nonce", ""), given.get("nc", ""))
        if given.get("nonce") not in self.nonces or once in self.used:
            return False
        self.used.add(once)
        return given.get("uri") == target and given.get("response") == self.answer(method, given)

    def answer(self, method: str, given: dict[str, str]) -> str | None:
        algorithm = ALGORITHMS.get(given.get("algorithm", "MD5").upper())
        if algorithm is None or given.get("username") != self.user or given.get("realm") != self.realm:
            return None

        def hashed(*words: str) -> str:
            return algorithm(":".join(words).encode()).hexdigest()

        secret = hashed(self.user, self.realm, self.password)
        request = hashed(method, given["uri"])
        return hashed(secret, given["nonce"], given.get("nc", ""), given.get("cnonce", ""), given.get("qop", ""), request)


def read_head(connection: socket.socket) -> bytes | None:
    """A request's head; nothing at the end of the connection. Nobody sends more before the answer."""
    head = b""
    while b"\r\n\r\n" not in head:
        received = connection.recv(4096)
        if not received or len(head) > 1 << 16:
            return None
        head += received
    return head


def copy(source: socket.socket, target: socket.socket) -> None:
    memory = bytearray(CHUNK)
    with contextlib.suppress(OSError):
        while count := source.recv_into(memory):
            target.sendall(memoryview(memory)[:count])
        target.shutdown(socket.SHUT_WR)


def serve(connection: socket.socket, gate: Gate) -> None:
    with connection, contextlib.suppress(OSError, ValueError, KeyError):
        while (head := read_head(connection)) is not None:
            if not gate.is_right(head.decode("utf-8", "replace")):
                connection.sendall(gate.challenge())
                continue
            with socket.create_connection(gate.server) as server:
                server.sendall(head)
                back = threading.Thread(target=copy, args=(server, connection))
                back.start()
                copy(connection, server)
                back.join()
            return


def main() -> int:
    port, server, user, password, realm = sys.argv[1:]
    host, _, server_port = server.rpartition(":")
    gate = Gate((host, int(server_port)), user, password, realm)
    with socket.create_server(("127.0.0.1", int(port))) as listener:
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0], gate), daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
