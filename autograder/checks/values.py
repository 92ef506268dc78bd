"""Values -> plain trees, and back: one codec for workers, check cells, the bake and the files that they leave.

A *plain tree* holds None, bool, int, float, str, lists, dicts and numpy arrays. Whoever runs a student's code makes an
encoder before it runs: every torch and numpy function is looked up then, so that a patched ``torch`` can only spoil the
patcher's own answers. Neither library is imported here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

MAX_ELEMENTS = 4_000_000
MAX_ITEMS = 10_000
MAX_DEPTH = 8
MAX_TEXT = 20_000


def make_encoder() -> Callable[[Any], Any]:
    """Return ``encode(value) -> tree``, bound to the libraries loaded now.

    Tensors and numpy arrays become arrays (subclasses stripped, sparse made dense, bfloat16 widened);
    what cannot be sent becomes ``{"$object": type name}``, a dict ``{"$map": [[key, value], …]}``.
    """
    torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
    if torch is not None:
        disable = torch._C.DisableTorchFunctionSubclass
        strided, bfloat16, float32 = torch.strided, torch.bfloat16, torch.float32
        methods = torch.Tensor
        detach, cpu, to_dense, to, as_numpy = (methods.detach, methods.cpu, methods.to_dense, methods.to, methods.numpy)
        resolve = methods.resolve_conj

    def tensor(value: Any) -> Any:
        if value.device.type == "meta" or value.numel() > MAX_ELEMENTS:
            return {"$object": f"{value.device.type} tensor of shape {tuple(value.shape)}"}
        with disable():
            plain = cpu(detach(value))
            if plain.layout != strided:
                plain = to_dense(plain)
            if plain.dtype == bfloat16:
                plain = to(plain, float32)
            return array(as_numpy(resolve(plain)))

    def array(value: Any) -> Any:
        if value.size > MAX_ELEMENTS or value.dtype.kind not in "biuf":
            return {"$object": f"array of {value.dtype} with shape {value.shape}"}
        # Row-major native copy: a view with huge strides must not be sent as it lies in memory.
        return numpy.array(value, dtype=value.dtype.newbyteorder("="), order="C", subok=False)

    def encode(value: Any, depth: int = 0) -> Any:
        kind = type(value)
        if value is None or kind is bool or kind is float:
            return value
        if value is Ellipsis:
            return {"$object": "ellipsis"}
        if kind is int:
            return value if abs(value) < 1 << 63 else {"$object": "very large int"}
        if kind is str:
            return value[:MAX_TEXT].encode("utf-8", "replace").decode("utf-8")
        if kind in (list, tuple) and depth < MAX_DEPTH and len(value) <= MAX_ITEMS:
            return [encode(item, depth + 1) for item in value]
        if kind is dict and depth < MAX_DEPTH and len(value) <= MAX_ITEMS:
            return {"$map": [[encode(k, depth + 1), encode(v, depth + 1)] for k, v in value.items()]}
        try:
            if torch is not None and isinstance(value, torch.Tensor):
                return tensor(value)
            if numpy is not None and isinstance(value, (numpy.ndarray, numpy.generic)):
                return array(numpy.asarray(value))
        except Exception:
            pass
        return {"$object": kind.__name__[:80]}

    return encode


def make_decoder() -> Callable[[Any], Any]:
    """Return ``decode(tree) -> value``: arrays become tensors where torch is loaded.

    ``{"$chunk": array}`` becomes a non-contiguous view, the middle third of a wider tensor, laid out
    like one of the three outputs of a fused query-key-value projection.
    """
    torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")

    def decode(node: Any) -> Any:
        if isinstance(node, list):
            return [decode(item) for item in node]
        if isinstance(node, dict):
            if set(node) == {"$chunk"}:
                return chunk(node["$chunk"])
            return {key: decode(item) for key, item in node.items()}
        if numpy is not None and isinstance(node, numpy.ndarray):
            return torch.from_numpy(node.copy()) if torch is not None else node.copy()
        return node

    def chunk(array: Any) -> Any:
        width = array.shape[-1]
        wide = torch.zeros(*array.shape[:-1], 3 * width, dtype=torch.from_numpy(array).dtype)
        view = wide[..., width : 2 * width]
        view.copy_(torch.from_numpy(array))
        return view

    return decode


def to_plain(value: Any) -> Any:
    """One value as a plain tree, by the libraries that are loaded now."""
    return make_encoder()(value)


def from_plain(tree: Any) -> Any:
    """Inverse of :func:`to_plain`: arrays become tensors where torch is loaded."""
    return make_decoder()(tree)


def on_arrays(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a function of tensors so that it takes and returns plain trees."""

    def call(*args: Any, **kwargs: Any) -> Any:
        decode = make_decoder()
        return to_plain(function(*map(decode, args), **{key: decode(value) for key, value in kwargs.items()}))

    return call


def stored(tree: Any, keep: Callable[[Any], Any]) -> Any:
    """The tree as JSON takes it, each array replaced by ``{"$array": keep(array)}``.

    Raises TypeError for any other leaf, and for a dict that could be mistaken for an array.
    """
    numpy = sys.modules.get("numpy")

    def lower(node: Any) -> Any:
        if node is None or isinstance(node, (bool, int, float, str)):
            return node
        if isinstance(node, (list, tuple)):
            return [lower(item) for item in node]
        if isinstance(node, dict):
            if "$array" in node:
                raise TypeError("'$array' is a reserved key")
            return {str(key): lower(item) for key, item in node.items()}
        if numpy is not None and isinstance(node, numpy.ndarray):
            # C order; numpy.array keeps 0-d arrays 0-d, ascontiguousarray does not.
            return {"$array": keep(numpy.array(node, order="C", copy=None))}
        raise TypeError(f"cannot send a {type(node).__name__}")

    return lower(tree)


def restored(tree: Any, fetch: Callable[[Any], Any]) -> Any:
    """Inverse of :func:`stored`; ``fetch`` gets what ``keep`` returned."""
    if isinstance(tree, list):
        return [restored(item, fetch) for item in tree]
    if isinstance(tree, dict):
        if set(tree) == {"$array"}:
            return fetch(tree["$array"])
        return {key: restored(item, fetch) for key, item in tree.items()}
    return tree


def to_json(tree: Any) -> Any:
    """A plain tree as JSON that a person can read: an array as [dtype, shape, numbers in their shortest exact form]."""
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
    import numpy

    return restored(tree, lambda kept: numpy.array(kept[2], dtype=kept[0]).reshape(kept[1]))
