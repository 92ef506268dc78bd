"""The figures of the report on §2.2, from writeup/section2/results.json and cost.json."""

from __future__ import annotations

import importlib
import json
import math
import re
import statistics
from collections.abc import Callable
from functools import cached_property
from itertools import pairwise
from typing import Any

from experiments import control
from experiments import figures as of
from experiments.aft import POSITIONS
from experiments.cost import N_EMBD, N_HEADS
from experiments.measure import LENGTH, PREFIXED
from experiments.report import left_edge
from experiments.run import FULL, VARIANTS
from experiments.similarity import SHARPNESS
from mingpt.data import SPECIAL

from .render import WRITEUP, listed, must

BASE, TWIN = of.BASELINES
ON_SAME_BATCHES = [v.name for v in VARIANTS if v.task() == VARIANTS[0].task()]  # honest, on whole sentences
CONTROL = control.VARIANTS[0].name
HONEST = [name for name in ON_SAME_BATCHES if name not in (*of.BASELINES, CONTROL)]
EXPECTED = ("similarity", "sharing")  # what the question expects to matter most
SHARING = [name for name in HONEST if name.startswith("sharing")]
# What a variant has or lacks, in the words of the report's conclusion.
ALTERED = {
    CONTROL: "without a view of earlier tokens",
    "sharing: Q=K=V": "without projections of their own for queries, keys and values (but also with fewer parameters)",
    "similarity: cosine": "without the lengths of queries and keys (which the cosine, at the one sharpness tried, leaves out)",
    "similarity: distance": "with a distance in place of the dot product",
    "positions: sinusoidal": "with sinusoids (their size is learned; they have fewer parameters) in place of learned positions",
    "positions: ALiBi": "with ALiBi's distances in place of learned positions",
    "AFT-simple": "with weights that do not depend on the query (if a gate does and each feature has weights of its own)",
    "FAVOR+": "with random features in place of the exact softmax",
}
SOURCE = re.compile(r"\((?:\w+, )?([^()]*?), (https://\S+?)\)")
TIE = 0.1  # percent: means that differ by less are named together
Value = Callable[[of.Run], float]


class Figures:
    """What section2.md.j2 may say of the runs. ``name`` is a variant's; lists are in the order of the seeds."""

    def __init__(self, results: dict[str, Any], cost: dict[str, Any]):
        self.runs = of.by_variant(results["runs"])
        self.total, self.text, self.counting = len(results["runs"]), results["text"], results["counting"]
        first = self.runs[BASE][0]
        self.budget, self.parameters, self.batches = first["budget"], first["parameters"], of.batches(first)
        self.seeds = [run["seed"] for run in self.runs[BASE]]
        self.leaks = {name: max(r["leak"] for r in mine) for name, mine in self.runs.items()}
        self.cost = {int(n): each for n, each in cost["milliseconds"].items()}
        self.features, self.cost_threads, self.rounds = cost["features"], cost["threads"], cost["rounds"]
        self.batch_ms, self.batch_size = cost["batch_milliseconds"], cost["batch"]
        self.positions = POSITIONS  # for which AFT-full learns biases
        self.residuals, self.penalty = cost["residuals"], cost["penalty"]
        self.baselines = of.baselines(self.runs)
        self.full = self.budget["name"] == FULL.name and self.seeds == list(FULL.seeds)
        self.devices = sorted({run["device"] for mine in self.runs.values() for run in mine})

    def each(self, name: str, value: Value) -> list[float]:
        return [value(run) for run in self.runs[name]]

    def ppl(self, name: str) -> list[float]:
        return self.each(name, of.dev)

    def train(self, name: str) -> list[float]:
        return self.each(name, lambda r: r["train"]["per_token"])

    def at(self, name: str, place: str) -> list[float]:
        """Perplexity at positions."""
        return self.each(name, lambda r: r["by_position"][place])

    def prefixes(self, name: str, kind: str) -> list[float]:
        return self.each(name, lambda r: r["prefixes"][kind])

    def leak(self, name: str) -> str:
        return of.leak(self.runs[name])

    def sample(self, name: str, prompt: int) -> str:
        """The first seed's."""
        return self.runs[name][0]["samples"][prompt]

    def samples(self, name: str) -> list[str]:
        return [text for run in self.runs[name] for text in run["samples"]]

    def words(self, name: str) -> tuple[int, int]:
        """The numbers of words of the shortest and the longest sample."""
        counts = [len(text.split()) for text in self.samples(name)]
        return min(counts), max(counts)

    def times(self, name: str, kind: str) -> list[float]:
        """How many times the baseline's perplexity, seed by seed."""
        return [mine / base for mine, base in zip(self.prefixes(name, kind), self.prefixes(BASE, kind))]

    @cached_property
    def beaten(self) -> list[str]:
        """The n-gram models whose perplexity the baselines' mean is below."""
        return [name for name, ppl in self.counting.items() if ppl > statistics.mean(map(of.dev, self.baselines))]

    @cached_property
    def best(self) -> str:
        """What is furthest below the baselines."""
        return min(self.runs, key=lambda name: self.diff(name).mean)

    def diff(self, name: str, base: str | None = None, value: Value = of.dev) -> of.Difference:
        """From the runs of ``base``, or else from the mean of the baselines, seed by seed."""
        return of.paired(self.runs[name], self.runs[base] if base else self.baselines, value)

    @cached_property
    def pairs_shared(self) -> float:
        """The largest difference, in percent, that sharing two of the three projections makes."""
        return max(abs(self.diff(name).mean) for name in SHARING if name != "sharing: Q=K=V")

    def cut(self, name: str, whole: str | None, place: str) -> of.Difference:
        """Of a model trained on short sentences, from ``whole`` (or else the baselines), with the same kind of positions."""
        return self.diff(name, whole, value=lambda r: r["by_position"][place])

    def largest(self, expected: bool) -> list[str]:
        """The honest variants with the largest difference, on whole sentences, of the ``expected`` ones or the others."""
        among = [name for name in HONEST if name.startswith(EXPECTED) == expected]
        return self.tied(among, lambda name: abs(self.diff(name).mean))

    def tied(self, names: list[str], size: Callable[[str], float]) -> list[str]:
        """Those of the largest size, largest first."""
        ordered = sorted(names, key=size, reverse=True)
        return [name for name in ordered if size(name) > size(ordered[0]) - TIE]

    @cached_property
    def noise(self) -> tuple[float, int]:
        return of.noise(self.runs, ON_SAME_BATCHES)

    @cached_property
    def freedom(self) -> int:
        return self.noise[1]

    @cached_property
    def scatter(self) -> float:
        """The standard deviation of one run, in percent."""
        return self.noise[0] * math.sqrt(len(self.seeds)) / of.student(self.freedom) if self.freedom else math.nan

    @cached_property
    def twin(self) -> float:
        """The largest difference by dropout alone, in percent."""
        return max(abs(found) for found in of.differences(self.runs[TWIN], self.runs[BASE]))

    def bound(self, others: int) -> float:
        """What a mean difference has to exceed; ``others``: how many runs a seed the other side of it has.

        A single seed has no spread: the difference between the baselines is all there is to judge by.
        """
        return of.of_difference(self.noise[0], others) if self.freedom else 2 * self.twin

    @cached_property
    def yard(self) -> float:
        """For a difference from the baselines."""
        return self.bound(len(of.BASELINES))

    @cached_property
    def yard_of_two(self) -> float:
        """For a difference between two variants."""
        return self.bound(1)

    @cached_property
    def widened(self) -> float:
        """By what factor an interval is wider that allows for all comparisons with the baselines (Bonferroni's)."""
        z = statistics.NormalDist().inv_cdf(1 - 0.025 / len(HONEST))
        return of.student(self.freedom, z) / of.student(self.freedom) if self.freedom else 1.0

    def barely(self, difference: of.Difference, bound: float) -> str:
        return "barely " if bound < abs(difference.mean) <= bound * self.widened else ""

    def verdict(self, name: str) -> str:
        mean = self.diff(name).mean
        return "not told apart" if abs(mean) <= self.yard else "better" if mean < 0 else "worse"

    @cached_property
    def needed(self) -> list[str]:
        """By what a model became worse."""
        return [part for name, part in ALTERED.items() if self.verdict(name) == "worse"]

    @cached_property
    def not_needed(self) -> list[str]:
        return [part for name, part in ALTERED.items() if part not in self.needed]

    def effect(self, difference: of.Difference, bound: float) -> str:
        """What a change does by the same measure: perplexity is better if lower."""
        if abs(difference.mean) <= bound:
            return "cannot be seen to change"
        return self.barely(difference, bound) + ("helps" if difference.mean < 0 else "harms")

    def judged(self, difference: of.Difference, bound: float) -> str:
        """With as many decimals as show on which side of the bound, and of the widened one, its mean is."""
        return of.percent(difference, max(of.digits(difference.mean, b) for b in (bound, bound * self.widened)))

    def alone(self, difference: of.Difference) -> of.Difference:
        """The mean without the range, which the table has."""
        return of.Difference(*[difference.mean] * 3)

    def decimals(self, bound: float) -> int:
        """How many tell a bound from all differences."""
        return max(2, *(of.digits(self.diff(name).mean, bound) for name in HONEST))

    @cached_property
    def cut_off(self) -> bool:
        """Whether perplexity.png has arrows for what is left of its scale."""
        left = left_edge([(v, self.runs[v.name]) for v in VARIANTS], self.counting["Kneser-Ney bigram"])
        return any(of.dev(run) < left for runs in self.runs.values() for run in runs)

    def cheaper(self, kind: str) -> str:
        """At which of the measured lengths FAVOR+ takes less time than ``kind``."""
        lengths = sorted(self.cost)
        found = [n for n in lengths if self.cost[n]["favor"] < self.cost[n][kind]]
        if not found or found == lengths:
            return "at each" if found else "at none"
        if found == lengths[-len(found) :]:
            return f"from {found[0]:,} tokens on"
        return f"at {listed(found, ',')} tokens only"

    def growth(self, kind: str) -> float:
        """How many times as long the longest measured length takes as the one before it."""
        before, last = sorted(self.cost)[-2:]
        return self.cost[last][kind] / self.cost[before][kind]

    @cached_property
    def growth_if_linear(self) -> float:
        before, last = sorted(self.cost)[-2:]
        return last / before

    @cached_property
    def uneven(self) -> bool:
        """Whether a longer sequence took less time than a shorter one, which cannot be right."""
        pairs = pairwise(sorted(self.cost))
        return any(self.cost[a][kind] >= self.cost[b][kind] for a, b in pairs for kind in self.cost[a])


def source(module: str) -> str:
    """The authors and the year that an experiment's docstring names, as a link."""
    found = SOURCE.search(importlib.import_module(f"experiments.{module}").__doc__ or "")
    return f"[{found[1]}]({found[2]})" if found else must(False, f"{module} names its source")


def figures() -> dict[str, Any]:
    """Names for section2.md.j2, from the runs in writeup/."""
    folder = WRITEUP / "section2"
    return figures_of(*(json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in ("results", "cost")))


def figures_of(results: dict[str, Any], cost: dict[str, Any]) -> dict[str, Any]:
    """Names for section2.md.j2."""
    found = Figures(results, cost)
    names = {name: getattr(found, name) for name in dir(found) if not name.startswith("_")}
    fixed = {
        "names": [v.name for v in VARIANTS],
        "compared": len(HONEST),
        "special": len(SPECIAL),
        "prefixed": PREFIXED,
        "sample_length": LENGTH,
        "sharpness": SHARPNESS,
        "head_size": N_EMBD // N_HEADS,
        "source": source,
    }
    return {
        **names,
        **fixed,
        "spread": of.spread,
        "percent": of.percent,
        "digits": of.digits,
        "mean": statistics.mean,
        "listed": listed,
    }
