"""The peers: two WebSocket libraries that share no code with this project, each as client and as server.

They are installed, with the versions in `requirements.txt` and `package.json`, under $TWINSOCK_PEERS_HOME
(default ~/.cache/twinsock-peers).
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from harness.environments import (  # noqa: E402
    cache_folder, install_debian_packages, locked, make_virtual_environment, run_quietly, say,
)


@dataclass(frozen=True)
class Peer:
    """A peer's name and how its scripts are started. Both peers' scripts take the same arguments."""

    name: str
    client: list[str]
    server: list[str]
    environment: dict[str, str]
    # Whether the echo of a message is sent before a Close that arrived right behind it is answered.
    echoes_before_close: bool


def edition(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


def python_peer(home: Path) -> Peer:
    requirements = HERE / "requirements.txt"
    folder = home / f"python-{edition(requirements)}"
    if not (folder / "ready").exists():
        say("installing the Python peer")
        make_virtual_environment(folder)
        run_quietly([folder / "bin/pip", "install", "--quiet", "--requirement", requirements])
        (folder / "ready").touch()
    python = str(folder / "bin/python")
    return Peer(
        name="Python websockets",
        client=[python, str(HERE / "python_client.py")],
        server=[python, str(HERE / "python_server.py")],
        environment={},
        echoes_before_close=False,
    )


def node_peer(home: Path) -> Peer:
    if shutil.which("node") is None or shutil.which("npm") is None:
        install_debian_packages("nodejs", "npm")
    package = HERE / "package.json"
    folder = home / f"node-{edition(package)}"
    if not (folder / "ready").exists():
        say("installing the Node peer")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        shutil.copy(package, folder)
        run_quietly(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"], folder=folder)
        (folder / "ready").touch()
    node = shutil.which("node") or "node"
    return Peer(
        name="Node ws",
        client=[node, str(HERE / "node_client.js")],
        server=[node, str(HERE / "node_server.js")],
        environment={"NODE_PATH": str(folder / "node_modules")},
        echoes_before_close=True,
    )


def ensure() -> list[Peer]:
    """All peers, installed first if they are not there yet."""
    home = cache_folder("TWINSOCK_PEERS_HOME", "twinsock-peers")
    with locked(home):
        return [python_peer(home), node_peer(home)]
