"""What the runs say: means, spreads and paired differences. The table, the plots and the report all take their figures here."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from typing import Any, NamedTuple

from .baseline import VARIANTS

Run = dict[str, Any]
BASELINES = tuple(v.name for v in VARIANTS)  # the same model, with another stream of dropout each


class Difference(NamedTuple):
    """Paired differences in percent: their mean, and the smallest and largest over the seeds."""

    mean: float
    low: float
    high: float


def by_variant(runs: list[Run]) -> dict[str, list[Run]]:
    """Name -> its runs in order of their seeds; names in the order in which they first appear."""
    grouped: dict[str, list[Run]] = {}
    for run in sorted(runs, key=lambda r: r["seed"]):
        grouped.setdefault(run["variant"], []).append(run)
    return {name: grouped[name] for name in dict.fromkeys(run["variant"] for run in runs)}


def dev(run: Run) -> float:
    return run["dev"]["per_token"]


def baselines(grouped: dict[str, list[Run]]) -> list[Run]:
    """What the others are compared with: the runs of the unchanged model, with every stream of dropout."""
    return [run for name in BASELINES for run in grouped.get(name, [])]


def differences(runs: list[Run], base: list[Run], value: Callable[[Run], float] = dev) -> list[float]:
    """By how many percent ``value`` is higher in each run than in the mean of the runs of ``base`` with the same seed."""
    of: dict[int, list[float]] = {}
    for run in base:
        of.setdefault(run["seed"], []).append(value(run))
    return [100 * (value(run) / statistics.mean(of[run["seed"]]) - 1) for run in runs if run["seed"] in of]


def paired(runs: list[Run], base: list[Run], value: Callable[[Run], float] = dev) -> Difference:
    found = differences(runs, base, value)
    return Difference(statistics.mean(found), min(found), max(found))


def noise(grouped: dict[str, list[Run]], names: list[str]) -> tuple[float, int]:
    """What the mean of one model's runs may be off by chance: half of its 95 % interval, in percent, and degrees of freedom.

    ``names``: models trained on the same batches, with all seeds. A difference from the baselines is taken as its model's mean
    (the baselines are one model, with several runs a seed), plus what the seed does to all, plus chance, as large for all and
    independent. Chance in the baselines themselves moves all differences of a seed, so it goes with the seed. nan for one.
    """
    base = baselines(grouped)
    found = {name: differences(grouped[name], base) for name in names}
    models: dict[str, list[float]] = {}
    for name, values in found.items():
        models.setdefault(model(name), []).extend(values)
    by_seed = [statistics.mean(values) for values in zip(*found.values())]
    freedom = sum(map(len, models.values())) - len(models) - len(by_seed) + 1
    if len(by_seed) < 2 or not freedom:
        return math.nan, 0
    mean, overall = {name: statistics.mean(values) for name, values in models.items()}, statistics.mean(by_seed)
    rest = sum((x - mean[model(name)] - y + overall) ** 2 for name, values in found.items() for x, y in zip(values, by_seed))
    return student(freedom) * math.sqrt(rest / freedom / len(by_seed)), freedom


def model(name: str) -> str:
    """The baselines are one model."""
    return BASELINES[0] if name in BASELINES else name


def of_difference(half: float, others: int) -> float:
    """Half of the interval of a model's mean less the mean over ``others`` runs a seed, from that of the mean alone."""
    return half * math.sqrt(1 + 1 / others)


def student(freedom: int, z: float = 1.96) -> float:
    """Student's 97.5 % point, or the one that belongs to another point ``z`` of the normal distribution.

    By the first terms of its series in 1/freedom: to 0.01 from four degrees on.
    """
    terms = ((z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96, (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384)
    return z + sum(term / freedom**power for power, term in enumerate(terms, start=1))


def spread(values: list[float], form: str = ".1f") -> str:
    """Mean ± half the range, or the single value."""
    mean = f"{statistics.mean(values):{form}}"
    return mean if len(values) == 1 else f"{mean} ± {(max(values) - min(values)) / 2:{form}}"


def digits(value: float, bound: float) -> int:
    """How many decimals show on which side of the bound a value is: at least one, at most four."""
    return next((n for n in (1, 2, 3) if round(abs(value), n) != round(bound, n)), 4)


def percent(difference: Difference, decimals: int = 1) -> str:
    """As in "+1.3 % (+1.1 … +1.5)"."""
    mean, low, high = (f"{value:+.{decimals}f}" if round(value, decimals) else f"{0:.{decimals}f}" for value in difference)
    said = f"{mean} % ({low} … {high})" if difference.low != difference.high else f"{mean} %"
    return said.replace("-", "−")


def batches(run: Run) -> int:
    """How many batches a run had: its curve has a point in the middle of each stretch of equal width, and of the rest."""
    curve = run["curve"]
    start = round(2 * curve[0][0]) * (len(curve) - 1)
    return start + round(2 * (curve[-1][0] - start))


def leak(runs: list[Run]) -> str:
    """The largest leak, as measured: "0" only if it is exactly 0."""
    largest = max(run["leak"] for run in runs)
    return f"{largest:.2g}" if largest else "0"
