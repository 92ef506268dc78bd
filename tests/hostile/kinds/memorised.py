"""Answers that are remembered from the public cases, which every student has."""

from __future__ import annotations

import json
from typing import Any

from hostile.case import Hostile, function
from support.project import ROOT

CASES_OF = json.loads((ROOT / "student" / "a2checks" / "cases.json").read_text(encoding="utf-8"))["cases"]
STEPS = ("2.1.self_attention.step1", "2.1.self_attention.step2", "2.1.self_attention.step3")
ARGUMENT = {"attn_softmax": "A", "compute_outputs": "V", "merge_heads": "y", "split_heads": "x", "self_attention": "V"}
BY_SHAPE = "str(list({x}.shape))"
BY_FIRST = "'%.4f' % {x}.flatten()[0].item()"


def remembered(name: str, of: str, key: str, otherwise: str, *items: str) -> Hostile:
    """The outputs of the public cases, found by a ``key`` of the last tensor; ``otherwise`` for any other inputs."""
    items = items or (f"2.1.{of}",)
    x = ARGUMENT[of]
    table = {}
    for case in (case for item in items for case in CASES_OF[item]["own"]):
        _, shape, numbers = last_array(case["args"])
        found = str(shape) if key is BY_SHAPE else f"{numbers[0]:.4f}"
        table[found] = case["expected"]["$array"][1:]
    body = f"""
known = {table!r}.get({key.format(x=x)})
return torch.tensor(known[1]).reshape(known[0]) if known else {otherwise}"""
    return Hostile("sizes", name, function(body, of), frozenset(items))


def last_array(args: list[Any]) -> list[Any]:
    return [arg["$array"] for arg in args if isinstance(arg, dict)][-1]


CASES = [
    remembered("outputs remembered by shape", "attn_softmax", BY_SHAPE, "A"),
    remembered("outputs remembered by the first number", "attn_softmax", BY_FIRST, "torch.ones_like(A) / A.shape[-1]"),
    remembered("products remembered by the first number", "compute_outputs", BY_FIRST, "V"),
    remembered("heads remembered by the first number", "split_heads", BY_FIRST, "x[:, None]"),
    remembered("attention remembered by the first number", "self_attention", BY_FIRST, "V", *STEPS),
]
