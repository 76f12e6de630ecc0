"""Files to readers: processes with a limit on time and memory, started again when one is lost."""

from __future__ import annotations

import json
import math
import os
import select
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

WORKER = Path(__file__).with_name("worker.py")
SECONDS = 10
BYTES = 2**30


class Outcome(NamedTuple):
    """What happened to a file: it was `read` or `refused`, or is a finding.

    Attributes:
        outcome: in one word or a few.
        said: of it.
        seconds: of the processor that it took.
        grown: bytes beyond what the process had before, at the peak.
    """

    outcome: str
    said: str
    seconds: float = 0
    grown: int = 0

    @property
    def found(self) -> bool:
        return self.outcome not in ("read", "refused")


class Reader:
    """A process that reads one file after another."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._process: subprocess.Popen | None = None

    def read(self, path: Path, *, check: bool = True) -> Outcome:
        """What happens to a file, or to the process that reads it."""
        process = self._process = self._process or self._started()
        busy = _busy(process.pid)
        try:
            process.stdin.write(json.dumps({"path": str(path), "check": check}) + "\n")
            process.stdin.flush()
        except BrokenPipeError:  # it was lost after the file before
            self.close(kill=True)
            return Outcome("killed", f"exit {process.returncode}")
        # On a machine that does much beside, what counts is the time of the processor, unless nothing moves.
        ready, spent, still = [], -1.0, 0
        while not ready and spent < self.seconds and still < 6:
            ready, _, _ = select.select([process.stdout], [], [], self.seconds)
            now = _busy(process.pid) - busy
            spent, still = now, 0 if now > spent else still + 1
        line = process.stdout.readline() if ready else ""
        if not line:
            self.close(kill=True)
            lost = Outcome("killed", f"exit {process.returncode}")
            return lost if ready else Outcome("over time", f"{self.seconds} s")
        found = json.loads(line)
        outcome = Outcome(found["outcome"], found["said"], _busy(process.pid) - busy, found["grown"])
        size = sum(file.stat().st_size for file in path.parent.iterdir() if file.is_file())
        over = outcome.grown > BYTES + size or "MemoryError" in outcome.said
        return outcome._replace(outcome="over memory") if over else outcome

    def close(self, *, kill: bool = False) -> None:
        process, self._process = self._process, None
        if process is not None:
            if kill:
                process.kill()
            with suppress(BrokenPipeError):
                process.stdin.close()
            process.wait()
            process.stdout.close()

    def _started(self) -> subprocess.Popen:
        command = [sys.executable, "-W", "ignore", WORKER]
        environment = os.environ | {"JAX_PLATFORMS": "cpu"}
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        if process.stdout.readline() != "ready\n":  # which counts to no file
            raise RuntimeError("the process that reads does not start")
        return process


def _busy(process: int) -> float:
    """Seconds that a process has had of the processor."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it was lost
        return math.inf
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
