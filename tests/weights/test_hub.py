"""Names on the hub, with a hub that is on this machine: what is fetched, and what is said of what cannot be."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hub_server import COMMIT, serving
from safetensors.numpy import save

from sicjax import weights
from sicjax._errors import InputError, MissingPackage

ROOT = Path(__file__).parents[2]
KERNELS = {
    "conv1.weight": np.ones((4, 3, 3, 3), np.float32),
    "conv2.weight": np.arange(180, dtype=np.float32).reshape(5, 4, 3, 3),
}
WHOLE = save(KERNELS)
PARTS = {f"model-0000{k}-of-00002.safetensors": save({name: KERNELS[name]}) for k, name in enumerate(KERNELS, 1)}
INDEX = {"weight_map": dict(zip(KERNELS, PARTS, strict=True))}
REPOSITORIES = {
    "org/whole": {"model.safetensors": WHOLE, "config.json": b"{}", "README.md": b"long", "model.json": b"{}"},
    "org/shards": {"model.safetensors.index.json": json.dumps(INDEX).encode(), **PARTS, "other.bin": b"x"},
    "org/pipeline": {"unet/model.safetensors": WHOLE, "unet/config.json": b"{}", "vae/model.safetensors": WHOLE},
    "org/gated": {"model.safetensors": WHOLE},
    "org/private": {"model.safetensors": WHOLE},
}
FETCH = """
import json, sys
from sicjax import weights
usual = ("model.safetensors", "model.safetensors.index.json")
choose = lambda files, name: next(file for file in usual if file in files)
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = str(weights.fetch(name, choose))
    except weights._hub.InputError as error:
        found[name] = str(error)
print(json.dumps(found))
"""


@pytest.fixture
def hub(tmp_path):
    pytest.importorskip("huggingface_hub")
    with serving(REPOSITORIES) as (address, asked):
        yield {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path), "HF_HUB_DISABLE_PROGRESS_BARS": "1"}, asked


def run(settings, *command):
    """A process of its own: huggingface_hub reads its settings once."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    paths = {"PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])}
    return subprocess.run(
        [sys.executable, *command], env=kept | paths | settings, capture_output=True, text=True, cwd=settings["HF_HOME"]
    )


def fetch(settings, *names):
    done = run(settings, "-c", FETCH, *names)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_file_is_fetched_with_what_says_how_to_read_it_and_no_more(hub):
    settings, asked = hub
    names = ["hf://org/whole", "hf://org/pipeline/unet", "hf://org/whole@v1/model.safetensors", "hf://org/shards"]
    found = fetch(settings, *names, "hf://org/whole/model.safetensors@v1")
    paths = [Path(found[name]) for name in names]
    assert [path.name for path in paths] == ["model.safetensors"] * 3 + ["model.safetensors.index.json"]
    assert paths[0] == paths[2] == Path(found["hf://org/whole/model.safetensors@v1"]) and COMMIT in paths[0].parts
    there = lambda path: sorted(file.name for file in path.parent.iterdir())
    assert there(paths[0]) == ["config.json", "model.json", "model.safetensors"]
    assert there(paths[1]) == ["config.json", "model.safetensors"]
    assert there(paths[3]) == [*sorted(PARTS), "model.safetensors.index.json"]
    assert weights.read(paths[3]).arrays.keys() == {"conv1.weight", "conv2.weight"}
    assert paths[0].read_bytes() == WHOLE and not any("README" in request for request in asked)


def test_offline_it_reads_its_cache_and_asks_nobody(hub):
    settings, asked = hub
    online = fetch(settings, "hf://org/whole", "hf://org/pipeline/unet")
    asked.clear()
    offline = {**settings, "HF_HUB_OFFLINE": "1"}
    missing = ["hf://org/whole@v2", "hf://org/shards", "hf://org/pipeline/vae"]
    found = fetch(offline, *online, *missing)
    assert {name: found[name] for name in online} == online and not asked
    assert found["hf://org/shards"].endswith(
        "org/shards is not in the cache, and HF_HUB_OFFLINE is set: unset it to fetch it"
    )
    assert "vae of org/pipeline is not in the cache, which has unet/config.json" in found["hf://org/pipeline/vae"]
    away = {**settings, "HF_ENDPOINT": "http://127.0.0.1:9"}
    found = fetch(away, *online, "hf://org/shards")
    assert {name: found[name] for name in online} == online
    assert "is not in the cache, and the hub cannot be reached (Connect" in found["hf://org/shards"]


def test_what_cannot_be_had_says_why(hub):
    settings, _ = hub
    why = {
        "hf://org/none": "there is no org/none on the hub, or it is private: check the name, or log in",
        "hf://org/private": "there is no org/private on the hub, or it is private",
        "hf://org/gated": "org/gated is gated: ask for access on its page, then log in with hf auth login",
        "hf://org/whole@v3": "org/whole has no revision v3",
        "hf://org/whole/other.pt": "other.pt is not in org/whole, which has model.safetensors, config.json, README.md",
        "hf://org": "expected hf://org/repo[/file][@revision]",
        "hf://org/re..po": "org/re..po cannot be the name of a repository",
    }
    found = fetch(settings, *why)
    for name, said in why.items():
        assert found[name].startswith(name) and said in found[name] and "\n" not in found[name]
    assert fetch({**settings, "HF_TOKEN": "secret"}, "hf://org/private")["hf://org/private"].endswith(".safetensors")


def test_a_name_on_the_hub_is_measured_as_its_file_is(hub, tmp_path):
    settings, _ = hub
    arguments = ["-m", "sicjax", "measure", "--stride", "1", "--json"]
    (tmp_path / "model.safetensors").write_bytes(WHOLE)
    done = run(settings, *arguments, "hf://org/whole", "hf://org/shards", "model.safetensors")
    assert done.returncode == 0, done.stderr
    whole, shards, alone = json.loads(done.stdout)
    assert whole["file"] == "hf://org/whole" and alone["file"] == "model.safetensors"
    assert whole["sha256"] == alone["sha256"] and whole["cascades"] == alone["cascades"]
    assert [cascade["name"] for cascade in shards["cascades"]] == ["conv1 to conv2"]
    assert shards["cascades"] == whole["cascades"]
    done = run(settings, *arguments[:3], "hf://org/whole")
    assert done.returncode == 1 and settings["HF_HOME"] not in done.stderr
    assert "hf://org/whole does not say the strides of its 2 convolutions" in done.stderr


def test_a_name_of_nothing_asks_nobody(monkeypatch):
    with pytest.raises(InputError, match=r"hf://a/b@1/c@2 is no name on the hub: expected hf://org/repo\[/file\]"):
        weights.fetch("hf://a/b@1/c@2", max)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingPackage, match=r"needs huggingface_hub: pip install 'sicjax\[hub\]'"):
        weights.fetch("hf://a/b", max)
