"""Kills a measuring of many files at random moments: `python tests/faults/kills.py [KILLS] [FILES] [JOBS]`.

Every measuring is the command line in a process of its own, forked from one that has everything imported and has
started nothing, so that twenty kills take seconds. The pairs are 1 by structure: what is tried is what is kept, not
what is computed. Prints how often the same was measured twice, and whether the end is that of a run without a kill.
With more than one job, whose processes take seconds to start, one of these is killed as well, on the way to the end.
"""

import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

import sicjax.cli._session  # noqa: F401  (imported once, here)
from sicjax import cli

CHANCE = random.Random(0)
LAYERS = [{"type": "conv", "weight": name, "layout": "OIHW", "stride": 2} for name in "ab"]


def write(folder: Path, count: int) -> None:
    """Small networks, and one that is broken."""
    rng = np.random.default_rng(0)
    for k in range(count):
        path = folder / f"{k:05}.safetensors"
        save_file({"a": rng.normal(size=(4, 3, 1, 1)).astype(np.float32), "b": np.ones((5, 4, 1, 1))}, path)
        path.with_suffix(".json").write_text(json.dumps({"networks": {"net": LAYERS}}))
    (folder / "broken.npz").write_text("no network")


def start(*arguments: object) -> int:
    """The command in a process of its own, which says nothing; returns its number."""
    process = os.fork()
    if not process:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        os._exit(cli.main(["measure", *map(str, arguments)]))
    return process


def workers(process: int) -> list[int]:
    """The numbers of the processes that measure for another."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def await_lines(out: Path, count: int, process: int) -> None:
    """Waits until there are so many, and a moment more."""
    while len(lines(out)) < count:
        if os.waitpid(process, os.WNOHANG)[0]:
            raise SystemExit("the measuring ended before it was killed: take more files")
        time.sleep(0.001)
    time.sleep(CHANCE.uniform(0, 0.02))


def lines(out: Path) -> list[str]:
    """The file of every whole line."""
    parts = (part.read_text().splitlines(keepends=True) for part in out.glob("records/*"))
    return [json.loads(line)["record"]["file"] for part in parts for line in part if line.endswith("\n")]


def main(kills: int = 20, count: int = 1000, jobs: int = 1) -> int:
    with tempfile.TemporaryDirectory() as folder:
        nets, out, whole = (Path(folder) / name for name in ("nets", "out", "whole"))
        nets.mkdir()
        write(nets, count)
        several = ["--jobs", jobs] if jobs > 1 else []
        for _ in range(kills):
            before = len(lines(out))
            process = start(nets, "--out", out, *several)
            await_lines(out, before + CHANCE.randint(1, max(count // (2 * kills), 1)), process)
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            assert not (out / "result.json").exists()
        cut = sum(not part.read_bytes().endswith(b"\n") for part in out.glob("records/*"))
        process = start(nets, "--out", out, *several)
        if jobs > 1:
            await_lines(out, len(lines(out)) + 1, process)
            os.kill(CHANCE.choice(workers(process)), signal.SIGKILL)
        ends = [process, start(nets, "--out", whole)]
        codes = [os.waitstatus_to_exitcode(os.waitpid(end, 0)[1]) for end in ends]
        found = lines(out)
        same = all((out / name).read_bytes() == (whole / name).read_bytes() for name in ("result.json", "pairs.csv"))
        twice, lost = len(found) - len(set(found)), count + 1 - len(set(found))
    print(f"{kills} kills{' and one of a worker' * (jobs > 1)}, {count + 1} files, {jobs} jobs, {cut} lines cut off")
    print(f"exit codes at the end {codes}; measured twice: {twice}; lost: {lost}; the same end: {same}")
    return int(not same or codes != [3, 3] or twice + lost > 0)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
