"""The archive as Parquet: its columns, parts and questions are those of `docs/archive.md`."""

import json
import os
import re
import time
from pathlib import Path

import numpy as np
import pytest

import sicjax
from sicjax import cli
from sicjax._errors import InputError
from sicjax.measure import find, measure_many, read_archive, rows_of, write_parquet
from sicjax.measure._parquet import TABLES

pytest.importorskip("duckdb", reason="needs DuckDB, installed with the extra archive")

PAGE = Path(sicjax.__file__).parents[1] / "docs" / "archive.md"
TEXT = PAGE.read_text() if PAGE.exists() else ""
QUESTIONS = re.findall(r"```sql\n(.*?)```", TEXT, flags=re.DOTALL)
documented = pytest.mark.skipif(not TEXT, reason=f"the documentation is not here: {PAGE}")


def save(file, seed, kernels=((4, 4), (4, 4), (4, 4)), stride=2):
    rng = np.random.default_rng(seed)
    file.parent.mkdir(exist_ok=True)
    np.savez(file, **{f"c{k}": rng.normal(size=(*size, 3, 3)).astype(np.float32) for k, size in enumerate(kernels)})
    layers = [{"type": "conv", "weight": f"c{k}", "layout": "HWIO", "stride": stride} for k in range(len(kernels))]
    file.with_suffix(".json").write_text(json.dumps({"networks": {"net": layers}}))


@pytest.fixture
def records(tmp_path, monkeypatch):
    """Of four networks with two pairs, one of them with a layer of one tap, a shorter one, and two that failed."""
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate("abc"):
        save(Path(f"nets/{name}.npz"), seed)
    save(Path("nets/narrow.npz"), 3, kernels=((3, 3), (1, 1), (3, 3)), stride=1)
    save(Path("nets/short.npz"), 4, kernels=((4, 4), (4, 4)))
    save(Path("nets/lone.npz"), 5, kernels=((4, 4),))
    for name in ("text", "other"):
        Path(f"nets/{name}.npz").write_text("no network")
    return [found.record for found in measure_many(find(["nets"]))]


@pytest.fixture
def archive(records, tmp_path):
    """With a run of three checkpoints besides, the second and third of which are other networks."""
    steps = [
        {**records[k], "file": "runs/vae", "settings": {**records[k]["settings"], "step": 100 * k}} for k in range(3)
    ]
    write_parquet([*records, *steps], tmp_path / "results")
    return [*records, *steps], read_archive(tmp_path / "results")


def test_what_is_written_is_read(archive):
    records, connection = archive
    pairs = connection.sql("FROM pairs").fetchall()
    assert [column for column, *_ in connection.sql("FROM pairs").description] == list(TABLES["pairs"])
    expected = [
        {"file": record["file"], "step": record["settings"]["step"], "schema": record["schema"], "place": place}
        | cascade | {f"quantile_{q}": value for q, value in cascade["quantiles"].items()}
        for record in records for place, cascade in enumerate(record.get("cascades", ()))
    ]  # fmt: skip
    assert pairs == [tuple(row[column] for column in TABLES["pairs"]) for row in expected]
    told = connection.sql("SELECT file, error, pairs, skipped, sha256, stride FROM networks").fetchall()
    assert told == [
        (
            record["file"], record.get("error"), None if "error" in record else len(record["cascades"]),
            record.get("skipped"), record["sha256"], record["settings"]["stride"],
        )
        for record in records
    ]  # fmt: skip


def test_a_table_of_pandas(archive):
    pytest.importorskip("pandas")
    records, connection = archive
    assert len(connection.sql("FROM pairs").df()) == sum(len(rows_of(record)) for record in records)


@documented
def test_which_pairs_moved_most(archive):
    records, connection = archive
    before, after = (rows_of(records[k]) for k in (0, 2))
    expected = {(a.name, b.mean - a.mean) for a, b in zip(before, after, strict=True)}
    found = connection.sql(QUESTIONS[0]).fetchall()
    assert {(name, moved) for _, name, _, _, moved in found} == expected
    assert abs(found[0][-1]) >= abs(found[1][-1])


@documented
def test_which_networks_are_like_this_one(archive):
    records, connection = archive
    found = connection.sql(QUESTIONS[1]).fetchall()
    assert set(found[:2]) == {("nets/a.npz", None, 0.0), ("runs/vae", 0, 0.0)}
    assert {file for file, *_ in found} == {"nets/a.npz", "nets/b.npz", "nets/c.npz", "nets/narrow.npz", "runs/vae"}
    quantiles = lambda record: np.array([list(row.quantiles.values()) for row in rows_of(record)])
    distance = np.abs(quantiles(records[1]) - quantiles(records[0])).mean()
    assert dict((file, d) for file, _, d in found)["nets/b.npz"] == pytest.approx(distance)


@documented
def test_which_layers_are_structural(archive):
    _, connection = archive
    found = connection.sql(QUESTIONS[2]).fetchall()
    assert found == [("c0", "c1", [1, 1], [3, 3, 3], 1), ("c1", "c2", [1, 1], [3, 3, 3], 1)]


@documented
def test_what_failed_and_why(archive):
    records, connection = archive
    found = {reason: (networks, layers) for reason, networks, layers in connection.sql(QUESTIONS[3]).fetchall()}
    failed = [reason for reason in found if "not a weights file" in reason]
    assert len(failed) == 1 and found[failed[0]] == (2, None) and failed[0].startswith("FILE")
    (lone,) = (record for record in records if record["file"] == "nets/lone.npz")
    reasons = [skipped["reason"] for skipped in lone["skipped"]]
    assert reasons and all(found[reason] == (1, 1) for reason in reasons)


@documented
def test_where_adaptation_is_strongest(archive):
    records, connection = archive
    found = connection.sql(QUESTIONS[4]).fetchall()
    rows = [row for record in records for row in rows_of(record) if row.direction == "extractive"]
    strongest = max(abs(row.z) for row in rows)
    assert abs(found[0][-1]) == strongest and len(found) == 3


@documented
def test_every_column_is_documented_with_its_type():
    stated = {}
    for names, kind in re.findall(
        r"^\| (`[^|]*`) \| ([^|]*) \|", TEXT.partition("## The columns")[2], flags=re.MULTILINE
    ):
        names, kinds = (re.findall(r"`([^`]*)`", cell) for cell in (names, kind))
        if kinds:
            kinds = kinds if len(kinds) == len(names) else kinds * len(names)
            for name, one in zip(names, kinds, strict=True):
                stated.setdefault(name, set()).add(one)
    columns = {}
    for table in TABLES.values():
        for name, kind in table.items():
            columns.setdefault(name, set()).add(kind)
    assert stated == columns


def test_parts_of_another_division_go_and_one_that_is_missing_is_told(records, tmp_path):
    for part in (1, 2):
        write_parquet(records[part::2], tmp_path, part=(part, 3))
    with pytest.raises(InputError, match="1 of 3 parts are not there yet.*3-of-3"):
        read_archive(tmp_path)
    write_parquet(records[:1], tmp_path, part=(3, 3))
    files = lambda: {file for (file,) in read_archive(tmp_path).sql("SELECT file FROM networks").fetchall()}
    assert files() == {record["file"] for record in records}
    write_parquet(records[:2], tmp_path)
    assert files() == {record["file"] for record in records[:2]}
    assert [file.name for file in (tmp_path / "parquet" / "pairs").iterdir()] == ["1-of-1.parquet"]
    with pytest.raises(InputError, match="no Parquet in .*nowhere"):
        read_archive(tmp_path / "nowhere")
    several = read_archive(tmp_path, tmp_path).sql("SELECT count(*) FROM networks").fetchall()
    assert several == [(4,)]


def test_nothing_measured_is_an_empty_table(tmp_path):
    write_parquet([], tmp_path)
    assert read_archive(tmp_path).sql("SELECT count(*) FROM pairs").fetchall() == [(0,)]


def test_what_a_kill_left_is_no_part_and_goes(records, tmp_path):
    folder = tmp_path / "parquet" / "pairs"
    folder.mkdir(parents=True)
    names = ("1-of-1.parquet.1.partial", "1-of-1.parquet.2.partial")
    for name in names:
        (folder / name).write_text("PAR1")
    old = time.time() - 2 * 86_400
    os.utime(folder / names[0], (old, old))
    write_parquet(records, tmp_path)
    assert {file.name for file in folder.iterdir()} == {"1-of-1.parquet", names[1]}  # it may still be written
    assert read_archive(tmp_path).sql("SELECT count(*) FROM networks").fetchall() == [(len(records),)]


def test_the_command_writes_a_part_for_each_shard(records, tmp_path, capsys):
    out = tmp_path / "out"
    for part in (1, 2):
        assert cli.main(["measure", "nets", "--out", str(out), "--shard", f"{part}/2"]) in (0, 3)
        assert f"{part}-of-2.parquet" in capsys.readouterr().err
    found = read_archive(out).sql("SELECT file, error FROM networks").fetchall()
    assert sorted(found) == sorted((record["file"], record.get("error")) for record in records)
