"""A miniature world: sentences, a tokenizer and a RoBERTa with random weights, all built from what the judge sent."""

from __future__ import annotations

import os
from copy import deepcopy
from itertools import permutations
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast, RobertaConfig, RobertaForSequenceClassification

from .plain import np

SPECIAL = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "cls_token": "<s>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
    "mask_token": "<mask>",
}
SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "type_vocab_size": 1,
    "max_position_embeddings": 514,
    "pad_token_id": 1,
    "bos_token_id": 0,
    "eos_token_id": 2,
}
SPLITS = ("train", "validation", "test")  # the order in which sentences are numbered
Roberta = RobertaForSequenceClassification
no_grad, from_numpy, set_random, get_random = torch.no_grad, torch.from_numpy, torch.set_rng_state, torch.get_rng_state


class World:
    """The data, tokenizer and model of one world.

    ``given`` holds ``seed`` (of the weights), ``tokenizer`` (JSON), ``splits`` (name -> rows of text and label), ``answers``
    (predictions and labels for ``compute_accuracy``) and ``long`` (a row of more than 512 tokens).
    """

    def __init__(self, given: dict):
        os.environ["TOKENIZERS_PARALLELISM"] = "false"  # threads do not pay off on a few sentences
        self.given = given
        self.encoded: dict[str, tuple] = {}
        self.used: Any = None  # how evaluate calls compute_accuracy, see ``evaluation.uses``
        self.calls: dict[str, list] = {}  # see ``Stage``
        self.ask: Any = None
        self.size = Tokenizer.from_str(given["tokenizer"]).get_vocab_size()
        self.reset()

    def reset(self) -> None:
        """Undo what a probe changed or collected."""
        self.rows: dict[str, list[dict]] = {name: deepcopy(self.given["splits"][name]) for name in SPLITS}
        self.models: list[Any] = []

    def grow(self, counts: dict[str, int]) -> None:
        """Fill the splits up to these numbers of sentences: half of one, half of another. ``reset`` undoes it."""
        taken = {row["text"] for rows in self.rows.values() for row in rows}
        for split, count in counts.items():
            own = list(self.rows[split])
            for a, b in permutations(own, 2):
                text = " ".join([*halves(a["text"])[0], *halves(b["text"])[1]])
                if len(self.rows[split]) < count and text not in taken:
                    taken.add(text)
                    self.rows[split].append({"text": text, "label": a["label"]})

    def tokenizer(self) -> PreTrainedTokenizerFast:
        return PreTrainedTokenizerFast(
            tokenizer_object=Tokenizer.from_str(self.given["tokenizer"]), model_max_length=512, padding_side="right", **SPECIAL
        )

    def config(self, kind: type = RobertaConfig, **settings: Any) -> Any:
        """A configuration with tiny sizes; ``settings`` as ``from_pretrained`` takes them."""
        return kind(**{**settings, **SIZES, "vocab_size": self.size})

    def model(self, kind: type = RobertaForSequenceClassification, config: Any = None) -> Any:
        """A model with the world's weights, the same each time, in evaluation mode like one from the hub."""
        state = get_random()
        model = kind(config or self.config(num_labels=2))
        set_random(state)
        fill(model, self.given["seed"])
        self.models.append(model.eval())
        return model

    def indices(self, ids: Any, mask: Any = None) -> list[int]:
        """The number of the sentence in each row of token ids, counted through all splits; -1 for an unknown one."""
        known = self.known_ids()
        return [known.get(tuple(n for n in row if n != SIZES["pad_token_id"]), -1) for row in ids.tolist()]

    def known_ids(self) -> dict[tuple, int]:
        """Token ids -> number of the sentence, counted through all splits."""
        texts = [row["text"] for rows in self.rows.values() for row in rows]
        if new := [text for text in texts if text not in self.encoded]:
            self.encoded |= dict(zip(new, map(tuple, self.tokenizer()(new, truncation=True, max_length=512)["input_ids"])))
        return {self.encoded[text]: number for number, text in enumerate(texts)}

    def start(self, split: str) -> int:
        """The number of the first sentence of a split, as ``indices`` counts."""
        names = list(self.rows)
        return sum(len(self.rows[name]) for name in names[: names.index(split)])


def halves(text: str) -> tuple[list[str], list[str]]:
    words = text.split()
    return words[: len(words) // 2], words[len(words) // 2 :]


def fill(model: Any, seed: int) -> None:
    """Draw the weights with numpy, so that they are the same under every torch version; layer norms keep theirs."""
    rng = np.random.default_rng(seed)
    with no_grad():
        for name, parameter in sorted(model.named_parameters()):
            if "LayerNorm" in name:
                continue
            spread = 1.0 if "embeddings" in name else 0.1 if parameter.ndim < 2 else 1.5 / parameter.shape[-1] ** 0.5
            parameter.copy_(from_numpy((spread * rng.standard_normal(tuple(parameter.shape))).astype(np.float32)))
