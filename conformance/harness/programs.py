"""The programs under test: built with cargo, then run directly so that their process ids are their own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

WORKSPACE = Path(__file__).resolve().parents[2]


class BuildFailed(Exception):
    """Cargo could not build a program; its own messages are on standard error."""


def release_binary(package: str, binary: str) -> Path:
    """Builds a binary of the workspace in release mode and returns where cargo put it."""
    build = ["cargo", "build", "--release", "--package", package, "--bin", binary]
    try:
        code = subprocess.run(build, cwd=WORKSPACE, stdin=subprocess.DEVNULL).returncode
        if code != 0:
            raise BuildFailed(f"`{' '.join(build)}` ended with {code}")
        metadata = subprocess.run(
            ["cargo", "metadata", "--format-version", "1", "--no-deps"],
            cwd=WORKSPACE, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise BuildFailed(f"cargo could not be run: {error}") from error
    # Cargo itself says where the target folder is: CARGO_TARGET_DIR or its configuration may have moved it.
    return Path(json.loads(metadata.stdout)["target_directory"]) / "release" / binary
