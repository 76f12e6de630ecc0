"""Decoded images kept on disk: the same pixels, read anew when anything changes, never half written."""

import pickle
import threading

import numpy as np
import pytest
from PIL import Image

from sicjax import data
from sicjax._errors import InputError
from sicjax.data import _cache, _decode, _load


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SICJAX_CACHE", str(tmp_path / "cache"))
    (tmp_path / "images").mkdir()
    for k in range(5):
        pixels = np.random.default_rng(k).integers(0, 256, (20, 20, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / f"{k}.png")
    (tmp_path / "images" / "bad.png").write_text("none")
    return tmp_path / "images"


def entries(folder):
    cache = folder.parent / "cache"
    return sorted(path.name for path in cache.iterdir()) if cache.exists() else []


def test_the_second_load_maps_what_the_first_decoded(folder, monkeypatch):
    plain = data.load(f"folder:{folder}", size=8)
    assert entries(folder) == [] and plain.cached is None
    first = data.load(f"folder:{folder}", size=8, cache=True)
    monkeypatch.setattr(_decode, "decode", None)
    second = data.load(f"folder:{folder}", size=8, cache=True)
    for images in (first, second):
        np.testing.assert_array_equal(images.pixels, plain.pixels)
        assert images.names == plain.names and images.skipped == plain.skipped == (("bad.png", "not an image"),)
        assert isinstance(images.pixels, np.memmap) and not images.pixels.flags.writeable
        assert not isinstance(images[0], np.memmap)
    # A copy for another process names the file and does not carry the pixels.
    message = pickle.dumps(second)
    assert len(message) < 1000
    np.testing.assert_array_equal(pickle.loads(message).pixels, plain.pixels)


def test_anything_that_changes_the_pixels_is_another_entry(folder):
    load = lambda **settings: data.load(f"folder:{folder}", **{"size": 8, "cache": True} | settings)
    load()
    load(size=16)
    load(crop=10)
    load(limit=2)
    assert len(entries(folder)) == 4
    Image.new("RGB", (20, 20), "red").save(folder / "0.png")
    assert (load()[0] == [255, 0, 0]).all()
    (folder / "1.png").unlink()
    assert load().names == ("0.png", "2.png", "3.png", "4.png")
    assert len(entries(folder)) == 6


def test_a_damaged_entry_is_written_anew(folder):
    wanted = data.load(f"folder:{folder}", size=8, cache=True).pixels.copy()
    entry = data.load(f"folder:{folder}", size=8, cache=True).cached
    for damage in (
        lambda: (entry / "images.json").write_text("{"),
        lambda: (entry / "images.json").unlink(),
        lambda: (entry / "pixels.npy").write_bytes(b"short"),
        lambda: np.save(entry / "pixels.npy", wanted[:2]),
    ):
        damage()
        np.testing.assert_array_equal(data.load(f"folder:{folder}", size=8, cache=True).pixels, wanted)
        assert entries(folder) == [entry.name]


def test_two_at_once_and_one_stopped(folder):
    found = []
    load = lambda: found.append(data.load(f"folder:{folder}", size=8, cache=True).pixels)
    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and all((pixels == found[0]).all() for pixels in found)
    assert len(entries(folder)) == 1

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        data.load(f"folder:{folder}", size=16, cache=True, progress=stop)
    assert len(entries(folder)) == 1


def test_many_images_are_cached_unasked(folder, monkeypatch):
    monkeypatch.setattr(_load, "CACHE_FROM", 5)
    assert data.load(f"folder:{folder}", size=8, cache=False).cached is None
    assert data.load(f"folder:{folder}", size=8).cached is not None


def test_a_cache_that_cannot_be_written(folder, monkeypatch):
    (folder.parent / "file").write_text("")
    monkeypatch.setenv("SICJAX_CACHE", str(folder.parent / "file" / "cache"))
    with pytest.raises(InputError, match="set SICJAX_CACHE to another folder, or decode into memory with cache=False"):
        data.load(f"folder:{folder}", size=8, cache=True)
    monkeypatch.setenv("SICJAX_CACHE", str(folder.parent / "cache"))
    monkeypatch.setattr(_cache.shutil, "disk_usage", lambda path: _cache.shutil._ntuple_diskusage(9, 9, 100))
    with pytest.raises(InputError, match="has 0.0 of 0.0 GB"):
        data.load(f"folder:{folder}", size=8, cache=True)


def test_nothing_is_kept_of_a_source_without_images(folder):
    for k in range(5):
        (folder / f"{k}.png").write_text("none")
    with pytest.raises(InputError, match="none of 6 images can be read"):
        data.load(f"folder:{folder}", size=8, cache=True)
    assert entries(folder) == []


def test_where_the_cache_is(monkeypatch):
    monkeypatch.delenv("SICJAX_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/some/where")
    assert str(_cache.cache_folder()) == "/some/where/sicjax"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert _cache.cache_folder().parts[-2:] == (".cache", "sicjax")
    monkeypatch.setattr("pathlib.Path.home", lambda: (_ for _ in ()).throw(RuntimeError("no home directory")))
    with pytest.raises(InputError, match=r"have no place \(no home directory\): set SICJAX_CACHE"):
        _cache.cache_folder()
