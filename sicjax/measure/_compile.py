"""Few compiled programs for many pairs: those with kernels of one size are filled up to one shape."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from typing import Any, TypeAlias

import jax
import numpy as np
from jaxtyping import Array, Float

from sicjax import sdr

# Terms, pathways times lags, up to which pairs are filled up; above this computing costs more than compiling.
FILLED = 2**29
# Terms up to which a program is compiled the quicker way: it then runs as fast, above up to a tenth slower.
SMALL = 2**20

# Programs compiled at a time: their tracing, in Python, leaves no room for more.
AT_A_TIME = 2
# What this process has compiled.
_COMPILED: set[tuple] = set()

# For each geometry the shape that its pairs are filled up to.
Shapes: TypeAlias = Mapping[tuple, tuple[int, ...]]


def compiled(function: Callable[[sdr.Cascade], Any]) -> Callable[[sdr.Cascade], Any]:
    """`jax.jit` of a function of a pair, which for small pairs takes half as long to compile."""
    usual, quick = jax.jit(function), cache(lambda: jax.jit(function, compiler_options=_quick_options()))

    def call(cascade: sdr.Cascade) -> Any:
        small = math.prod(cascade.shape) * len(cascade.lags) <= SMALL
        return (quick() if small else usual)(cascade)

    return call


def _quick_options() -> dict[str, bool] | None:
    """XLA's older way of making loops on CPU; what XLA does not know any more, from 0.11 on, is an error."""
    known = tuple(map(int, version("jaxlib").split(".")[:2])) < (0, 11)
    return {"xla_cpu_use_fusion_emitters": False} if known and jax.default_backend() == "cpu" else None


def common_shapes(cascades: Iterable[sdr.Cascade]) -> Shapes:
    """For each geometry the smallest shape that holds its pairs, from the smallest up to those that are too large."""
    shapes: dict[tuple, tuple[int, ...]] = {}
    for cascade in sorted(cascades, key=lambda cascade: math.prod(cascade.shape)):
        shape = tuple(map(max, cascade.shape, shapes.get(_geometry(cascade), (0, 0, 0))))
        if math.prod(shape) * len(cascade.lags) <= FILLED:
            shapes[_geometry(cascade)] = shape
    return shapes


def shape_for(cascade: sdr.Cascade, shapes: Shapes) -> tuple[int, ...]:
    """The shape up to which a pair is filled: its own, if that of its geometry does not hold it."""
    common = shapes.get(_geometry(cascade), cascade.shape)
    return common if all(full >= n for full, n in zip(common, cascade.shape, strict=True)) else cascade.shape


def filled(cascade: sdr.Cascade, shape: tuple[int, ...]) -> sdr.Cascade:
    """The pair with kernels of no energy up to a shape; its pathways among them are undefined and count nowhere."""
    if shape == cascade.shape and cascade.first_groups == cascade.second_groups == 1:
        return cascade
    i, m, o = shape
    first, second = cascade.aligned()
    kernels = _grown(first, i, m), _grown(second, m, o)
    if not cascade.first_groups == cascade.second_groups == 1:
        cascade = dataclasses.replace(cascade, first=first, second=second, first_groups=1, second_groups=1)
    # Without the checks, which its weights have passed.
    return jax.tree.unflatten(jax.tree.structure(cascade), kernels)


def _grown(kernel: Float[Array, "*k x y"], x: int, y: int) -> Float[np.ndarray, "*k x2 y2"]:
    """With kernels of zeros up to so many inputs and outputs; in NumPy, as JAX would compile that for every shape."""
    grown = np.zeros((*kernel.shape[:-2], x, y), kernel.dtype)
    grown[..., : kernel.shape[-2], : kernel.shape[-1]] = kernel
    return grown


@contextmanager
def compiling(
    functions: Sequence[Callable[[sdr.Cascade], Any]], cascades: Iterable[sdr.Cascade], shapes: Shapes, *, but: int
) -> Iterator[Callable[[sdr.Cascade], None]]:
    """Compiles functions for all pairs, in the order in which these come, beside what is done meanwhile.

    Arguments:
        functions: of a filled pair.
        cascades: the pairs.
        shapes: to which they are filled.
        but: pathways above which a pair is left out, and its functions are compiled when they are called.

    Returns:
        What waits until the functions are compiled for a pair.
    """
    wanted = {_program(cascade, shapes): cascade for cascade in cascades if cascade.pathways <= but}
    pool = ThreadPoolExecutor(AT_A_TIME)
    run = lambda function, cascade: function(filled(cascade, shape_for(cascade, shapes)))
    pending: dict[tuple, list[Future]] = {
        program: [pool.submit(run, function, cascade) for function in functions]
        for program, cascade in wanted.items() if program not in _COMPILED
    }  # fmt: skip

    def wait(cascade: sdr.Cascade) -> None:
        program = _program(cascade, shapes)
        for future in pending.pop(program, ()):
            future.result()
        _COMPILED.add(program)

    try:
        yield wait
    finally:
        pool.shutdown(cancel_futures=True)


def _program(cascade: sdr.Cascade, shapes: Shapes) -> tuple:
    """What a compiled program depends on."""
    return (_geometry(cascade), shape_for(cascade, shapes))


def _geometry(cascade: sdr.Cascade) -> tuple:
    """What a program depends on besides the numbers of channels."""
    settings = cascade.down, cascade.up, cascade.first_dilation, cascade.second_dilation
    return (cascade.first.shape[:-2], cascade.second.shape[:-2], cascade.first.dtype, *settings)
