"""The pickle inside a PyTorch file, read without running anything in it.

A pickle is a program whose instructions can name any function and call it. Here a name is looked up in a table that
holds dtypes and functions of this file: tensors become `Tensor`, containers plain ones, and what is known to travel
beside them (optimisers, settings) `Inert`. Any other name is refused.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import ml_dtypes
import numpy as np

from sicjax._errors import InputError
from sicjax._limits import OF_CONTAINER, make

_STORAGES = {
    "Double": np.float64,
    "Float": np.float32,
    "Half": np.float16,
    "BFloat16": ml_dtypes.bfloat16,
    "Long": np.int64,
    "Int": np.int32,
    "Short": np.int16,
    "Char": np.int8,
    "Byte": np.uint8,
    "Bool": np.bool_,
    "ComplexFloat": np.complex64,
    "ComplexDouble": np.complex128,
}
# Newer dtypes have no storage of their own: their tensors name them and lie in a storage of bytes.
_NEWER = (
    ml_dtypes.float8_e4m3fn,
    ml_dtypes.float8_e4m3fnuz,
    ml_dtypes.float8_e5m2,
    ml_dtypes.float8_e5m2fnuz,
    ml_dtypes.float8_e8m0fnu,
    np.uint16,
    np.uint32,
    np.uint64,
)

# Dtypes by the numbers that torch.export writes.
DTYPES = {
    number: np.dtype(dtype)
    for number, dtype in zip(
        (1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13),
        (
            *(np.uint8, np.int8, np.int16, np.int32, np.int64, np.float16, np.float32, np.float64),
            *(np.complex64, np.complex128, np.bool_, ml_dtypes.bfloat16),
        ),
        strict=True,
    )
}

# Modules whose objects travel in checkpoints beside the tensors. Nothing of them is imported or called.
_HARMLESS = (
    "datetime.",
    "lightning.",
    "lightning_fabric.",
    "numpy.",
    "omegaconf.",
    "pathlib.",
    "pytorch_lightning.",
    "torch.nn.",
    "torch.optim.",
    "torch.torch_version.",
)


class Storage(NamedTuple):
    """Where a tensor's values lie in the file."""

    key: str
    dtype: np.dtype


class Tensor(NamedTuple):
    """A tensor as the file states it, nothing of it checked."""

    storage: Any
    offset: Any
    shape: Any
    strides: Any
    dtype: np.dtype | None


class Inert:
    """Stands for an object whose code is not run; `state` is where modules keep their parameters."""

    state: Any = None
    kind: str = ""

    def __init__(self, *args, **kwargs):
        pass

    def __setitem__(self, key, value):
        pass

    def append(self, item):
        pass

    def extend(self, items):
        pass


def unpickle(file: Any, dtypes: dict[str, np.dtype] | None = None, *, scripted: bool = False) -> Any:
    """The next object of a file, from an instance with `read` and `readline`, which ends where the object does.

    Arguments:
        dtypes: receives the dtype of every storage that is named.
        scripted: whether objects of TorchScript are let through, each `Inert` with its class's name as `kind`.

    Raises:
        InputError: a name that is refused. A damaged or hostile pickle can raise any other exception.
    """
    return _Unpickler(file, {} if dtypes is None else dtypes, scripted).load()


# Instructions of a byte that make more of it than others do.
_GROWING = b"".join(
    (pickle.MARK, pickle.EMPTY_LIST, pickle.EMPTY_DICT, pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3)
    + (pickle.REDUCE, pickle.NEWOBJ, pickle.MEMOIZE, pickle.LONG_BINPUT)
)


def _counted(load: Callable[[Any], None]) -> Callable[[Any], None]:
    def counted(machine: Any) -> None:
        make(OF_CONTAINER, "its pickle")
        load(machine)

    return counted


class _Unpickler(pickle._Unpickler):
    # The machine in pure Python. Its instructions can be replaced one by one, and it allocates what it reads, where
    # the one in C allocates what an index claims: five bytes are enough to ask it for 64 GiB.
    stack: list[Any]
    append: Callable[[Any], None]
    pop_mark: Callable[[], list[Any]]

    def __init__(self, file: Any, dtypes: dict[str, np.dtype], scripted: bool):
        # Text of Python 2 need not be UTF-8; torch.load leaves it undecoded or fails, and no tensor depends on it.
        super().__init__(file, encoding="utf-8", errors="backslashreplace")
        self._dtypes = dtypes
        self._scripted = scripted

    def find_class(self, module: str, name: str) -> Any:
        full = f"builtins.{name}" if module == "__builtin__" else f"{module}.{name}"
        if full in _KNOWN:
            return _KNOWN[full]
        if full.startswith(_HARMLESS):
            return Inert
        if self._scripted and full.startswith("__torch__."):
            return type("Scripted", (Inert,), {"kind": full})
        if self._scripted and full in _SCRIPTED:
            return _SCRIPTED[full]
        if "_rebuild_qtensor" in name:
            raise InputError("its weights are quantised: save them as floats, tensor.dequantize()")
        raise InputError(
            f"it asks for {full!r:.100}, which is refused: only tensors, numbers, text and containers are loaded, "
            "such as a state_dict"
        )

    def persistent_load(self, pid: Any) -> Any:
        match pid:
            case ("module", kind, _, _):  # how the legacy format names a class, with its source
                return kind
            case ("storage", np.dtype() as dtype, str(key), _, _, *view):
                if any(part is not None for part in view):
                    raise InputError(
                        "it holds views of storages, as before PyTorch 0.4: save it again with a newer one"
                    )
                self._dtypes.setdefault(key, dtype)
                return Storage(key, dtype)
        raise InputError("it asks for a storage in a form that PyTorch does not write")

    def load_build(self):
        # Attributes are set on stand-ins only: on a container or a function they could change what it does.
        state = self.stack.pop()
        if isinstance(self.stack[-1], Inert):
            self.stack[-1].state = state

    def load_dict(self):
        items = self.pop_mark()  # which brings another stack to append to
        self.append(_update({}, items))

    def load_setitem(self):
        value, key = self.stack.pop(), self.stack.pop()
        _update(self.stack[-1], [key, value])

    def load_setitems(self):
        items = self.pop_mark()
        _update(self.stack[-1], items)

    def load_empty_set(self):
        self.append(Inert())

    def load_additems(self):
        self.pop_mark()

    def load_frozenset(self):
        self.pop_mark()
        self.append(Inert())

    # Left out: codes of objects that this process has registered, and bytearrays, allocated as large as they claim.
    dispatch: ClassVar[dict[int, Any]] = {
        code: _counted(load) if code in _GROWING else load
        for code, load in pickle._Unpickler.dispatch.items()
        if bytes([code]) not in (pickle.EXT1, pickle.EXT2, pickle.EXT4, pickle.BYTEARRAY8)
    } | {
        pickle.BUILD[0]: load_build,
        pickle.DICT[0]: load_dict,
        pickle.SETITEM[0]: load_setitem,
        pickle.SETITEMS[0]: load_setitems,
        pickle.EMPTY_SET[0]: load_empty_set,
        pickle.ADDITEMS[0]: load_additems,
        pickle.FROZENSET[0]: load_frozenset,
    }


def _update(made: Any, items: list[Any]) -> Any:
    # Hashing a tuple of tuples that share their parts takes time exponential in its depth, so only scalars are hashed.
    for key, value in zip(items[::2], items[1::2], strict=True):
        made[key if isinstance(key, (str, int, float)) else Inert()] = value
    return made


def _mapping(*args):
    # Python 2 gives the items of an OrderedDict as a list of pairs. It is emptied, so that a file which passes one
    # list many times does not multiply it.
    made = {}
    if args and isinstance(args[0], list):
        for key, value in args[0]:
            _update(made, [key, value])
        args[0].clear()
    return made


def _size(sizes=()):
    return sizes


def _tensor(storage, offset, shape, strides, *rest):
    # rest: requires_grad, hooks, for newer dtypes the dtype, and metadata
    if any(isinstance(item, dict) and (item.get("conj") or item.get("neg")) for item in rest):
        raise InputError("it holds a conjugated or negated view: save tensor.resolve_conj().resolve_neg() instead")
    dtype = next((item for item in rest if isinstance(item, np.dtype)), None)
    return Tensor(storage, offset, shape, strides, dtype)


def _parameter(tensor, *_):
    return tensor


def _from_type(rebuild, kind, args, state):
    if rebuild is not _tensor:
        raise InputError("it holds a tensor of a type that is not supported: save tensor.detach() instead")
    return _tensor(*args)


_KNOWN: dict[str, Any] = {
    "_codecs.encode": Inert,  # bytes, in the protocol that torch.save uses
    "argparse.Namespace": Inert,
    "collections.Counter": _mapping,
    "collections.OrderedDict": _mapping,
    "collections.defaultdict": _mapping,
    "collections.deque": Inert,
    "torch.Generator": Inert,
    "torch.Size": _size,
    "torch.Tensor": Inert,
    "torch.device": Inert,
    "torch.UntypedStorage": np.dtype(np.uint8),
    "torch.storage.UntypedStorage": np.dtype(np.uint8),
    "torch._tensor._rebuild_from_type_v2": _from_type,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _tensor,
}
_KNOWN |= {f"torch.{name}Storage": np.dtype(dtype) for name, dtype in _STORAGES.items()}
_KNOWN |= {f"torch.{np.dtype(dtype).name}": np.dtype(dtype) for dtype in (*_STORAGES.values(), *_NEWER)}
# Types as values, as in defaultdict(dict) and argparse, by their names in Python 2 too; a set holds no tensors to name.
_TYPES = "bool bytearray bytes complex dict float frozenset int list long range set slice str tuple unicode xrange"
_KNOWN |= {f"builtins.{kind}": Inert for kind in _TYPES.split()}
# Lists and dictionaries of TorchScript come with their types.
_SCRIPTED: dict[str, Any] = {
    f"torch.jit._pickle.build_{kind}list": _size for kind in ("int", "double", "bool", "tensor")
}
_SCRIPTED |= {"torch.jit._pickle.restore_type_tag": _parameter}
