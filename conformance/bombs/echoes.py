"""50 clients that have a message echoed again and again, in a process of their own: `echoes.py PORT`.

Prints `ready`; when standard input ends, `ROUNDS FAILURES LARGEST_DELAY_IN_SECONDS`.
"""

from __future__ import annotations

import asyncio
import sys
import time

CLIENTS = 50
PAUSE = 0.02
PAYLOAD = b"an echo for everyone " * 20
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
# With the mask key 0; the length in two bytes, since it is above 125.
REQUEST = b"\x82\xfe" + len(PAYLOAD).to_bytes(2, "big") + bytes(4) + PAYLOAD
ECHO = b"\x82\x7e" + len(PAYLOAD).to_bytes(2, "big") + PAYLOAD


class Tally:
    def __init__(self) -> None:
        self.rounds = 0
        self.failures = 0
        self.largest_delay = 0.0
        self.is_over = False


async def client(port: int, tally: Tally, ready: asyncio.Semaphore) -> None:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        ready.release()
        while not tally.is_over:
            started = time.monotonic()
            writer.write(REQUEST)
            echo = await asyncio.wait_for(reader.readexactly(len(ECHO)), 20)
            tally.largest_delay = max(tally.largest_delay, time.monotonic() - started)
            if echo != ECHO:
                raise ValueError("expected the message again")
            tally.rounds += 1
            await asyncio.sleep(PAUSE)
        writer.close()
    except (OSError, EOFError, ValueError, asyncio.TimeoutError) as error:
        print(f"an echo failed: {error!r}", file=sys.stderr)
        tally.failures += 1
        ready.release()


async def main() -> None:
    tally, ready = Tally(), asyncio.Semaphore(0)
    clients = [asyncio.create_task(client(int(sys.argv[1]), tally, ready)) for _ in range(CLIENTS)]
    for _ in range(CLIENTS):
        await ready.acquire()
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    tally.is_over = True
    await asyncio.gather(*clients)
    print(tally.rounds, tally.failures, f"{tally.largest_delay:.3f}")


if __name__ == "__main__":
    asyncio.run(main())
