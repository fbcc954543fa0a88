"""A peer by Python's ssl (OpenSSL) and websockets.

  python_peer.py server CHAIN KEY VERSION [ROOTS]   echoes; with ROOTS it wants a client's certificate
  python_peer.py client URI ROOTS VERSION           has a text echoed

The server prints its port, then a line for each connection; the client prints one line.
"""

import asyncio
import ssl
import sys

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def only(context, version):
    context.minimum_version = context.maximum_version = VERSIONS[version]
    return context


def describe(socket):
    tls = socket.transport.get_extra_info("ssl_object")
    resumed = "yes" if tls.session_reused else "no"
    peer = (tls.getpeercert() or {}).get("subjectAltName", ())
    names = ",".join(name for kind, name in peer if kind == "DNS") or "none"
    return f"open version={tls.version()} resumed={resumed} peer={names} alpn={tls.selected_alpn_protocol()}"


async def server(chain, key, version, roots=None):
    context = only(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), version)
    context.load_cert_chain(chain, key)
    context.set_alpn_protocols(["http/1.1"])
    if roots:
        context.load_verify_locations(roots)
        context.verify_mode = ssl.CERT_REQUIRED

    async def handle(socket):
        print(describe(socket), flush=True)
        try:
            async for message in socket:
                await socket.send(message)
        except ConnectionClosed as lost:
            print(f"lost {lost}", flush=True)
            return
        print(f"closed {socket.close_code}", flush=True)

    async with serve(handle, "127.0.0.1", 0, ssl=context) as listening:
        print(listening.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().create_future()


async def client(uri, roots, version):
    context = only(ssl.create_default_context(cafile=roots), version)
    context.set_alpn_protocols(["http/1.1"])
    async with connect(uri, ssl=context) as socket:
        await socket.send("echo")
        assert await socket.recv() == "echo"
        print(describe(socket), flush=True)


asyncio.run({"server": server, "client": client}[sys.argv[1]](*sys.argv[2:]))
