"""What single objects hold, each with the way to restore it: containers, tensors, arrays, random generators, files."""

from __future__ import annotations

import collections
import contextlib
import functools
import io
import operator
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Undo = Callable[[], Any]
MAX_BYTES = 4 << 30  # of tensors and arrays together


def attribute(owner: Any, name: str) -> Undo:
    """Restore an attribute by identity."""
    before = getattr(owner, name)
    return lambda: None if getattr(owner, name, None) is before else setattr(owner, name, before)


def base(value: Any) -> Any:
    """The built-in class whose methods reach a container's items, whatever a class of the student's makes of them."""
    kinds = (collections.OrderedDict, dict, list, tuple, set, frozenset, collections.deque)
    return next(kind for kind in kinds if isinstance(value, kind))


def container(value: Any) -> list[Undo]:
    """Restore the items of a container, by identity and in order."""
    kind = base(value)
    if kind in (tuple, frozenset):
        return []
    if kind in (dict, collections.OrderedDict):
        return [functools.partial(restore_mapping, kind, value, list(kind.items(value)))]
    return [functools.partial(restore_items, kind, value, list(kind.__iter__(value)))]


def restore_mapping(kind: Any, value: Any, before: list[tuple[Any, Any]]) -> None:
    now = list(kind.items(value))
    if len(now) == len(before) and all(a is c and b is d for (a, b), (c, d) in zip(now, before)):
        return
    kind.clear(value)
    for key, item in before:
        kind.__setitem__(value, key, item)


def restore_items(kind: Any, value: Any, before: list[Any]) -> None:
    now = list(kind.__iter__(value))
    if len(now) == len(before) and not any(map(operator.is_not, now, before)):
        return
    kind.clear(value)
    (kind.update if kind is set else kind.extend)(value, before)


@dataclass
class Kept:
    """Tensors and arrays kept so far. ``storages``: address -> done; ``size``: bytes of the copies."""

    left: list[str] = field(default_factory=list)
    storages: set[Any] = field(default_factory=set)
    size: int = 0

    def data(self, value: Any) -> list[Undo] | None:
        """How to restore a tensor, an array, a random generator or a file; None for anything else."""
        torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
        if torch is not None and isinstance(value, torch.Tensor):
            return self.tensor(torch, value)
        if numpy is not None and isinstance(value, numpy.ndarray):
            return self.array(numpy, value)
        if isinstance(value, bytearray):
            return [functools.partial(value.__setitem__, slice(None), bytes(value))]
        return self.file(value) if isinstance(value, io.IOBase) else dice(torch, numpy, value)

    def tensor(self, torch: Any, value: Any) -> list[Undo]:
        """A tensor's memory, shape, dtype, device, gradient, hooks and counter of versions."""
        undo: list[Undo] = []
        if value.device.type == "meta":
            return undo
        alias, leaf = value.data, value.is_leaf
        shape = alias.data_ptr(), alias.dtype, alias.shape, alias.stride(), alias.device
        needs, grad, hooks = value.requires_grad, value.grad if leaf else None, value._backward_hooks
        hooked = dict(hooks or {})
        version = None if value.is_inference() else value._version

        def restore() -> None:
            now = value.data
            if (now.data_ptr(), now.dtype, now.shape, now.stride(), now.device) != shape:
                value.data = alias
            if leaf and value.grad is not grad:
                value.grad = grad
            if leaf and value.requires_grad != needs:
                value.requires_grad_(needs)
            if value._backward_hooks is not None and dict(value._backward_hooks) != hooked:
                value._backward_hooks.clear()
                value._backward_hooks.update(hooked)
            if version is not None and value._version != version:
                with contextlib.suppress(AttributeError, TypeError):  # a function of torch's own, which may change
                    torch._C._autograd._unsafe_set_version_counter((value,), (version,))

        with contextlib.suppress(RuntimeError, NotImplementedError):  # sparse ones and the like have no storage
            undo += self.memory(torch, value)
        return [restore, *undo]

    def memory(self, torch: Any, value: Any) -> list[Undo]:
        """The bytes behind a tensor, once for all tensors that share them."""
        storage = value.untyped_storage()
        size, key = storage.nbytes(), (storage.device, storage.data_ptr())
        if key in self.storages or not size:
            return []
        self.storages.add(key)
        if self.size + size > MAX_BYTES:
            return [watched(value, self.left)]
        self.size += size

        def view() -> Any:
            return torch.empty(0, dtype=torch.uint8, device=storage.device).set_(storage)

        before = view().cpu() if storage.device.type != "cpu" else view().clone()

        def restore() -> None:
            if storage.nbytes() < size:
                storage.resize_(size)
            with torch.no_grad():  # memory that has grown stays so: other tensors may look at it
                now = view()[:size]
                if not torch.equal(now.to(before.device), before):
                    now.copy_(before)

        return [restore]

    def array(self, numpy: Any, value: Any) -> list[Undo]:
        if self.size + value.nbytes > MAX_BYTES:
            return []
        self.size += value.nbytes
        before, writable = numpy.array(value, subok=False), value.flags.writeable
        data = None if value.dtype.hasobject else before.tobytes()

        def restore() -> None:
            if value.shape != before.shape:
                value.resize(before.shape, refcheck=False)
            if data is None or value.tobytes() != data:
                if not value.flags.writeable:
                    value.flags.writeable = True
                numpy.ndarray.__setitem__(value, ..., before)
            if value.flags.writeable != writable:
                value.flags.writeable = writable

        return [restore]

    def file(self, value: Any) -> list[Undo]:
        """An open file: what is written to it meanwhile goes to a temporary one."""
        if value.closed:
            return []
        if isinstance(value, (io.StringIO, io.BytesIO)):
            return [functools.partial(rewrite, value, value.getvalue(), value.tell())]
        try:
            number = value.fileno()
            position = value.tell() if value.seekable() else None
        except (OSError, ValueError):
            return []  # no file of the system, or one that is being iterated over
        if number <= 2 or position is None:
            return []
        if not value.writable():
            return [lambda: None if value.closed else value.seek(position) and None]
        return [self.diverted(value, number, position)]

    def diverted(self, value: Any, number: int, position: int) -> Undo:
        value.flush()
        kept, inherited = os.dup(number), os.get_inheritable(number)
        here = os.lseek(kept, 0, os.SEEK_CUR)
        with tempfile.TemporaryFile() as other:
            if value.readable():
                os.lseek(kept, 0, os.SEEK_SET)
                while part := os.read(kept, 1 << 20):
                    os.write(other.fileno(), part)
                os.lseek(kept, here, os.SEEK_SET)
            os.lseek(other.fileno(), here, os.SEEK_SET)
            os.dup2(other.fileno(), number, inherited)

        def restore() -> None:
            if value.closed:
                os.close(kept)
                self.left.append(f"the file {getattr(value, 'name', '')} is closed now: open it again")
                return
            value.flush()
            os.dup2(kept, number, inherited)
            os.close(kept)
            value.seek(position)

        return restore


def dice(torch: Any, numpy: Any, value: Any) -> list[Undo] | None:
    """How to restore a random generator; None for anything else."""
    if torch is not None and isinstance(value, torch.Generator):
        return [functools.partial(value.set_state, value.get_state())]
    if numpy is not None and isinstance(value, numpy.random.Generator):
        return [functools.partial(setattr, value.bit_generator, "state", value.bit_generator.state)]
    if numpy is not None and isinstance(value, numpy.random.RandomState):
        return [functools.partial(value.set_state, value.get_state(legacy=False))]
    return None


def rewrite(value: Any, before: Any, position: int) -> None:
    if not value.closed and value.getvalue() != before:
        value.seek(0)
        value.truncate()
        value.write(before)
    if not value.closed:
        value.seek(position)


def inside(value: Any) -> list[Any]:
    """What else hangs on a tensor: its gradient and the attributes that code has given it."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(value, torch.Tensor):
        return []
    return [value.grad if value.is_leaf else None, value.__dict__]


def watched(value: Any, left: list[str], name: str = "a large tensor") -> Undo:
    """Notice that a tensor has changed, if not what it was."""
    version = value._version
    return lambda: left.append(f"{name} has changed: run the cell that makes it again") if value._version != version else None


def watch(name: str, value: Any, left: list[str]) -> Undo:
    """The same for the weights of a model that no name in the code leads to."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(value, torch.nn.Module):
        return lambda: None
    try:
        undo = [watched(one, left, f"the model {name}") for one in torch.nn.Module.parameters(value) if not one.is_inference()]
        modes = [(module, module.training) for module in torch.nn.Module.modules(value)]
    except Exception:
        return lambda: None  # one that was never initialised

    def restore() -> None:
        for one in undo:
            one()
        for module, training in modes:
            module.training = training

    return restore
