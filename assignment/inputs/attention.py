"""Cases of sections 1 and 2.1, hidden and public.

``draw`` chooses shapes and numbers; the engine fills in ``expected`` by calling the solution. ``second_opinion`` compares the
result with PyTorch's own attention.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .case import case
from .ladder import ladder

# Half precision inside self_attention has to show well above the tolerance where it is charged, a scale with four decimals must
# not. With V of this size and the large hidden size, both held for each of 1,000 seeds.
VALUE_SIZE = 2.1
LONG = 60  # tokens, many more than in any test: no fixed size will do
PUBLIC_SIZES = [(1, 10, 1, 6), (1, 10, 3, 6), (2, 4, 2, 8)]  # (batch, n_tok, n_heads, n_embd)

# The arguments through which gradients flow, as the handout calls them.
WATCHED = {
    "pairwise_similarities": "QK",
    "attn_scaled": "A",
    "attn_softmax": "A",
    "compute_outputs": "AV",
    "apply_causal_mask": "A",
    "split_heads": "x",
    "merge_heads": "y",
}


def draw(
    seed: int, public: bool, names: dict[str, Any], stages: dict[str, Any], sizes: list[tuple]
) -> dict[str, dict[str, list[dict]]]:
    """See ``inputs.draw``. The public set omits the reference query of 1.3.2, which students have to find."""
    rng = np.random.default_rng(seed)
    key, value = names["key"].numpy(), names["value"].numpy()
    reference = None if public else names["query132"].numpy().astype(np.float64)
    tree = section1(key, value, reference) | section2(rng, sizes)
    for id in tree if public else ():
        if id.startswith("2.1."):
            tree[id]["ladder"] = ladder(id.rpartition(".")[2])
    return tree


def section1(key: np.ndarray, value: np.ndarray, reference: np.ndarray | None) -> dict:
    """Cases of 1.2 to 1.4. Every target follows from V alone."""
    average = (value[0] + value[1]) / 2
    targets = {"1.2.1": value[0], "1.2.2": value, "1.3.1": value.mean(axis=0), "1.3.2": average}
    tree = {id: {"own": [case([key, value, target])]} for id, target in targets.items()}
    for id, target in {"1.4.1": value[:3].mean(axis=0), "1.4.2": value[2]}.items():
        tree[id] = {"own": [case([key, value, target, average, reference])]}
    return tree


def section2(rng: np.random.Generator, sizes: list[tuple]) -> dict:
    """Cases of 2.1: each function on its own inputs, self_attention on two groups without common inputs."""
    tree: dict[str, dict] = {}
    for name in (
        "pairwise_similarities",
        "attn_scaled",
        "attn_softmax",
        "compute_outputs",
        "make_causal_mask",
        "apply_causal_mask",
        "split_heads",
        "merge_heads",
    ):
        tree[f"2.1.{name}"] = {
            "own": [helper_case(name, rng, size, np.float32, i) for i, size in enumerate(sizes)],
            "float64": [helper_case(name, rng, sizes[-1], np.float64, 0)] if not name.endswith("causal_mask") else [],
        }
        if name in WATCHED:
            tree[f"2.1.{name}"]["traced"] = [traced(tree[f"2.1.{name}"]["own"][0], WATCHED[name])]
    for step in ("step1", "step2", "step3"):
        tree[f"2.1.self_attention.{step}"] = {group: attention_cases(step, rng, sizes) for group in ("own", "fresh")} | (
            {"float64": attention_cases(step, rng, sizes, kind=np.float64)[-1:]} if step == "step3" else {}
        )
    step3 = tree["2.1.self_attention.step3"]
    step3["traced"] = [traced(step3["own"][-1], "QKV")]
    causal = tree["2.1.self_attention.step2"]
    causal["again"] = causal["own"][:1]
    tree["2.1.make_causal_mask"]["long"] = [case([LONG], "make_causal_mask", "")]
    causal["elsewhere"] = [causal["own"][0] | {"layout": "elsewhere"}]
    return tree


def traced(one: dict, names: str) -> dict:
    """The same call, of which is watched what becomes of the last arrays; those before them are masks, here whole numbers."""
    args, arrays = list(one["args"]), [n for n, arg in enumerate(one["args"]) if isinstance(arg, np.ndarray)]
    for n in arrays[: -len(names)]:
        args[n] = args[n].astype(np.int64)
    return one | {"args": args, "layout": "traced", "facts": {"names": list(names)}}


def sizes(rng: np.random.Generator, public: bool) -> list[tuple[int, int, int, int]]:
    """(batch, n_tok, n_heads, n_embd) with one head and with several.

    The second hidden one, which every item has, is larger than the public ones in every respect, the others are small; the last
    one is a single sentence, like most of the public ones. No two numbers of a size are equal by chance.
    """
    if public:
        return PUBLIC_SIZES
    large = [(heads, width) for heads in (4, 5) for width in (9, 10, 11)]
    small = [(heads, width) for heads in (1, 2, 3) for width in (4, 5, 8)]
    few, more = (small[rng.integers(0, 3)], small[rng.integers(3, 9)])
    return [
        _size(rng, few, (2, 3), range(4, 10)),
        _size(rng, large[rng.integers(len(large))], (3, 4, 5), range(12, 16)),
        _size(rng, more, (1,), range(4, 10)),
    ]


def _size(rng: np.random.Generator, shape: tuple[int, int], batches: Iterable[int], lengths: Iterable[int]) -> tuple:
    """A batch size and a number of tokens for these (n_heads, width), each different from the other numbers."""
    n_heads, width = shape
    taken = {n_heads, width, n_heads * width}
    batch = int(rng.choice([b for b in batches if b not in taken]))
    return batch, int(rng.choice([n for n in lengths if n not in taken | {batch}])), n_heads, n_heads * width


def numbers(rng: np.random.Generator, *shape: int, kind: type = np.float32) -> np.ndarray:
    return rng.standard_normal(shape).astype(kind)


def helper_case(name: str, rng: np.random.Generator, size: tuple, kind: type, index: int) -> dict:
    """One call of a helper. Every other case has a heads dimension."""
    batch, n_tok, n_heads, n_embd = size
    width = n_embd // n_heads
    lead = (batch, n_heads) if index % 2 else (batch,)
    label = f"batch {batch}, n_tok {n_tok}, n_embd {n_embd}, n_heads {n_heads}"
    chunk = "chunk" if index == 2 else ""
    if name == "pairwise_similarities":
        pair = [numbers(rng, *lead, n_tok, width, kind=kind) for _ in "QK"]
        return case(pair, name, label, layout=chunk)
    if name == "attn_scaled":
        return case([numbers(rng, *lead, n_tok, n_tok, kind=kind) * 3, n_embd, n_heads], name, label)
    if name == "attn_softmax":
        return case([numbers(rng, *lead, n_tok, n_tok, kind=kind) * 2], name, label)
    if name == "compute_outputs":
        powers = np.exp(numbers(rng, *lead, n_tok, n_tok, kind=kind))
        return case([powers / powers.sum(-1, keepdims=True), numbers(rng, *lead, n_tok, width, kind=kind)], name, label)
    if name == "make_causal_mask":
        return case([n_tok], name, "")
    if name == "apply_causal_mask":
        mask = np.tril(np.ones((n_tok, n_tok), dtype=kind))
        return case([mask, numbers(rng, *lead, n_tok, n_tok, kind=kind) * 3], name, label)
    if name == "split_heads":
        return case([numbers(rng, batch, n_tok, n_embd, kind=kind), n_heads], name, label, layout=chunk)
    return case([numbers(rng, batch, n_heads, n_tok, width, kind=kind)], name, label)


def attention_cases(step: str, rng: np.random.Generator, sizes: list, kind: type = np.float32) -> list[dict]:
    """Calls of self_attention: step 1 with one head, step 2 causal, step 3 with several heads, causal and not."""
    cases = []
    for index, (batch, n_tok, n_heads, n_embd) in enumerate(sizes if step != "step3" else sizes[1:]):
        heads = n_heads if step == "step3" else 1
        for causal in {"step1": [False], "step2": [True], "step3": [False, True]}[step]:
            label = f"batch {batch}, n_tok {n_tok}, n_embd {n_embd}, n_heads {heads}, causal={causal}"
            inputs = [numbers(rng, batch, n_tok, n_embd, kind=kind) * kind(size) for size in (1, 1, VALUE_SIZE)]
            cases.append(
                case(
                    inputs,
                    "self_attention",
                    label,
                    {"n_heads": heads, "causal": causal},
                    layout="chunk" if index == 1 else "",
                )
            )
    return cases


def second_opinion(tree: dict) -> str:
    """Where PyTorch first disagrees with the solution's self_attention, or ''.

    Uses F.multi_head_attention_forward with identity projections and F.scaled_dot_product_attention.
    """
    import torch
    import torch.nn.functional as F

    for step in ("step1", "step2", "step3"):
        for group, cases in tree[f"2.1.self_attention.{step}"].items():
            for item in cases:
                query, key, value = (torch.from_numpy(a) for a in item["args"])
                n_heads, causal = item["kwargs"]["n_heads"], item["kwargs"]["causal"]
                heads = (x.unflatten(-1, (n_heads, -1)).transpose(1, 2) for x in (query, key, value))  # (B, h, n, width) each
                fused = F.scaled_dot_product_attention(*heads, is_causal=causal)
                for other in (fused.transpose(1, 2).flatten(2), multi_head(F, torch, query, key, value, n_heads, causal)):
                    error = float((other - torch.from_numpy(item["expected"])).abs().max())
                    if not error < 1e-5:
                        return f"{step}, {group}, {item['label']}: off by {error:.2g}"
    return ""


def multi_head(F: Any, torch: Any, query: Any, key: Any, value: Any, n_heads: int, causal: bool) -> Any:
    """F.multi_head_attention_forward with identity projections, batch first."""
    width, n_tok = query.shape[-1], query.shape[1]
    eye, zeros = torch.eye(width, dtype=query.dtype), torch.zeros(width, dtype=query.dtype)
    mask = torch.full((n_tok, n_tok), float("-inf"), dtype=query.dtype).triu(1) if causal else None
    out, _ = F.multi_head_attention_forward(
        query.transpose(0, 1),
        key.transpose(0, 1),
        value.transpose(0, 1),
        width,
        n_heads,
        in_proj_weight=torch.cat([eye, eye, eye]),
        in_proj_bias=torch.cat([zeros, zeros, zeros]),
        bias_k=None,
        bias_v=None,
        add_zero_attn=False,
        dropout_p=0.0,
        out_proj_weight=eye,
        out_proj_bias=zeros,
        need_weights=False,
        attn_mask=mask,
    )
    return out.transpose(0, 1)
