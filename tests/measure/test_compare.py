"""Two versions of a network: what is said to have changed is what was changed by hand."""

import csv
import json
import math

import numpy as np
import pytest
from safetensors.numpy import save_file

from sicjax import figures
from sicjax._errors import InputError
from sicjax.measure import LayerChange, PairChange, compare, comparison_as_json, measure, write_comparisons


@pytest.fixture
def version(tmp_path):
    """Writes a chain of transposed convolutions, `(out, in)` in a row, and measures it."""

    def written(name, kernels, prefix="net.", stride=2):
        file = tmp_path / f"{name}.safetensors"
        save_file({f"{prefix}{3 * k}.weight": kernel for k, kernel in enumerate(kernels)}, file)
        return measure([file], stride=stride, transposed=True)[0]

    return written


def kernels(*channels, seed=0, size=3):
    rng = np.random.default_rng(seed)
    shapes = [(a, b, size, size) for a, b in zip(channels, channels[1:], strict=False)]
    return [rng.normal(size=shape).astype(np.float32) for shape in shapes]


def test_a_transplanted_layer_is_found_and_named(version):
    before = kernels(5, 4, 6, 3, 6)
    after = list(before)
    after[2] = kernels(5, 4, 6, 3, 6, seed=1)[2]
    found = compare(version("before", before), version("after", after))
    moved = {layer.name: layer.displacement for layer in found.layers}
    assert moved["net.6"] == pytest.approx(np.linalg.norm(after[2] - before[2]) / np.linalg.norm(before[2]), rel=1e-6)
    assert moved["net.6"] > 1 and set(moved) - {"net.6"} == {name for name, by in moved.items() if by == 0}
    (changed,) = [layer for layer in found.layers if layer.cosine < 0.999]
    assert changed.name == "net.6" and abs(changed.cosine) < 0.5
    apart = {pair.name for pair in found.pairs if pair.distance > 0}
    assert apart == {"net.3 to net.6", "net.6 to net.9"}
    assert {layer.status for layer in found.layers} == {pair.status for pair in found.pairs} == {"kept"}


def test_the_numbers_are_those_of_the_rows(version):
    old, new = version("old", kernels(5, 4, 6, 3)), version("new", kernels(5, 4, 6, 3, seed=1))
    for k, pair in enumerate(compare(old, new).pairs):
        for field in ("mean", "marginal", "adaptation", "z"):
            assert getattr(pair, f"{field}_before") == getattr(old.rows[k], field)
            assert getattr(pair, f"{field}_after") == getattr(new.rows[k], field)
        assert pair.distance == old.histograms[k].distance(new.histograms[k]) > 0


def test_layers_that_come_go_and_take_another_shape(version):
    before, after = kernels(5, 4, 6, 3), kernels(5, 4, 8, 8, 3)
    found = compare(version("before", before), version("after", after))
    assert [(layer.name, layer.status) for layer in found.layers] == [
        ("net.0", "kept"), ("net.3", "replaced"), ("net.6", "replaced"), ("net.9", "added"),
    ]  # fmt: skip
    assert found.layers[1].shape_before == (3, 3, 4, 6) and found.layers[1].shape_after == (3, 3, 4, 8)
    assert math.isnan(found.layers[1].displacement) and found.layers[3].shape_before is None
    assert [pair.status for pair in found.pairs] == ["kept", "kept", "added"]
    back = compare(version("after", after), version("before", before))
    assert back.layers[3].status == "removed" and back.pairs[2].status == "removed"
    assert math.isnan(back.pairs[2].mean_after) and back.pairs[2].mean_before == found.pairs[2].mean_after


def test_another_stride_is_an_alteration(version):
    given = kernels(5, 4, 6, 3)
    found = compare(version("two", given), version("three", given, stride=(2, 3, 2)))
    assert [layer.status for layer in found.layers] == ["kept", "altered", "kept"]
    assert found.pairs[0].distance > 0


@pytest.mark.parametrize("prefix, note", [("module.net.", "begin otherwise"), ("layer", "by their order")])
def test_names_may_differ(version, prefix, note):
    given = kernels(5, 4, 6, 3)
    found = compare(version("before", given), version("after", given, prefix=prefix))
    assert [layer.renamed for layer in found.layers] == [f"{prefix}{3 * k}" for k in range(3)]
    assert {layer.displacement for layer in found.layers} == {pair.distance for pair in found.pairs} == {0}
    assert found.pairs[1].renamed == f"{prefix}3 to {prefix}6"
    (said,) = found.notes
    assert note in said


def test_another_network_is_refused(version):
    with pytest.raises(InputError, match="A and B are no versions of one network"):
        compare(version("a", kernels(5, 4, 6)), version("b", kernels(4, 6, 3), prefix="layer"), names=("A", "B"))


def test_a_layer_without_energy_has_no_angle(version):
    given = kernels(5, 4, 6)
    dead = [np.zeros_like(given[0]), given[1]]
    layer = compare(version("before", dead), version("after", given)).layers[0]
    assert math.isnan(layer.displacement) and math.isnan(layer.cosine)
    assert comparison_as_json(compare(version("a", dead), version("b", given)))["layers"][0]["cosine"] is None


def test_one_network_in_two_formats(tmp_path):
    onnx = pytest.importorskip("onnx")
    given, nodes, held, x = kernels(5, 4, 6, 3), [], [], "x"
    for k, kernel in enumerate(given):
        held.append(onnx.numpy_helper.from_array(kernel, f"net.{3 * k}.weight"))
        nodes.append(onnx.helper.make_node("ConvTranspose", [x, held[-1].name], [f"v{k}"], strides=[2, 2]))
        x = f"v{k}"
    value = lambda name, shape: onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
    graph = onnx.helper.make_graph(nodes, "net", [value("x", ("n", 5, "h", "w"))], [value(x, None)], held)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)]), tmp_path / "net.onnx")
    weights = {f"generator.{tensor.name}": kernel for tensor, kernel in zip(held, given, strict=True)}
    save_file(weights, tmp_path / "net.safetensors")
    (before,), (after,) = measure([tmp_path / "net.onnx"]), measure([tmp_path / "net.safetensors"], stride=2)
    found = compare(before, after)
    assert [layer.status for layer in found.layers] == ["kept"] * 3 and len(found.pairs) == 2
    assert {layer.displacement for layer in found.layers} == {pair.distance for pair in found.pairs} == {0}


def test_what_is_written(version, tmp_path):
    pytest.importorskip("matplotlib")
    first = version("first", kernels(5, 4, 6, 3))
    versions = [version("second", kernels(5, 4, 6, 3, seed=1)), version("third", kernels(5, 4, 6, 6, 3))]
    comparisons = [compare(first, other, names=("first", f"v{k}")) for k, other in enumerate(versions)]
    course = figures.Course([0, 5], [0.1, math.nan], [0.0, 0.1])
    files = write_comparisons(comparisons, tmp_path / "out", {"net.3 to net.6": {"run": course}})
    assert [file.name for file in files] == [
        "changes.json", "pair_changes.csv", "layer_changes.csv", "changes.png", "steps.png",
    ]  # fmt: skip
    assert json.loads(files[0].read_text()) == [comparison_as_json(comparison) for comparison in comparisons]
    with files[1].open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["before", "after", *PairChange._fields]
    assert [(row["after"], row["name"], row["status"]) for row in rows] == [
        ("v0", "net.0 to net.3", "kept"), ("v0", "net.3 to net.6", "kept"),
        ("v1", "net.0 to net.3", "kept"), ("v1", "net.3 to net.6", "kept"), ("v1", "net.6 to net.9", "added"),
    ]  # fmt: skip
    with files[2].open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["before", "after", *LayerChange._fields] and rows[0]["shape_before"] == "3x3x5x4"
    assert files[3].read_bytes().startswith(b"\x89PNG")


def test_a_picture_of_layers_without_numbers(version, tmp_path):
    pytest.importorskip("matplotlib")
    found = compare(version("before", kernels(5, 4)), version("after", kernels(5, 6)))
    assert found.layers[0].status == "replaced" and not found.pairs
    assert write_comparisons([found], tmp_path / "out")[3].read_bytes().startswith(b"\x89PNG")
