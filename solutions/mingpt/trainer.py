"""Trains a model without wasting time on padding.

A sentence has about 24 tokens but is padded to 100, so the plain recipe spends three quarters of its work on PAD. With
``skip_padding`` (the default), sentences of similar length share a batch, a batch is cut to its longest sentence, and logits
are computed for real targets only. The loss is the same; only the composition of the batches differs.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader, RandomSampler, Sampler, default_collate
from tqdm.auto import tqdm

from . import on_a_gpu
from .utils import CfgNode

READ = 1024  # sentences whose lengths are read at a time


class Trainer:
    """``Trainer(config, model, train_dataset).run()``; the dataset gives pairs (x, y) of token ids, (T,) each.

    Attributes for callbacks: ``loss`` (a tensor), ``iter_num`` (0 for the first batch), ``iter_dt`` (seconds, of the batch
    before), ``total``, ``device``.
    """

    @staticmethod
    def get_default_config() -> CfgNode:
        return CfgNode(
            device="auto",  # cuda when there is one, else cpu
            num_workers=0,
            max_iters=None,
            epochs=None,  # max_iters goes first; neither: one epoch (minGPT would go on until it is stopped)
            batch_size=32,
            learning_rate=5e-4,
            schedule="constant",  # or "cosine": warm-up over the first 5 %, then decay to a tenth
            betas=(0.9, 0.95),
            weight_decay=0.1,  # on matrices
            grad_norm_clip=1.0,
            skip_padding=True,  # False: the plain recipe
            pool=16,  # batches that are sorted by length together: more are faster, but too similar sentences train worse
            data_seed=None,  # fixes the order of the sentences; None: torch's seed, whatever has been drawn since it was set
            progress=True,
            **on_a_gpu.DEFAULTS,
        )

    def __init__(self, config: CfgNode, model: Any, train_dataset: Any):
        self.config = CfgNode(**{**vars(self.get_default_config()), **vars(config)})
        if self.config.schedule not in ("constant", "cosine"):
            raise ValueError(f"schedule {self.config.schedule!r} is unknown; use 'constant' or 'cosine'")
        self.device = ("cuda" if torch.cuda.is_available() else "cpu") if self.config.device == "auto" else self.config.device
        self.model, self.train_dataset, self.optimizer = model.to(self.device), train_dataset, None
        self.parameter_count = sum(p.numel() for p in model.parameters())
        self.callbacks: dict[str, list[Callable]] = defaultdict(list)
        self.iter_num, self.iter_time, self.iter_dt, self.loss, self.loss_of, self.total = 0, 0.0, 0.0, None, None, 0
        if self.config.progress:
            print("running on device", self.device)

    def set_callback(self, onevent: str, callback: Callable) -> None:
        self.callbacks[onevent] = [callback]

    def add_callback(self, onevent: str, callback: Callable) -> None:
        self.callbacks[onevent].append(callback)

    def trigger_callbacks(self, onevent: str) -> None:
        for callback in self.callbacks.get(onevent, []):
            callback(self)

    def run(self) -> None:
        """Train. An interrupt (the stop button, Ctrl-C) ends it early; the model keeps what it has learned."""
        loader = self.loader()
        self.total = iterations(self.config, len(loader))
        self.optimizer = self.model.configure_optimizers(self.config)
        cheap = self.config.skip_padding and hasattr(self.model, "loss")
        loss_of = self.model.loss if cheap else lambda x, y: self.model(x, y)[1]
        self.loss_of = on_a_gpu.compiled(loss_of, self.config.compile)
        self.model.train()
        self.iter_num, self.iter_dt, self.iter_time = 0, 0.0, time.perf_counter()
        bar = tqdm(total=self.total, unit="batch", disable=not self.config.progress, mininterval=0.5)
        done = 0
        try:
            for x, y in batches(loader, self.total):
                self.step(*on_a_gpu.moved(self.device, x, y))
                done += 1
                self.trigger_callbacks("on_batch_end")
                self.iter_num += 1
                now = time.perf_counter()
                self.iter_dt, self.iter_time = now - self.iter_time, now
                bar.update()
                if bar.n % 20 == 0:
                    bar.set_postfix_str(f"loss {self.loss.item():.3f}", refresh=False)
        except KeyboardInterrupt:
            print(f"stopped after {done} of {self.total} batches; the model keeps what it has learned")
        finally:
            bar.close()

    def step(self, x: torch.Tensor, y: torch.Tensor) -> None:
        """One batch, x and y (B, T): loss, gradients, one optimizer step."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.learning_rate * rate_at(self.iter_num, self.total, self.config.schedule)
        with on_a_gpu.autocast(self.device, self.config.precision, self.parameter_count):
            self.loss = self.loss_of(x, y)
        self.model.zero_grad(set_to_none=True)
        self.loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.grad_norm_clip)
        self.optimizer.step()

    def loader(self) -> DataLoader:
        """A loader of one epoch's batches. Their order has a generator of its own, so no model can change it.

        Raises ValueError if there is nothing to train on.
        """
        if not len(self.train_dataset):
            raise ValueError("there is nothing to train on: the dataset is empty")
        seed = self.config.data_seed
        draw = torch.Generator().manual_seed(torch.initial_seed() if seed is None else seed)
        settings = {"num_workers": self.config.num_workers, "pin_memory": on_a_gpu.pinned(self.device), "generator": draw}
        pad = getattr(self.model, "pad_token", None)
        if not self.config.skip_padding or pad is None:
            sampler = RandomSampler(self.train_dataset, generator=draw)
            return DataLoader(self.train_dataset, self.config.batch_size, sampler=sampler, **settings)
        every = DataLoader(self.train_dataset, READ, generator=torch.Generator())  # draws nothing of torch's own
        lengths = torch.cat([real_lengths(y, pad) for _, y in every])
        by_length = LengthBatches(lengths, self.config.batch_size, draw, self.config.pool)
        return DataLoader(self.train_dataset, batch_sampler=by_length, collate_fn=Trimmed(pad), **settings)


def iterations(config: CfgNode, batches_in_epoch: int) -> int:
    """The number of batches in a run."""
    if config.max_iters is not None:
        return int(config.max_iters)
    return max(1, math.ceil((1 if config.epochs is None else config.epochs) * batches_in_epoch))


def batches(loader: DataLoader, count: int) -> Iterator:
    """Yield ``count`` batches, starting a new epoch as often as needed."""
    while count > 0:
        for batch in loader:
            yield batch
            count -= 1
            if count == 0:
                return


def rate_at(step: int, total: int, schedule: str) -> float:
    """The learning rate at a step, as a fraction of the configured one."""
    if schedule == "constant":
        return 1.0
    warm = max(1, total // 20)
    if step < warm:
        return (step + 1) / warm
    return 0.1 + 0.45 * (1 + math.cos(math.pi * (step - warm) / max(1, total - warm)))


def real_lengths(y: torch.Tensor, pad: int) -> torch.Tensor:
    """The number of tokens of each row up to its last target that is not PAD, at least 1. y (B, T) -> (B,)."""
    return ((y != pad) * torch.arange(1, y.shape[1] + 1, device=y.device)).amax(dim=1).clamp_min(1)


class LengthBatches(Sampler):
    """Shuffled batches of indices: sentences of similar length, about the same number of tokens in each batch.

    A batch has many short sentences or few long ones, batch_size on average, so that every optimizer step averages over as
    many tokens as in the plain recipe and an epoch has as many steps.
    """

    def __init__(self, lengths: torch.Tensor, batch_size: int, generator: torch.Generator | None = None, pool: int = 16):
        self.lengths, self.batch_size, self.generator, self.pool = lengths, batch_size, generator, pool

    def __len__(self) -> int:
        return math.ceil(len(self.lengths) / self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        cut = []
        for pool in torch.randperm(len(self.lengths), generator=self.generator).split(self.pool * self.batch_size):
            ordered = pool[self.lengths[pool].argsort(stable=True)]
            count = math.ceil(len(ordered) / self.batch_size)
            tokens = self.lengths[ordered].cumsum(0)
            place = ((tokens - 1) * count).div(tokens[-1], rounding_mode="floor")  # the batch of each sentence
            cut += [batch for i in range(count) if len(batch := ordered[place == i])]
        for i in torch.randperm(len(cut), generator=self.generator).tolist():
            yield cut[i].tolist()


class Trimmed:
    """A collate function: pairs (x, y) -> two tensors (B, T), cut after the longest sentence. Later columns have no loss."""

    def __init__(self, pad: int):
        self.pad = pad

    def __call__(self, pairs: list) -> tuple[torch.Tensor, torch.Tensor]:
        x, y = default_collate(pairs)
        longest = int(real_lengths(y, self.pad).max())
        return x[:, :longest], y[:, :longest]
