"""Keras files: `.keras`, and whole models in `.h5`, of Keras 2 and 3."""

from __future__ import annotations

from pathlib import Path

from sicjax._errors import InputError
from sicjax._limits import spend
from sicjax.networks.graph import Flow, Graph, Network, Rule, constant
from sicjax.networks.keras import _conv, _rearrange, _space  # noqa: F401  (their rules)
from sicjax.networks.keras._call import Call, canonical, rules
from sicjax.networks.keras._layers import activation, unknown
from sicjax.networks.keras._model import Model, form_of, kind_of, shape_of
from sicjax.weights import KerasPlace, KerasWeights, keras_name, open_keras

# Wrappers that scale the kernel of the layer inside, which no ratio depends on.
_WRAPPERS = ("SpectralNormalization", "WeightNormalization")


def from_keras(path: Path) -> Network:
    """The network of a Keras file. No code in it is run: a Lambda layer ends the chain.

    Raises:
        InputError: a file without a model; weights that are not finite.
    """
    graph = Graph()
    with open_keras(path) as (config, arrays):
        if form_of(config) is None:
            raise InputError(
                f"{path} is a model of the class {kind_of(config)!r:.80}, which is code that is not run: "
                "export it to ONNX, or save a functional model of its layers"
            )
        weights = KerasWeights(arrays)
        _Walk(graph, weights).model(config, None, KerasPlace())
        for name in weights.left():
            graph.skip(name, "an array of no layer that is followed")
    return graph.network()


class _Walk:
    """One pass over a model and the models in it."""

    def __init__(self, graph: Graph, weights: KerasWeights) -> None:
        self.graph = graph
        self.weights = weights

    def model(self, entry: dict, inputs: list[Flow] | None, place: KerasPlace) -> list[Flow]:
        """Follows a model; its outputs. The outermost one has no `inputs`."""
        config, kind = entry["config"], kind_of(entry)
        if kind not in ("Functional", "Model", "Sequential"):
            self.graph.note(
                f"a model of the class {kind:.80} is taken to call its layers as the file states, not by code"
            )
        layers = config if isinstance(config, list) else config["layers"]
        places = self.weights.places(layers, place)
        if isinstance(config, list) or form_of(entry) == "sequential":
            return self._sequential(layers, places, inputs)
        return self._functional(Model(config), dict(zip(map(keras_name, layers), places, strict=True)), inputs)

    def _sequential(self, layers: list[dict], places: list[KerasPlace], inputs: list[Flow] | None) -> list[Flow]:
        known = inputs and (inputs[0].sources or inputs[0].shape)
        flows = inputs if inputs and known else [self._input(layer) for layer in layers[:1]]
        for layer, place in zip(layers, places, strict=True):
            if layer["class_name"] != "InputLayer":
                flows = self.layer(layer, flows[:1], place, {}, [])
        return flows

    def _functional(self, model: Model, places: dict[str, KerasPlace], inputs: list[Flow] | None) -> list[Flow]:
        pairs = zip([r.layer for r in model.inputs], inputs or (), strict=False)
        given = {name: flow for name, flow in pairs if flow.sources or flow.shape}
        values: dict[tuple[str, int], list[Flow]] = {}

        def value(reference) -> Flow:
            found = values[model.call_of(reference)]
            flow = found[reference.output if len(found) > 1 else 0]
            if flow.sources or reference.shape is None:
                return flow
            return constant(reference.shape, flow.origin)

        for name, number in model.order():
            entry, calls = model.layers[name], model.calls[name]
            if not calls:
                values[name, number] = [given[name] if name in given else self._input(entry)]
            else:
                call = calls[number]
                flows = [value(reference) for reference in call.references]
                values[name, number] = self.layer(entry, flows, places[name], call.settings, call.args)
        return [value(reference) for reference in model.outputs]

    def layer(self, entry: dict, flows: list[Flow], place: KerasPlace, settings: dict, args: list) -> list[Flow]:
        """One call of a layer or of a nested model."""
        spend(1)  # models in models can call each other more often than the file is long
        kind, config = kind_of(entry), entry["config"]
        flows = flows or [self.graph.input((), "nothing known")]
        if form_of(entry) is not None:
            return self.model(entry, flows, place)
        self.weights.follow(place)
        if kind in _WRAPPERS and isinstance(config.get("layer"), dict):
            inner = config["layer"]
            inside = KerasPlace((*place.names, keras_name(inner)), f"{place.folder}/layer")
            return self.layer(inner, flows, inside, settings, args)
        call = Call(self.graph, self.weights, kind, {**config, **settings}, args, flows, place)
        found = self._follow(rules.get(canonical(kind), unknown), call, place.path if "conv" in kind.lower() else "")
        if config.get("activation") is None or not any(flow.sources for flow in found):
            return found
        return self._follow(activation, call._replace(flows=found))

    def _follow(self, rule: Rule, call: Call, convolution: str = "") -> list[Flow]:
        found = self.graph.follow(lambda: rule(call), call.flows, call.label, layer=convolution, kind=call.kind)
        return found if isinstance(found, list) else [found]

    def _input(self, layer: dict) -> Flow:
        config = layer.get("config")
        stated = config.get("batch_shape") or config.get("batch_input_shape") if isinstance(config, dict) else None
        return self.graph.input(shape_of(stated) or ())
