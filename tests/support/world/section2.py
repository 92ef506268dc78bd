"""Section 2.1 with single functions replaced. Not a module of kinds: ``KINDS`` is empty."""

from __future__ import annotations

from support.world.kind import S2, Kind, changed

KINDS: list[Kind] = []

RETURNS = {
    "pairwise_similarities": "Q @ K.transpose(-2, -1)",
    "attn_scaled": "A / math.sqrt(n_embd / n_heads)",
    "attn_softmax": "F.softmax(A, dim=-1)",
    "compute_outputs": "A @ V",
    "make_causal_mask": "torch.tril(torch.ones(n_tok, n_tok))",
    "apply_causal_mask": 'A.masked_fill(mask == 0, float("-inf"))',
    "split_heads": "x.reshape(B, n, n_heads, d // n_heads).transpose(1, 2)",
    "merge_heads": "y.transpose(1, 2).flatten(2)",
}


def returning(**expressions: str) -> str:
    """Section 2.1 whose functions return these expressions; ``{}`` in one stands for the right expression."""
    pairs = [
        (f"    return {RETURNS[name]}\n", f"    return {text.replace('{}', f'({RETURNS[name]})')}\n")
        for name, text in expressions.items()
    ]
    return changed(S2, *pairs)


def items(*names: str) -> list[str]:
    return [f"2.1.{name}" for name in names]
