"""Worker side: what accelerate does where there is one process and no GPU, which is next to nothing."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from typing import Any

from autograder.sandbox.worker_side.inert import NAMED, Inert

MODEL = "model.safetensors"


def first(value: Any, *_: Any, **__: Any) -> Any:
    return value


class Accelerator(Inert):
    """``accelerate.Accelerator``: hands back what it prepares and gathers, and goes backward as the loss itself does."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.__dict__["prepared"] = []

    is_main_process = is_local_main_process = is_last_process = sync_gradients = True
    num_processes = gradient_accumulation_steps = 1
    process_index = local_process_index = 0
    mixed_precision = "no"
    use_distributed = optimizer_step_was_skipped = False

    @property
    def device(self) -> Any:
        return sys.modules["torch"].device("cpu")

    def prepare(self, *given: Any, **_: Any) -> Any:
        self.prepared.extend(one for one in given if hasattr(one, "state_dict") and hasattr(one, "parameters"))
        return given[0] if len(given) == 1 else given

    def prepare_model(self, model: Any, *_: Any, **__: Any) -> Any:
        return self.prepare(model)

    prepare_data_loader = prepare_optimizer = prepare_scheduler = staticmethod(first)
    gather = gather_for_metrics = reduce = pad_across_processes = unwrap_model = staticmethod(first)
    print = staticmethod(print)

    def backward(self, loss: Any, **options: Any) -> None:
        loss.backward(**options)

    def accumulate(self, *_: Any) -> Any:
        return contextlib.nullcontext()

    autocast = no_sync = main_process_first = local_main_process_first = accumulate

    def on_main_process(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return function

    on_local_main_process = on_last_process = on_main_process

    def clip_grad_norm_(self, parameters: Any, max_norm: float, norm_type: float = 2) -> Any:
        return sys.modules["torch"].nn.utils.clip_grad_norm_(parameters, max_norm, norm_type)

    def clip_grad_value_(self, parameters: Any, clip_value: float) -> None:
        sys.modules["torch"].nn.utils.clip_grad_value_(parameters, clip_value)

    def get_state_dict(self, model: Any, **_: Any) -> Any:
        return model.state_dict()

    def save(self, value: Any, file: Any, **_: Any) -> None:
        sys.modules["torch"].save(value, file)

    def save_model(self, model: Any, save_directory: Any, **_: Any) -> None:
        os.makedirs(save_directory, exist_ok=True)
        _safetensors().save_model(model, os.path.join(save_directory, MODEL))

    def save_state(self, output_dir: Any = "checkpoint", **_: Any) -> None:
        for model in self.prepared[-1:]:
            self.save_model(model, output_dir)

    def load_state(self, input_dir: Any = "checkpoint", **_: Any) -> None:
        for model in self.prepared[-1:]:
            _safetensors().load_model(model, os.path.join(input_dir, MODEL))


def _safetensors() -> Any:
    import safetensors.torch

    return safetensors.torch


def set_seed(seed: int, *_: Any, **__: Any) -> None:
    """``accelerate.utils.set_seed``."""
    import random

    random.seed(seed)
    sys.modules["torch"].manual_seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed)


def notebook_launcher(function: Callable[..., Any], args: Any = (), *_: Any, **__: Any) -> None:
    function(*args)


NAMED.update({"Accelerator": Accelerator, "set_seed": set_seed, "notebook_launcher": notebook_launcher})
