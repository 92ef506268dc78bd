"""Records what happens to a model: batches seen and in which mode, backward passes, optimizer steps."""

from __future__ import annotations

from typing import Any

import torch

from autograder.checks.sealed import sealed

from .plain import np
from .tiny import SIZES, Roberta, World

nn, Embedding, is_tensor, clone, detach = torch.nn, torch.nn.Embedding, torch.is_tensor, torch.Tensor.clone, torch.Tensor.detach
to_float, bfloat16 = torch.Tensor.float, torch.bfloat16
PADDING = SIZES["pad_token_id"]
zeros_like, as_numpy, enable_grad = torch.zeros_like, torch.Tensor.numpy, torch.enable_grad


class Recorder:
    """Records one model until ``end``.

    ``events``: one letter each, F forward, B backward, S step. For each forward pass, ``batches``: its sentences' numbers;
    ``modes``: whether it ran in training mode; ``graphs``: whether it built a graph. ``predicted``: sentence -> class.
    """

    def __init__(self, world: World, model: Any):
        self.world, self.model = world, model
        self.events, self.batches, self.modes, self.graphs, self.predicted = "", [], [], [], {}
        self.used: list[list[int]] = []  # the sentences behind each backward pass
        self.used_modes: list[bool] = []  # and whether the model was in training mode
        self.gradients: list[tuple[np.ndarray, np.ndarray]] = []  # at each step: new since the last one, used
        embedding = max((m for m in model.modules() if isinstance(m, Embedding)), key=lambda m: m.num_embeddings == world.size)
        self.weight = [p for p in model.parameters() if p.ndim == 2][-1]
        self.fresh = zeros_like(self.weight)
        self.still = {name for name, _ in model.named_parameters()}  # those without a gradient at each step so far
        self.unlabelled = False  # whether the last call had no labels
        self.unmasked = False  # whether any call had padded sentences and no attention mask
        self.hooks = [
            model.register_forward_pre_hook(sealed(self._called), with_kwargs=True),
            embedding.register_forward_hook(sealed(self._forward)),
            model.register_forward_hook(sealed(self._output)),
            self.weight.register_hook(sealed(self._backward)),
        ]

    def _called(self, module: Any, args: tuple, kwargs: dict) -> None:
        """Hook before each call of the model, which takes token ids and mask first, as RoBERTa does."""
        given = dict(zip(("input_ids", "attention_mask"), args)) | kwargs
        ids = given.get("input_ids")
        padded = is_tensor(ids) and ids.ndim == 2 and bool((ids == PADDING).any())
        self.unlabelled = given.get("labels") is None
        self.unmasked |= isinstance(module, Roberta) and padded and given.get("attention_mask") is None

    def _forward(self, module: Any, args: tuple, output: Any) -> None:
        self.events += "F"
        self.batches.append(self.world.indices(args[0]))
        self.modes.append(bool(module.training))
        self.graphs.append(bool(output.requires_grad))

    def _output(self, module: Any, args: tuple, output: Any) -> None:
        logits = getattr(output, "logits", output)
        logits = logits if is_tensor(logits) else next((o for o in output if is_tensor(o) and o.ndim == 2), None)
        if logits is not None and logits.ndim == 2 and self.batches and len(self.batches[-1]) == len(logits):
            self.predicted |= dict(zip(self.batches[-1], array(logits).reshape(logits.shape).argmax(-1).tolist()))

    def _backward(self, gradient: Any) -> None:
        self.events += "B"
        self.used.append(self.batches[-1] if self.batches else [])
        self.used_modes += self.modes[-1:]
        self.fresh = self.fresh + detach(gradient)

    def step(self, optimizer: Any, args: tuple, kwargs: dict) -> tuple[tuple, dict] | None:
        """Hook to run before each optimizer step. A closure, which the step would call first, is called here instead."""
        closure = kwargs.get("closure", args[1] if len(args) > 1 else None)
        if closure is None:
            return self._stepped()
        with enable_grad():
            loss = closure()
        self._stepped()
        return (args[0], lambda: loss), {}

    def _stepped(self) -> None:
        self.events += "S"
        self.still -= {name for name, parameter in self.model.named_parameters() if parameter.grad is not None}
        used = zeros_like(self.weight) if self.weight.grad is None else self.weight.grad
        self.gradients.append((array(self.fresh), array(used)))
        self.fresh = zeros_like(self.weight)

    def end(self) -> None:
        for hook in self.hooks:
            hook.remove()


def array(tensor: Any) -> np.ndarray:
    """A flat copy as a numpy array, which has no bfloat16."""
    copy = clone(detach(tensor))
    return as_numpy(to_float(copy) if copy.dtype == bfloat16 else copy).ravel().copy()


def weights(model: Any) -> dict[str, np.ndarray]:
    """Copies of all floating-point parameters and buffers, by name."""
    return {name: array(value) for name, value in model.state_dict().items() if value.is_floating_point()}


def change_of(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> float:
    """The largest absolute difference between two states."""
    return max((float(np.abs(before[name] - after[name]).max()) for name in before if before[name].size), default=0.0)
