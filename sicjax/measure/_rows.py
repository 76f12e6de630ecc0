"""Files to rows: what is measured of every pair of layers."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from sicjax import networks, sdr
from sicjax._errors import InputError, missing_package
from sicjax._html import table
from sicjax._limits import in_time, within
from sicjax.measure._compile import common_shapes, compiled, compiling, filled, shape_for
from sicjax.measure._energies import RankTest, rank_test
from sicjax.measure._identity import Identity, Settings, identify, settings_for
from sicjax.measure._meaning import reading
from sicjax.measure._permutations import permuted
from sicjax.networks import Limit, Network, Pair, Skipped, skipped_lines

if TYPE_CHECKING:
    import pandas

# Fine enough for quantiles to four digits, and for almost every pair wide enough.
EDGES = np.linspace(0, 4, 4001)
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
NEAR_ONE = (0.9, 1.1)
# Above this many pathways nothing is computed only to compile it.
LARGE = 2**27
# Of a result where it is printed: fields of a row, and how many rows.
SHOWN = {"mean": ".4f", "std": ".4f", "marginal": "+.4f", "adaptation": "+.4f", "z": ".2f", "coupling": "+.3f"}
SHOWN |= {"energy": "+.2f", "reading": ""}
LINES = 40
# Of a network that is no file and has no name.
IN_MEMORY = "network in memory"


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
    coupling: float
    coupling_z: float
    coupling_p: float
    energy: float
    energy_p: float
    reading: str
    null_mean: float
    null_std: float


# The fields that `sdr` computes, each under the name it has there, and their values where every ratio is 1.
STRUCTURAL = {
    "mean": 1.0,
    "std": 0.0,
    "marginal": 0.0,
    "adaptation": 0.0,
    "z": math.nan,
    "coupling": math.nan,
    "coupling_z": math.nan,
    "coupling_p": math.nan,
    "null_mean": 1.0,
    "null_std": 0.0,
}


class Energies(NamedTuple):
    """How the energies of a pair's two layers go together over the channels."""

    correlation: float
    ranks: RankTest


class Measured(NamedTuple):
    """A file, its network and one row and one histogram for each pair."""

    identity: Identity
    network: Network
    rows: tuple[Row, ...]
    histograms: tuple[sdr.Histogram, ...]

    @property
    def file(self) -> str:
        return self.identity.file

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        return self.network.skipped

    def to_pandas(self) -> pandas.DataFrame:
        """One line for each pair, the columns those of `pairs.csv` but for its file, step and error.

        Raises:
            InputError: pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise missing_package("pandas", "notebook", "a table of pandas") from error
        plain = [field for field in Row._fields if field != "quantiles"]
        cells = [[*(getattr(row, field) for field in plain), *row.quantiles.values()] for row in self.rows]
        return pandas.DataFrame(cells, columns=[*plain, *(f"quantile_{q}" for q in QUANTILES)])

    def __repr__(self) -> str:
        """The table in a terminal, without the arrays."""
        rows = self._telling()
        lines = [["pair", *SHOWN], *map(_cells, rows[:LINES])]
        wide = [max(map(len, column)) for column in zip(*lines, strict=True)]
        body = ["  ".join(map(str.ljust, line, wide)).rstrip() for line in lines]
        more = [f"... and {len(rows) - LINES} pairs more"] if len(rows) > LINES else []
        return "\n".join([self._title(), *body, *more, *self._left()])

    def _repr_html_(self) -> str:
        return table(self._title(), ["pair", *SHOWN], list(map(_cells, self._telling())), self._left())

    def _title(self) -> str:
        return f"{self.file}: {len(self.rows)} pair{'s' * (len(self.rows) != 1)} of layers"

    def _telling(self) -> list[Row]:
        """The pairs that are listed: of many not those of which neither ratios nor energies say anything."""
        telling = [row for row in self.rows if not row.structural or "energies" in row.reading]
        return telling if telling and len(self.rows) > LINES else list(self.rows)

    def _left(self) -> list[str]:
        left = len(self.rows) - len(self._telling())
        said = f"not listed: {left} pairs that share no lag, so every ratio is 1 whatever the weights; .rows has them"
        return [said] * bool(left) + skipped_lines(self.skipped)


def _cells(row: Row) -> list[str]:
    cell = lambda value, form: "-" if value != value else format(value, form)
    return [row.name, *(cell(getattr(row, field), form) for field, form in SHOWN.items())]


def measure(
    files: Sequence[str | Path | Network],
    *,
    stride: int | Sequence[int] | None = None,
    transposed: bool | None = None,
    step: int | None = None,
    module: str | None = None,
    limit: Limit | None = None,
    only: str | Sequence[str] | None = None,
    transposed_in: str | Sequence[str] | None = None,
    permutations: int | None = None,
    progress: Callable[[str, int, int], Any] = lambda name, done, total: None,
) -> list[Measured]:
    """Measures every pair of successive convolutions in each file, or network in memory.

    Arguments:
        files: networks, or what `networks.from_file` takes, for which the others of these arguments are.
        stride: see `networks.from_file`.
        transposed: see `networks.from_file`.
        step: see `networks.from_file`.
        module: see `networks.from_file`.
        limit: what each may take, see `networks.Limit`; they are then measured one by one.
        only: see `networks.from_file`.
        transposed_in: see `networks.from_file`.
        permutations: random pairings of the channels from which coupling's `p` comes, 20,000 say, instead of from the
            closed form, which is a few thousandths off: up to a second a pair.
        progress: called with a pair's name, how many pairs are done and how many there are.

    Raises:
        InputError: a file that cannot be read or understood, or is over the limit; what is neither file nor network.
    """
    if isinstance(files, (str, os.PathLike, Network)):
        raise InputError("expected a list of files or networks: measure([file])")
    for file in files:
        if not isinstance(file, (str, os.PathLike, Network)):
            instead = (
                "measure([networks.from_torch(state_dict, stride=N)]) takes those of PyTorch"
                if isinstance(file, Mapping)
                else "measure([networks.from_torch(module, x)]) takes modules of PyTorch, networks.from_module those "
                "of Flax"
            )
            raise InputError(f"expected a path or a network, got {type(file).__name__}: {instead}")
    how: dict[str, Any] = {"stride": stride, "transposed": transposed, "step": step, "module": module}
    how |= {"only": only, "transposed_in": transposed_in}
    if permutations is not None and permutations < 1:
        raise InputError(f"permutations must be at least 1, got {permutations}")
    if limit is not None and len(files) > 1:
        return [
            result
            for file in files
            for result in measure([file], limit=limit, permutations=permutations, progress=progress, **how)
        ]
    names = _names([file.name for file in files if isinstance(file, Network)])
    with within(limit):
        return measure_read(
            [
                Read(Identity(next(names), Settings(permutations=permutations), None, ""), file)
                if isinstance(file, Network)
                else read(identify(file, settings_for(file, permutations=permutations, **how)))
                for file in files
            ],
            progress,
        )


def _names(given: Sequence[str]) -> Iterator[str]:
    """Names of networks in memory, by which their results are told apart: a second one of a name has its number."""
    seen: Counter[str] = Counter()
    for name in given:
        name = name or IN_MEMORY
        seen[name] += 1
        yield name if seen[name] == 1 else f"{name} ({seen[name]})"


class Read(NamedTuple):
    """A file and its network."""

    identity: Identity
    network: Network


def read(identity: Identity) -> Read:
    """Reads a file as it is to be read.

    Raises:
        InputError: a file that cannot be read or understood.
    """
    return Read(identity, networks.from_file(identity.file, **identity.settings.reading))


def measure_read(files: Sequence[Read], progress: Callable[[str, int, int], Any]) -> list[Measured]:
    """Measures what was read; programs are shared by all of it."""
    pairs = [pair for _, net in files for pair in net.pairs]
    computed = [pair.cascade for pair in pairs if not pair.cascade.structural]
    shapes = common_shapes(computed)
    measured, done = [], 0
    with compiling((_numbers, _counted), computed, shapes, but=LARGE) as wait:
        for identity, net in files:
            results = []
            for pair in net.pairs:
                in_time(identity.file, f"{done} of {len(pairs)} pairs measured")
                progress(pair.name, done, len(pairs))
                if pair.cascade.structural:
                    results.append(_structural(pair))
                else:
                    wait(pair.cascade)
                    together = filled(pair.cascade, shape_for(pair.cascade, shapes))
                    results.append(_computed(pair, together, identity.settings.permutations))
                done += 1
            rows, histograms = zip(*results, strict=True) if results else ((), ())
            measured.append(Measured(identity, net, rows, histograms))
    return measured


def _computed(pair: Pair, cascade: sdr.Cascade, permutations: int | None) -> tuple[Row, sdr.Histogram]:
    """The row of a pair, computed from its filled cascade."""
    found, logs = map(np.asarray, _numbers(cascade))
    histogram = _counted(cascade)
    if histogram.above > 0.02 * histogram.defined:
        histogram = sdr.histogram(cascade)
    histogram = histogram._replace(undefined=pair.cascade.pathways - histogram.defined)
    *numbers, energy = found.tolist()
    quantiles = dict(zip(map(str, QUANTILES), histogram.quantiles(QUANTILES), strict=True))
    energies = Energies(energy, rank_test(logs))
    named = dict(zip(STRUCTURAL, numbers, strict=True))
    if permutations is not None:
        named["coupling_p"] = permuted(sdr.features(cascade), permutations)
    return _row(pair, histogram, quantiles, named, energies), histogram


def _counted(cascade: sdr.Cascade) -> sdr.Histogram:
    return sdr.histogram(cascade, edges=EDGES)


@compiled
def _numbers(cascade: sdr.Cascade) -> tuple[Float[Array, " numbers"], Float[Array, "2 m"]]:
    """The fields of `STRUCTURAL`, the correlation of energies behind them, and the energies.

    One program, in which the features of the kernels are computed once; it compiles as long as one for each would.
    """
    coupling = sdr.coupling(cascade)
    numbers = {
        **sdr.moments(cascade)._asdict(),
        **sdr.decompose(cascade)._asdict(),
        "coupling": coupling.coupling,
        "coupling_z": coupling.z,
        "coupling_p": coupling.p,
        **{f"null_{name}": number for name, number in sdr.null(cascade)._asdict().items()},
    }
    return jnp.stack([*(numbers[name] for name in STRUCTURAL), coupling.energy]), sdr.energies(cascade)


def _structural(pair: Pair) -> tuple[Row, sdr.Histogram]:
    """The row of a pair whose ratios are all 1: only the energies of its kernels say anything."""
    defined = int(np.prod(_alive(pair.cascade), 0).sum())
    counts = np.where(EDGES[:-1] == 1, defined, 0)
    histogram = sdr.Histogram(counts, EDGES, 0, 0, pair.cascade.pathways - defined)
    numbers = STRUCTURAL if defined else dict.fromkeys(STRUCTURAL, math.nan)
    quantiles = dict.fromkeys(map(str, QUANTILES), numbers["mean"])
    energies = Energies(float(sdr.energy(pair.cascade)), rank_test(np.asarray(sdr.energies(pair.cascade))))
    return _row(pair, histogram, quantiles, numbers, energies), histogram


def _alive(cascade: sdr.Cascade) -> np.ndarray:
    """How many inputs and how many outputs each intermediate channel has with a kernel that has any energy."""
    first, second = (np.asarray(kernel) for kernel in cascade.aligned())
    spatial = tuple(range(first.ndim - 2))
    return np.stack([first.any(spatial).sum(0), second.any(spatial).sum(1)])


def _row(
    pair: Pair,
    histogram: sdr.Histogram,
    quantiles: dict[str, float],
    numbers: Mapping[str, float],
    energies: Energies,
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
        quantiles=quantiles,
        near_one=histogram.share(*NEAR_ONE),
        reading=reading(
            structural=cascade.structural,
            channels=int(_alive(cascade).all(0).sum()),
            coupling=numbers["coupling"],
            coupling_p=numbers["coupling_p"],
            rank=energies.ranks.rank,
            energy_p=energies.ranks.p,
        ),
        energy=energies.correlation,
        energy_p=energies.ranks.p,
        **numbers,
    )
