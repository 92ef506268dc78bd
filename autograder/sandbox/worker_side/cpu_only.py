"""Worker side: a submission that asks for ``cuda`` or ``mps`` gets the CPU, and ``torch.compile`` compiles nothing.

Works below every torch call, so ``.cuda()``, ``.to("cuda:0")``, ``device=DEVICE`` and
``torch.set_default_device("cuda")`` all run where there is no accelerator.
"""

from __future__ import annotations

from typing import Any

ACCELERATORS = ("cuda", "mps", "xpu", "hpu", "xla")


def install() -> None:
    """Switch the mapping on for this process and all forked from it."""
    import torch
    from torch.overrides import TorchFunctionMode
    from torch.utils._device import _device_constructors

    cpu, constructors = torch.device("cpu"), _device_constructors()

    def mapped(value: Any) -> Any:
        if isinstance(value, torch.device) and value.type in ACCELERATORS:
            return cpu
        if isinstance(value, str) and value.split(":")[0] in ACCELERATORS:
            return cpu
        return value

    class OnCpu(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            kwargs = {key: mapped(value) for key, value in (kwargs or {}).items()}
            if func in constructors and kwargs.get("device") is None:
                # A default device acts below this mode and would fill the gap with an accelerator.
                kwargs["device"] = cpu
            name = getattr(func, "__name__", "")
            if name in ("cuda", "xpu", "mps") and args and isinstance(args[0], torch.Tensor):
                return args[0]
            if name == "to":
                args = tuple(mapped(value) for value in args)
            return func(*args, **kwargs)

    def module_on_cpu(self: Any, device: Any = None) -> Any:
        return self

    def uncompiled(model: Any = None, **_: Any) -> Any:
        return uncompiled if model is None else model

    OnCpu().__enter__()
    torch.compile = uncompiled  # compiling needs processes and minutes; the result is the same
    for name in ("cuda", "xpu"):
        setattr(torch.nn.Module, name, module_on_cpu)
