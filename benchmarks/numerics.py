"""How far do the numbers depend on their precision, on the number of threads, on compiling, and on the version of JAX?

    python benchmarks/numerics.py measure FILE.json WEIGHTS... [--float64] [--no-jit]
    python benchmarks/numerics.py compare FILE.json FILE.json ...

`measure` measures weights files, those of one author (the name up to the first `_`) together, so that they share
compiled programs, and writes the numbers of every pair. Run it again with float64, without compiling (small networks:
minutes), with one thread (`NPROC=1 XLA_FLAGS=--xla_cpu_multi_thread_eigen=false` before it; `NPROC=2` is two), in an
environment with another JAX. `compare` says how far each is from the first: for every column the largest difference
over the pairs that both have, and the pair. Of z, whose size has no bound, it is relative where |z| is above 1.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import platform
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

COLUMNS = ("mean", "std", "near_one", "marginal", "adaptation", "z", "coupling", "coupling_z", "coupling_p", "energy")
COLUMNS = (*COLUMNS, "null_mean", "null_std")
SIZES = ("z", "coupling_z")


def measured(files: list[Path], *, float64: bool, jit: bool) -> Iterator[dict]:
    """The numbers of every pair in files, and what they were measured with; once for each author, with all so far."""
    import jax
    import numpy as np

    from sicjax import measure, networks

    jax.config.update("jax_enable_x64", float64)
    jax.config.update("jax_disable_jit", not jit)

    def wide(pair):
        first, second = (np.asarray(kernel, np.float64) for kernel in (pair.cascade.first, pair.cascade.second))
        return pair._replace(cascade=dataclasses.replace(pair.cascade, first=first, second=second))

    how = {"jax": jax.__version__, "python": platform.python_version(), "float64": float64, "jit": jit}
    how |= {"threads": os.environ.get("NPROC", len(os.sched_getaffinity(0))), "flags": os.environ.get("XLA_FLAGS", "")}
    pairs = {}
    for author, group in groupby(files, lambda file: file.stem.split("_")[0]):
        own = list(group)
        given = list(map(networks.from_file, own))
        if float64:
            given = [network._replace(pairs=tuple(map(wide, network.pairs))) for network in given]
        print(f"{author}: {len(own)} files", file=sys.stderr, flush=True)
        for file, found in zip(own, measure.measure(given), strict=True):
            for number, row in enumerate(found.rows):
                numbers = {name: getattr(row, name) for name in COLUMNS}
                numbers |= {f"quantile {q}": value for q, value in row.quantiles.items()}
                pairs[f"{file.stem} {number} {row.name}"] = {"structural": row.structural, **numbers}
        yield {"how": how, "pairs": pairs}


def difference(name: str, one: float, other: float) -> float:
    """How far two numbers of a column are apart; infinite where one of them is none."""
    if math.isnan(one) or math.isnan(other):
        return 0.0 if math.isnan(one) and math.isnan(other) else math.inf
    return abs(one - other) / (max(1.0, abs(one)) if name in SIZES else 1.0)


def compared(one: dict, other: dict) -> dict[str, tuple[float, str]]:
    """For each column the largest difference, and the pair that has it."""
    names = [name for name in next(iter(one["pairs"].values())) if name != "structural"]
    apart = lambda name, pair: difference(name, one["pairs"][pair][name], other["pairs"][pair][name])
    return {
        name: max((apart(name, pair), pair) for pair in one["pairs"].keys() & other["pairs"].keys()) for name in names
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("measure")
    one.add_argument("file", type=Path)
    one.add_argument("weights", type=Path, nargs="+")
    one.add_argument("--float64", action="store_true")
    one.add_argument("--no-jit", action="store_true")
    one.set_defaults(run=write)
    two = commands.add_parser("compare")
    two.add_argument("files", type=Path, nargs="+")
    two.set_defaults(run=lambda a: show([json.loads(file.read_text()) for file in a.files]))
    given = parser.parse_args()
    given.run(given)


def write(given: argparse.Namespace) -> None:
    """Measures, and writes what there is after each author."""
    for found in measured(given.weights, float64=given.float64, jit=not given.no_jit):
        given.file.write_text(json.dumps(found, indent=1))


def show(all: list[dict]) -> None:
    """Prints how far each is from the first."""
    first, *others = all
    print(f"{len(first['pairs'])} pairs, {sum(pair['structural'] for pair in first['pairs'].values())} structural")
    print(first["how"])
    for other in others:
        print(f"{len(first['pairs'].keys() & other['pairs'].keys())} pairs", other["how"])
        for name, (apart, pair) in compared(first, other).items():
            print(f"  {name:14} {apart:.1e}  {pair}")


if __name__ == "__main__":
    main()
