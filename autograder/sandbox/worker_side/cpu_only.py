"""Worker side: a submission that asks for ``cuda`` or ``mps`` gets the CPU, and ``torch.compile`` does nothing.

Intercepts every torch call, so that ``.cuda()``, ``.to("cuda:0")``, ``.to(0)``, ``device=DEVICE`` and
``torch.set_default_device("cuda")`` all work without an accelerator. What a program may ask about a GPU: ``emulated_gpu``.
"""

from __future__ import annotations

from typing import Any

from autograder.sandbox.worker_side import emulated_gpu
from autograder.sandbox.worker_side.callers import from_student

ACCELERATORS = ("cuda", "mps", "xpu", "hpu", "xla")
STAYS = ("cuda", "xpu", "mps", "pin_memory")  # methods that return a tensor that was not moved to the CPU as it is
MOVES = ("to", "cpu", *STAYS)
ASKS = ("__get__", "get_device")
SPECIAL = frozenset((*MOVES, *ASKS, "type"))
ON_CPU = "_moved_to_the_cpu"


class Devices:
    """Replaces accelerators by the CPU in arguments, and remembers which one was ``asked`` for."""

    def __init__(self, torch: Any):
        self.torch, self.cpu = torch, torch.device("cpu")
        self.asked: Any = None

    def mapped(self, value: Any) -> Any:
        """The CPU for an accelerator, any other value as it is."""
        name = value.type if isinstance(value, type(self.cpu)) else value.split(":")[0] if isinstance(value, str) else ""
        if name not in ACCELERATORS:
            return value
        self.asked = self.torch.device(name, 0)
        return self.cpu

    def placed(self, value: Any) -> Any:
        """The same where a whole number also means a device."""
        return self.mapped("cuda" if type(value) is int else value)

    def keywords(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        result = {key: self.placed(value) if key == "device" else self.mapped(value) for key, value in kwargs.items()}
        result.pop("pin_memory", None)
        return result

    def of(self, tensor: Any) -> Any:
        """The device that a student's code sees a tensor on: the one it asked for, unless it has moved it to the CPU."""
        return self.cpu if self.asked is None or hasattr(tensor, ON_CPU) else self.asked

    def called(self, name: str, tensor: Any, *args: Any, **kwargs: Any) -> Any:
        """What a method that moves a tensor returns."""
        if name in STAYS and not (name in ACCELERATORS and hasattr(tensor, ON_CPU)):
            self.mapped(name)
            return tensor
        if name in STAYS:
            name, args, kwargs = "to", (name,), {}
        return self.moved(tensor, name, args, kwargs)

    def moved(self, tensor: Any, name: str, args: Any, kwargs: Any) -> Any:
        """What ``cpu`` and ``to`` return: to another device a copy, so that weights kept there stay as they are."""
        given = [*args, *kwargs.values()]
        args, kwargs = tuple(map(self.placed, args)), self.keywords(kwargs)
        result, before = getattr(self.torch._C.TensorBase, name)(tensor, *args, **kwargs), self.of(tensor)
        to_cpu, kept = name == "cpu" or "cpu" in map(str, given), hasattr(tensor, ON_CPU)
        to_other = any(self.placed(one) is not one for one in given)
        moves = before != self.cpu if to_cpu else to_other and kept
        result = result.clone() if moves and result is tensor else result
        if moves if to_cpu else kept and not to_other:
            setattr(result, ON_CPU, True)
        return result


def install() -> None:
    """Activate this for the current process and all processes forked from it."""
    import torch
    from torch.overrides import TorchFunctionMode

    devices = Devices(torch)
    kinds: Any = torch.Tensor
    seen: dict[Any, Any] = {kinds.device.__get__: devices.of, kinds.get_device: lambda tensor: devices.of(tensor).index or 0}
    for name in ("cuda", "mps", "xpu"):
        seen[getattr(kinds, f"is_{name}").__get__] = lambda tensor, name=name: devices.of(tensor).type == name

    def special(name: str, func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        # Three frames up is who called torch, which called this mode.
        if name in ASKS and func in seen and devices.asked is not None and from_student(3):
            return seen[func](args[0])
        if name in MOVES and args and isinstance(args[0], torch.Tensor):
            return devices.called(name, *args, **kwargs)
        if name == "type" and isinstance(args[-1], str):
            args = (args[0], args[-1].replace("torch.cuda.", "torch."))
        return func(*args, **devices.keywords(kwargs))

    class OnCpu(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            name = getattr(func, "__name__", "")
            if name in SPECIAL:
                return special(name, func, args, kwargs or {})
            return func(*args, **devices.keywords(kwargs)) if kwargs else func(*args)

    def uncompiled(model: Any = None, **_: Any) -> Any:
        return uncompiled if model is None else model

    mode: Any = OnCpu()
    mode.__enter__()
    torch.compile = uncompiled  # compiling needs subprocesses and minutes; the results are the same
    emulated_gpu.install(torch)
    _modules_and_files(torch, devices)
    _defaults_and_generators(torch, devices)


def _modules_and_files(torch: Any, devices: Devices) -> None:
    """The same for what does not pass through torch's dispatch: modules, generators, checkpoints, autocast, default types."""
    real_to, real_load, real_type = torch.nn.Module.to, torch.load, torch.set_default_tensor_type
    real_autocast = torch.autocast.__init__

    def moved_module(name: str) -> Any:
        def moved(self: Any, device: Any = None) -> Any:
            devices.mapped(name)
            return self

        return moved

    def to(self: Any, *args: Any, **kwargs: Any) -> Any:
        named = {key: devices.mapped(value) if key != "device" else devices.placed(value) for key, value in kwargs.items()}
        return real_to(self, *map(devices.placed, args), **named)

    def load(f: Any, map_location: Any = None, *args: Any, **kwargs: Any) -> Any:
        if isinstance(map_location, dict):
            map_location = {key: str(devices.mapped(value)) for key, value in map_location.items()}
        elif isinstance(map_location, (str, torch.device)):
            map_location = devices.mapped(map_location)
        return real_load(f, map_location, *args, **kwargs)

    def set_default_tensor_type(kind: Any) -> None:
        if isinstance(kind, str) and "cuda" in kind:
            real_type(kind.replace("torch.cuda.", "torch."))
            devices.mapped("cuda")
        else:
            real_type(kind)

    def autocast(self: Any, device_type: Any = "cuda", *args: Any, **kwargs: Any) -> None:
        real_autocast(self, "cuda" if devices.mapped(str(device_type)) != str(device_type) else device_type, *args, **kwargs)

    for name in ("cuda", "xpu"):
        setattr(torch.nn.Module, name, moved_module(name))
    torch.nn.Module.to, torch.load, torch.set_default_tensor_type = to, load, set_default_tensor_type
    torch.autocast.__init__ = autocast


def _defaults_and_generators(torch: Any, devices: Devices) -> None:
    real_default, real_generator = torch.set_default_device, torch.Generator

    class Kind(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, real_generator)

        def __call__(cls, device: Any = None) -> Any:
            return real_generator("cpu")

    def set_default_device(device: Any) -> None:
        mapped = devices.placed(device)
        real_default(None if mapped == devices.cpu else mapped)  # none is quicker

    def get_default_device() -> Any:
        return devices.asked if devices.asked is not None and from_student() else devices.cpu

    torch.set_default_device, torch.get_default_device = set_default_device, get_default_device
    torch.Generator = Kind("Generator", (), {})
