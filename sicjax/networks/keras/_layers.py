"""Layers of Keras that act on each place alone, and those that no pair reaches across."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sicjax.networks import graph
from sicjax.networks.graph import DENSE, PRODUCT, RECURRENT, Flow, Unreachable
from sicjax.networks.keras._call import Call, canonical, rules

rules("embedding")(graph.ends("an embedding"))


@rules(
    "abs absolute acos acosh add addv2 arccos arccosh arcsin arcsinh arctan arctan2 arctanh asin asinh atan atan2",
    "atanh biasadd cast cbrt ceil celu clip clipbyvalue converttotensor copy cos cosh customscalelayer divide",
    "dividenonan divnonan elu equal erf exp exp2 expm1 exponential floor floordiv floordivide fmax fmin gelu",
    "greater greaterequal hardshrink hardsigmoid hardsilu hardswish hardtanh heaviside hypot identity leakyrelu",
    "less lessequal linear log log10 log1p log2 logicaland logicalnot logicalor logsigmoid maximum minimum mish",
    "mod mul multiply multiplynonan nantonum neg negative notequal pow power prelu realdiv reciprocal relu relu6",
    "round rsqrt selu sigmoid sign silu sin sinh softplus softshrink softsign sparseplus sparsesigmoid sqrt",
    "square squareddifference squareplus sub subtract swish tan tanh tanhshrink threshold thresholdedrelu truediv",
    "truedivide trunc where",
)
def _elementwise(call: Call) -> Flow:
    return graph.elementwise(call.graph, call.flows, call.label)


@rules(
    "activation activityregularization alphadropout batchnorm batchnormalization batchnormalizationv1 dropout",
    "gaussiandropout gaussiannoise inputlayer masking normalization randombrightness randomcontrast randomflip",
    "randomrotation randomtranslation randomzoom rescaling spatialdropout# stopgradient syncbatchnormalization",
)
def _as_it_is(call: Call) -> Flow:
    return call.x


@rules(
    "groupnormalization instancenormalization layernorm layernormalization normalize l2normalize rmsnorm",
    "rmsnormalization unitnormalization softmax logsoftmax sparsemax",
)
def _scaling(call: Call) -> Flow:
    return graph.scaling(call.graph, call.x, call.kind)


def activation(call: Call) -> Flow | list[Flow]:
    """The activation that a layer's settings name; one that is the user's own code is taken for what most are."""
    stated, settings = call.get("activation"), {}
    if isinstance(stated, dict):
        config = stated.get("config")
        named = isinstance(config, str)
        stated, settings = (config, {}) if named else (stated.get("class_name"), config or {})
    name = canonical(str(stated))
    rule = rules.get(name)
    if rule is not None and (rule in (_elementwise, _scaling) or name == "glu"):
        return rule(call._replace(kind=str(stated), settings=settings))
    call.graph.note(f"activation {stated} is taken as acting on each place alone")
    return call.x


@rules("dense einsumdense")
def _dense(call: Call) -> Flow:
    shape = call.x.shape
    raise Unreachable(DENSE, shape=(*shape[:-1], call.get("units", default=1)) if shape else ())


@rules("lambda")
def _lambda(call: Call) -> Flow:
    raise Unreachable("code of the user's, which is not run", shape=call.x.shape)


@rules(
    "attention additiveattention dot dotproductattention einsum groupqueryattention matmul multiheadattention",
    "tensordot",
)
def _product(call: Call) -> Flow:
    raise Unreachable(PRODUCT, shape=call.x.shape)


@rules("lstm gru simplernn rnn bidirectional")
def _recurrent(call: Call) -> Flow:
    _name_inside(call)
    raise Unreachable(RECURRENT, shape=call.x.shape)


def unknown(call: Call) -> Flow:
    """A layer without a rule; what it has inside, or what may be its own kernel, is named."""
    convolves = "conv" in call.kind.lower() or _name_inside(call)
    if not convolves and any(len(shape) >= 3 for shape in call.weights.follow(call.place)):
        call.graph.skip(call.place.path, f"an array of {call.kind}, a type of layer that is not known")
    raise Unreachable("a type of layer that is not known", shape=call.x.shape)


def _name_inside(call: Call) -> bool:
    """Names the convolutions that a layer wraps; whether there are any."""
    inside = [name for kind, name in _layers_in(call.settings) if "conv" in kind.lower()]
    for name in inside:
        call.graph.skip(f"{call.place.path}/{name}", f"it is inside {call.kind}, which is not followed")
    return bool(inside)


def _layers_in(settings: Any) -> Iterator[tuple[str, str]]:
    """The types and names of the layers that settings hold."""
    stack = [settings]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            config = part.get("config")
            if isinstance(part.get("class_name"), str) and isinstance(config, dict):
                yield part["class_name"], str(part.get("name") or config.get("name") or part["class_name"])
            stack.extend(reversed(list(part.values())))
        elif isinstance(part, list):
            stack.extend(reversed(part))
