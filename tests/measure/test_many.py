"""Many networks: found, measured once, archived whole, and put together."""

import csv
import hashlib
import json
import multiprocessing
import os
import signal
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import jsonschema
import numpy as np
import pytest

from sicjax import measure, networks, sdr
from sicjax._errors import InputError
from sicjax.measure import SCHEMA, Archive, Source, as_json, find, gather, measure_many, write_records

LAYERS = [{"type": "conv", "weight": f"c{k}", "layout": "HWIO", "stride": 2} for k in range(2)]


def save(file, seed=0, **change):
    """A network of two convolutions with a sidecar."""
    rng = np.random.default_rng(seed)
    arrays = {f"c{k}": rng.normal(size=(4, 4, 2, 2)).astype(np.float32) for k in range(2)} | change
    file.parent.mkdir(parents=True, exist_ok=True)
    np.savez(file, **arrays)
    file.with_suffix(".json").write_text(json.dumps({"networks": {"net": LAYERS}}))
    return str(file)


@pytest.fixture
def folder(tmp_path):
    """Three networks and two broken ones."""
    for k in range(3):
        save(tmp_path / "nets" / f"{k}.npz", k)
    save(tmp_path / "nets" / "deep" / "nan.npz", c0=np.full((4, 4, 2, 2), np.nan, np.float32))
    (tmp_path / "nets" / "text.npz").write_text("no network")
    return tmp_path / "nets"


def test_files_folders_and_patterns_are_found_each_once(folder, tmp_path):
    names = lambda paths: [os.path.relpath(source.file, folder) for source in find(paths)]
    everything = ["0.npz", "1.npz", "2.npz", "text.npz", os.path.join("deep", "nan.npz")]
    assert names([folder]) == everything
    assert names([folder / "1.npz", folder]) == ["1.npz", "0.npz", "2.npz", *everything[3:]]
    assert names([folder / "[01].*"]) == ["0.npz", "1.npz"]  # and not their sidecars
    assert names([folder / "**" / "n*.npz"]) == everything[-1:]
    (folder / ".hidden.npz").write_text("")
    assert names([folder]) == everything
    with pytest.raises(InputError, match="no such file: .*gone.npz, .*none"):
        find([folder / "gone.npz", folder / "none*", folder])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no file of a known format in .*empty: .*npz"):
        find([tmp_path / "empty"])
    with pytest.warns(UserWarning, match="^no file of a known format in .*empty$"):  # and the rest goes on
        assert names([folder, tmp_path / "empty"]) == names([folder])


def test_runs_in_a_folder_are_one_network_or_one_for_each_checkpoint(tmp_path):
    run = tmp_path / "all" / "run"
    for step in (5, 20, 100):
        (run / "checkpoints" / str(step)).mkdir(parents=True)
    blueprint = {"model": "Decoder", "arguments": {}, "params": [], "stats": []}
    stated = {"sicjax": "1", "jax": "1", "kind": "vae", "config": {}, "models": {"decoder": blueprint}}
    (run / "config.json").write_text(json.dumps(stated))
    save(run / "inside.npz")
    other = save(tmp_path / "all" / "other" / "net.npz")
    (tmp_path / "all" / "other" / "config.json").write_text('{"of": "something else"}')
    assert find([tmp_path / "all"]) == [Source(str(run)), Source(other)]
    steps = [Source(str(run), step) for step in (5, 20, 100)]
    assert find([run], all_steps=True) == steps
    assert find([tmp_path / "all"], all_steps=True) == [*steps, Source(other)]


def test_a_bad_file_is_a_record_with_its_reason_and_the_rest_goes_on(folder, tmp_path):
    found = list(measure_many(find([folder])))
    errors = {os.path.basename(one.source.file): one.record["error"] for one in found if "error" in one.record}
    assert set(errors) == {"nan.npz", "text.npz"}
    assert "NaN" in errors["nan.npz"] and "not a weights file" in errors["text.npz"]
    together = [one.record for one in measure_many(find([folder]), together=True)]
    assert [record["file"] for record in together] == [one.source.file for one in found]
    assert [record.get("error") for record in together] == [one.record.get("error") for one in found]
    for one in found:
        jsonschema.validate(one.record, measure.schema())
        if "error" not in one.record:
            assert one.record == as_json(measure.measure([one.source.file])[0])
    write_records((one.record for one in found), tmp_path / "out")
    with (tmp_path / "out" / "pairs.csv").open() as table:
        rows = list(csv.DictReader(table))
    assert [row["error"] for row in rows if row["error"]] == [errors["text.npz"], errors["nan.npz"]]
    assert [row["mean"] for row in rows[:3]] == [str(one.record["cascades"][0]["mean"]) for one in found[:3]]


@pytest.mark.parametrize("together", [False, True])
def test_an_unexpected_failure_is_a_record_too_and_the_others_go_on(folder, monkeypatch, capsys, together):
    errors, histogram = [MemoryError("no room"), KeyError("a bug")], sdr.histogram

    def fail(pair, **how):
        if float(np.asarray(pair.first).flat[0]) == float(first.flat[0]):
            raise errors[0]
        return histogram(pair, **how)

    first = np.load(folder / "0.npz")["c0"]
    monkeypatch.setattr("sicjax.sdr.histogram", fail)
    sources = [Source(str(folder / f"{k}.npz")) for k in range(3)]
    lack, *others = measure_many(sources, together=together)
    assert lack.record["error"] == f"{folder / '0.npz'} could not be measured: MemoryError 'no room'"
    assert len(others) == 2 and not any("error" in other.record for other in others)
    errors.pop(0)
    monkeypatch.setenv("SICJAX_DEBUG", "1")
    bug, *others = measure_many(sources, together=together)
    assert bug.record["error"].startswith(f"{folder / '0.npz'}: a bug of sicjax: KeyError \"'a bug'\"; please report")
    assert not any("error" in other.record for other in others) and "Traceback" in capsys.readouterr().err


def test_what_the_schema_does_not_allow_is_refused(folder):
    (found,) = measure_many([Source(str(folder / "0.npz"))])
    for change in ({"schema": SCHEMA + 1}, {"sha256": "x"}, {"more": 1}, {"cascades": [{}]}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(found.record | change, measure.schema())


def test_what_is_archived_is_not_measured_again_unless_it_changed(folder, tmp_path):
    def measured_now(**how):
        with Archive(tmp_path / "out") as archive:
            found = list(measure_many(find([folder]), archive=archive, **how))
        return [os.path.basename(one.source.file) for one in found if one.new and "error" not in one.record]

    assert measured_now() == ["0.npz", "1.npz", "2.npz"]
    assert measured_now() == []
    parts = list((tmp_path / "out" / "records").iterdir())
    assert len(parts) == 1 and parts[0].read_text().count("\n") == 5  # what failed again is not written again
    save(folder / "1.npz", seed=7)
    assert measured_now() == ["1.npz"]
    sidecar = folder / "2.json"
    sidecar.write_text(sidecar.read_text().replace("2}", "1}"))
    assert measured_now() == ["2.npz"]
    assert measured_now(stride=1) == ["0.npz", "1.npz", "2.npz"]
    save(folder / "text.npz", seed=8)
    assert measured_now() == ["text.npz"]
    assert measured_now() == []


def test_a_line_that_was_cut_off_is_done_again_and_nothing_else(folder, tmp_path):
    sources = find([folder / "[012].npz"])
    with Archive(tmp_path) as archive:
        before = {one.source: (one.key, one.record) for one in measure_many(sources, archive=archive)}
    (part,) = (tmp_path / "records").iterdir()
    for cut in (1, 200):
        part.write_bytes(part.read_bytes()[:-cut])
        with Archive(tmp_path) as archive:
            assert not archive.measured(sources[2].file)
            again = list(measure_many(sources, archive=archive))
        assert [one.new for one in again] == [False, False, True]
        assert {one.source: (one.key, one.record) for one in again} == before
        for other in set((tmp_path / "records").iterdir()) - {part}:
            other.unlink()


def test_two_that_write_at_once_lose_nothing(folder, tmp_path):
    sources = find([folder / "[012].npz"])
    with Archive(tmp_path) as one, Archive(tmp_path) as other:
        keys = {found.source: found.key for found in measure_many(sources[:2], archive=one)}
        keys |= {found.source: found.key for found in measure_many(sources[1:], archive=other)}
        one.read()
        records = list(gather(sources, one, keys=keys))
    assert [record and record["file"] for record in records] == [source.file for source in sources]


def test_shards_have_every_network_once_and_are_gathered(folder, tmp_path):
    sources = find([folder])
    shards = [measure.shard(sources, part, 3) for part in (1, 2, 3)]
    assert sorted(source for shard in shards for source in shard) == sorted(sources)
    assert [measure.shard(sources[2:], part, 3) for part in (1, 2, 3)] == [
        [source for source in shard if source in sources[2:]] for shard in shards
    ]
    left = []
    for shard in shards:
        with Archive(tmp_path) as archive:
            keys = {found.source: found.key for found in measure_many(shard, archive=archive)}
            left.append(sum(record is None for record in gather(sources, archive, keys=keys)))
            assert None in gather(sources, archive, keys={}, stride=3)
    assert left == [5 - len(shards[0]), len(shards[2]), 0]


def test_any_executor_measures(folder):
    sources = find([folder])
    expected = {found.source: found.record for found in measure_many(sources)}
    with ThreadPoolExecutor(2) as executor:
        assert {found.source: found.record for found in measure_many(sources, executor=executor)} == expected


@pytest.mark.slow
def test_processes_of_ones_own_of_which_one_dies_leave_what_they_did(folder, tmp_path):
    sources = find([folder])
    expected = {found.source: found.record for found in measure_many(sources)}

    def until_one_dies(pool):
        yield from sources[:3]
        os.kill(next(iter(pool._processes)), signal.SIGKILL)
        yield from sources[3:]

    pool = lambda: ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
    with Archive(tmp_path) as archive:
        with pool() as executor:
            list(measure_many(sources[:2], archive=archive, executor=executor))
        with pool() as executor, pytest.raises(BrokenProcessPool):
            list(measure_many(until_one_dies(executor), archive=archive, executor=executor))
        with pool() as executor:
            again = list(measure_many(sources, archive=archive, executor=executor))
    assert {found.source: found.record for found in again} == expected
    assert not any(found.new for found in again if found.source in sources[:2])
    lines = [line for part in (tmp_path / "records").iterdir() for line in part.read_text().splitlines()]
    assert len(lines) == len(set(lines)) == len(sources)


def test_the_sha256_is_of_the_file(folder):
    (found,) = measure_many([Source(str(folder / "0.npz"))], stride=2)
    assert found.record["sha256"] == hashlib.sha256((folder / "0.npz").read_bytes()).hexdigest()
    assert found.record["settings"] == {
        "stride": [2],
        "transposed": None,
        "step": None,
        "module": None,
    } | dict.fromkeys(("only", "transposed_in", "permutations"))
    assert networks.files_of(folder / "0.npz") == [folder / "0.npz", folder / "0.json"]
