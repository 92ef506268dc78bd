"""Worker side: a submission that asks for ``cuda`` or ``mps`` gets the CPU, and ``torch.compile`` does nothing.

Intercepts every torch call, so that ``.cuda()``, ``.to("cuda:0")``, ``device=DEVICE`` and
``torch.set_default_device("cuda")`` all work without an accelerator.
"""

from __future__ import annotations

from typing import Any

ACCELERATORS = ("cuda", "mps", "xpu", "hpu", "xla")


def install() -> None:
    """Activate this for the current process and all processes forked from it."""
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
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            kwargs = {key: mapped(value) for key, value in (kwargs or {}).items()}
            if func in constructors and kwargs.get("device") is None:
                # A default device applies below this mode and would put an accelerator here.
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

    mode: Any = OnCpu()
    mode.__enter__()
    torch.compile = uncompiled  # compiling needs subprocesses and minutes; the results are the same
    for name in ("cuda", "xpu"):
        setattr(torch.nn.Module, name, module_on_cpu)
