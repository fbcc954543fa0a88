"""What a process takes: its memory at most, and the processor's time."""

from __future__ import annotations

import contextlib
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
MIB = 1 << 20


@dataclass(frozen=True)
class Cost:
    """What something took of a process; memory is all that the process had at most."""

    seconds: float
    processor_seconds: float
    memory: int

    def __str__(self) -> str:
        return f"{self.seconds:.2f} s, {self.processor_seconds:.2f} s of the processor, {self.memory / MIB:.1f} MiB at most"


class Meter:
    """Measures a process from now on."""

    def __init__(self, pid: int) -> None:
        self._folder = Path(f"/proc/{pid}")
        with contextlib.suppress(OSError):
            # The mark is set back to what is held now; where that is not allowed it counts from the start.
            (self._folder / "clear_refs").write_text("5")
        self._processor = self._processor_seconds()
        self._started = time.monotonic()

    def cost(self) -> Cost:
        seconds = time.monotonic() - self._started
        return Cost(seconds, self.processor_seconds(), self._peak())

    def processor_seconds(self) -> float:
        """Those until now; none of a process that has ended since."""
        try:
            return self._processor_seconds() - self._processor
        except OSError:
            return 0.0

    def _peak(self) -> int:
        found = re.search(r"^VmHWM:\s*(\d+) kB$", (self._folder / "status").read_text(), re.MULTILINE)
        if found is None:
            raise OSError("the process has ended")
        return int(found[1]) << 10

    def _processor_seconds(self) -> float:
        # The name, in brackets, may have spaces; user and system time are the 12th and 13th behind it.
        words = (self._folder / "stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / TICKS
