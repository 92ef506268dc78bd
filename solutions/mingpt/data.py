"""Turns text into token ids: one sentence per line, words separated by spaces, three splits.

``load_text`` takes the first of these that is there: the course's files ``1b_benchmark.{train,dev,test}.tokens``, the data set
from the hub that you name, or the text in ``text/`` (its README says what it is and where it comes from).
"""

from __future__ import annotations

import lzma
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from itertools import chain
from pathlib import Path
from typing import Any

import torch

START, STOP, UNK, PAD = 0, 1, 2, 3
SPECIAL = ["<START>", "<STOP>", "<UNK>", "<PAD>"]
MAX_LEN = 100
MIN_COUNT = 3
CODES_FROM = 35  # the character that stands for the first word of the included text
SPLITS = ("train", "dev", "test")
HUB_NAMES = {"train": ("train",), "dev": ("validation", "dev", "valid"), "test": ("test",)}
TOKEN = re.compile(r"'s\b|\w+(?:-\w+)*|[^\w\s]")  # splits as the included text is split


@dataclass(frozen=True)
class Text:
    """Three lists of sentences, each a list of words, and a description of their source."""

    train: list[list[str]]
    dev: list[list[str]]
    test: list[list[str]]
    source: str


def load_text(folder: str | Path = ".", hub: str | None = None, column: str = "text") -> Text:
    """Load the text to model and print one line about it. Raises ValueError if what was asked for is not available."""
    files = {split: Path(folder) / f"1b_benchmark.{split}.tokens" for split in SPLITS}
    if any(file.exists() for file in files.values()):
        text = from_files(files)
    elif hub:
        text = from_hub(hub, column)
    else:
        text = shipped()
    print(f"{text.source}: {len(text.train):,} / {len(text.dev):,} / {len(text.test):,} sentences (train / dev / test)")
    return text


def from_files(files: dict[str, Path]) -> Text:
    """The course's own files; the test split may be absent."""
    missing = [file.name for split, file in files.items() if not file.exists() and split != "test"]
    if missing:
        raise ValueError(
            f"{' and '.join(missing)} is missing: the course's files have to be together in {files['train'].parent.resolve()}"
        )
    read = {
        split: sentences(file.read_text(encoding="utf-8", errors="replace")) if file.exists() else []
        for split, file in files.items()
    }
    return Text(**read, source="the course's One Billion Word subset")


def from_hub(name: str, column: str) -> Text:
    """A data set from the hub, ``owner/name`` or ``owner/name/configuration``, split into words. Raises ValueError.

    Missing splits are taken from its training split.
    """
    parts = name.split("/")
    try:
        from datasets import load_dataset

        data = load_dataset("/".join(parts[:2]), *parts[2:])
    except ImportError:
        raise ValueError("a data set from the hub needs `pip install datasets`") from None
    except Exception as error:  # offline, unknown, gated: the hub's errors have no common base class
        raise ValueError(
            f"the hub did not provide {name!r} ({type(error).__name__}: {' '.join(str(error).split())}); "
            "leave hub out to use the included text"
        ) from None
    read = {split: next((from_rows(data[n], column, name) for n in HUB_NAMES[split] if n in data), []) for split in SPLITS}
    for place, split in enumerate(("dev", "test")):
        if not read[split]:
            read[split], read["train"] = tenth(read["train"], place)
    return Text(**read, source=f"{name} from the hub")


def from_rows(rows: Any, column: str, name: str) -> list[list[str]]:
    if column not in rows.column_names:
        raise ValueError(f"{name} has no column {column!r}; it has {', '.join(rows.column_names)}")
    return sentences("\n".join(" ".join(TOKEN.findall(text)) for text in rows[column]))


def tenth(lines: list[list[str]], place: int) -> tuple[list[list[str]], list[list[str]]]:
    """(every tenth sentence, the others). Equal sentences stay together, so the two do not overlap."""
    where = {line: i % 10 for i, line in enumerate(dict.fromkeys(map(tuple, lines)))}
    return [s for s in lines if where[tuple(s)] == place], [s for s in lines if where[tuple(s)] != place]


def shipped() -> Text:
    """The text included in this package."""
    folder = resources.files(__package__) / "text"
    plain = folder / "coded.txt"  # what a lone notebook unpacks
    text = plain.read_bytes() if plain.is_file() else lzma.decompress((folder / "coded.txt.xz").read_bytes())
    words, _, coded = text.decode().partition("\n")
    types = dict(enumerate(words.split(), start=CODES_FROM))
    blocks = [[[types[ord(code)] for code in line] for line in block.split("\n")] for block in coded.split("\n\n")]
    read = dict(zip(SPLITS, blocks))
    return Text(**read, source="King James Bible, the New Testament and the books of wisdom")


def sentences(text: str) -> list[list[str]]:
    """The words of each line; empty lines are skipped."""
    return [words for line in text.split("\n") if (words := line.split())]


class Vocabulary:
    """Words and their ids: the four special ones, then every word seen at least ``min_count`` times, most frequent first."""

    def __init__(self, lines: Iterable[list[str]], min_count: int = MIN_COUNT):
        counts = Counter(chain.from_iterable(lines))
        kept = sorted((w for w, n in counts.items() if n >= min_count and w not in SPECIAL), key=lambda w: (-counts[w], w))
        self.types = SPECIAL + kept
        self.ids = {word: i for i, word in enumerate(self.types)}

    def __len__(self) -> int:
        return len(self.types)

    def tokenize(self, sentence: str | list[str]) -> list[int]:
        """The ids of ``<START> words <STOP>``; words that are not in the vocabulary become ``<UNK>``."""
        words = sentence.split() if isinstance(sentence, str) else sentence
        return [START, *(self.ids.get(word, UNK) for word in words), STOP]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of the ids up to the first ``<STOP>``, without ``<START>`` and ``<PAD>``."""
        words = []
        for id in map(int, ids):
            if id == STOP:
                break
            if id not in (START, PAD):
                words.append(self.types[id])
        return " ".join(words)


def flat(lists: Iterable[Iterable]) -> list:
    """[[1, 2], [3]] -> [1, 2, 3]."""
    return list(chain.from_iterable(lists))


def pad_to_length(ids: list[int], length: int = MAX_LEN, pad: int = PAD) -> list[int]:
    """Exactly ``length`` ids: truncated, or padded with PAD."""
    return (ids + [pad] * (length - len(ids)))[:length]


class Sentences(torch.utils.data.Dataset):
    """Pairs (x, y), each (length,) int64 and padded with PAD; y is x shifted by one token."""

    def __init__(self, lines: Iterable[list[str]], vocabulary: Vocabulary, length: int = MAX_LEN):
        rows = [pad_to_length(vocabulary.tokenize(line), length + 1) for line in lines]
        self.ids = torch.tensor(rows, dtype=torch.long).reshape(-1, length + 1)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self.ids[i, :-1], self.ids[i, 1:]

    def tokens(self) -> int:
        """The number of targets that are not PAD."""
        return int((self.ids[:, 1:] != PAD).sum())
