"""TorchScript does not state the shapes of a network's inputs: they are learned from its convolutions."""

from __future__ import annotations

from sicjax._errors import InputError
from sicjax.networks.graph import Network
from sicjax.networks.torch.aten import Aten
from sicjax.networks.torch.script._interpreter import Interpreter
from sicjax.networks.torch.script._program import Program
from sicjax.weights import Script


def from_script(script: Script) -> Network:
    """The network of a TorchScript program.

    It is followed without the shapes of its inputs, then again with those that its convolutions tell. A program that
    checks its inputs can stop at such a guess, so the one that gets further counts.

    Raises:
        InputError: a program without `forward`, or one that asks for more than real ones do.
    """
    first = _followed(script, {})
    if not first.learned:
        return first.graph.network()
    try:
        second = _followed(script, first.learned)
    except (InputError, ArithmeticError, LookupError, TypeError, ValueError):
        return first.graph.network()
    found = second.graph.network(), first.graph.network()
    return max(found, key=lambda network: (len(network.layers), len(network.pairs)))


def _followed(script: Script, shapes: dict[str, tuple[int, ...]]) -> Aten:
    aten = Aten(exact=False)
    program = Program(script, aten)
    Interpreter(program, aten).run(shapes)
    aten.kernels.name_others(aten.graph, program.all_parameters())
    return aten
