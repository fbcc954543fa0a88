"""Two private networks joined by a cable that can be cut without anybody being told."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from harness.environments import SetupFailed, install_debian_packages, run_quietly
from shutil import which

SERVER_ADDRESS = "10.231.0.1"
CLIENT_ADDRESS = "10.231.0.2"
NOBODY = "02:00:00:00:00:99"


class Network:
    """A network namespace, kept by a process that only waits; it ends with that process."""

    def __init__(self) -> None:
        self._keeper = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo ready; exec sleep 3600"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True,
        )
        if self._keeper.stdout is None or self._keeper.stdout.readline() != b"ready\n":
            raise SetupFailed("no network namespace of our own: this needs to run as root on Linux")

    @property
    def pid(self) -> int:
        return self._keeper.pid

    def inside(self, command: Sequence[str]) -> list[str]:
        return ["nsenter", f"--target={self.pid}", "--net", *command]

    def ip(self, *words: str) -> None:
        run_quietly(self.inside(["ip", *words]))

    def end(self) -> None:
        self._keeper.kill()
        self._keeper.wait()


class Cable:
    """A server's and a client's network with one cable between them."""

    def __init__(self) -> None:
        ensure_tools()
        self.server, self.client = Network(), Network()
        run_quietly([
            "ip", "link", "add", "cable", "netns", str(self.server.pid),
            "type", "veth", "peer", "name", "cable", "netns", str(self.client.pid),
        ])
        for network, address in ((self.server, SERVER_ADDRESS), (self.client, CLIENT_ADDRESS)):
            network.ip("address", "add", f"{address}/24", "dev", "cable")
            network.ip("link", "set", "cable", "up")
            network.ip("link", "set", "lo", "up")

    def drop_all_packets(self) -> None:
        """From now on every packet is for a machine that is not there. No end is told anything."""
        self.client.ip("neighbour", "replace", SERVER_ADDRESS, "lladdr", NOBODY, "dev", "cable", "nud", "permanent")
        self.server.ip("neighbour", "replace", CLIENT_ADDRESS, "lladdr", NOBODY, "dev", "cable", "nud", "permanent")

    def __enter__(self) -> Cable:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.end()
        self.server.end()


def ensure_tools() -> None:
    if os.geteuid() != 0:
        raise SetupFailed("network namespaces can be made by root only")
    if which("ip") is None:
        install_debian_packages("iproute2")
    if which("nsenter") is None or which("unshare") is None:
        install_debian_packages("util-linux")
