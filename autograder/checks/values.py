"""Converts values to plain trees and back; shared by workers, check cells, baking and the files that they write.

A *plain tree* consists of None, bool, int, float, str, lists, dicts and numpy arrays. A dict of an answer's own is a ``Map``,
whose keys may be anything that can be one; it travels as ``{"$map": [[key, value], …]}``. A process that runs student code
makes its encoder first: the encoder keeps its own references to every torch and numpy function it uses, so that patching
``torch`` can only spoil the student's own answers. Neither library is imported here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from .traced import is_traced, make_tracer

Convert = Callable[[Any], Any]
MAX_ELEMENTS = 4_000_000
MAX_ITEMS = 10_000
MAX_DEPTH = 8
MAX_TEXT = 20_000


class Map(dict[Any, Any]):
    """A dict that an answer returned, or that it should: its keys are data, and no message quotes them."""


def make_encoder(exact: bool = False) -> Convert:
    """Return ``encode(value) -> tree``, bound to the libraries loaded now.

    Tensors and numpy arrays become arrays (subclasses stripped, sparse made dense, bfloat16 widened);
    what cannot be sent becomes ``{"$object": type name}``, a dict ``{"$map": [[key, value], …]}``. ``exact``: tuples, sets,
    bytes, complex numbers and numpy's single numbers are told apart, too, so that ``decode`` gives the same again.
    """
    most_items, deepest = MAX_ITEMS, MAX_DEPTH
    scalar, other = _scalar_encoder(), _array_encoder(sys.modules.get("torch"), sys.modules.get("numpy"))

    def encode(value: Any, depth: int = 0) -> Any:
        kind = type(value)
        if value is None or kind is bool or kind is float:
            return value
        if exact and (apart := told_apart(value, depth)) is not None:
            return apart
        if kind is int or kind is str or value is Ellipsis:
            return scalar(value)
        if kind in (list, tuple, dict) and depth < deepest and len(value) <= most_items:
            return container(value, depth + 1)
        return other(value)

    container, told_apart = _container_encoder(encode), _exact_encoder(encode)
    return encode


# The functions below run when an encoder is made; what they return must not look up anything that student code can replace.


def _container_encoder(encode: Callable[[Any, int], Any]) -> Callable[[Any, int], Any]:
    def container(value: Any, depth: int) -> Any:
        if type(value) is dict:
            return {"$map": [[encode(k, depth), encode(v, depth)] for k, v in value.items()]}
        return [encode(item, depth) for item in value]

    return container


def _exact_encoder(encode: Callable[[Any, int], Any]) -> Callable[[Any, int], Any]:
    """Encode what an ordinary encoder takes for something else or cuts off, None for every other value."""
    numbers = getattr(sys.modules.get("numpy"), "generic", ())
    most_items, deepest, most_text = MAX_ITEMS, MAX_DEPTH, MAX_TEXT
    marks: dict[type, str] = {tuple: "$tuple", set: "$set", frozenset: "$frozenset"}

    def told_apart(value: Any, depth: int) -> Any:
        kind = type(value)
        if kind in marks and depth < deepest and len(value) <= most_items:
            return {marks[kind]: [encode(item, depth + 1) for item in value]}
        if kind in (str, bytes) and len(value) > most_text:
            return {"$object": f"very long {kind.__name__}"}
        if kind is bytes:
            return {"$bytes": list(value)}
        if kind is complex:
            return {"$complex": [value.real, value.imag]}
        if isinstance(value, numbers) and type(plain := value.item()) in (bool, int, float):
            return plain
        return None

    return told_apart


def _scalar_encoder() -> Convert:
    most_text = MAX_TEXT

    def scalar(value: Any) -> Any:
        if value is Ellipsis:
            return {"$object": "ellipsis"}
        if type(value) is int:
            return value if abs(value) < 1 << 63 else {"$object": "very large int"}
        return value[:most_text].encode("utf-8", "replace").decode("utf-8")

    return scalar


def _array_encoder(torch: Any, numpy: Any) -> Convert:
    """Encode tensors and numpy arrays; every other value becomes ``{"$object": type name}``. Either library may be None."""
    array = _numpy_encoder(numpy)
    tensor = _tensor_encoder(torch, array) if torch is not None else array
    tensors = () if torch is None else (torch.Tensor,)
    arrays = () if numpy is None else (numpy.ndarray, numpy.generic)
    as_array: Any = getattr(numpy, "asarray", None)

    def encode(value: Any) -> Any:
        try:
            if isinstance(value, tensors):
                return tensor(value)
            if isinstance(value, arrays):
                return array(as_array(value))
        except Exception:
            pass
        return {"$object": type(value).__name__[:80]}

    return encode


def _numpy_encoder(numpy: Any) -> Convert:
    most_elements = MAX_ELEMENTS
    copied: Any = getattr(numpy, "array", None)
    kinds = {"c": "complex numbers", "O": "objects", "U": "text", "S": "bytes", "V": "records", "M": "dates"}

    def array(value: Any) -> Any:
        if value.dtype.kind not in "biuf":
            return {"$object": f"array of {kinds.get(value.dtype.kind, 'other things')}"}
        if value.size > most_elements or value.dtype.itemsize > 8:
            return {"$object": "array of too many numbers" if value.size > most_elements else "array of other things"}
        # Row-major native copy: a view with huge strides must not be sent as it lies in memory.
        return copied(value, dtype=value.dtype.newbyteorder("="), order="C", subok=False)

    return array


def _tensor_encoder(torch: Any, array: Convert) -> Convert:
    most_elements, disable = MAX_ELEMENTS, torch._C.DisableTorchFunction  # of subclasses and of modes
    strided, bfloat16, float32 = torch.strided, torch.bfloat16, torch.float32
    methods = torch.Tensor
    detach, cpu, to_dense, to, as_numpy = methods.detach, methods.cpu, methods.to_dense, methods.to, methods.numpy
    resolve = methods.resolve_conj

    def tensor(value: Any) -> Any:
        with disable():
            if value.device.type == "meta" or value.numel() > most_elements:
                return {"$object": "tensor without data" if value.device.type == "meta" else "tensor of too many numbers"}
            plain = cpu(detach(value))
            if plain.layout != strided:
                plain = to_dense(plain)
            if plain.dtype == bfloat16:
                plain = to(plain, float32)
            return array(as_numpy(resolve(plain)))

    return tensor


def make_decoder(tensors: bool = True) -> Convert:
    """Return ``decode(tree) -> value``: arrays become tensors if torch is loaded and ``tensors`` are wanted.

    ``{"$chunk": array}`` becomes a non-contiguous view, the middle third of a wider tensor, laid out
    like one of the three outputs of a fused query-key-value projection; ``{"$elsewhere": array}`` a tensor without data, on
    another device than all others.
    """
    torch: Any = sys.modules.get("torch") if tensors else None
    numpy = sys.modules.get("numpy")
    marks: dict[str, Convert] = {
        "$chunk": lambda array: _chunk(torch, array),
        "$elsewhere": lambda array: torch.from_numpy(array.copy()).to("meta"),
        "$map": lambda pairs: {decode(key): decode(value) for key, value in pairs},  # whose keys are bytes, sets and the like
        "$tuple": lambda items: tuple(map(decode, items)),
        "$set": lambda items: set(map(decode, items)),
        "$frozenset": lambda items: frozenset(map(decode, items)),
        "$bytes": lambda items: bytes(list(items)),  # of a number, bytes would be that many zeros
        "$complex": lambda parts: complex(*parts),
    }

    def decode(node: Any) -> Any:
        if isinstance(node, list):
            return [decode(item) for item in node]
        if isinstance(node, dict):
            if type(node) is dict and len(node) == 1 and (made := marks.get(next(iter(node)))):
                return made(next(iter(node.values())))
            return {key: decode(item) for key, item in node.items()}
        if numpy is not None and isinstance(node, numpy.ndarray):
            return torch.from_numpy(node.copy()) if torch is not None else node.copy()
        return node

    if torch is None:
        return decode
    disable = torch._C.DisableTorchFunction  # a mode that looks at every call would double its time

    def undisturbed(node: Any) -> Any:
        with disable():
            return decode(node)

    return undisturbed


def _chunk(torch: Any, array: Any) -> Any:
    width = array.shape[-1]
    wide = torch.zeros(*array.shape[:-1], 3 * width, dtype=torch.from_numpy(array).dtype)
    view = wide[..., width : 2 * width]
    view.copy_(torch.from_numpy(array))
    return view


def make_tensor_check() -> Convert:
    """Return ``check(value)``: what an array, a number or a list that should be a tensor is sent as, and None for the rest."""
    torch: Any = sys.modules.get("torch")
    numpy: Any = sys.modules.get("numpy")
    tensors, arrays = getattr(torch, "Tensor", ()), getattr(numpy, "ndarray", ())
    plain = {kind: f"Python {kind.__name__}" for kind in (list, tuple, dict, set, str, bool, int, float, complex)}

    def check(value: Any) -> Any:
        if torch is None or value is None or value is Ellipsis or isinstance(value, tensors):
            return None
        name = "NumPy array" if isinstance(value, arrays) else plain.get(type(value))
        return {"$object": name} if name else None  # anything else is described by its encoder

    return check


def to_plain(value: Any) -> Any:
    """Convert one value to a plain tree with the libraries loaded now, as it arrives at the judge."""
    return opened(make_encoder()(value))


def exactly_plain(value: Any) -> Any:
    """A plain tree that :func:`from_plain` turns into the same value again, tuples and sets included."""
    return opened(make_encoder(exact=True)(value))


def from_plain(tree: Any, tensors: bool = True) -> Any:
    """Inverse of :func:`to_plain` and :func:`exactly_plain`: arrays become tensors as ``make_decoder`` says."""
    return make_decoder(tensors)(tree)


def on_arrays(function: Callable[..., Any], tensor: bool = False) -> Callable[..., Any]:
    """Wrap a function of tensors so that it takes and returns plain trees; ``tensor``: only describe results that are none."""

    def call(*args: Any, **kwargs: Any) -> Any:
        decode = make_decoder()
        if any(map(is_traced, args)):
            return make_tracer(decode)(function, list(args), kwargs)
        result = function(*map(decode, args), **{key: decode(value) for key, value in kwargs.items()})
        return (tensor and make_tensor_check()(result)) or to_plain(result)

    return call


def opened(tree: Any) -> Any:
    """The tree with each ``{"$map": [[key, value], …]}`` as a ``Map``: lists among its keys become tuples."""
    if isinstance(tree, list):
        return [opened(item) for item in tree]
    if isinstance(tree, dict):
        return map_of({key: opened(item) for key, item in tree.items()})
    return tree


def map_of(node: dict[str, Any]) -> dict[Any, Any]:
    """The ``Map`` that a dict stands for; the dict itself if it stands for none, or for one whose keys cannot be any."""
    if len(node) == 1 and "$map" in node and not isinstance(node, Map):
        try:
            return Map((_key(key), value) for key, value in node["$map"])
        except (TypeError, ValueError):
            pass
    return node


def _key(key: Any) -> Any:
    """A key as Python takes it: a tuple for a list, a number for an array without dimensions."""
    if type(key) is dict and "$tuple" in key:
        key = key["$tuple"]
    if isinstance(key, list):
        return tuple(map(_key, key))
    return key.item() if getattr(key, "ndim", None) == 0 else key


def unsendable(tree: Any) -> str:
    """The type of the first value in a plain tree that could not be sent; '' if there is none."""
    if isinstance(tree, dict):
        if set(tree) == {"$object"} and not isinstance(tree, Map):
            return str(tree["$object"])
        tree = list(tree.values())
    return next((kind for item in tree if (kind := unsendable(item))), "") if isinstance(tree, list) else ""


def _is_map(node: dict[Any, Any]) -> bool:
    """Whether a dict cannot be an object of JSON: its keys are an answer's, or no texts."""
    return isinstance(node, Map) or not all(type(key) is str for key in node)


def stored(tree: Any, keep: Convert) -> Any:
    """Convert a plain tree to JSON data, with every array replaced by ``{"$array": keep(array)}``.

    Raises TypeError for any other leaf, and for a dict that could be mistaken for an array.
    """
    numpy: Any = sys.modules.get("numpy")

    def lower(node: Any) -> Any:
        if node is None or isinstance(node, (bool, int, float, str)):
            return node
        if isinstance(node, (list, tuple)):
            return [lower(item) for item in node]
        if isinstance(node, dict):
            if _is_map(node):
                return {"$map": [[lower(key), lower(item)] for key, item in node.items()]}
            if "$array" in node:
                raise TypeError("'$array' is a reserved key")
            return {key: lower(item) for key, item in node.items()}
        if numpy is not None and isinstance(node, numpy.ndarray):
            # In C order. numpy.array keeps 0-d arrays 0-d; ascontiguousarray does not.
            return {"$array": keep(numpy.array(node, order="C", copy=None))}
        raise TypeError(f"cannot send a {type(node).__name__}")

    return lower(tree)


def restored(tree: Any, fetch: Convert) -> Any:
    """Inverse of :func:`stored`; ``fetch`` maps what ``keep`` returned back to the array."""
    if isinstance(tree, list):
        return [restored(item, fetch) for item in tree]
    if isinstance(tree, dict):
        if set(tree) == {"$array"}:
            return fetch(tree["$array"])
        return map_of({key: restored(item, fetch) for key, item in tree.items()})
    return tree


def to_json(tree: Any) -> Any:
    """A plain tree as readable JSON data: an array becomes [dtype, shape, numbers in their shortest exact form]."""
    return stored(
        tree,
        lambda a: [
            str(a.dtype),
            list(a.shape),
            [float(str(x)) for x in a.ravel()] if a.dtype.kind == "f" else a.ravel().tolist(),
        ],
    )


def from_json(tree: Any) -> Any:
    """Inverse of :func:`to_json`."""
    import numpy as np

    return restored(tree, lambda kept: np.array(kept[2], dtype=kept[0]).reshape(kept[1]))
