"""Worker side: what a student's code may ask a GPU, with the answers of one that is there.

The computations are the CPU's. Libraries, which would use a GPU, are told the truth: that there is none.
"""

from __future__ import annotations

import collections
import contextlib
import types
from collections.abc import Callable
from typing import Any

from autograder.sandbox.worker_side.callers import from_student

NAME, MEMORY = "a GPU, emulated on the CPU", 16 << 30
# What each of these returns, in torch.cuda and, where there is one of that name, in torch.mps, torch.xpu and torch.accelerator.
ANSWERS: dict[str, Any] = {
    "current_device": 0,
    "current_device_idx": 0,
    "current_device_index": 0,
    "get_device_name": NAME,
    "get_device_capability": (8, 0),
    "get_arch_list": [],
    "memory_allocated": 0,
    "max_memory_allocated": 0,
    "memory_reserved": 0,
    "max_memory_reserved": 0,
    "memory_cached": 0,
    "max_memory_cached": 0,
    "current_allocated_memory": 0,
    "driver_allocated_memory": 0,
    "recommended_max_memory": MEMORY,
    "mem_get_info": (MEMORY, MEMORY),
    "get_memory_info": (MEMORY, MEMORY),
    "memory_stats": collections.defaultdict(int),
    "memory_summary": "",
    "utilization": 0,
    "memory_usage": 0,
    "temperature": 0,
    "power_draw": 0,
    "clock_rate": 0,
    "is_initialized": True,
    "is_bf16_supported": True,
    "is_tf32_supported": True,
    "get_sync_debug_mode": 0,
    "list_gpu_processes": "",
    **dict.fromkeys(
        (
            *("init", "synchronize", "empty_cache", "ipc_collect", "manual_seed", "manual_seed_all", "seed", "seed_all"),
            *("set_device", "set_device_index", "set_device_idx", "set_stream", "set_rng_state", "set_rng_state_all"),
            *("set_per_process_memory_fraction", "set_sync_debug_mode", "reset_peak_memory_stats"),
            *("reset_max_memory_allocated", "reset_max_memory_cached", "reset_accumulated_memory_stats"),
        )
    ),
}
TENSORS = ("Float", "Double", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool")


class Stream:
    """A stream or an event, on which everything has already happened."""

    cuda_stream = device_index = stream_id = 0

    def __init__(self, *_: Any, **__: Any):
        pass

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def record(self, *_: Any) -> None:
        pass

    synchronize = wait = wait_event = wait_stream = record

    def record_event(self, *_: Any) -> Stream:
        return Stream()

    def query(self) -> bool:
        return True

    def elapsed_time(self, _: Any) -> float:
        return 1.0


def install(torch: Any) -> None:
    """Replace these functions in torch's modules, for this process and all processes forked from it."""
    for owner in filter(None, (getattr(torch, name, None) for name in ("cuda", "mps", "xpu", "accelerator"))):
        for name, value in ANSWERS.items():
            if hasattr(owner, name):
                setattr(owner, name, _answer(value))
        for name in ("Stream", "Event", "stream", "current_stream", "default_stream", "device", "device_of", "device_index"):
            if hasattr(owner, name):
                setattr(owner, name, Stream)
        _for_students(owner, "device_count", 1)
    accelerator = getattr(torch, "accelerator", None)
    for owner in (torch.cuda, torch.backends.mps, accelerator):
        for name in ("is_available", "is_built"):
            _for_students(owner, name, True)
    _for_students(accelerator, "current_accelerator", torch.device("cuda"))
    if hasattr(torch, "mtia"):  # another accelerator, which would note for whom it is asked to seed, in a millisecond
        torch.mtia.manual_seed = torch.mtia.manual_seed_all = _answer(None)
    properties = types.SimpleNamespace(name=NAME, total_memory=MEMORY, major=8, minor=0, multi_processor_count=1)
    torch.cuda.get_device_properties = _answer(properties)
    torch.cuda.get_rng_state = lambda *_: torch.get_rng_state()
    torch.cuda.get_rng_state_all = lambda: [torch.get_rng_state()]
    for kind in TENSORS:
        setattr(torch.cuda, f"{kind}Tensor", getattr(torch, f"{kind}Tensor"))
    if hasattr(torch.cuda, "nvtx"):
        torch.cuda.nvtx.range_push = torch.cuda.nvtx.range_pop = torch.cuda.nvtx.mark = _answer(0)
        torch.cuda.nvtx.range = lambda *_, **__: contextlib.nullcontext()


def _answer(value: Any) -> Callable[..., Any]:
    return lambda *_, **__: value


def _for_students(module: Any, name: str, value: Any) -> None:
    """Let this function return ``value`` to students' code, and to all other code what it returned so far."""
    real = getattr(module, name, None)
    if real is not None:
        setattr(module, name, lambda *args, **kwargs: value if from_student() else real(*args, **kwargs))
