"""Folders with a network in them: which file is meant, and what is said where that is not clear."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from sicjax import networks
from sicjax._errors import InputError
from sicjax.measure import find
from sicjax.networks._where import chosen

MODEL = "diffusion_pytorch_model"
KERNELS = {f"conv{k}.weight": np.ones((k + 1, k, 3, 3), np.float32) for k in (3, 4)}


@pytest.mark.parametrize(
    "files, expected",
    [
        ("pytorch_model.bin model.safetensors config.json", "model.safetensors"),
        ("model.safetensors.index.json model-00001-of-00001.safetensors", "model.safetensors.index.json"),
        (f"{MODEL}.fp16.safetensors {MODEL}.safetensors", f"{MODEL}.safetensors"),
        (f"{MODEL}.fp16.safetensors config.json", f"{MODEL}.fp16.safetensors"),
        ("README.md net.onnx vae/model.safetensors", "net.onnx"),
        ("generator.PTH", "generator.PTH"),
    ],
)
def test_the_file_that_is_meant(files, expected):
    assert chosen(files.split(), "folder") == expected


@pytest.mark.parametrize(
    "files, said",
    [
        ("a.pt b.pt unet/c.pt", "folder has several networks: name one of a.pt, b.pt$"),
        ("model_index.json unet/x.safetensors vae/x.bin text/x.txt", "name one of unet, vae$"),
        ("README.md", "folder has no file of a known format: README.md$"),
        (" ".join(f"{k:02}.pt" for k in range(15)), "10.pt, 11.pt and 3 more$"),
    ],
)
def test_several_or_none_are_listed(files, said):
    with pytest.raises(InputError, match=said):
        chosen(files.split(), "folder")


def test_a_saved_model_is_told(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"")
    for read in (networks.from_file, lambda folder: find([folder])):
        with pytest.raises(InputError, match="is a SavedModel of TensorFlow.* model.keras, .* ONNX by tf2onnx$"):
            read(tmp_path)


def test_folders_as_libraries_write_them(tmp_path):
    (tmp_path / "model_index.json").write_text("{}")
    for part in ("unet", "vae"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "config.json").write_text('{"_class_name": "Net"}')
        save_file(KERNELS, tmp_path / part / "diffusion_pytorch_model.safetensors")
    assert list(networks.from_file(tmp_path / "vae", stride=1).cascades) == ["conv3 to conv4"]
    with pytest.raises(InputError, match="several networks: name one of unet, vae"):
        networks.from_file(tmp_path)
    with pytest.raises(InputError, match="not one of a training run"):
        (tmp_path / "empty").mkdir()
        networks.from_file(tmp_path / "empty")
