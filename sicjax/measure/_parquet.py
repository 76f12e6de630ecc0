"""Records as Parquet, one part a shard, written and read through DuckDB: `docs/archive.md`."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, get_type_hints

from sicjax._errors import InputError, missing_package
from sicjax._foreign import printable
from sicjax.measure._record import Record
from sicjax.measure._rows import QUANTILES, Row
from sicjax.measure._whole import whole

if TYPE_CHECKING:
    import duckdb

_TYPES = {
    str: "VARCHAR",
    bool: "BOOLEAN",
    int: "BIGINT",
    float: "DOUBLE",
    tuple[int, ...]: "INTEGER[]",
    tuple[int, int, int]: "INTEGER[]",
}
# Every table and its columns, which are of the version in `schema`.
TABLES = {
    "networks": {
        "file": "VARCHAR",
        "step": "BIGINT",
        "schema": "INTEGER",
        "sicjax": "VARCHAR",
        "sha256": "VARCHAR",
        "stride": "INTEGER[]",
        "transposed": "BOOLEAN",
        "module": "VARCHAR",
        "only": "VARCHAR[]",
        "transposed_in": "VARCHAR[]",
        "permutations": "BIGINT",
        "pairs": "INTEGER",
        "error": "VARCHAR",
        "skipped": "STRUCT(layer VARCHAR, reason VARCHAR)[]",
        "notes": "VARCHAR[]",
    },
    "pairs": {
        "file": "VARCHAR",
        "step": "BIGINT",
        "schema": "INTEGER",
        "place": "INTEGER",
        **{name: _TYPES[kind] for name, kind in get_type_hints(Row).items() if name != "quantiles"},
        **{f"quantile_{q}": "DOUBLE" for q in QUANTILES},
    },
}


def write_parquet(records: Iterable[Record], folder: str | Path, *, part: tuple[int, int] = (1, 1)) -> list[Path]:
    """Writes `parquet/networks/K-of-N.parquet` and `parquet/pairs/K-of-N.parquet` into a folder.

    Parts of another N, of an earlier division of the files, are removed.

    Arguments:
        records: of a shard.
        folder: made if it is not there.
        part: which shard of how many; see `shard`.

    Raises:
        InputError: the folder cannot be written, or DuckDB is not installed.
    """
    duckdb = _duckdb()
    files = [_place(folder, table, part) for table in TABLES]
    try:
        with whole(*files) as targets, TemporaryDirectory() as scratch, duckdb.connect() as connection:
            lines = [Path(scratch, table) for table in TABLES]
            _write_lines(records, *lines)
            for columns, source, target in zip(TABLES.values(), lines, targets, strict=True):
                table = connection.read_json(str(source), format="newline_delimited", columns=columns)
                # DuckDB takes paths in UTF-8 alone, which that of a folder need not be.
                table.write_parquet(f"{source}.parquet", compression="zstd", use_tmp_file=False)
                shutil.copyfile(f"{source}.parquet", target)
        for table in TABLES:
            for old in set(_parts(folder, table)) - set(_division(folder, table, part[1])):
                old.unlink(missing_ok=True)
    except (OSError, duckdb.Error) as error:
        raise InputError(f"cannot write into {folder}: {getattr(error, 'strerror', None) or error}") from error
    return files


def read_archive(*folders: str | Path) -> duckdb.DuckDBPyConnection:
    """A connection to DuckDB with the views `networks` and `pairs` of everything in the folders.

    `read_archive("results").sql("SELECT ...")` gives `.fetchall()` rows, and with `.df()` a table of pandas.

    Arguments:
        folders: each that `--out` wrote, or `write_parquet`.

    Raises:
        InputError: a folder has no Parquet, or not of all shards, or a name that DuckDB cannot be given; DuckDB is not
            installed.
    """
    connection = _duckdb().connect()
    for table in TABLES:
        try:
            files = [os.fsencode(file).decode() for folder in folders for file in _whole_division(folder, table)]
        except UnicodeDecodeError as error:
            raise InputError(f"DuckDB reads paths in UTF-8 alone: rename {printable(str(folders))}") from error
        connection.read_parquet(files, union_by_name=True).create_view(table)
    return connection


def _duckdb() -> Any:
    try:
        import duckdb
    except ImportError as error:
        raise missing_package("duckdb", "archive", "Parquet") from error
    return duckdb


def _place(folder: str | Path, table: str, part: tuple[int, int]) -> Path:
    return Path(folder, "parquet", table, "{}-of-{}.parquet".format(*part))


def _division(folder: str | Path, table: str, parts: int) -> list[Path]:
    """Where all parts of a table are."""
    return [_place(folder, table, (part, parts)) for part in range(1, parts + 1)]


def _parts(folder: str | Path, table: str) -> list[Path]:
    """The parts of a table that are there."""
    return sorted(Path(folder, "parquet", table).glob("*-of-*.parquet"))


def _whole_division(folder: str | Path, table: str) -> list[Path]:
    there = _parts(folder, table)
    if not there:
        raise InputError(f"no Parquet in {folder}: write it with sicjax measure PATH... --out, with DuckDB installed")
    expected = _division(folder, table, int(there[0].stem.rpartition("-")[2]))
    missing = [file for file in expected if file not in there]
    if missing:
        raise InputError(f"{len(missing)} of {len(expected)} parts are not there yet, the first is {missing[0]}")
    return expected


def _write_lines(records: Iterable[Record], networks: Path, pairs: Path) -> None:
    """The rows of both tables as JSON."""
    with networks.open("w", encoding="utf-8") as one, pairs.open("w", encoding="utf-8") as other:
        for record in records:
            cascades: list[Record] = record.get("cascades", [])
            known = record | record["settings"] | {"pairs": None if "error" in record else len(cascades)}
            # DuckDB takes UTF-8 alone, which the name of a file need not be.
            known |= {name: printable(record[name]) for name in ("file", "error") if name in record}
            one.write(json.dumps({name: known.get(name) for name in TABLES["networks"]}) + "\n")
            for place, cascade in enumerate(cascades):
                quantiles = {f"quantile_{q}": value for q, value in cascade["quantiles"].items()}
                row = known | {"place": place} | cascade | quantiles
                other.write(json.dumps({name: row[name] for name in TABLES["pairs"]}) + "\n")
