"""What each layer of Keras does to the convolutions that reach it."""

from __future__ import annotations

import math

import numpy as np

from sicjax.networks import _operations, _spatial
from sicjax.networks._flow import BATCH, Flow
from sicjax.networks._keras_call import Call, Rule, canonical, class_names
from sicjax.networks._keras_pool import POOLS, places
from sicjax.networks._keras_shapes import SHAPES
from sicjax.networks._network import Layer


def rule_of(kind: str) -> Rule:
    """What to do at a layer or operation of this type."""
    return _RULES.get(canonical(kind), _unknown)


def _transparent(call: Call) -> Flow:
    return call.x


def _scaling(call: Call) -> Flow:
    call.graph.note(f"{call.kind} is treated as scaling")
    return call.x


def _activation(call: Call) -> Flow:
    return _activated(call, call.x)


def _activated(call: Call, x: Flow) -> Flow:
    """The activation that a layer's settings name; one that is the user's own code is taken for what most are."""
    stated = call.get("activation")
    if isinstance(stated, dict):
        stated = stated["config"] if isinstance(stated.get("config"), str) else stated.get("class_name")
    name = canonical(str(stated or "linear"))
    if name in _GATES:
        return call.graph.end([x], x.shape, f"{stated} ({call.path})")
    if name == "glu":
        return _glu(call._replace(flows=[x]))
    if name != "linear" and name not in _POINTWISE:
        call.graph.note(f"activation {stated} is taken as acting on each place alone")
    return x


def _glu(call: Call) -> Flow:
    """One half of the channels, weighted by the other."""
    axis = call.axis("axis", -1)
    half = call.x.shape[axis] // 2
    halves = [_operations.index(call.x, axis, np.arange(k * half, (k + 1) * half)) for k in (0, 1)]
    return _elementwise(call._replace(flows=halves))


def _elementwise(call: Call) -> Flow:
    """Sums, products. Sizes that are not known exactly are taken to be equal, unless one is 1."""
    lead = max((x for x in call.flows if x.sources), key=lambda x: len(x.shape), default=None)
    if lead is None:
        x = max(call.flows, key=lambda x: (len(x.shape), math.prod(x.shape)))
        return Flow(x.shape, (BATCH,) * len(x.shape), origin=x.origin)
    shape = list(lead.shape)
    for x in sorted(call.flows, key=lambda x: not x.sources):
        for k in range(1, min(len(x.shape), len(shape)) + 1):
            shape[-k] = max(shape[-k], x.shape[-k]) if x.sources or shape[-k] == 1 else shape[-k]
    fitted = []
    for x in call.flows:
        if x.sources:
            across = zip(x.shape, shape[len(shape) - len(x.shape) :], x.axes, strict=True)
            x = x._replace(shape=tuple(n if n == 1 or role < 0 else m for n, m, role in across))
        fitted.append(x)
    return call.graph.elementwise(fitted, shape, f"{call.kind} {call.path}")


def _conv(call: Call) -> Flow:
    transposed = "Transpose" in call.kind
    sizes, filters = call.optional("kernel_size"), call.get("filters")
    shape = (*sizes, filters, None) if transposed else (*sizes, None, filters)
    kernel = call.weights.kernel(call.place, ("kernel",), 0, shape)
    kernel = kernel.swapaxes(-1, -2) if transposed else kernel
    return _activated(call, _follow(call, call.path, kernel, int(call.get("groups", 1)), transposed=transposed))


def _depthwise(call: Call) -> Flow:
    shape = (*call.optional("kernel_size"), None, call.get("depth_multiplier"))
    kernel = call.weights.kernel(call.place, ("depthwise_kernel", "kernel"), 0, shape)
    return _activated(call, _follow(call, call.path, *_grouped(kernel)))


def _separable(call: Call) -> Flow:
    inner = (*call.optional("kernel_size"), None, call.get("depth_multiplier"))
    depthwise = call.weights.kernel(call.place, ("depthwise_kernel",), 0, inner)
    shape = (*(1,) * call.rank, depthwise.shape[-2] * depthwise.shape[-1], call.get("filters"))
    pointwise = call.weights.kernel(call.place, ("pointwise_kernel",), 1, shape)
    x = _follow(call, f"{call.path}/depthwise", *_grouped(depthwise))
    plain = {"data_format": call.get("data_format")}
    return _activated(call, _follow(call._replace(settings=plain, flows=[x]), f"{call.path}/pointwise", pointwise, 1))


def _grouped(kernel: np.ndarray) -> tuple[np.ndarray, int]:
    """A depthwise kernel `(*k, in, multiplier)` as one with a group for each input channel."""
    *k, inputs, multiplier = kernel.shape
    return kernel.reshape(*k, 1, inputs * multiplier), inputs


def _follow(call: Call, path: str, kernel: np.ndarray, groups: int, *, transposed: bool = False) -> Flow:
    stride, dilation = call.each("strides", 1), call.each("dilation_rate", 1)
    layer = Layer(path, kernel, stride, dilation, groups, transposed)
    extra = call.optional("output_padding")
    space = []
    for n, k, d, s, more in zip(call.space, kernel.shape, dilation, stride, extra, strict=False):
        reach, same = (k - 1) * d + 1, call.get("padding") in ("same", "causal")
        if not transposed:
            space.append(places(n, reach, s, same))
        elif more is None:
            space.append(n * s + (0 if same else max(reach - s, 0)))
        else:
            space.append((n - 1) * s + (reach % 2 if same else reach) + more)
    return _spatial.convolution(call.graph, call.x, layer, space, channels_last=not call.channels_first)


def _reduced(call: Call) -> Flow:
    """A mean, a sum or an extreme over some axes."""
    if len(call.flows) > 1:
        return _elementwise(call)
    x, axes = call.x, call.get("axis")
    gone = range(len(x.shape)) if axes is None else [axes] if isinstance(axes, int) else axes
    gone = {k % len(x.shape) for k in gone}
    keep = call.get("keepdims") or call.get("keep_dims")
    shape = tuple(1 if k in gone else n for k, n in enumerate(x.shape) if keep or k not in gone)
    space = bool(x.sources) and all(x.axes[k] >= 0 for k in gone)
    return call.end(f"{'global pooling' if space else 'a reduction'} {call.kind} ({call.path})", shape)


def _dense(call: Call) -> Flow:
    shape = (*call.x.shape[:-1], int(call.get("units", 1)))
    return call.end(f"a dense layer ({call.path})", shape)


def _recurrent(call: Call) -> Flow:
    _name_inside(call, "it is inside a recurrent layer")
    return call.end(f"a recurrent layer ({call.path})")


def _name_inside(call: Call, reason: str) -> bool:
    """Names the convolutions that a layer wraps; whether there are any."""
    inside = [name for kind, name in class_names(call.settings) if "conv" in kind.lower()]
    for name in inside:
        call.graph.skip(f"{call.path}/{name}", reason)
    return bool(inside)


def _unknown(call: Call) -> Flow:
    plain = call.kind.rpartition(">")[2]
    reason = f"layer type {call.kind if canonical(plain) in _RULES else plain} is not known"
    if not _name_inside(call, reason) and (
        "conv" in call.kind.lower() or any(len(s) >= 3 for s in call.weights.follow(call.place))
    ):
        call.graph.skip(call.path, reason)
    return call.end(f"{reason} ({call.path})")


def _ends(reason: str) -> Rule:
    return lambda call: call.end(f"{reason.format(call.kind)} ({call.path})")


_POINTWISE = frozenset(
    """
abs absolute acos acosh add addv2 arccos arccosh arcsin arcsinh arctan arctan2 arctanh asin asinh atan atan2 atanh
biasadd cast cbrt ceil celu clip clipbyvalue copy cos cosh divide dividenonan divnonan elu equal erf exp exp2 expm1
exponential floor floordiv floordivide fmax fmin gelu greater greaterequal hardshrink hardsigmoid hardsilu hardswish
hardtanh heaviside hypot identity leakyrelu less lessequal log log10 log1p log2 logicaland logicalnot logicalor
logsigmoid maximum minimum mish mod mul multiply multiplynonan nantonum neg negative notequal pow power prelu
realdiv reciprocal relu relu6 round rsqrt selu sigmoid sign silu sin sinh softplus softshrink softsign sparseplus
sparsesigmoid sqrt square squareddifference squareplus sub subtract swish tan tanh tanhshrink threshold thresholdedrelu
truediv truedivide trunc where
""".split()
)
_GATES = frozenset("softmax logsoftmax sparsemax".split())


def _each(names: str, rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(names.split(), rule)


# By the type's name in small letters, with # for the number of axes.
_RULES: dict[str, Rule] = {
    **SHAPES,
    **POOLS,
    **dict.fromkeys(_POINTWISE, _elementwise),
    **dict.fromkeys(_GATES, _ends("{}")),
    **_each("conv# conv#transpose", _conv),
    **_each("depthwiseconv#", _depthwise),
    **_each("separableconv#", _separable),
    **_each("activation", _activation),
    **_each(
        """activityregularization alphadropout batchnorm batchnormalization batchnormalizationv1 dropout
        gaussiandropout gaussiannoise inputlayer masking normalization randombrightness randomcontrast randomflip
        randomrotation randomtranslation randomzoom rescaling spatialdropout# stopgradient syncbatchnormalization""",
        _transparent,
    ),
    **_each(
        """groupnormalization instancenormalization layernorm layernormalization normalize l2normalize rmsnorm
        rmsnormalization unitnormalization""",
        _scaling,
    ),
    **_each("mean max min sum prod amax amin var std reducemean reducemax reducemin reducesum average", _reduced),
    **_each("glu", _glu),
    **_each("dense einsumdense", _dense),
    **_each("embedding", _ends("an embedding")),
    **_each("lambda", _ends("a {} layer: its code is not run")),
    **_each("lstm gru simplernn rnn bidirectional", _recurrent),
    **_each(
        """attention additiveattention dot dotproductattention einsum groupqueryattention matmul multiheadattention
        tensordot""",
        _ends("a product of two values, as in attention"),
    ),
    **_each("depthtospace spacetodepth", _ends("a rearrangement of channels and space ({})")),
}
