"""What the judge tells a run of ``main`` while it goes on, and how it recognises that again (section 3, step 4).

A forger cannot know it before the code has really run: after each epoch the judge names numbers, drawn anew for every run, with
which the probe marks the model's last weights, and the validation accuracy to report. How many epochs there were and what
was reported is the judge's own account, whatever the worker says.
"""

from __future__ import annotations

import io
import secrets
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np

NUMBERS = 4  # of one mark; weights that have fewer hold the first of them
MAX_RUNS, MAX_EPOCHS, MAX_BYTES = 6, 500, 32 << 20
MAX_STARTS, MAX_PASSES = 200, 40  # that a probe reports


class Teller:
    """Answers one question's probe. ``scores``: the validation accuracies in order, one for each epoch."""

    def __init__(self, scores: list[float]):
        self.scores = scores
        self.runs = 0
        self.marks: list[list[float]] = []
        self.reported: list[float] = []

    def answer(self, what: str) -> Any:
        """``begin``: a run begins; ``epoch``: an epoch is over, gives its mark; ``accuracy``: gives the last epoch's."""
        if what == "begin" and self.runs < MAX_RUNS:
            self.runs += 1
            self.marks, self.reported = [], []
            return None
        if what == "epoch" and self.runs and len(self.marks) < MAX_EPOCHS:
            self.marks.append([number() for _ in range(NUMBERS)])
            return self.marks[-1]
        if what == "accuracy" and self.marks:
            done = len(self.marks)
            score = self.scores[min(done, len(self.scores)) - 1] + drawn() * 1e-4
            if len(self.reported) < done:
                self.reported += [score] * (done - len(self.reported))
            return self.reported[-1]
        raise ValueError("there is nothing to tell")

    def account(self) -> dict[str, Any]:
        return {"epochs": len(self.marks), "reported": self.reported, "marks": self.marks}


def plausible(way: dict, sizes: dict[str, int]) -> str:
    """Why a run of ``main`` cannot have been as a probe reports it, after what it was told; '' if it can.

    ``sizes``: of the splits, in the larger of its worlds.
    """
    return next(_contradictions(way, sizes), "")


def _contradictions(way: dict, sizes: dict[str, int]) -> Iterator[str]:
    epochs, starts, passes = way["told"]["epochs"], way["starts"], way["passes"]
    if way["called"] and len(starts) != min(epochs, MAX_STARTS):
        yield f"{epochs} epochs, but {len(starts)} calls of train_one_epoch"
    if way["told"]["reported"] and not way["evaluations"]:
        yield "an accuracy was asked for, but evaluate was never called"
    if way["called"] and sum(one["training"] is True for one in passes) < len(starts) and len(passes) < MAX_PASSES:
        yield f"{len(starts)} calls of train_one_epoch, but fewer passes over the data"
    if not within(-4, [file["epoch"] for file in way["files"]], epochs - 1):
        yield "a checkpoint of an epoch that never was"
    yield from ["a checkpoint saved after the last epoch"] * (not within(0, way["saves"], epochs))
    for one in passes:
        yield from _of_pass(one, sizes.get(one["split"], 0))


def within(least: int, numbers: list[int], most: int) -> bool:
    return all(least <= number <= most for number in numbers)


def _of_pass(one: dict, size: int) -> Iterator[str]:
    order = one["order"]
    if len(set(order)) < len(order) or not within(0, order, size - 1):
        yield "sentences that are not in that split"
    if one["split"] and one["foreign"][one["split"]] < len(order):
        yield "numbers of sentences that disagree"


def drawn() -> float:
    """Between 0 and 1, from a source that nobody can foresee."""
    return secrets.randbelow(1 << 20) / (1 << 20)


def number() -> float:
    """A small float32 of any sign and of one of eight sizes: two of them still have 22 random bits as bfloat16."""
    return float(np.float32((1 - 2 * secrets.randbelow(2)) * (1 + drawn()) * 2.0 ** -(6 + secrets.randbelow(8))))


def is_marked(raw: Any, mark: list[float]) -> bool:
    """Whether the bytes of a checkpoint hold these numbers side by side, in any usual precision, in whatever it is packed."""
    if not isinstance(raw, np.ndarray) or raw.dtype != np.uint8:
        return False
    wanted = [form for count in (2, 1) for form in forms(mark[:count])]
    return any(form in content for content in contents(raw.tobytes()) for form in wanted)


def forms(numbers: list[float]) -> list[bytes]:
    """Their bytes as float32, float64, float16 and bfloat16; a single one only where it is unlikely to occur by chance."""
    single = np.array(numbers, dtype="<f4")
    found = [single.tobytes(), single.astype("<f8").tobytes()]
    if len(numbers) > 1:
        bits = single.view("<u4")
        found += [single.astype("<f2").tobytes(), ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype("<u2").tobytes()]
    return found


def contents(raw: bytes) -> list[bytes]:
    """The bytes themselves and, if they are an archive with compressed members, those of the members."""
    found, left = [raw], MAX_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            for member in archive.infolist()[:1000]:
                if member.compress_type != zipfile.ZIP_STORED and left > 0:
                    with archive.open(member) as file:
                        found.append(file.read(left))
                    left -= len(found[-1])
    except Exception:
        pass  # no archive, or a broken one: the bytes themselves count
    return found
