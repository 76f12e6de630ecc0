"""What several processes wrote into one folder, put together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sicjax import __version__
from sicjax.measure._archive import Archive
from sicjax.measure._identity import SCHEMA, settings_for
from sicjax.measure._paths import Source
from sicjax.measure._record import Record


def gather(
    sources: Iterable[Source],
    archive: Archive,
    *,
    keys: Mapping[Source, str],
    stride: int | Sequence[int] | None = None,
    transposed: bool | None = None,
    module: str | None = None,
    only: str | Sequence[str] | None = None,
    transposed_in: str | Sequence[str] | None = None,
    permutations: int | None = None,
) -> Iterator[Record | None]:
    """The record of each source; None where there is none yet.

    Arguments:
        sources: which.
        archive: where the records are.
        keys: of the sources that were looked at here. Of others, which were left to other processes, the latest
            record is taken that was made by this version with the same settings; their files are not read.
        stride: see `networks.from_file`.
        transposed: see `networks.from_file`.
        module: see `networks.from_file`.
        only: see `networks.from_file`.
        transposed_in: see `networks.from_file`.
        permutations: see `measure`.
    """
    with archive.reader() as get:
        for source in sources:
            if source in keys:
                yield get(source.file, keys[source])
                continue
            how: dict[str, Any] = {"stride": stride, "transposed": transposed, "step": source.step, "module": module}
            how |= {"only": only, "transposed_in": transposed_in, "permutations": permutations}
            stated = settings_for(source.file, **how)._asdict()
            stated = {name: list(value) if isinstance(value, tuple) else value for name, value in stated.items()}
            made = {"schema": SCHEMA, "sicjax": __version__, "settings": stated}
            yield next(
                (record for record in archive.of(source.file) if made == {name: record[name] for name in made}), None
            )
