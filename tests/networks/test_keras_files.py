"""Keras files that are damaged, hostile or not whole."""

import zipfile

import numpy as np
import pytest
from keras_net import chain, conv, h5py, kernel, layer, model, save, start

from sicjax import _limits, networks
from sicjax._errors import InputError


def test_files_that_cannot_be_used_are_explained_in_one_line(tmp_path):
    def refused(path, match):
        with pytest.raises(InputError, match=match) as caught:
            networks.from_file(path)
        assert "\n" not in str(caught.value) and str(path) in str(caught.value)

    with h5py.File(tmp_path / "weights.h5", "w") as file:
        file["conv/conv/kernel:0"] = kernel(3, 3, 3, 4)
    refused(tmp_path / "weights.h5", "weights alone.*model.save.*sidecar")

    good = save(tmp_path, chain(start(8, 8, 3), conv("a", k=kernel(3, 3, 3, 4))), "keras 3")
    data = good.read_bytes()
    (tmp_path / "cut.keras").write_bytes(data[: len(data) // 2])
    refused(tmp_path / "cut.keras", "not an HDF5 file|damaged")
    (tmp_path / "text.h5").write_text("hello")
    refused(tmp_path / "text.h5", "not an HDF5 file")
    refused(tmp_path / "absent.h5", "cannot read")

    refused(save(tmp_path, chain(kind="MyModel"), "keras 3"), "class 'MyModel'.*not run")
    circle = model(start(8, 8, 3), conv("a", "b", k=kernel(3, 3, 3, 3)), conv("b", "a", k=kernel(3, 3, 3, 3)))
    refused(save(tmp_path, circle, "keras 3"), "take values that no layer gives")
    refused(save(tmp_path, chain(start(8, 8, 3)), "keras 3"), "no convolution")


def test_a_file_reads_no_other_file_and_unpacks_to_no_flood(tmp_path):
    secret = tmp_path / "secret.bin"
    secret.write_bytes(kernel(3, 3, 3, 4).tobytes())
    net = chain(start(8, 8, 3), layer("Conv2D", "a"), conv("b", k=kernel(3, 3, 4, 2)))

    def with_first(write):
        path = save(tmp_path, net, "keras 2 h5")
        with h5py.File(path, "a") as file:
            group = file["model_weights/a"]
            group.attrs["weight_names"] = ["a/kernel:0"]
            write(group.require_group("a"))
        return path

    link = lambda group: group.__setitem__("kernel:0", h5py.ExternalLink(str(tmp_path / "x.h5"), "/k"))
    with pytest.raises(InputError, match="is a link"):
        networks.from_file(with_first(link))
    outside = [(str(secret), 0, h5py.h5f.UNLIMITED)]
    raw = lambda group: group.create_dataset("kernel:0", (3, 3, 3, 4), "f4", external=outside)
    with pytest.raises(InputError, match="in another file"):
        networks.from_file(with_first(raw))
    huge = lambda group: group.create_dataset("kernel:0", (3, 3, 30000, 40000), "f4", chunks=(3, 3, 100, 100))
    with pytest.raises(InputError, match="with its 43,200,000,000 bytes the file takes more"):
        networks.from_file(with_first(huge))

    def virtual(group):
        layout = h5py.VirtualLayout((3, 3, 3, 4), "f4")
        layout[:] = h5py.VirtualSource(str(tmp_path / "x.h5"), "k", (3, 3, 3, 4))
        group.create_virtual_dataset("kernel:0", layout)

    with pytest.raises(InputError, match="in another file"):
        networks.from_file(with_first(virtual))
    soft = lambda group: group.__setitem__("kernel:0", h5py.SoftLink("/model_weights/b/b/kernel:0"))
    with pytest.raises(InputError, match="is a link"):
        networks.from_file(with_first(soft))
    circle = lambda group: group.__setitem__("kernel:0", group.parent)
    with pytest.raises(InputError, match="is a link"):
        networks.from_file(with_first(circle))
    net = chain(start(8, 8, 3), layer("Conv2D", "../../b"), conv("b", k=kernel(3, 3, 4, 2)))
    assert "not in the file" in dict(networks.from_file(save(tmp_path, net, "keras 3")).skipped)["../../b"]


def test_archives_and_models_that_grow_without_end_are_refused(tmp_path, monkeypatch):
    path = save(tmp_path, chain(start(8, 8, 3), conv("a", k=np.zeros((3, 3, 3, 64), np.float32))), "keras 3")
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    assert networks.from_file(path).layers
    with monkeypatch.context() as patch, pytest.raises(InputError, match="the file takes more than"):
        patch.setattr(_limits, "MOST_MADE", 0)
        patch.setattr(_limits, "MADE_EACH", 2)
        networks.from_file(path)

    net = model(start(8, 8, 4), conv("x", "in", k=kernel(3, 3, 4, 4)), name="m0")
    for k in range(1, 9):
        net = model(start(8, 8, 4), net | {"calls": [["in"], [f"m{k - 1}"], [f"m{k - 1}.1"]]}, name=f"m{k}")
    monkeypatch.setattr(_limits, "MOST_STEPS", 1000)
    with pytest.raises(InputError, match="more than 1,000 steps"):
        networks.from_file(save(tmp_path, net, "keras 3 h5"))


def test_damaged_descriptions_are_explained_in_one_line(tmp_path):
    net = model(start(8, 8, 3), conv("a", "in", k=kernel(3, 3, 3, 4)), conv("b", "a", k=kernel(3, 3, 4, 2)))
    path = save(tmp_path, net, "keras 2 h5")
    choose = np.random.default_rng(1)
    with h5py.File(path) as file:
        text = file.attrs["model_config"]
    for _ in range(150):
        at, length = choose.integers(len(text)), choose.integers(1, 12)
        with h5py.File(path, "a") as file:
            file.attrs["model_config"] = (
                text[:at] + choose.choice(["", "null", "7", "[]", "{}", '"a"']) + text[at + length :]
            )
        try:
            networks.from_file(path)
        except InputError as error:
            assert "\n" not in str(error) and str(path) in str(error)


def test_what_hdf5_does_not_survive_is_refused_before(tmp_path):
    path = save(tmp_path, chain(start(8, 8, 3), conv("a", k=kernel(3, 3, 3, 4))), "keras 2 h5")
    data = bytearray(path.read_bytes())
    heap = data.find(b"GCOL") + 16
    data[heap : heap + 16] = bytes(16)
    path.write_bytes(data)
    with pytest.raises(InputError, match="is damaged"):
        networks.from_file(path)

    path = save(tmp_path, chain(start(8, 8, 3), conv("a", k=kernel(3, 3, 3, 4))), "keras 2 h5")
    with h5py.File(path, "a") as file:
        file.attrs["model_config"] = np.zeros(3)
    with pytest.raises(InputError, match="weights alone"):
        networks.from_file(path)
