"""The class page's drawings: scores of a course, pass rates, correlations."""

from __future__ import annotations

import math
import statistics
from collections import Counter

from markupsafe import Markup

from autograder.batch.gradebook import number


def histogram(scores: list[float], top: float, course: str) -> Markup:
    """One thin bar per whole point; the dark part of the baseline runs from the lowest to the highest score.

    ``scores`` must be sorted and not empty; ``top`` is the highest possible score.
    """
    counts = Counter(math.floor(score) for score in scores)
    width, height, step = 640, 120, 640 / (top + 1)
    tallest, parts = max(counts.values()), [f'<line class="hair" x1="0" x2="{width}" y1="{height - 18}" y2="{height - 18}"/>']
    for score, count in sorted(counts.items()):
        x, h = score * step, max(1.0, count / tallest * (height - 34))
        parts.append(
            f'<rect x="{x + step * 0.15:.1f}" y="{height - 20 - h:.1f}" width="{step * 0.7:.1f}" height="{h:.1f}">'
            f"<title>{score} points: {count}</title></rect>"
        )
        if count == tallest:
            parts.append(f'<text x="{x + step / 2:.1f}" y="{height - 25 - h:.1f}" text-anchor="middle">{count}</text>')
    median, low, high = statistics.median(scores), min(counts), max(counts)
    at = (median + 0.5) * step
    parts.append(f'<line x1="{low * step:.1f}" x2="{(high + 1) * step:.1f}" y1="{height - 18}" y2="{height - 18}"/>')
    parts.append(f'<path d="M{at:.1f} {height - 17} l4 6 h-8 z"/>')
    labels = {low, high} | {v for v in range(0, int(top) + 1, 10) if low + 2 < v < high - 2}
    parts += [
        f'<text x="{(value + 0.5) * step:.1f}" y="{height - 2}" text-anchor="middle">{value}</text>'
        for value in sorted(labels)
        if abs(value - median) > 1.5
    ]
    parts.append(f'<text x="{at:.1f}" y="{height - 1}" text-anchor="middle" class="median">{number(median)}</text>')
    title = f"Course {course}: {len(scores)} scores from {number(scores[0])} to {number(scores[-1])}, median {number(median)}"
    return Markup(
        f'<svg role="img" viewBox="0 0 {width} {height}" aria-label="{title}"><title>{title}</title>{"".join(parts)}</svg>'
    )


def bar(rate: float | None) -> Markup:
    """A pass rate as a thick line along a hairline that stands for 100 %."""
    if rate is None:
        return Markup("")
    return _small(f'<path class="hair" d="M0 5H80"/><path class="thick" d="M0 5H{80 * rate:.1f}"/>')


def dot(value: float | None) -> Markup:
    """A correlation as a dot on a scale from -1 to 1 with a tick at zero."""
    if value is None:
        return Markup("")
    return _small(f'<path class="hair" d="M0 5H80M40 1V9"/><circle cx="{40 + 38 * value:.1f}" cy="5" r="3"/>')


def _small(parts: str) -> Markup:
    return Markup(f'<svg class="bar" viewBox="0 0 80 10" aria-hidden="true">{parts}</svg>')
