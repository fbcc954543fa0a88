"""Private environments for the tools that the runners need; nothing is installed into the system's Python."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path


class SetupFailed(Exception):
    """A tool could not be had; the text says which one and what to do."""


def say(text: str) -> None:
    print(f"setup: {text}", file=sys.stderr, flush=True)


def run_quietly(command: Sequence[str | Path], environment: dict[str, str] | None = None, folder: Path | None = None) -> str:
    """Runs a command and returns its output; on failure raises with the last lines of what it said."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words, cwd=folder, env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=900,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupFailed(f"`{' '.join(words)}` could not be run: {error}") from error
    if done.returncode != 0:
        tail = "\n".join(done.stdout.splitlines()[-12:])
        raise SetupFailed(f"`{' '.join(words)}` ended with {done.returncode}\n{tail}")
    return done.stdout


def cache_folder(variable: str, name: str) -> Path:
    """The folder that the variable names, or else one in the user's cache."""
    chosen = os.environ.get(variable)
    folder = Path(chosen) if chosen else Path.home() / ".cache" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps two runners from filling the same folder at once."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install_debian_packages(*names: str) -> None:
    """Installs packages where that is possible at all: as root, with apt."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise SetupFailed(f"please install {' '.join(names)} (as root on Debian: apt-get install {' '.join(names)})")
    say(f"installing {' '.join(names)} with apt")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run_quietly(["apt-get", "update", "-qq"], quiet)
    run_quietly(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *names], quiet)


def make_virtual_environment(folder: Path) -> None:
    """A fresh Python 3 environment with pip. Debian keeps what `venv` needs in a package of its own."""
    command = [sys.executable, "-m", "venv", "--clear", folder]
    try:
        run_quietly(command)
    except SetupFailed:
        install_debian_packages("python3-venv")
        run_quietly(command)
