"""Worker side: a submission that asks for ``cuda`` or ``mps`` gets the CPU, and ``torch.compile`` does nothing.

Intercepts every torch call, so that ``.cuda()``, ``.to("cuda:0")``, ``.to(0)``, ``device=DEVICE`` and
``torch.set_default_device("cuda")`` all work without an accelerator. What a program may ask about a GPU: ``emulated_gpu``.
"""

from __future__ import annotations

from typing import Any

from autograder.sandbox.worker_side import emulated_gpu
from autograder.sandbox.worker_side.callers import from_student

ACCELERATORS = ("cuda", "mps", "xpu", "hpu", "xla")
STAYS = ("cuda", "xpu", "mps", "pin_memory")  # methods that return their tensor as it is


class Devices:
    """Replaces accelerators by the CPU in arguments; ``constructors``: torch's functions that make a tensor."""

    def __init__(self, cpu: Any, constructors: Any):
        self.cpu, self.constructors = cpu, constructors

    def mapped(self, value: Any) -> Any:
        """The CPU for an accelerator, any other value as it is."""
        name = value.type if isinstance(value, type(self.cpu)) else value.split(":")[0] if isinstance(value, str) else ""
        return self.cpu if name in ACCELERATORS else value

    def placed(self, value: Any) -> Any:
        """The same where a whole number also means a device."""
        return self.cpu if type(value) is int else self.mapped(value)

    def keywords(self, func: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
        result = {key: self.placed(value) if key == "device" else self.mapped(value) for key, value in kwargs.items()}
        if func in self.constructors:
            result.pop("pin_memory", None)
            # A default device applies below this mode and would put an accelerator here.
            result["device"] = result.get("device") or self.cpu
        return result


def install() -> None:
    """Activate this for the current process and all processes forked from it."""
    import torch
    from torch.overrides import TorchFunctionMode
    from torch.utils._device import _device_constructors

    devices = Devices(torch.device("cpu"), _device_constructors())
    is_cuda: Any = torch.Tensor.is_cuda
    is_cuda = is_cuda.__get__

    class OnCpu(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            name = getattr(func, "__name__", "")
            if name in STAYS and args and isinstance(args[0], torch.Tensor):
                return args[0]
            if name == "to":
                args = args[:1] + tuple(map(devices.placed, args[1:]))
            if name == "__get__" and func == is_cuda and from_student():
                return True
            if kwargs or func in devices.constructors:
                return func(*args, **devices.keywords(func, kwargs or {}))
            return func(*args)

    def uncompiled(model: Any = None, **_: Any) -> Any:
        return uncompiled if model is None else model

    mode: Any = OnCpu()
    mode.__enter__()
    torch.compile = uncompiled  # compiling needs subprocesses and minutes; the results are the same
    emulated_gpu.install(torch)
    _modules_and_files(torch, devices)


def _modules_and_files(torch: Any, devices: Devices) -> None:
    """The same for what does not pass through torch's dispatch: modules, generators, checkpoints, autocast, default types."""
    real_to, real_load, real_type = torch.nn.Module.to, torch.load, torch.set_default_tensor_type
    real_autocast, real_generator = torch.autocast.__init__, torch.Generator

    def module_on_cpu(self: Any, device: Any = None) -> Any:
        return self

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
        real_type(kind.replace("torch.cuda.", "torch.") if isinstance(kind, str) else kind)

    def autocast(self: Any, device_type: Any = "cuda", *args: Any, **kwargs: Any) -> None:
        real_autocast(self, "cuda" if devices.mapped(str(device_type)) != str(device_type) else device_type, *args, **kwargs)

    class Kind(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, real_generator)

        def __call__(cls, device: Any = None) -> Any:
            return real_generator("cpu")

    generator = Kind("Generator", (), {})

    for name in ("cuda", "xpu"):
        setattr(torch.nn.Module, name, module_on_cpu)
    torch.nn.Module.to, torch.load, torch.set_default_tensor_type = to, load, set_default_tensor_type
    torch.autocast.__init__, torch.Generator = autocast, generator
