"""Kills a measuring of many files at random moments: `python tests/faults/kills.py [KILLS] [FILES]`.

Every measuring is the command line in a process of its own, forked from one that has everything imported and has
started nothing, so that twenty kills take seconds. The pairs are 1 by structure: what is tried is what is kept, not
what is computed. Prints how often the same was measured twice, and whether the end is that of a run without a kill.
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


def lines(out: Path) -> list[str]:
    """The file of every whole line."""
    parts = (part.read_text().splitlines(keepends=True) for part in out.glob("records/*"))
    return [json.loads(line)["record"]["file"] for part in parts for line in part if line.endswith("\n")]


def main(kills: int = 20, count: int = 1000) -> int:
    chance, done = random.Random(0), 0
    with tempfile.TemporaryDirectory() as folder:
        nets, out, whole = (Path(folder) / name for name in ("nets", "out", "whole"))
        nets.mkdir()
        write(nets, count)
        while done < kills:
            before, enough = len(lines(out)), chance.randint(1, count // (2 * kills))
            process = start(nets, "--out", out)
            while len(lines(out)) < before + enough:
                if os.waitpid(process, os.WNOHANG)[0]:
                    raise SystemExit(f"the measuring ended before kill {done + 1}: take more files")
                time.sleep(0.001)
            time.sleep(chance.uniform(0, 0.02))
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            done += 1
            assert not (out / "result.json").exists()
        cut = sum(not part.read_bytes().endswith(b"\n") for part in out.glob("records/*"))
        codes = [os.waitstatus_to_exitcode(os.waitpid(start(nets, "--out", place), 0)[1]) for place in (out, whole)]
        found = lines(out)
        same = all((out / name).read_bytes() == (whole / name).read_bytes() for name in ("result.json", "pairs.csv"))
    print(f"{done} kills, {count + 1} files, {cut} lines cut off; exit codes at the end {codes}")
    print(f"measured twice: {len(found) - len(set(found))}; lost: {count + 1 - len(set(found))}; the same end: {same}")
    return int(not same or codes != [3, 3] or len(set(found)) != count + 1)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
