"""Worker side: torch without the quarter of its import that only tensors without data and exported programs need.

What the modules in ``PARTS`` define is loaded, all at once and in torch's own order, when any of it is asked for. What they
register elsewhere is reached in few ways only, and each of these loads them first (``_watch``): a tensor on the device
"meta" is made, a dispatch mode is entered, a library of operators is opened, an operator is looked for in vain, or asked for
what it consists of. ``tests/unit/test_light_torch.py`` compares all that torch holds with and without them.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
import types
from typing import TYPE_CHECKING, Any

from autograder.checks.sealed import sealed
from autograder.core import deferred

if TYPE_CHECKING:
    from collections.abc import Callable

KNOWN = "2.13."  # versions of torch for which this list and the ways to reach them are known to be complete
PARTS = (
    "torch.export",  # these two are what torch imports, in this order; the others come with them
    "torch._meta_registrations",
    "torch._custom_op.autograd",
    "torch._custom_op.impl",
    "torch._custom_ops",
    "torch._decomp",
    "torch._export",
    "torch._prims",
    "torch._prims_common.wrappers",
    "torch._refs",
    "torch.fx.passes.infra",
    "torch.testing._internal.common_dtype",
    "torch.utils._content_store",
)
# All operators that make a tensor on "meta" from none.
FACTORIES = ("empty.memory_format", "empty_strided", "_efficientzerotensor", "_sparse_coo_tensor_with_dims")
# Namespaces of operators in which the parts define some; and in which they register kernels besides ("_": in every one).
DEFINED = ("debugprims", "export", "prims", "rngprims", "higher_order")
REGISTERED = (*DEFINED, "_", "aten", "mkl", "mkldnn", "onednn", "quantized")
UNDO: list[Callable[[], None]] = []  # what removes everything that loads them
AROUND: list[Callable[[bool], None]] = []  # called with True before they are loaded in a worker, with False afterwards


def represent() -> bool:
    """Represent the parts; called before torch is imported. Returns whether they are: not for other versions of torch."""
    try:
        known = importlib.metadata.version("torch").startswith(KNOWN)
    except importlib.metadata.PackageNotFoundError:
        return False
    if known:
        for name in PARTS:
            deferred.represent(name)
    return known


def install() -> None:
    """Have everything that reaches the parts load them; called after torch is imported."""
    torch: Any = sys.modules["torch"]
    if not all(isinstance(sys.modules.get(name), deferred.Deferred) for name in PARTS):
        load()  # something that was imported has asked for one of them
        return
    for name in PARTS:
        package, _, last = name.rpartition(".")
        setattr(sys.modules[package], last, sys.modules[name])
        deferred.LOADERS[name] = load
    _watch(torch)


def load() -> None:
    """Load the parts, as torch itself does."""
    torch: Any = sys.modules["torch"]
    for undo in UNDO:
        undo()
    UNDO.clear()
    for name in PARTS:
        deferred.LOADERS.pop(name, None)
        deferred.remove(name)
    for tell in AROUND:
        tell(True)
    ours = torch.Generator
    torch.Generator = torch._C.Generator  # see ``cpu_only``
    try:
        with torch._C.DisableTorchFunction():
            for name in PARTS:
                importlib.import_module(name)
    finally:
        torch.Generator = ours
        for tell in AROUND:
            tell(False)


def _watch(torch: Any) -> None:
    torch._C._set_generator_metaclass(torch._opaque_base.OpaqueBaseMeta)  # as a part does; without it there is no generator
    library = torch._C._dispatch_library("IMPL", "aten", "Meta", __file__, 0)
    for name in FACTORIES:
        library.impl(name, "Meta", _again(torch, name))
    UNDO.append(library.reset)
    operators = sys.modules["torch._ops"]
    for kind in (operators._OpNamespace, operators._HigherOrderNamespace):
        _when_missing(kind)
    for name in ("decompose", "_get_dispatch", "has_kernel_for_dispatch_key", "has_kernel_for_any_dispatch_key"):
        _before(operators.OpOverload, name)
    _before(sys.modules["torch.utils._python_dispatch"].TorchDispatchMode, "__enter__")
    _before(torch.library.Library, "__init__", lambda ns, *_: ns in REGISTERED)
    _before(torch.Tensor, "_make_wrapper_subclass")


def _again(torch: Any, name: str) -> Callable[..., Any]:
    """An operator's kernel that loads the parts, and with them goes itself, and calls the operator again."""
    packet, _, overload = name.partition(".")

    def kernel(*args: Any, **kwargs: Any) -> Any:
        load()
        return getattr(getattr(torch.ops.aten, packet), overload or "default")(*args, **kwargs)

    return kernel


def _before(kind: Any, name: str, when: Callable[..., bool] | None = None) -> None:
    """Load the parts before this method runs for the first time; ``when`` tells from its arguments whether it needs them."""
    own, static = name in vars(kind), when is None and isinstance(getattr(kind, name), types.BuiltinFunctionType)
    real, bound = vars(kind).get(name), getattr(kind, name)

    def method(*args: Any, **kwargs: Any) -> Any:
        if when is None or when(*args[1:], *kwargs.values()):
            load()
        return bound(*args, **kwargs)

    setattr(kind, name, staticmethod(sealed(method)) if static else sealed(method))
    UNDO.append(lambda: setattr(kind, name, real) if own else delattr(kind, name))


def _when_missing(kind: Any) -> None:
    """Load the parts before a namespace says that it has no such operator."""
    real = kind.__getattr__

    def found(self: Any, name: str) -> Any:
        try:
            return real(self, name)
        except AttributeError:
            if self.__name__.rpartition(".")[2] not in DEFINED or name.startswith("__") or not UNDO:
                raise
            load()
            return getattr(self, name)

    kind.__getattr__ = sealed(found)
    UNDO.append(lambda: setattr(kind, "__getattr__", real))
