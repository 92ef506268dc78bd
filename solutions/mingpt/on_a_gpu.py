"""What makes training faster on a GPU; with the defaults, it changes nothing on a CPU. trainer.py can be read without it.

Measured for gpt-nano, one epoch of the included text on an H200 (experiments/epochs.py, median of 3): 3.3 s in float32,
5.0 s in bfloat16, 4.1 s in bfloat16 and compiled; 3.1 s in float32 by the plain recipe, without ``skip_padding``. A model this
small waits for kernels to start, and casts are kernels too.
"""

from __future__ import annotations

import contextlib
from typing import Any

import torch

LARGE = 10**7  # parameters: from here on "auto" takes it that time goes into products. A round number, not measured
DEFAULTS = {
    # "bf16": products in bfloat16, weights in float32; or "float32"; "auto": bf16 for a large model on a GPU that can
    "precision": "auto",
    "compile": False,  # torch.compile. It costs a gpt-nano more time than it saves; try it for larger models
}


def autocast(device: str, precision: str, parameters: int) -> Any:
    """The context in which the loss is computed of a model with so many parameters. Raises ValueError for another precision."""
    if precision not in ("auto", "bf16", "float32"):
        raise ValueError(f"precision {precision!r} is unknown; use 'auto', 'bf16' or 'float32'")
    pays = parameters >= LARGE and pinned(device) and torch.cuda.is_bf16_supported()
    if precision == "bf16" or (precision == "auto" and pays):
        return torch.autocast(device.partition(":")[0], torch.bfloat16)
    return contextlib.nullcontext()


def pinned(device: str) -> bool:
    """Whether batches are put into memory that a GPU can copy from while it computes."""
    return device.startswith("cuda") and torch.cuda.is_available()


def moved(device: str, *tensors: torch.Tensor) -> list[torch.Tensor]:
    """The tensors on the device; the copy of pinned memory does not wait for the work before it."""
    return [x.to(device, non_blocking=pinned(device)) for x in tensors]


def compiled(function: Any, wanted: bool) -> Any:
    """The function, compiled once for batches of any length if it is wanted."""
    return torch.compile(function, dynamic=True) if wanted else function
