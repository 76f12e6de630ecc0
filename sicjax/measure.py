"""Files to rows of numbers: what `sicjax measure` shows."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from sicjax import figures, networks, sdr
from sicjax._errors import InputError
from sicjax.networks import Network, Pair, Skipped

# Fine enough for quantiles to four digits, and for almost every pair wide enough.
EDGES = np.linspace(0, 4, 4001)
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
NEAR_ONE = (0.9, 1.1)

# Pairs with kernels of one size are filled up with kernels of no energy to one shape, so that a program is compiled
# once for all of them; above this many terms, pathways times lags, computing costs more than compiling.
FILLED = 2**29
# Above this many pathways one thing is computed at a time.
LARGE = 2**27
# Channels on each axis from which the figure's curve of shuffled kernels is drawn: 262,144 pathways.
SAMPLED = 64


class Row(NamedTuple):
    """What is measured of one pair; the fields are those of `measure --json`."""

    name: str
    first: str
    second: str
    direction: str
    stride: tuple[int, ...]
    shape: tuple[int, int, int]
    pathways: int
    undefined: int
    structural: bool
    mean: float
    std: float
    quantiles: dict[str, float]
    near_one: float
    marginal: float
    adaptation: float
    z: float
    null_mean: float
    null_std: float


class Measured(NamedTuple):
    """A file, its network and one row and one histogram for each pair."""

    file: str
    network: Network
    rows: tuple[Row, ...]
    histograms: tuple[sdr.Histogram, ...]

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        return self.network.skipped


def measure(
    files: Sequence[str | Path],
    *,
    stride: int | Sequence[int] | None = None,
    transposed: bool | None = None,
    progress: Callable[[str, int, int], Any] = lambda name, done, total: None,
) -> list[Measured]:
    """Measures every pair of successive convolutions in each file.

    Arguments:
        files: weights files, see `networks.from_file`.
        stride: see `networks.from_file`.
        transposed: see `networks.from_file`.
        progress: called with a pair's name, how many pairs are done and how many there are.

    Raises:
        InputError: a file that cannot be read or understood.
    """
    nets = [networks.from_file(file, stride=stride, transposed=transposed) for file in files]
    pairs = [pair for net in nets for pair in net.pairs]
    shapes = _common_shapes(pair.cascade for pair in pairs if not pair.cascade.structural)
    measured, done = [], 0
    with ThreadPoolExecutor(1) as pool:
        for file, net in zip(files, nets, strict=True):
            results = []
            for pair in net.pairs:
                progress(pair.name, done, len(pairs))
                results.append(_measure_pair(pair, shapes.get(_geometry(pair.cascade), (0, 0, 0)), pool))
                done += 1
            rows, histograms = zip(*results, strict=True) if results else ((), ())
            measured.append(Measured(str(file), net, rows, histograms))
    return measured


def as_json(measured: Measured) -> dict[str, Any]:
    """A file's result as plain JSON values; a number that is not finite is `None`."""
    return {
        "file": measured.file,
        "cascades": [_plain(row._asdict()) for row in measured.rows],
        "skipped": [skipped._asdict() for skipped in measured.skipped],
        "notes": list(measured.network.notes),
    }


def _measure_pair(pair: Pair, shape: tuple[int, ...], pool: ThreadPoolExecutor) -> tuple[Row, sdr.Histogram]:
    cascade = pair.cascade
    if cascade.structural:
        return _structural(pair)
    filled = _filled(cascade, shape)
    # Two at a time, because compiling takes longer than computing.
    moments = pool.submit(sdr.moments, filled)
    if cascade.pathways > LARGE:
        wait([moments])  # where memory counts more
    null = sdr.null(filled)
    histogram = sdr.histogram(filled, edges=EDGES)
    if histogram.above > 0.02 * histogram.defined:
        histogram = sdr.histogram(filled)
    histogram = histogram._replace(undefined=cascade.pathways - histogram.defined)
    parts, found = sdr.decompose(filled), moments.result()
    numbers = (found.mean, found.std, parts.marginal, parts.adaptation, parts.z, null.mean, null.std)
    quantiles = [histogram.quantile(q) for q in QUANTILES]
    return _row(pair, histogram, quantiles, *(float(number) for number in numbers)), histogram


def _structural(pair: Pair) -> tuple[Row, sdr.Histogram]:
    """A pair whose ratios are all 1: only which kernels have energy is computed."""
    first, second = (np.asarray(kernel) for kernel in pair.cascade.aligned())
    inputs, outputs = first.any(tuple(range(first.ndim - 2))).sum(0), second.any(tuple(range(second.ndim - 2))).sum(1)
    defined = int(inputs @ outputs)
    counts = np.where(EDGES[:-1] == 1, defined, 0)
    histogram = sdr.Histogram(counts, EDGES, 0, 0, pair.cascade.pathways - defined)
    one, none = (1.0, 0.0) if defined else (math.nan, math.nan)
    return _row(pair, histogram, [one] * len(QUANTILES), one, none, none, none, math.nan, one, none), histogram


def _row(
    pair: Pair, histogram: sdr.Histogram, quantiles, mean, std, marginal, adaptation, z, null_mean, null_std
) -> Row:
    cascade = pair.cascade
    return Row(
        name=pair.name,
        first=pair.first.path,
        second=pair.second.path,
        direction=cascade.direction,
        stride=tuple(max(d, u) for d, u in zip(cascade.down, cascade.up, strict=True)),
        shape=cascade.shape,
        pathways=cascade.pathways,
        undefined=histogram.undefined,
        structural=cascade.structural,
        mean=mean,
        std=std,
        quantiles=dict(zip(map(str, QUANTILES), quantiles, strict=True)),
        near_one=histogram.share(*NEAR_ONE),
        marginal=marginal,
        adaptation=adaptation,
        z=z,
        null_mean=null_mean,
        null_std=null_std,
    )


def _geometry(cascade: sdr.Cascade) -> tuple:
    """What a compiled program depends on besides the numbers of channels."""
    settings = [getattr(cascade, field.name) for field in dataclasses.fields(cascade)[2:6]]
    return (cascade.first.shape[:-2], cascade.second.shape[:-2], cascade.first.dtype, *settings)


def _common_shapes(cascades: Iterable[sdr.Cascade]) -> dict[tuple, tuple[int, ...]]:
    """For each geometry the smallest shape that holds its pairs, from the smallest up to those that are too large."""
    shapes: dict[tuple, tuple[int, ...]] = {}
    for cascade in sorted(cascades, key=lambda cascade: math.prod(cascade.shape)):
        geometry = _geometry(cascade)
        shape = tuple(map(max, cascade.shape, shapes.get(geometry, (0, 0, 0))))
        if math.prod(shape) * len(cascade.lags) <= FILLED:
            shapes[geometry] = shape
    return shapes


def _filled(cascade: sdr.Cascade, shape: tuple[int, ...]) -> sdr.Cascade:
    """The pair with kernels of no energy up to a shape; its pathways among them are undefined and count nowhere."""
    # In NumPy: JAX would compile the filling itself for every shape.
    first, second = map(np.asarray, cascade.aligned())
    spatial = [(0, 0)] * (first.ndim - 2)
    fits = all(full >= n for full, n in zip(shape, cascade.shape, strict=True))
    i, m, o = (full - n if fits else 0 for full, n in zip(shape, cascade.shape, strict=True))
    return dataclasses.replace(
        cascade,
        first=np.pad(first, [*spatial, (0, i), (0, m)]),
        second=np.pad(second, [*spatial, (0, m), (0, o)]),
        first_groups=1,
        second_groups=1,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def by_level(measured: Sequence[Measured]) -> dict[str, list[tuple[str, list[figures.Level]]]]:
    """For a figure: each file's networks with their histograms from fine to coarse, the shuffled kernels beside."""
    files: dict[str, list[tuple[str, list[figures.Level]]]] = {}
    for result in measured:
        chains: dict[str, list[figures.Level]] = {}
        for pair, ratios in zip(result.network.pairs, result.histograms, strict=True):
            level = figures.Level(pair.name, ratios, _shuffled(pair.cascade, ratios.edges))
            chains.setdefault(pair.network, []).append(level)
        for chain, found in chains.items():
            directions = [pair.cascade.direction for pair in result.network.pairs if pair.network == chain]
            label = Path(result.file).stem + (f" {chain}" if chain else "")
            files.setdefault(result.file, []).append((label, found[::-1] if "generative" in directions else found))
    return files


def _shuffled(cascade: sdr.Cascade, edges: np.ndarray) -> sdr.Histogram:
    """Ratios with the taps of every kernel shuffled, of up to `SAMPLED` channels on each of the three axes."""
    first, second = map(np.asarray, cascade.aligned())
    i, m, o = (np.unique(np.linspace(0, n - 1, SAMPLED).round().astype(int)) for n in cascade.shape)
    sample = dataclasses.replace(
        cascade, first=first[..., i, :][..., m], second=second[..., m, :][..., o], first_groups=1, second_groups=1
    )
    return sdr.histogram(sdr.shuffle_taps(_filled(sample, (SAMPLED,) * 3), jax.random.key(0)), edges=edges)


def write(measured: Sequence[Measured], folder: Path) -> list[Path]:
    """Writes `pairs.csv`, `result.json` and `histograms.png` into a folder, made if it is not there.

    Raises:
        InputError: the folder cannot be written, or matplotlib is not installed.
    """
    files = [folder / name for name in ("pairs.csv", "result.json", "histograms.png")]
    figure = figures.levels(by_level(measured))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with files[0].open("w", newline="") as file:
            table = csv.writer(file)
            quantiles = [f"quantile_{q}" for q in QUANTILES]
            plain = [field for field in Row._fields if field != "quantiles"]
            table.writerow(["file", *plain, *quantiles])
            for result in measured:
                for row in result.rows:
                    cells = row._replace(stride="x".join(map(str, row.stride)), shape="x".join(map(str, row.shape)))
                    values = cells._asdict()
                    table.writerow([result.file, *(values[field] for field in plain), *row.quantiles.values()])
        files[1].write_text(json.dumps([as_json(result) for result in measured], indent=1) + "\n")
        figure.savefig(files[2], dpi=200)
    except OSError as error:
        raise InputError(f"cannot write into {folder}: {error.strerror or error}") from error
    return files


def write_graph(measured: Sequence[Measured], file: Path) -> Path:
    """Draws the layers, with an arrow for each pair and its mean ratio on it.

    `.dot` and `.txt` are written as text; `.svg`, `.png` and `.pdf` need Graphviz, and without it become a `.txt` tree.

    Returns:
        The file that was written.

    Raises:
        InputError: another ending, a file that cannot be written, or Graphviz failing.
    """
    kind = file.suffix.removeprefix(".").lower()
    if kind not in ("dot", "txt", "svg", "png", "pdf"):
        raise InputError(f"--graph writes .svg, .png, .pdf, .dot or .txt, got {file}")
    named = len(measured) > 1
    layers, edges = [], []
    for result in measured:
        full = lambda layer, result=result: f"{Path(result.file).stem}: {layer}" if named else layer
        layers += [full(layer.path) for layer in result.network.layers]
        edges += [figures.Edge(full(row.first), full(row.second), row.mean, row.structural) for row in result.rows]
    dot = shutil.which("dot")
    try:
        if kind in ("svg", "png", "pdf") and dot is not None:
            command = [dot, f"-T{kind}", "-o", str(file)]
            subprocess.run(
                command, input=figures.network_dot(layers, edges), text=True, check=True, capture_output=True
            )
            return file
        file = file if kind in ("dot", "txt") else file.with_suffix(".txt")
        draw = figures.network_dot if kind == "dot" else figures.network_tree
        file.write_text(draw(layers, edges), encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {file}: {error.strerror or error}") from error
    except subprocess.CalledProcessError as error:
        raise InputError(f"Graphviz could not draw {file}: {error.stderr.strip()[:200]}") from error
    return file
