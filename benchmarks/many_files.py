"""How many small checkpoints does `sicjax measure FOLDER --out DIR` take a second, and what is the limit?

    python benchmarks/many_files.py [--files 10000] [--jobs 2] [--kills 0]

Makes checkpoints of three convolutions with 8 to 16 channels, `.npz` and `.safetensors` with a sidecar each, and among
them twenty files that are broken in twenty ways. Beside it, in the same run: merely reading and hashing every file.
With `--kills` the command is killed that often on its way, started again, and its result compared, with DuckDB also as
Parquet.
Writes benchmarks/results/many_files.json.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import platform
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from safetensors.numpy import save, save_file

from sicjax.measure import read_archive

RESULTS = Path(__file__).parent / "results"
LAYERS = [
    {"type": "conv", "weight": f"conv{k}.weight", "layout": "OIHW", "stride": 2, "post": ["relu"]} for k in range(3)
]


def kernels(rng: np.random.Generator) -> dict[str, np.ndarray]:
    shapes = [(8, 3, 4, 4), (16, 8, 4, 4), (16, 16, 4, 4)]
    return {f"conv{k}.weight": rng.normal(size=shape).astype(np.float32) for k, shape in enumerate(shapes)}


def sidecar(file: Path, layers=LAYERS) -> None:
    file.with_suffix(".json").write_text(json.dumps({"networks": {"network": layers}}))


def make_good(folder: Path, count: int) -> None:
    rng = np.random.default_rng(0)
    for k in range(count):
        file = folder / f"{k % 100:02}" / f"{k:06}.{'npz' if k % 2 else 'safetensors'}"
        file.parent.mkdir(parents=True, exist_ok=True)
        arrays = kernels(rng)
        np.savez(file, **arrays) if k % 2 else save_file(arrays, file)
        sidecar(file)


def make_broken(folder: Path) -> None:
    """Twenty files, each with a reason of its own."""
    folder.mkdir()
    arrays = kernels(np.random.default_rng(1))
    changed = lambda **change: {**arrays, **{name.replace("_", "."): array for name, array in change.items()}}
    first = arrays["conv0.weight"]
    raw = {
        "empty.npz": b"",
        "text.npz": b"no network\n",
        "pointer.safetensors": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
        "header.safetensors": (2**40).to_bytes(8, "little") + b"{}",
        "half.safetensors": save(arrays)[:4000],
        "noise.onnx": b"\xff" * 100,
        "noise.h5": b"\x89HDF\r\n\x1a\n" + b"\xff" * 100,
        "noise.pt2": b"PK\x03\x04" + b"\xff" * 100,
    }
    for name, content in raw.items():
        (folder / name).write_bytes(content)
    np.savez(folder / "nan.npz", **changed(conv0_weight=np.full_like(first, np.nan)))
    np.savez(folder / "range.npz", **changed(conv0_weight=first.astype(np.float64) * 1e300))
    np.savez(folder / "missing.npz", **{"conv0.weight": first})
    np.savez(folder / "flat.npz", **changed(conv1_weight=first[0, 0]))
    for name in ("json", "layout", "lacks", "stride"):
        np.savez(folder / f"{name}.npz", **arrays)
    for name in ("nan", "range", "missing", "flat"):
        sidecar(folder / f"{name}.npz")
    (folder / "json.json").write_text('{"networks": ')
    sidecar(folder / "layout.npz", [{**LAYERS[0], "layout": "NCHW"}])
    sidecar(folder / "lacks.npz", [{"type": "conv", "weight": "conv0.weight"}])
    sidecar(folder / "stride.npz", [{**LAYERS[0], "stride": 0}])
    np.savez(folder / "strides.npz", **arrays)
    with zipfile.ZipFile(folder / "photos.npz", "w") as archive:
        archive.writestr("photo.txt", "hello")
    with zipfile.ZipFile(folder / "code.pth", "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02cposix\nsystem\nX\x04\x00\x00\x00true\x85R.")
    (folder / "gone.npz").symlink_to("nowhere.npz")


def read_and_hash(folder: Path) -> float:
    start = time.perf_counter()
    for file in (file for file in folder.rglob("*") if file.is_file()):
        hashlib.sha256(file.read_bytes()).digest()
    return time.perf_counter() - start


def memory(pid: int) -> int:
    """Bytes that a process and those it started hold, what they share counted once; 0 where the system does not say."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0
    own = next(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))
    return own + sum(memory(int(child)) for child in children)


def processor_seconds() -> float:
    """Of every process that this one has waited for, and of those that they had."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured(folder: Path, out: Path, jobs: int, *, lines: int | None = None) -> tuple[float, int]:
    """Seconds of the command and its peak memory; killed once it has written so many more records."""
    command = [sys.executable, "-m", "sicjax", "measure", str(folder), "--out", str(out), "--jobs", str(jobs)]
    before = len(list(out.glob("records/*.jsonl")))
    start, peak = time.perf_counter(), 0
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        # Asking for the memory of a process stops it meanwhile, so that is done seldom.
        while _runs(process, seconds=1.0 if lines is None else 0.2):
            peak = max(peak, memory(process.pid)) if lines is None else 0
            parts = sorted(out.glob("records/*.jsonl"))
            if lines is not None and len(parts) > before and parts[-1].read_bytes().count(b"\n") >= lines:
                process.send_signal(signal.SIGKILL)
    if process.returncode not in (3, -signal.SIGKILL):
        raise SystemExit(f"{command} ended with {process.returncode}")
    return time.perf_counter() - start, peak


def _runs(process: subprocess.Popen, *, seconds: float) -> bool:
    """Whether it still runs, after waiting for its end for so long."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return True
    return False


def archived(out: Path) -> list[list[tuple]]:
    """What the Parquet says, and nothing where DuckDB is not installed."""
    if find_spec("duckdb") is None:
        return []
    connection = read_archive(out)
    return [connection.sql(f"FROM {table}").fetchall() for table in ("networks", "pairs")]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=10_000, help="checkpoints, twenty of them broken")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--kills", type=int, default=0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, out = Path(name, "files"), Path(name, "out")
        folder.mkdir()
        make_good(folder, args.files - 20)
        make_broken(folder / "broken")
        load = os.getloadavg()[0]
        reading = read_and_hash(folder)
        seconds, peak = measured(folder, out, args.jobs)
        of_processors = processor_seconds()
        again, _ = measured(folder, out, args.jobs)
        with (out / "pairs.csv").open() as table:
            rows = list(csv.DictReader(table))
        broken = f"{folder / 'broken'}/"
        reasons = [row["error"].replace(row["file"], "").replace(broken, "") for row in rows if row["error"]]
        good = len({row["file"] for row in rows if not row["error"]})
        result = {
            "machine": f"{os.cpu_count()} CPU cores, {platform.machine()}, load {load:.1f} before",
            "files": args.files,
            "jobs": args.jobs,
            "measured": good,
            "not measured": len(reasons),
            "reasons": sorted(set(reasons)),
            "seconds": seconds,
            "processor seconds": of_processors,
            "files per second": args.files / seconds,
            "reading and hashing, seconds": reading,
            "times reading and hashing": seconds / reading,
            "again, seconds": again,
            "peak memory, MiB": peak / 2**20,
            "Parquet, bytes a pair": sum(file.stat().st_size for file in out.rglob("*.parquet")) / len(rows),
            "Parquet, rows": [len(table) for table in archived(out)],
        }
        if args.kills:
            text, tables = (out / "result.json").read_text(), archived(out)
            shutil.rmtree(out)
            for _ in range(args.kills):
                measured(folder, out, args.jobs, lines=args.files // (2 * args.kills))
            measured(folder, out, args.jobs)
            lines = [json.loads(line)["record"]["file"] for part in out.glob("records/*.jsonl")
                     for line in part.read_text().splitlines(keepends=True) if line.endswith("\n")]  # fmt: skip
            result |= {"kills": args.kills, "same result": (out / "result.json").read_text() == text}
            result |= {"same Parquet": archived(out) == tables}
            result |= {"records written twice": len(lines) - len(set(lines))}
    for name, value in result.items():
        print(f"{name}: {value}")
    RESULTS.mkdir(exist_ok=True)
    RESULTS.joinpath("many_files.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
